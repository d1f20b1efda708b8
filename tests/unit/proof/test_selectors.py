"""Labels that several selectors choose together, against all ways to take some of them."""

from itertools import combinations
from random import Random

import pytest

from meshplan.proof.selectors import Labels, unions
from meshplan.proof.types import BudgetError


def together(selectors: list[dict[str, str]]) -> set[Labels]:
    """The labels of pods that some of the selectors choose, for each choice that has any."""
    found = set()
    for count in range(len(selectors) + 1):
        for chosen in combinations(selectors, count):
            pairs = {pair for one in chosen for pair in one.items()}
            if len({name for name, _ in pairs}) == len(pairs):
                found.add(tuple(sorted(pairs)))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_all_that_can_choose_one_pod(seed: int) -> None:
    random = Random(seed)
    names = random.sample("wxyz", 3)
    selectors = [
        {name: random.choice("ab") for name in random.sample(names, random.randint(0, 3))}
        for _ in range(random.randint(0, 5))
    ]
    found = unions(selectors)
    assert set(found) == together(selectors)
    assert len(found) == len(set(found))
    assert found[0] == ()


def test_too_many_are_not_told_apart() -> None:
    selectors = [{f"l{number}": "x"} for number in range(8)]
    assert len(unions(selectors[:7])) == 128
    with pytest.raises(BudgetError, match="too many labels"):
        unions(selectors)
    # The same one as often as one likes.
    assert len(unions([*selectors[:7], *selectors[:7]])) == 128
