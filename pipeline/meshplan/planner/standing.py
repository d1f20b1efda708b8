"""Orders in which what has to hold in every state does hold, where other reasons leave a choice.

What that is comes from above as a predicate. A state that breaks it teaches an edge: of the changed
objects one is there too early, or another too late.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from meshplan.dataclass import dataclass
from meshplan.graph import DependencyGraph, Edge
from meshplan.graph.cycles import closes_cycle, followers_of
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Step, simulate
from meshplan.resource import Snapshot

#: What does not hold in a state: in words, by a key that is the same in all states.
Predicate = Callable[[Snapshot], Mapping[str, str]]

#: Of so many steps of one wave every subset is looked at; of more those that lack one or have one.
_FEW = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """A state between the base and the head."""

    #: The wave that has been begun, from 0.
    wave: int
    #: Whether all its steps are done.
    complete: bool
    state: Snapshot


def moments(plan: Plan, base: Snapshot) -> Iterator[Moment]:
    """The states that a plan goes through, without both ends.

    Steps of one wave may be seen in any order; where there are many not all orders are looked at.
    """
    state = base
    for number, wave in enumerate(plan.waves):
        for some in _parts(wave.steps):
            yield Moment(number, False, simulate(some, state))
        state = simulate(wave.steps, state)
        if number + 1 < len(plan.waves):
            yield Moment(number, True, state)


def _parts(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Some of the steps, and not all."""
    few = len(steps) <= _FEW
    sizes = range(1, len(steps)) if few else (1, len(steps) - 1)
    for size in sizes:
        yield from combinations(steps, size)


def with_edges_for(
    holding: Predicate, plan: Plan, graph: DependencyGraph, base: Snapshot, head: Snapshot
) -> DependencyGraph:
    """The graph with edges that keep a plan from the states in which something does not hold.

    The same graph where nothing breaks, or no edge helps that closes no cycle. What one of the
    ends breaks is no reason for an order.
    """
    told = {*holding(base), *holding(head)}
    ids = tuple(dict.fromkeys(step.id for step in plan.steps))
    edges = dict.fromkeys(graph.edges)
    seen: set[str] = set()
    for moment in moments(plan, base):
        for key, why in holding(moment.state).items():
            if key in told or key in seen:
                continue
            seen.add(key)
            followers = followers_of(edges)
            for edge in _remedies(holding, key, why, _Ends(moment.state, base, head, ids)):
                if edge not in edges and not closes_cycle(edge, followers):
                    edges[edge] = None
                    break
    if len(edges) == len(graph.edges):
        return graph
    return DependencyGraph(tuple(sorted(edges)), graph.cycles)


@dataclass(frozen=True, slots=True)
class _Ends:
    """A state, and what each of its objects was and is to be."""

    state: Snapshot
    base: Snapshot
    head: Snapshot
    ids: Sequence[ResourceId]

    def moved(self, end: Snapshot) -> Iterable[tuple[ResourceId, Snapshot]]:
        """The states in which one object is as at an end, which it is not yet."""
        for found in self.ids:
            there = end.get(found)
            if _manifest(self.state, found) != _manifest(end, found):
                changed = self.state.without(found) if there is None else self.state.with_(there)
                yield found, changed


def _manifest(state: Snapshot, found: ResourceId) -> object:
    resource = state.get(found)
    return resource and resource.manifest


def _remedies(holding: Predicate, key: str, why: str, ends: _Ends) -> Iterator[Edge]:
    """Edges after which a state does not come about, the surest first."""
    early = [found for found, state in ends.moved(ends.base) if key not in holding(state)]
    late = [found for found, state in ends.moved(ends.head) if key not in holding(state)]
    written = [found for found, _ in ends.moved(ends.base)]
    waiting = [found for found, _ in ends.moved(ends.head)]
    for firsts, thens in ((late, early), (late, written), (waiting, early)):
        for first in firsts:
            for then in thens:
                if first != then:
                    told = f"a rule has to hold in every state, and would not: {why}"
                    yield Edge(first, then, told, "a rule broken for a while")
