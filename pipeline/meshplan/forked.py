"""A second process for a part of the work: Python computes on one core.

Its answer comes back as JSON through a pipe. Whatever becomes of the process, whoever asked goes
on: without an answer the work is done again, where its errors are told.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, NoReturn


def can_fork() -> bool:
    """Whether a fork is safe, which it is not beside other threads, and there is a core for it."""
    if sys.platform != "linux":  # macOS has fork, and libraries that do not survive it
        return False
    try:
        return len(os.sched_getaffinity(0)) > 1 and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - a count
    except OSError:
        return False


@contextmanager
def forked(work: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Runs `work` in another process; the call waits for what it gives, None if it gives nothing."""
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


def _send(work: Callable[[], Any], pipe: int) -> NoReturn:
    """What the other process does: it answers once, at the end, and ends without a word."""
    try:
        data = json.dumps(work()).encode()
        with os.fdopen(pipe, "wb") as out:
            out.write(data)
    finally:
        os._exit(0)  # whatever it was: nothing that it inherited is flushed, closed or said twice


def _received(pipe: IO[bytes]) -> Any:
    with suppress(ValueError, OSError):  # it died: half of what it sent is nothing
        return json.loads(pipe.read())
    return None
