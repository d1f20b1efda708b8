"""A second process that reads and parses a part of the files, where that is worth it.

Parsing is most of what a first run does. A forked process takes a part of the files and sends
their readings back as texts. What it does not send (a Secret, something huge, a file that cannot be
read, or all it had if it fails) is left to whoever asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from meshplan.forked import can_fork, forked
from meshplan.source.reading import Reading
from meshplan.source.stored import from_texts

Item = TypeVar("Item")

#: Fewer files are parsed in the time that a second process costs, some 20 ms.
_WORTH = 400
#: What part of the files the other process takes: it also has to send what it reads.
_SHARE = 0.47


def shares(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """What to read here, and what to read elsewhere: nothing where a second process is no gain.

    They take turns, as large files come in runs.
    """
    if len(items) < _WORTH or not can_fork():
        return list(items), []
    far = [int((number + 1) * _SHARE) > int(number * _SHARE) for number in range(len(items))]
    pairs = list(zip(items, far, strict=True))
    return [item for item, away in pairs if not away], [item for item, away in pairs if away]


@contextmanager
def elsewhere(work: Callable[[], Mapping[str, str]]) -> Iterator[Callable[[], dict[str, Reading]]]:
    """Runs `work` in another process; the call waits for the readings that it sends, by blob."""
    from meshplan.source import libyaml  # noqa: F401, PLC0415 - once, and not in each process

    with forked(work) as answer:
        yield lambda: _readings(answer() or {})


def _readings(texts: Mapping[str, str]) -> dict[str, Reading]:
    readings = zip(texts, from_texts(list(texts.values())), strict=True)
    return {blob: reading for blob, reading in readings if reading is not None}
