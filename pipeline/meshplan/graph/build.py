"""The dependency graph of a set of changes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from meshplan.diff import ChangeSet
from meshplan.graph import needed, unchanged
from meshplan.graph.cycles import closes_cycle, cycles_of, followers_of
from meshplan.graph.edge import Cycle, DependencyGraph, Edge
from meshplan.graph.obligation import Obligation, State, Weighed, together, weighed
from meshplan.graph.standing import STANDING
from meshplan.graph.state import Index, View
from meshplan.graph.writes import Made, Writes, writes_of
from meshplan.mesh.config import MeshConfig
from meshplan.resource import Snapshot

#: How often the obligations of a cycle are tried together, each time on what is left of it.
_ROUNDS = 3


class Revision(Protocol):
    """What the graph asks of the mesh of a revision."""

    @property
    def snapshot(self) -> Snapshot:
        """All objects."""

    @property
    def config(self) -> MeshConfig:
        """The settings of the mesh."""


def dependency_graph(changes: ChangeSet, base: Revision, head: Revision) -> DependencyGraph:
    """Which change has to be written before which, so that nothing gets worse on the way.

    Edges come from what the objects say, by trying: what an object relies on, or clients rely on,
    may in no state between base and head be worse off than in both of them. What no revision
    defines may exist elsewhere and gives no edge.
    """
    writes = writes_of(changes)
    index = Index(head.snapshot, writes, (base.config, head.config))
    states: dict[Made, View] = {}

    def state(made: Made) -> View:
        if made not in states:
            states[made] = View(index, made)
        return states[made]

    found = [
        weighed(obligation, state, writes)
        for obligation in obligations(index)
        if len(obligation.ids) > 1
    ]
    binding = [entry for entry in found if entry.obligation.binding and entry.pairs]
    edges, cycles = _settled(binding, tuple(_renames(writes)), state, writes)
    mannerly = (entry for entry in found if not entry.obligation.binding)
    edges = _with_those_that_fit(edges, (edge for entry in mannerly for edge in entry.edges))
    return DependencyGraph(tuple(sorted(edges)), cycles)


def obligations(index: Index) -> Iterator[Obligation]:
    """Everything that may not get worse on the way and that two writes or more bear on."""
    yield from needed.obligations(index)
    yield from unchanged.obligations(index)
    for obligations_of in STANDING:
        yield from obligations_of(index)


def _renames(writes: Writes) -> Iterator[Edge]:
    for old, new in writes.renamed:
        why = "the same under another name, and the new one has to be there before the old goes"
        yield Edge(new, old, why, "a gap without either")


def _settled(
    found: Sequence[Weighed], renames: tuple[Edge, ...], state: State, writes: Writes
) -> tuple[set[Edge], tuple[Cycle, ...]]:
    """The edges of all obligations, after cycles that other choices avoid have been avoided."""
    entries = list(found)
    edges, cycles = _drawn(entries, renames)
    for _ in range(_ROUNDS):
        better = _reconsidered(cycles, entries, state, writes)
        if not better:
            break
        entries = [better.get(place, entry) for place, entry in enumerate(entries)]
        edges, cycles = _drawn(entries, renames)
    return edges, cycles


def _drawn(
    entries: Iterable[Weighed], renames: tuple[Edge, ...]
) -> tuple[set[Edge], tuple[Cycle, ...]]:
    edges = {edge for entry in entries for edge in entry.edges} | set(renames)
    return edges, cycles_of(sorted(edges))


def _reconsidered(
    cycles: Iterable[Cycle], entries: Sequence[Weighed], state: State, writes: Writes
) -> dict[int, Weighed]:
    """Other choices for the entries of cycles that contradict each other only by chance."""
    home = {member: number for number, cycle in enumerate(cycles) for member in cycle.ids}
    inside: dict[int, list[int]] = {}
    for place, entry in enumerate(entries):
        for first, then in entry.pairs:
            if first in home and home[first] == home.get(then):
                inside.setdefault(home[first], []).append(place)
                break
    found: dict[int, Weighed] = {}
    for places in inside.values():
        better = together([entries[place].obligation for place in places], state, writes)
        found.update(zip(places, better or (), strict=False))
    return found


def _with_those_that_fit(edges: set[Edge], more: Iterable[Edge]) -> set[Edge]:
    """Edges with those others that close no cycle, one after the other."""
    found = set(edges)
    followers = followers_of(found)
    for edge in sorted(set(more)):
        if not closes_cycle(edge, followers):
            found.add(edge)
            followers.setdefault(edge.first, set()).add(edge.then)
    return found
