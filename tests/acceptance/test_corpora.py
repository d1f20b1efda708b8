"""What has to come out of the change corpora: somebody's real repositories, before and after."""

from pathlib import Path

import corpora as bench
import expectations
import pytest

CASES = bench.case_names(bench.CORPORA)

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize("case", CASES or ["absent"])
def test_is_planned(case: str, corpora: Path) -> None:
    """No crash, a result as its schema says, the order that the case hints at, and what is said
    of this case in particular.
    """
    row, _ = bench.run_case(corpora, case)
    assert not row.problems


def test_the_corpora_are_complete(corpora: Path) -> None:
    assert len(bench.case_names(corpora)) == 88
    assert set(expectations.NAMED) <= set(CASES)


def test_exceptions_are_few_and_have_reasons(corpora: Path) -> None:
    assert len(expectations.FAILED) <= 8
    reasons = (*expectations.FAILED.values(), *expectations.NO_EDGE.values())
    assert all(len(reason) > 20 for reason in reasons)
    assert {case for case, _ in expectations.NO_EDGE} | set(expectations.FAILED) <= set(CASES)
