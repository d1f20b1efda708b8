"""Something that may not get worse on the way, and the edges that see to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meshplan.graph.edge import Edge
from meshplan.graph.precedence import precedences
from meshplan.graph.state import View
from meshplan.graph.writes import Writes
from meshplan.identity import ResourceId


@dataclass(frozen=True, slots=True)
class Obligation:
    """A level that is nowhere between base and head lower than at both ends."""

    #: The writes that bear on it, in the order in which one would make them.
    ids: tuple[ResourceId, ...]
    level: Callable[[View], int]
    why: str
    failure: str
    #: The object among `ids` whose need this is; None for what clients rely on.
    subject: ResourceId | None = None


def edges_of(
    obligation: Obligation, state: Callable[[frozenset[ResourceId]], View], writes: Writes
) -> Iterator[Edge]:
    """The weakest edges that keep the level up; opposite edges where no order does."""
    ids = obligation.ids
    if len(ids) < 2:
        return

    def level(mask: int) -> int:
        made = frozenset(found for i, found in enumerate(ids) if mask >> i & 1)
        return obligation.level(state(made))

    own = ids.index(obligation.subject) if obligation.subject in ids else None
    blocks = [writes.rank(found) for found in ids]
    for first, then in precedences(len(ids), level, own, blocks).pairs:
        yield _edge(obligation, ids[first], ids[then])


def _edge(obligation: Obligation, first: ResourceId, then: ResourceId) -> Edge:
    subject, why, failure = obligation.subject, obligation.why, obligation.failure
    if then == subject:
        return Edge(first, then, why, failure)
    if first == subject:
        return Edge(first, then, f"until then {why}", failure, retires=True)
    return Edge(first, then, f"{why}; {first} has to provide it before {then} stops to", failure)
