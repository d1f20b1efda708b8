"""Every state that a graph allows is tried: what is met before and after is met in between.

What is met is asked of a `Mesh` of the whole state, not of the graph's own overlay.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from hypothesis import HealthCheck, assume, event, given, note, settings

from meshplan.diff import ChangeSet, Create, Delete, Rename, Replace, Update, diff
from meshplan.graph import DependencyGraph
from meshplan.identity import ResourceId
from meshplan.kinds.need import Endpoints, Host, Subset
from meshplan.kinds.needs import needs_of
from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.hosts import matches
from meshplan.mesh.service import MeshService
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from support.plans import planned
from support.revisions_of_meshes import HOSTS, NAMESPACES, revisions, shown

_CLIENTS = (*NAMESPACES, "elsewhere")

#: How far pods are there for a subset that is not: no question, and nothing to keep.
_MOOT = 1 << 30

#: What somebody relies on, and the client.
_Fact = tuple[object, ...]


def _writes(changes: ChangeSet) -> dict[ResourceId, Resource | None]:
    """What each object becomes; None for what is removed."""
    found: dict[ResourceId, Resource | None] = {}
    for change in changes:
        match change:
            case Create(after) | Update(_, after) | Replace(_, after):
                found[after.id] = after
            case Delete(before):
                found[before.id] = None
            case Rename(before, after):
                found |= {before.id: None, after.id: after}
    return found


def _state(
    base: Snapshot, writes: dict[ResourceId, Resource | None], made: set[ResourceId]
) -> Snapshot:
    objects = {k: v for k, v in base.items() if k not in made}
    return Snapshot([*objects.values(), *(w for m in made if (w := writes[m]) is not None)])


def _aged(state: Snapshot, base: Snapshot) -> Snapshot:
    """The state with the ages that the objects would have: what is new is the youngest."""
    return Snapshot(
        replace(
            found,
            manifest={
                **found.manifest,
                "metadata": {
                    **found.metadata,
                    "creationTimestamp": f"{2020 if found.id in base else 2030}-01-01T00:00:00Z",
                },
            },
        )
        for found in state.values()
    )


def _met(mesh: Mesh, fact: _Fact) -> int:
    """How far one fact holds."""
    match fact:
        case ("port", host, port, client):
            found = mesh.service(host, client)
            return int(found is not None and (port is None or found.port(port) is not None))
        case ("reach", host, port, client):
            # A client that names the host itself is served by a wildcard over it as well.
            for name in (host, "*." + host.partition(".")[2]):
                if found := mesh.service(name, client):
                    return int(found.port(port) is not None)
            return 0
        case ("subset", host, subset, client):
            rule = mesh.destination_rule(host, client)
            return int(rule is not None and rule.subset(subset) is not None)
        case ("pods", host, subset, client):
            return _pods(mesh, host, subset, client)
        case ("routed", host, client):
            routed = mesh.virtual_services_for("mesh", client)
            return int(any(matches(name, host) for vs in routed for name in vs.hosts))
    raise AssertionError(fact)


def _at_end(mesh: Mesh, fact: _Fact) -> int:
    """How far one fact holds in a revision; what is no question there is nothing to keep."""
    found = _met(mesh, fact)
    return 0 if found == _MOOT else found


def _pods(mesh: Mesh, host: str, subset: str | None, client: str) -> int:
    service, labels = mesh.service(host, client), {}
    if subset is not None:
        rule = mesh.destination_rule(host, client)
        found = rule.subset(subset) if rule else None
        if found is None:
            return _MOOT
        labels = dict(found.labels)
    if service is None:
        return _MOOT
    if service.selector is None:
        return 1
    return len(mesh.workloads_matching(service.namespace, {**service.selector, **labels}))


def _relied_on(mesh: Mesh, subject: ResourceId) -> set[_Fact]:
    """What a VirtualService relies on for all clients that may read it."""
    found: set[_Fact] = set()
    for need in needs_of(mesh.snapshot[subject]):
        what = need.what
        if isinstance(what, Host | Subset | Endpoints):
            clients = _CLIENTS if "*" in what.clients.export_to else (subject.namespace,)
            for client in clients:
                if isinstance(what, Host):
                    found.add(("port", what.host, what.port, client))
                elif isinstance(what, Subset):
                    found.add(("subset", what.host, what.subset, client))
                else:
                    found.add(("pods", what.host, what.subset, client))
    return found


class _Truth:
    """Which states between two revisions are bad, by looking at each as a whole."""

    def __init__(self, base: Snapshot, head: Snapshot):
        self.writes = _writes(diff(base, head))
        self.ids = sorted(self.writes)
        self._base = base
        self._meshes: dict[frozenset[ResourceId], Mesh] = {}
        self._old, self._new = self.mesh(frozenset()), self.mesh(frozenset(self.ids))

    def mesh(self, made: frozenset[ResourceId]) -> Mesh:
        if made not in self._meshes:
            snapshot = _aged(_state(self._base, self.writes, set(made)), self._base)
            self._meshes[made] = Mesh.of(snapshot, MeshConfig(), World.OPEN)
        return self._meshes[made]

    def faults(self, made: frozenset[ResourceId]) -> Iterator[_Fact]:
        """What is worse in a state than it is at both ends."""
        mesh = self.mesh(made)
        for subject in sorted({*self._old.snapshot, *self._new.snapshot}):
            if subject.kind != "VirtualService" or subject not in mesh.snapshot:
                continue
            sides = [m for m in (self._old, self._new) if subject in m.snapshot]
            kept = (
                set.intersection(*(_relied_on(m, subject) for m in sides))
                if len(sides) == 2
                else set()
            )
            is_new = subject in made
            for fact in _relied_on(mesh, subject):
                floor = _at_end(self._new if is_new else self._old, fact)
                if fact in kept:
                    other = _at_end(self._old if is_new else self._new, fact)
                    # Requests may come to it, or leave it, with the write of its object.
                    changed = subject in self.writes and bool(floor) != bool(other)
                    floor = floor if changed and other == 0 else min(floor, other)
                if _met(mesh, fact) < floor:
                    yield (subject, *fact)
        yield from self._strangers(made, mesh)
        for host in (*HOSTS, "own.example.com"):
            for client in _CLIENTS:
                reached = (("reach", host, port, client) for port in (80, 443, 8080))
                for fact in (*reached, ("routed", host, client)):
                    if _met(mesh, fact) < min(_met(self._old, fact), _met(self._new, fact)):
                        yield fact

    def _strangers(self, made: frozenset[ResourceId], mesh: Mesh) -> Iterator[_Fact]:
        """Routes that lead somewhere else than they do at both ends."""
        for subject in self.ids:
            sides = [m for m in (self._old, self._new) if subject in m.snapshot]
            if subject.kind != "VirtualService" or len(sides) < 2:
                continue
            for client in _CLIENTS:
                old, new, now = (self._led_to(m, subject, client) for m in (*sides, mesh))
                for place in old.keys() & new.keys() & now.keys():
                    served = old[place] and new[place]
                    if served and not now[place] <= old[place] | new[place]:
                        yield (subject, place, client)

    def _led_to(self, mesh: Mesh, subject: ResourceId, client: str) -> dict[str, set[str]]:
        """For each route of a VirtualService, by place and match, what its requests come to."""
        found: dict[str, set[str]] = {}
        for place, route in enumerate(mesh.snapshot[subject].spec["http"]):
            reached = found.setdefault(f"{place} {route.get('match')}", set())
            for entry in route["route"]:
                host, subset = entry["destination"]["host"], entry["destination"].get("subset")
                service, rule = mesh.service(host, client), mesh.destination_rule(host, client)
                part = rule.subset(subset) if rule and subset else None
                if service is not None and (part or not subset):
                    labels = dict(part.labels) if part else {}
                    reached |= {f"{host} {name}" for name in self._pods(service, labels, mesh)}
        return found

    def _pods(self, service: MeshService, labels: dict[str, str], mesh: Mesh) -> set[str]:
        """The workloads behind part of a service; where none are known, its labels."""
        place, selector = service.namespace, service.selector
        if selector is None:
            return {str(labels)}
        if not any(m.workloads_matching(place, selector) for m in (self._old, self._new)):
            return {str(labels)}
        return {str(w.id) for w in mesh.workloads_matching(place, {**selector, **labels})}


def _allowed(graph: DependencyGraph, ids: list[ResourceId]) -> Iterator[frozenset[ResourceId]]:
    """All states in which nothing has been written before what has to come first."""
    pairs = [(edge.first, edge.then) for edge in graph.edges]
    for size in range(len(ids) + 1):
        for made in map(frozenset, combinations(ids, size)):
            if all(first in made for first, then in pairs if then in made):
                yield made


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(revisions())
def test_no_state_that_an_acyclic_graph_allows_is_worse_than_both_ends(
    pair: tuple[Snapshot, Snapshot],
) -> None:
    base, head = pair
    found = planned(base, head)
    truth = _Truth(base, head)
    assume(2 <= len(truth.ids) <= 6)
    event(f"edges: {min(len(found.pairs), 4)}, cycles: {len(found.graph.cycles)}")
    assume(not found.graph.cycles)
    note(shown(base, head))
    for made in _allowed(found.graph, truth.ids):
        faults = sorted(map(str, truth.faults(made)))
        assert not faults, (faults, sorted(map(str, made)), sorted(found.pairs))


def _safe_order_exists(truth: _Truth) -> bool:
    """Whether some order of the writes leads through states without a fault only."""
    safe = {frozenset[ResourceId]()}
    for _ in truth.ids:
        reached = {made | {found} for made in safe for found in truth.ids if found not in made}
        safe = {made for made in reached if not any(True for _ in truth.faults(made))}
    return bool(safe)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(revisions(changes=3))
def test_a_cycle_is_reported_only_where_no_order_is_safe(pair: tuple[Snapshot, Snapshot]) -> None:
    base, head = pair
    found = planned(base, head)
    truth = _Truth(base, head)
    assume(2 <= len(truth.ids) <= 5)
    event(f"cycles: {len(found.graph.cycles)}")
    note(shown(base, head))
    if found.graph.cycles:
        whys = [cycle.why for cycle in found.graph.cycles]
        assert not _safe_order_exists(truth), whys
