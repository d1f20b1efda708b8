"""The solver of precedences against every order of the writes."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.graph.precedence import Level, Pair, precedences

COUNTS = st.integers(2, 4)


@st.composite
def levels(draw: st.DrawFn) -> tuple[int, Level]:
    """A number of writes and a level for each of their states."""
    count = draw(COUNTS)
    values = draw(st.lists(st.integers(0, 2), min_size=1 << count, max_size=1 << count))
    return count, values.__getitem__


def _masks(order: tuple[int, ...]) -> list[int]:
    """The states that an order of writes leads through."""
    found = [0]
    for position in order:
        found.append(found[-1] | 1 << position)
    return found


def _bad(count: int, level: Level) -> set[int]:
    floor = min(level(0), level((1 << count) - 1))
    return {mask for mask in range(1 << count) if level(mask) < floor}


def _allows(pairs: tuple[Pair, ...], mask: int) -> bool:
    return all(mask >> first & 1 for first, then in pairs if mask >> then & 1)


@settings(max_examples=300)
@given(levels())
def test_precedences_rule_out_every_bad_state_and_are_cyclic_only_without_a_safe_order(
    drawn: tuple[int, Level],
) -> None:
    count, level = drawn
    bad = _bad(count, level)
    found = precedences(count, level)
    orders = permutations(range(count))
    assert found.cyclic == all(bad & set(_masks(order)) for order in orders)
    if not found.cyclic:
        assert not {mask for mask in range(1 << count) if _allows(found.pairs, mask)} & bad


@settings(max_examples=300)
@given(levels())
def test_no_precedence_can_be_left_out(drawn: tuple[int, Level]) -> None:
    count, level = drawn
    bad, found = _bad(count, level), precedences(count, level)
    for pair in () if found.cyclic else found.pairs:
        rest = tuple(other for other in found.pairs if other != pair)
        assert {mask for mask in range(1 << count) if _allows(rest, mask)} & bad


@settings(max_examples=300)
@given(levels(), st.integers(0, 3))
def test_a_need_that_comes_with_its_subject_orders_providers_before_it_only(
    drawn: tuple[int, Level], subject: int
) -> None:
    count, provided = drawn
    subject %= count

    def level(mask: int) -> int:
        return provided(mask) if mask >> subject & 1 else 9

    found = precedences(count, level, subject)
    assert not found.cyclic
    # Whatever the providers do, the subject can wait for all of them.
    assert all(then == subject for _, then in found.pairs)


@settings(max_examples=300)
@given(levels(), st.integers(0, 3))
def test_a_need_that_goes_with_its_subject_orders_providers_after_it_only(
    drawn: tuple[int, Level], subject: int
) -> None:
    count, provided = drawn
    subject %= count

    def level(mask: int) -> int:
        return 9 if mask >> subject & 1 else provided(mask)

    found = precedences(count, level, subject)
    assert not found.cyclic
    assert all(first == subject for first, _ in found.pairs)
