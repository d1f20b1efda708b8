"""A second process for a part of the work: Python computes on one core.

What it answers, and what it is left with, are bytes that go through pipes. Whatever becomes of the
process, whoever asked goes on: without an answer the work is done again, where its errors are told.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, NoReturn

from meshplan.dataclass import dataclass

#: Before each message stands how many bytes it has, in as many bytes.
_LENGTH = 8


def can_fork() -> bool:
    """Whether a fork is safe, which it is not beside other threads, and there is a core for it."""
    if sys.platform != "linux":  # macOS has fork, and libraries that do not survive it
        return False
    try:
        return len(os.sched_getaffinity(0)) > 1 and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - a count
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Other:
    """Another process that works for this one."""

    _answers: IO[bytes]
    _orders: IO[bytes]

    def answer(self) -> bytes | None:
        """Waits for what its work gives; None if it gives nothing."""
        return _received(self._answers)

    def leave(self, data: bytes) -> bool:
        """Leaves it something to do once it has answered; False where it is gone."""
        try:
            _send(self._orders, data)
        except OSError:
            return False
        return True


@contextmanager
def forked(
    work: Callable[[], bytes], rest: Callable[[bytes], object] | None = None
) -> Iterator[Other]:
    """Runs `work` in another process, and then `rest` on what it is left with, if it is.

    The context ends when the process does.
    """
    answers, orders = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(answers[0])
        os.close(orders[1])
        _work(work, rest, answers[1], orders[0])
    os.close(answers[1])
    os.close(orders[0])
    reading, writing = os.fdopen(answers[0], "rb"), os.fdopen(orders[1], "wb")
    try:
        yield Other(reading, writing)
    finally:
        reading.close()
        with suppress(OSError):  # what a process that died did not take is still to be written
            writing.close()
        os.waitpid(child, 0)


def _work(
    work: Callable[[], bytes],
    rest: Callable[[bytes], object] | None,
    answers: int,
    orders: int,
) -> NoReturn:
    """What the other process does: it answers once, and ends without a word."""
    try:
        with os.fdopen(answers, "wb") as writing:
            _send(writing, work())
        with os.fdopen(orders, "rb") as reading:
            if rest is not None and (data := _received(reading)) is not None:
                rest(data)
    finally:
        os._exit(0)  # whatever it was: nothing that it inherited is flushed, closed or said twice


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(_LENGTH))
    pipe.write(data)
    pipe.flush()


def _received(pipe: IO[bytes]) -> bytes | None:
    with suppress(OSError):
        length = pipe.read(_LENGTH)
        data = pipe.read(int.from_bytes(length))
        # Half of what a process sent that died is nothing.
        if len(length) == _LENGTH and len(data) == int.from_bytes(length):
            return data
    return None
