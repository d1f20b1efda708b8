"""Two revisions that differ in one object, as the whole mesh takes them and as the prover does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.gateway_api import GATEWAY_API, Grants
from meshplan.mesh.known import Known
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.workload import matches_labels
from meshplan.proof import Prover
from meshplan.proof.assumptions import NOTHING, OpenQuestionError
from meshplan.proof.cases import Case
from meshplan.proof.outcomes import Triple
from meshplan.proof.scope import State, normal
from meshplan.proof.types import DEFAULT_BUDGET
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from meshplan.traffic import Outcome, View, admit, route_in
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import (
    Backend,
    Failed,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from meshplan.traffic.request import Request
from support.edits import edited
from support.meshes import with_versions
from support.snapshots import snapshot

FOLDER = Path(__file__).parents[1] / "data" / "proof"
#: From which side (0 for the base) routes, clusters and servers are seen.
VIEWS = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1))
#: What becomes of one request in each of the views.
Fate = tuple[object, ...]


@cache
def world(name: str) -> Snapshot:
    """A mesh of `tests/data/proof`, each object a second younger than the one before it."""
    text = (FOLDER / f"{name}.yaml").read_text("utf-8").partition("\n")[2]
    found = snapshot(with_versions(text)).values()
    return Snapshot(_aged(one, f"2020-01-01T00:00:{n:02d}Z") for n, one in enumerate(found))


def _aged(resource: Resource, time: str) -> Resource:
    metadata = {**resource.metadata, "creationTimestamp": time}
    return replace(resource, manifest={**resource.manifest, "metadata": metadata})


@dataclass(frozen=True)
class Edit:
    """An object of a world that is written otherwise, deleted or created."""

    base: Snapshot
    head: Snapshot
    where: str

    @property
    def back(self) -> "Edit":
        """The same in the other direction."""
        return Edit(self.head, self.base, f"{self.where}, reversed")


def edits(name: str, id_: ResourceId) -> Iterator[Edit]:
    """An object deleted and created, and each of its values changed or left out."""
    base = world(name)
    old = base[id_]
    deleted = Edit(base, base.without(id_), "deleted")
    yield deleted
    # What is created later is younger than all the rest.
    late = base.with_(_aged(old, "2021-01-01T00:00:00Z"))
    yield Edit(base.without(id_), late, "created")
    for where, made in edited(old.manifest):
        if "creationTimestamp" not in where:
            yield Edit(base, base.with_(replace(old, manifest=made)), where)


def declared(*meshes: Mesh) -> Known:
    """What some revisions declare, by looking at all combinations of their objects."""
    services = [service for mesh in meshes for service in mesh.registry.services]
    running = {w.id for mesh in meshes for w in mesh.workloads if w.running}
    workloads = [w for mesh in meshes for w in mesh.workloads if w.id in running]
    populated = {
        service.host
        for service in services
        for w in workloads
        if service.selector
        and w.namespace == service.namespace
        and matches_labels(service.selector, w.labels)
    }
    written = {s.host for mesh in meshes for s in services if mesh.running.addresses_of(s)}
    populated |= {s.host for s in services if not s.selector and s.host in written}
    snapshots = [mesh.snapshot for mesh in meshes]
    secrets = {one.id for found in snapshots for one in found.of_kind("", "Secret")}
    grants = [one for found in snapshots for one in found.of_kind(GATEWAY_API, "ReferenceGrant")]
    hosts = frozenset(s.host for s in services)
    return Known(hosts, frozenset(populated), frozenset(secrets), Grants(grants).allowed)


class Whole:
    """What happens to requests, by all objects of both revisions."""

    def __init__(self, edit: Edit):
        meshes = [Mesh.of(side, MeshConfig(), World.OPEN) for side in (edit.base, edit.head)]
        self.known = declared(*meshes)
        self.sides = tuple(mesh.knowing(self.known) for mesh in meshes)

    def differs(self, proxy: Proxy, asked: Request) -> bool:
        """Whether a request fares otherwise in the end."""
        ends = (VIEWS[0], VIEWS[-1])
        before, after = (blurred(self._outcome(v, proxy, asked), asked, proxy) for v in ends)
        return before != after

    def fate(self, proxy: Proxy, asked: Request) -> Fate:
        """What becomes of a request that leaves through a proxy."""
        return tuple(blurred(self._outcome(view, proxy, asked), asked, proxy) for view in VIEWS)

    def _outcome(self, view: tuple[int, int, int], proxy: Proxy, asked: Request) -> Outcome:
        routes, clusters, servers = (self.sides[side] for side in view)
        name = full_name(asked.host_name, proxy)
        # Nobody resolves the name of a Service that is not there.
        if proxy.kind == "sidecar" and name in self.known.hosts and name.endswith(".cluster.local"):
            service, namespace, *_ = name.split(".")
            there = ResourceId("", "Service", namespace, service) in routes.snapshot
            if not there and name not in routes.registry.by_host:
                return Failed(None, "-", "no such host")
        return route_in(View(routes, clusters, servers), asked, proxy)

    def fate_at(self, server: Server, asked: Request, transport: Transport) -> Fate:
        """What becomes of a request that arrives at a workload."""
        outcomes = [admit(side, asked, server, transport) for side in self.sides]
        return tuple(blurred(outcomes[view[2]], asked, None) for view in VIEWS)


def full_name(host: str, proxy: Proxy) -> str:
    """What the resolver of a pod makes of a name."""
    if "." not in host:
        return f"{host}.{proxy.namespace}.svc.cluster.local"
    if host.count(".") == 1:
        return f"{host}.svc.cluster.local"
    return f"{host}.cluster.local" if host.endswith(".svc") else host


def blurred(outcome: Outcome, asked: Request, proxy: Proxy | None) -> object:
    """An outcome without the path and the name that the request brought along."""
    name = full_name(asked.host_name, proxy) if proxy is not None else asked.host_name
    match outcome:
        case Failed(None, _, "connection refused" | "filter_chain_not_found"):
            # Whether others have a way in on that port, which makes the difference, is theirs to say.
            return "no connection"
        case Served(backends) | Failed(backends=backends):
            return replace(outcome, backends=tuple(_without(one, asked, name) for one in backends))
        case Redirect():
            return replace(outcome, location="")
        case Passthrough(_, port):
            return "let pass", port, outcome.declared
        case Unknown():
            return "unknown"
        case _:
            return outcome


def _without(one: Backend, asked: Request, name: str) -> Backend:
    known = {name: "=", asked.host: "="}
    end, colon, port = one.endpoint.rpartition(":")
    shown = end.replace(name, "=") if end in (name, f"endpoints of {name}") else end
    return replace(
        one,
        endpoint=f"{shown}{colon}{port}",
        host=known.get(one.host, one.host),
        path="",
        authority=known.get(one.authority, one.authority),
    )


@dataclass
class Class:
    """One request class of the prover."""

    case: Case
    request: Request
    #: For each stage the states of the two sides, as far as they matter to it.
    seen: tuple[tuple[State, State], ...]

    @cached_property
    def fate(self) -> Fate:
        """What becomes of it in each of the views, by what has been collected."""
        return tuple(self._outcome(view) for view in VIEWS)

    def _outcome(self, view: tuple[int, int, int]) -> object:
        states = (found[side] for found, side in zip(self.seen, view, strict=True))
        try:
            outcome = self.case.outcomes.asked(self.request, NOTHING)(Triple(*states))
        except OpenQuestionError:
            return "unknown"
        return blurred(outcome, self.request, self.case.client.proxy)


def classes(edit: Edit) -> Iterator[list[Class]]:
    """Of each case that a change has a bearing on all request classes."""
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in (edit.base, edit.head))
    prover = Prover(base, head)
    for topic in prover.topics_of(prover._versions.changed):
        for case in prover.cases_of(topic).cases(reverse=False):
            ends = (case.scope.state({}), case.scope.state({}, 1))
            stages = (case.stages.routes, case.stages.clusters, case.stages.servers)
            seen = tuple((normal(ends[0], kept), normal(ends[1], kept)) for kept in stages)
            routes, clusters, servers = (sorted(set(states)) for states in seen)
            found = case.classes(routes, clusters, servers, DEFAULT_BUDGET)
            yield [Class(case, request, seen) for request in found]
