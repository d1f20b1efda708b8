"""Equal results have one number, different ones have two, however many there are."""

from collections.abc import Mapping
from itertools import count
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from meshplan.dataclass import dataclass
from meshplan.proof.meter import Meter
from meshplan.proof.numbers import Numbers, fingerprint


@dataclass(frozen=True, slots=True)
class Held:
    """Something with a part that Python has no hash for."""

    name: str
    parts: Mapping[str, object]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
        | st.dictionaries(st.sampled_from("xy"), inner, max_size=2).map(MappingProxyType)
        | st.builds(Held, st.sampled_from("ab"), st.dictionaries(st.sampled_from("xy"), inner))
    ),
    max_leaves=4,
)


@given(st.lists(VALUES, max_size=40))
def test_numbers_against_comparing_each_with_each(values: list[object]) -> None:
    numbers, subjects = Numbers(Meter(1_000)), count()
    found = [numbers.of("stage", next(subjects), lambda v=value: v) for value in values]
    distinct: list[object] = []
    for value in values:
        if not any(value == other for other in distinct):
            distinct.append(value)
    assert found == [distinct.index(value) for value in values]


@given(VALUES, VALUES)
def test_equal_values_have_one_fingerprint(one: object, other: object) -> None:
    assert one != other or fingerprint(one) == fingerprint(other)


def test_fingerprints_tell_most_values_apart() -> None:
    values = [Held(name, {"x": [number]}) for name in "abcdef" for number in range(20)]
    assert len({fingerprint(value) for value in values}) == len(values)
