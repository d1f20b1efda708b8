"""Precedences from levels of states: bit i of a state is write i."""

import pytest

from meshplan.graph.precedence import MOOT, Level, precedences


def _level(bad: set[int]) -> Level:
    return lambda mask: 0 if mask in bad else 1


@pytest.mark.parametrize(
    ("bad", "pairs"),
    [
        (set(), ()),
        ({0b01}, ((1, 0),)),
        ({0b10}, ((0, 1),)),
    ],
)
def test_of_two_writes_the_one_whose_state_is_bad_goes_second(
    bad: set[int], pairs: tuple[tuple[int, int], ...]
) -> None:
    found = precedences(2, _level(bad))
    assert (found.pairs, found.cyclic) == (pairs, False)


def test_two_writes_that_are_bad_alone_have_no_order() -> None:
    found = precedences(2, _level({0b01, 0b10}))
    assert found.cyclic
    assert found.pairs == ((0, 1), (1, 0))


def test_two_providers_that_are_both_needed_go_before_the_subject_in_any_order() -> None:
    found = precedences(3, _level({0b100, 0b101, 0b110}), subject=2)
    assert found.pairs == ((0, 2), (1, 2))


def test_of_two_providers_either_of_which_will_do_one_goes_first() -> None:
    found = precedences(3, _level({0b100}), subject=2)
    assert len(found.pairs) == 1
    assert found.pairs[0][1] == 2


def test_what_is_missing_at_one_end_is_not_kept() -> None:
    assert precedences(2, [0, 0, 0, 1].__getitem__).pairs == ()


def test_what_is_no_question_at_one_end_is_not_kept() -> None:
    assert precedences(2, [1, 0, 0, MOOT].__getitem__).pairs == ()


def test_more_of_a_kind_are_kept_in_number() -> None:
    """Two old ones and two new ones: never less than two."""

    def level(mask: int) -> int:
        return (mask & 1) + (mask >> 1 & 1) + 2 - (mask >> 2 & 1) - (mask >> 3 & 1)

    pairs = precedences(4, level).pairs
    assert sorted(first for first, _ in pairs) == [0, 1]
    assert sorted(then for _, then in pairs) == [2, 3]


def test_of_very_many_writes_those_of_a_block_go_together() -> None:
    """Six creations and six deletions of what six make up: all creations first."""
    blocks = [0] * 6 + [2] * 6

    def level(mask: int) -> int:
        return (mask & 0b111111).bit_count() + 6 - (mask >> 6).bit_count()

    found = precedences(12, level, None, blocks)
    assert found.pairs == tuple((new, old) for new in range(6) for old in range(6, 12))
