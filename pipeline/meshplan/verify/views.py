"""What a request meets in every state in which proxies may be while a stage is carried out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import product

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.plan import Apply, Remove, simulate
from meshplan.resource import Snapshot
from meshplan.traffic import Outcome, Request, Server, View, admit, route_in
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
from meshplan.traffic.route import select
from meshplan.verify.replay import Stage, Write


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


def fate_of(outcome: Outcome) -> Fate:
    """The fate that an outcome is."""
    match outcome:
        case Served(backends):
            weighted = any(backend.weight > 0 for backend in backends)
            live = [b for b in backends if b.weight > 0 or not weighted]
            good = [b for b in live if b.kind == "served"]
            ends = frozenset(f"{b.endpoint} {b.path}" for b in good)
            bad = next((b for b in live if b.kind != "served"), None)
            text = f"{bad.status} {bad.flag}" if bad else "served"
            return Fate(Level.PARTLY if bad and good else Level.SERVED, ends, text)
        case Passthrough(host, port):
            return Fate(Level.PASSED, frozenset({f"passthrough {host}:{port}"}), "passed through")
        case Redirect(status, location):
            return Fate(Level.SERVED, frozenset({f"{status} {location}"}), f"{status}")
        case Direct(status):
            return Fate(Level.SERVED, frozenset({f"answer {status}"}), f"{status}")
        case Denied(status):
            return Fate(Level.DENIED, text=f"{status}")
        case Failed(status, flag):
            return Fate(Level.FAILED, text=f"{status or 'connection closed'} {flag}")
        case Unknown(reason, opaque, otherwise):
            inner = fate_of(otherwise) if otherwise is not None else None
            return Fate(Level.UNKNOWN, text=reason, inner=inner, opaque=opaque)


def broken(before: Fate, during: Fate, after: Fate) -> str:
    """Which invariant a fate on the way breaks, given those at both ends; empty if none."""
    if Level.UNKNOWN in (before.level, during.level, after.level):
        return _undecided(before, during, after)
    least = min(before.level, after.level)
    if least >= Level.PARTLY and during.level < least:
        return "I1"
    if before.level == after.level == Level.PASSED and during.level < Level.PASSED:
        return "I1"
    if before.level == after.level == Level.DENIED and during.level > Level.FAILED:
        return "I3"
    if during.ends - before.ends - after.ends:
        return "I2"
    return ""


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


def fates(
    request: Request, client: Proxy, meshes: Mapping[tuple[ResourceId, ...], Mesh]
) -> Iterator[tuple[tuple[ResourceId, ...], Fate]]:
    """The fate in every view: routes, clusters and servers each from any of the states.

    States between which a stage cannot tell are looked at once: those in which the proxy takes the
    same route; for clusters, those that differ in routes and policies alone; for servers, those
    that differ in what only clients read.
    """
    clusters = _distinct(meshes, _NOT_IN_CLUSTERS)
    servers = _distinct(meshes, _NOT_AT_SERVERS)
    for routes in _routed(request, client, meshes):
        for cluster, server in product(clusters, servers):
            view = View(meshes[routes], meshes[cluster], meshes[server])
            fate = fate_of(route_in(view, request, client))
            yield tuple(dict.fromkeys((*routes, *cluster, *server))), fate


_Visible = tuple[ResourceId, ...]

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


def _routed(
    request: Request, client: Proxy, meshes: Mapping[_Visible, Mesh]
) -> tuple[_Visible, ...]:
    """One of the states for each route that the proxy may take."""
    found: list[tuple[object, _Visible]] = []
    for visible, mesh in meshes.items():
        chosen = select(mesh, request, client)
        if not any(chosen == known for known, _ in found):
            found.append((chosen, visible))
    return tuple(visible for _, visible in found)
