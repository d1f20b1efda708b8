"""The dependency graph of a set of changes."""

from collections.abc import Iterator
from typing import Protocol

from meshplan.diff import ChangeSet
from meshplan.graph import needed, unchanged
from meshplan.graph.cycles import cycles_of
from meshplan.graph.edge import DependencyGraph, Edge
from meshplan.graph.obligation import Obligation, edges_of
from meshplan.graph.standing import STANDING
from meshplan.graph.state import Index, View
from meshplan.graph.writes import Made, Writes, writes_of
from meshplan.mesh.config import MeshConfig
from meshplan.resource import Snapshot


class State(Protocol):
    """What the graph asks of the mesh of a revision."""

    @property
    def snapshot(self) -> Snapshot:
        """All objects."""

    @property
    def config(self) -> MeshConfig:
        """The settings of the mesh."""


def dependency_graph(changes: ChangeSet, base: State, head: State) -> DependencyGraph:
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

    edges = set(_renames(writes))
    for obligation in obligations(index):
        edges.update(edges_of(obligation, state, writes))
    found = tuple(sorted(edges))
    return DependencyGraph(found, cycles_of(found))


def _renames(writes: Writes) -> Iterator[Edge]:
    for old, new in writes.renamed:
        why = f"{new} is {old} under another name: the new one has to be there before the old goes"
        yield Edge(new, old, why, "a gap without either")


def obligations(index: Index) -> Iterator[Obligation]:
    """Everything that may not get worse on the way and that two writes or more bear on."""
    yield from needed.obligations(index)
    yield from unchanged.obligations(index)
    for obligations_of in STANDING:
        yield from obligations_of(index)
