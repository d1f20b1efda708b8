"""One look at an object for all rules finds the same as the look of each rule for itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.policy.program import Shape
from meshplan.policy.shapes import Shapes
from meshplan.policy.values import FITS, faults

names = st.sampled_from(["a", "b", "c"])


def _shape(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    return st.builds(
        Shape,
        st.sampled_from(["", *FITS]),
        st.dictionaries(names, inner, max_size=3),
        st.none() | inner,
    )


shapes = st.recursive(st.builds(Shape, st.sampled_from(["", *FITS])), _shape, max_leaves=8)
scalars = st.none() | st.booleans() | st.sampled_from([1, 80.0, 0.5, 2**60, "", "x"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=150)
@given(st.lists(shapes, max_size=4), values)
def test_an_object_fits_all_rules_if_it_has_no_fault_for_any(
    expected: list[Shape], value: object
) -> None:
    faultless = not any(list(faults(value, shape)) for shape in expected)
    assert Shapes(expected).fit(value) is faultless
