"""What a request meets in every state in which proxies may be while a stage is carried out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import IntEnum
from itertools import product

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.plan import Apply, Remove, simulate
from meshplan.resource import Snapshot
from meshplan.traffic import Outcome, Request, Server, View, admit
from meshplan.traffic.opaque import opaque_outbound
from meshplan.traffic.outcome import (
    Denied,
    Direct,
    Failed,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from meshplan.traffic.paths import normalized, refusal
from meshplan.traffic.route import Selected, followed, select
from meshplan.verify.names import ROUTES
from meshplan.verify.replay import Stage, Write

_Visible = tuple[ResourceId, ...]


class Level(IntEnum):
    """How well a request fares."""

    DENIED = 0
    FAILED = 1
    #: The mesh declares no such host and lets the request pass: whether it arrives, nobody knows.
    PASSED = 2
    PARTLY = 3
    SERVED = 4
    UNKNOWN = 5


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a request, as far as the invariants tell fates apart."""

    level: Level
    #: Where it may end up: endpoints, or the answer of a proxy.
    ends: frozenset[str] = frozenset()
    text: str = ""
    #: What it would be without the objects that are not modelled, and those objects.
    inner: "Fate | None" = None
    opaque: tuple[ResourceId, ...] = ()


def fate_of(outcome: Outcome, path: str = "") -> Fate:
    """The fate that an outcome is; `path` is that of the request.

    A host that the mesh lets pass ends where one ends that it declares and looks up by its name.
    """
    match outcome:
        case Served(backends):
            weighted = any(backend.weight > 0 for backend in backends)
            live = [b for b in backends if b.weight > 0 or not weighted]
            good = [b for b in live if b.kind == "served"]
            ends = frozenset(f"{b.endpoint} {b.path}" for b in good)
            bad = next((b for b in live if b.kind != "served"), None)
            text = f"{bad.status} {bad.flag}" if bad else "served"
            return Fate(Level.PARTLY if bad and good else Level.SERVED, ends, text)
        case Passthrough(host, port, declared=declared):
            level = Level.SERVED if declared else Level.PASSED
            return Fate(level, frozenset({f"{host}:{port} {path}"}), "passed through")
        case Redirect(status, location):
            return Fate(Level.SERVED, frozenset({f"{status} {location}"}), f"{status}")
        case Direct(status):
            return Fate(Level.SERVED, frozenset({f"answer {status}"}), f"{status}")
        case Denied(status):
            return Fate(Level.DENIED, text=f"{status}")
        case Failed(status, flag):
            return Fate(Level.FAILED, text=f"{status or 'connection closed'} {flag}")
        case Unknown(reason, opaque, otherwise):
            inner = fate_of(otherwise, path) if otherwise is not None else None
            return Fate(Level.UNKNOWN, text=reason, inner=inner, opaque=opaque)


def broken(before: Fate, during: Fate, after: Fate, *, at_one: bool = False) -> str:
    """Which invariant a fate on the way breaks, given those at both ends; empty if none.

    A host that becomes one of the mesh, or ceases to be one, has to be there only where all proxies
    are `at_one`.
    """
    if Level.UNKNOWN in (before.level, during.level, after.level):
        return _undecided(before, during, after)
    least = min(before.level, after.level)
    if least >= Level.PARTLY and during.level < least:
        return "I1"
    if least == Level.PASSED and (at_one or before.level == after.level):
        return "I1" if during.level < Level.PASSED else _elsewhere(before, during, after)
    if before.level == after.level == Level.DENIED and during.level > Level.FAILED:
        return "I3"
    return _elsewhere(before, during, after)


def _elsewhere(before: Fate, during: Fate, after: Fate) -> str:
    return "I2" if during.ends - before.ends - after.ends else ""


def _undecided(before: Fate, during: Fate, after: Fate) -> str:
    """An object that is not modelled and does not change does the same to the same."""
    if before == during == after:
        return ""
    found = (before, during, after)
    if len({fate.opaque for fate in found}) > 1 or not before.opaque:
        return "unknown"
    inner = [fate.inner for fate in found if fate.inner is not None]
    if len(inner) < len(found):
        return "unknown"
    return "" if inner[1] in (inner[0], inner[2]) else "unknown"


def states(stage: Stage, before: Snapshot) -> Iterator[tuple[tuple[ResourceId, ...], Snapshot]]:
    """The snapshot with each subset of the writes of a stage."""
    for chosen in product((False, True), repeat=len(stage.writes)):
        taken = [w for w, is_taken in zip(stage.writes, chosen, strict=True) if is_taken]
        yield tuple(w.id for w in taken), simulate(map(step_of, taken), before)


def step_of(write: Write) -> Apply | Remove:
    """A write as a step of a plan."""
    if write.resource is None:
        return Remove(write.id, "", "")
    return Apply(write.resource, "")


def admissions(
    request: Request,
    server: Server,
    transport: Transport,
    meshes: Mapping[tuple[ResourceId, ...], Mesh],
) -> Iterator[tuple[tuple[ResourceId, ...], Fate]]:
    """The fate at a server that is asked directly, in every state of its listener."""
    for visible, mesh in meshes.items():
        yield visible, fate_of(admit(mesh, request, server, transport))


class Choices:
    """What proxies choose for requests, numbered: the same number for the same choice."""

    def __init__(self) -> None:
        self.all: list[Selected | Outcome] = []
        self._known: dict[int, int] = {}
        # What was numbered by its address is kept, so that no address is used twice.
        self._kept: list[object] = []

    def number(self, chosen: Selected | Outcome) -> int:
        """The number of a choice."""
        key = chosen.route if isinstance(chosen, Selected) else chosen
        number = self._known.get(id(key))
        if number is None:
            number = next((n for n, one in enumerate(self.all) if _same(chosen, one)), None)
            if number is None:
                number = len(self.all)
                self.all.append(chosen)
            self._known[id(key)] = number
            self._kept.append(key)
        return number


def _same(one: Selected | Outcome, other: Selected | Outcome) -> bool:
    if isinstance(one, Selected) and isinstance(other, Selected):
        return one.route == other.route
    return one == other


class Asked:
    """One request of one client for a host, in whatever form: what becomes of it in any view."""

    def __init__(self, request: Request, client: Proxy, host: str, mesh: Mesh, choices: Choices):
        path = normalized(request.path, mesh.config.path_normalization)
        self._host = host
        self._bad = path is None
        self._request = request if path in (None, request.path) else replace(request, path=path)
        self._client = client
        self._choices = choices
        self._chosen: dict[int, int] = {}
        self._known: dict[tuple[int, int, int, tuple[ResourceId, ...]], Fate] = {}

    def choice(self, mesh: Mesh) -> int:
        """The number of what the client's proxy chooses in a state."""
        found = self._chosen.get(id(mesh))
        if found is None:
            chosen = select(mesh, self._request, self._client)
            found = self._chosen[id(mesh)] = self._choices.number(chosen)
        return found

    def _has_no_address(self, mesh: Mesh) -> bool:
        """Whether no client finds the host: the tree has the Service in other states alone."""
        host = self._host
        return (
            self._client.kind is ProxyKind.SIDECAR
            and host in mesh.known.hosts
            and host.endswith(f".svc.{mesh.config.cluster_domain}")
            and host not in mesh.registry.by_host
        )

    def _not_in_clusters(self, meshes: Iterable[Mesh]) -> frozenset[tuple[str, str]]:
        """What says nothing about the client's clusters.

        Where a Sidecar says what to import, the destinations of imported routes are imported too.
        """
        client = self._client
        if client.kind is ProxyKind.SIDECAR and any(
            mesh.sidecar(client.namespace, client.labels) for mesh in meshes
        ):
            return _NOT_IN_CLUSTERS - ROUTES
        return _NOT_IN_CLUSTERS

    def at(self, mesh: Mesh) -> Fate:
        """What becomes of it in one state."""
        return self.within(mesh, mesh, mesh)

    def within(self, routes: Mesh, clusters: Mesh, servers: Mesh) -> Fate:
        """What becomes of it with routes, clusters and servers each from a state."""
        if self._bad:
            refused = refusal(self._request.path)
            return Fate(Level.FAILED, text=f"{refused.status} {refused.flag}")
        if self._has_no_address(routes):
            return Fate(Level.FAILED, text="without an address")
        number = self.choice(routes)
        opaque = opaque_outbound(routes, self._client)
        key = (number, id(clusters), id(servers), opaque)
        if key not in self._known:
            view = View(routes, clusters, servers)
            found = followed(view, self._choices.all[number], self._request, self._client)
            self._known[key] = fate_of(found, self._request.path)
        return self._known[key]

    def fates(self, meshes: Mapping[_Visible, Mesh]) -> Iterator[tuple[_Visible, Fate]]:
        """The fate in every view: routes, clusters and servers each from any of the states.

        States between which a stage cannot tell are looked at once: those in which the proxy takes
        the same route; for clusters, those that differ in routes and policies alone; for servers,
        those that differ in what only clients read.
        """
        clusters = _distinct(meshes, self._not_in_clusters(meshes.values()))
        servers = _distinct(meshes, _NOT_AT_SERVERS)
        routes: dict[int, _Visible] = {}
        for visible, mesh in meshes.items():
            routes.setdefault(self.choice(mesh), visible)
        for route in routes.values():
            for cluster, server in product(clusters, servers):
                fate = self.within(meshes[route], meshes[cluster], meshes[server])
                yield tuple(dict.fromkeys((*route, *cluster, *server))), fate


#: Kinds that say nothing about clusters and endpoints.
_NOT_IN_CLUSTERS = frozenset(
    {
        ("networking.istio.io", "VirtualService"),
        ("networking.istio.io", "Gateway"),
        ("gateway.networking.k8s.io", "HTTPRoute"),
        ("gateway.networking.k8s.io", "GRPCRoute"),
        ("gateway.networking.k8s.io", "TLSRoute"),
        ("gateway.networking.k8s.io", "TCPRoute"),
        ("security.istio.io", "AuthorizationPolicy"),
        ("security.istio.io", "RequestAuthentication"),
    }
)
#: Kinds that say nothing about what a server's sidecar lets in.
_NOT_AT_SERVERS = frozenset(
    {
        ("networking.istio.io", "VirtualService"),
        ("networking.istio.io", "DestinationRule"),
        ("networking.istio.io", "Gateway"),
        ("gateway.networking.k8s.io", "HTTPRoute"),
        ("gateway.networking.k8s.io", "GRPCRoute"),
        ("gateway.networking.k8s.io", "TLSRoute"),
        ("gateway.networking.k8s.io", "TCPRoute"),
    }
)


def _distinct(
    meshes: Mapping[_Visible, Mesh], silent: frozenset[tuple[str, str]]
) -> tuple[_Visible, ...]:
    """One of the states for each choice of the writes that are not of the silent kinds."""
    found: dict[_Visible, _Visible] = {}
    for visible in meshes:
        found.setdefault(tuple(i for i in visible if (i.group, i.kind) not in silent), visible)
    return tuple(found.values())
