"""A second process that reads and parses a part of the files, where that is worth it.

Parsing is most of what a first run does, and Python parses on one core. A forked process takes a
part of the files and sends their readings back as JSON. What it does not send (a Secret, something
huge, a file that cannot be read, or all it had if it fails) is left to whoever asked.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NoReturn, TypeVar

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
    if len(items) < _WORTH or not _can_fork():
        return list(items), []
    far = [int((number + 1) * _SHARE) > int(number * _SHARE) for number in range(len(items))]
    pairs = list(zip(items, far, strict=True))
    return [item for item, away in pairs if not away], [item for item, away in pairs if away]


@contextmanager
def elsewhere(work: Callable[[], Mapping[str, str]]) -> Iterator[Callable[[], dict[str, Reading]]]:
    """Runs `work` in another process; the call waits for the readings that it sends, by blob."""
    from meshplan.source import libyaml  # noqa: F401, PLC0415 - once, and not in each process

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _send(work, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            yield lambda: _received(pipe)
    finally:
        os.waitpid(child, 0)


def _can_fork() -> bool:
    """Whether a fork is safe, which it is not beside other threads, and there is a core for it."""
    if sys.platform != "linux":  # macOS has fork, and libraries that do not survive it
        return False
    try:
        return len(os.sched_getaffinity(0)) > 1 and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - a count
    except OSError:
        return False


def _send(work: Callable[[], Mapping[str, str]], pipe: int) -> NoReturn:
    """What the other process does: it answers once, at the end, and ends without a word."""
    try:
        data = json.dumps(work()).encode()
        with os.fdopen(pipe, "wb") as out:
            out.write(data)
    finally:
        os._exit(0)  # whatever it was: nothing that it inherited is flushed, closed or said twice


def _received(pipe: IO[bytes]) -> dict[str, Reading]:
    texts: dict[str, str] = {}
    with suppress(ValueError, OSError):  # it died: half of what it sent is nothing
        texts = json.loads(pipe.read())
    readings = zip(texts, from_texts(list(texts.values())), strict=True)
    return {blob: reading for blob, reading in readings if reading is not None}
