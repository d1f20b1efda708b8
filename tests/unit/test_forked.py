"""A second process answers once and takes one order; one that ends early is no trouble."""

import os
import signal
from pathlib import Path
from typing import NoReturn

import pytest

from meshplan.forked import forked
from support.processes import TWO_CORES

pytestmark = TWO_CORES

#: More than any pipe holds.
LARGE = bytes(range(256)) * 1024


def dies() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_it_works_beside_whoever_asks() -> None:
    with forked(lambda: str(os.getpid()).encode()) as other:
        assert other.answer() not in {None, str(os.getpid()).encode()}


@pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=len)
def test_an_answer_and_an_order_arrive_whole(data: bytes, tmp_path: Path) -> None:
    with forked(lambda: data, (tmp_path / "done").write_bytes) as other:
        assert other.answer() == data
        assert other.leave(data[::-1])
    # The context has ended, and so has the process.
    assert (tmp_path / "done").read_bytes() == data[::-1]


def test_without_an_order_there_is_nothing_to_do(tmp_path: Path) -> None:
    with forked(lambda: b"all", (tmp_path / "done").write_bytes) as other:
        assert other.answer() == b"all"
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_dies_answers_nothing_and_takes_nothing() -> None:
    with forked(dies) as other:
        assert other.answer() is None
        assert not other.leave(LARGE)


def test_a_process_that_fails_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with forked(lambda: bytes(1 // 0)) as other:
        assert other.answer() is None
    assert capfd.readouterr() == ("", "")


def test_half_an_order_is_not_carried_out(tmp_path: Path) -> None:
    with forked(lambda: b"", (tmp_path / "done").write_bytes) as other:
        assert other.answer() == b""
        other._orders.write((9).to_bytes(8) + b"half")
    assert list(tmp_path.iterdir()) == []


def test_an_error_meanwhile_ends_it() -> None:
    with pytest.raises(KeyError), forked(lambda: LARGE) as other:
        raise KeyError
    with pytest.raises(ValueError, match="closed"):
        other.answer()
