"""Which labels pods may have that several selectors choose."""

from collections.abc import Iterable, Mapping

from meshplan.proof.types import BudgetError

#: Labels as a key, sorted.
Labels = tuple[tuple[str, str], ...]

#: More sets of labels than this are not told apart.
_MOST = 200


def unions(selectors: Iterable[Mapping[str, str]]) -> tuple[Labels, ...]:
    """No labels, those of each selector, and those of all that can choose one pod together.

    One object may choose a client for a route and another one for what the route leads to: then it
    is the client with the labels of both that loses its requests. Raises BudgetError where there
    are too many.
    """
    found: dict[Labels, None] = {(): None}
    for selector in dict.fromkeys(tuple(sorted(one.items())) for one in selectors):
        for other in tuple(found):
            both = dict(other)
            if all(both.setdefault(name, value) == value for name, value in selector):
                found[tuple(sorted(both.items()))] = None
        if len(found) > _MOST:
            raise BudgetError("clients are told apart by too many labels")
    return tuple(found)
