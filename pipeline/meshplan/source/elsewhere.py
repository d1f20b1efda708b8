"""A second process that reads and parses a part of the files, where that is worth it.

Parsing is most of what a first run does. A forked process takes a part of the files and sends
their readings back as texts. What it does not send (a Secret, something huge, a file that cannot be
read, or all it had if it fails) is left to whoever asked. Then it keeps what both have read, which
nobody has to wait for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from meshplan.dataclass import dataclass
from meshplan.forked import Other, can_fork, forked
from meshplan.source.reading import Reading
from meshplan.source.stored import from_texts

Item = TypeVar("Item")
#: Readings by blob, as `stored` writes them.
Texts = Mapping[str, str]

#: Fewer files are parsed in the time that a second process costs, some 20 ms.
_WORTH = 400
#: What part of the files the other process takes: what it reads has to be sent and taken in.
_SHARE = 0.48


def shares(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """What to read here, and what to read elsewhere: nothing where a second process is no gain.

    They take turns, as large files come in runs.
    """
    if len(items) < _WORTH or not can_fork():
        return list(items), []
    far = [int((number + 1) * _SHARE) > int(number * _SHARE) for number in range(len(items))]
    pairs = list(zip(items, far, strict=True))
    return [item for item, away in pairs if not away], [item for item, away in pairs if away]


@dataclass(frozen=True, slots=True)
class Reader:
    """The other process."""

    _other: Other

    def readings(self) -> dict[str, Reading]:
        """Waits for what it has read, by blob."""
        texts = _unpacked(self._other.answer() or b"")
        readings = zip(texts, from_texts(list(texts.values())), strict=True)
        return {blob: reading for blob, reading in readings if reading is not None}

    def keep(self, texts: Texts) -> bool:
        """Has it keep these too; False where it is gone."""
        return self._other.leave(_packed(texts))


@contextmanager
def elsewhere(work: Callable[[], Texts], keep: Callable[[Texts], object]) -> Iterator[Reader]:
    """Runs `work` in another process, which also keeps what it gives; it ends with the context."""
    from meshplan.source import libyaml  # noqa: F401, PLC0415 - once, and not in each process

    read: dict[str, str] = {}

    def worked() -> bytes:
        read.update(work())
        return _packed(read)

    with forked(worked, lambda data: keep(read | _unpacked(data))) as other:
        yield Reader(other)


def _packed(texts: Texts) -> bytes:
    """A line for each: JSON without spaces is one line, and a blob's id has no space."""
    return "\n".join(f"{blob} {text}" for blob, text in texts.items()).encode("ascii")


def _unpacked(data: bytes) -> dict[str, str]:
    pairs = (line.partition(" ") for line in data.decode("ascii").split("\n") if line)
    return {blob: text for blob, _, text in pairs}
