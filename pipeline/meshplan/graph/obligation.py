"""Something that may not get worse on the way, and the edges that see to it."""

from collections.abc import Callable, Iterator, Sequence

from meshplan.dataclass import dataclass
from meshplan.graph.edge import Edge
from meshplan.graph.precedence import (
    EXACT,
    exact_precedences,
    floor_of,
    precedences,
    remembered,
)
from meshplan.graph.state import View, sorted_ids
from meshplan.graph.writes import Made, Writes
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
    #: Whether its edges hold even where they close a cycle.
    binding: bool = True


State = Callable[[Made], View]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An obligation with the precedences that follow from it."""

    obligation: Obligation
    pairs: tuple[tuple[ResourceId, ResourceId], ...]

    @property
    def edges(self) -> Iterator[Edge]:
        """The precedences in words."""
        return (edge_of(self.obligation, first, then) for first, then in self.pairs)


def weighed(obligation: Obligation, state: State, writes: Writes) -> Weighed:
    """The weakest precedences that keep the level up; opposite ones where no order does."""
    ids = obligation.ids
    own = ids.index(obligation.subject) if obligation.subject in ids else None
    blocks = [writes.rank(found) for found in ids]
    found = precedences(len(ids), _by_mask(obligation, ids, state), own, blocks)
    return Weighed(obligation, tuple((ids[first], ids[then]) for first, then in found.pairs))


def _by_mask(
    obligation: Obligation, ids: Sequence[ResourceId], state: State
) -> Callable[[int], int]:
    def level(mask: int) -> int:
        made = frozenset(found for i, found in enumerate(ids) if mask >> i & 1)
        return obligation.level(state(made & frozenset(obligation.ids)))

    return level


def together(
    obligations: Sequence[Obligation], state: State, writes: Writes
) -> tuple[Weighed, ...] | None:
    """Precedences that keep all the levels up at once; None where there are none, or too many ids.

    One by one, obligations may choose between orders in ways that contradict each other.
    """
    ids = sorted_ids((found for o in obligations for found in o.ids), writes)
    if len(ids) > EXACT + 2:
        return None
    full = (1 << len(ids)) - 1
    levels = [remembered(_by_mask(obligation, ids, state)) for obligation in obligations]
    floors = [floor_of(level, full) for level in levels]

    def kept(mask: int) -> int:
        return int(all(level(mask) >= floor for level, floor in zip(levels, floors, strict=True)))

    found = exact_precedences(len(ids), kept)
    if found.cyclic:
        return None
    pairs = [(ids[first], ids[then]) for first, then in found.pairs]
    return tuple(
        Weighed(obligation, tuple(p for p in pairs if set(p) <= set(obligation.ids)))
        for obligation in obligations
    )


def edge_of(obligation: Obligation, first: ResourceId, then: ResourceId) -> Edge:
    """A precedence in words."""
    subject, why, failure = obligation.subject, obligation.why, obligation.failure
    if then == subject:
        return Edge(first, then, why, failure)
    if first == subject:
        return Edge(first, then, f"until then {why}", failure, retires=True)
    return Edge(first, then, f"{why}, which fails with {then} written before {first}", failure)
