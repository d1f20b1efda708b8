"""The dependency graph of a set of changes."""

from collections.abc import Callable, Iterator
from typing import Protocol

from meshplan.diff import ChangeSet
from meshplan.graph.candidates import candidates
from meshplan.graph.clients import ELSEWHERE, namespaces_of
from meshplan.graph.cycles import cycles_of
from meshplan.graph.edge import DependencyGraph, Edge
from meshplan.graph.levels import UNCONCERNED, level_of
from meshplan.graph.obligation import Obligation, edges_of
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.graph.writes import Made, Writes, writes_of
from meshplan.identity import ResourceId
from meshplan.kinds.need import Endpoints, Host, Need, Subset, What
from meshplan.kinds.needs import needs_of
from meshplan.mesh.config import MeshConfig
from meshplan.resource import Resource, Snapshot


Level = Callable[[View], int]


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
    writes = index.writes
    for subject in writes.ids:
        yield from _of_changed(subject, index)
    yield from of_unchanged(index)


def _of_changed(subject: ResourceId, index: Index) -> Iterator[Obligation]:
    """What an object that changes relies on: before, after, or both."""
    before, after = index.writes.before.get(subject), index.writes.after.get(subject)
    old = needs_by_what(before, index) if before else {}
    new = needs_by_what(after, index) if after else {}
    for what, need in (old | new).items():
        if (before is None and not need.on_create) or (after is None and not need.on_delete):
            continue
        providers = set(candidates(what, index))
        if not providers - {subject}:
            continue
        together = sorted_ids({*providers, subject}, index.writes)
        for client in clients_of(what, index):
            level = _level(what, client)
            if what in old and what in new:
                yield Obligation(sorted_ids(providers, index.writes), level, need.why, need.failure)
                turn = _turn(level, together, index)
            else:
                turn = 1 if what in new else -1
            if turn:
                concerned = _while(level, subject, made=turn > 0)
                yield Obligation(together, concerned, need.why, need.failure, subject)


def needs_by_what(resource: Resource, index: Index) -> dict[What, Need]:
    """What an object relies on, each thing once, with the first place that says so."""
    found: dict[What, Need] = {}
    for need in needs_of(resource, index.domain):
        found.setdefault(need.what, need)
    return found


def clients_of(what: What, index: Index) -> tuple[str, ...]:
    """The namespaces of clients that a need has to be met for."""
    if isinstance(what, Host | Subset | Endpoints):
        return namespaces_of(what.clients, what.host, index)
    return (ELSEWHERE,)


def _level(what: What, client: str) -> Level:
    return lambda view: level_of(what, view, client)


def _while(level: Level, subject: ResourceId, *, made: bool) -> Level:
    """The level while the subject has been written, or has not been yet."""
    return lambda view: level(view) if (subject in view.made) is made else UNCONCERNED


def _turn(level: Level, ids: tuple[ResourceId, ...], index: Index) -> int:
    """Whether a need that stays begins (1) or ceases (-1) to be met between base and head.

    Requests that go elsewhere before may then come to it, or those that come to it go elsewhere
    after, with the one write of the object that has the need.
    """
    ends = [bool(level(View(index, made))) for made in (frozenset(), frozenset(ids))]
    return ends[1] - ends[0]


def of_unchanged(index: Index) -> Iterator[Obligation]:
    """What objects that do not change rely on."""
    yield from ()
