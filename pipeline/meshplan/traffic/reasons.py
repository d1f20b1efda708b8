"""Outcomes without a route, and the words for what decided."""

from meshplan.mesh.gateway import Server as GatewayServer
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.traffic.condition import described
from meshplan.traffic.outcome import (
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Reason,
    Redirect,
    Unknown,
)
from meshplan.traffic.request import Request
from meshplan.traffic.table import Abort, Route


def unmatched(mesh: Mesh, request: Request, client: Proxy) -> Outcome:
    """A connection for which a sidecar has no listener."""
    if mesh.scope(client).outbound_policy == "ALLOW_ANY":
        why = (Reason(None, "nothing here declares the host, and the mesh lets it pass"),)
        return Passthrough(request.host_name, request.dialled_port, why)
    why = (Reason(None, "nothing here declares the host, and only declared ones are reached"),)
    return Failed(None, "UH", "BlackHoleCluster", why=why)


def no_listener(port: int) -> Failed:
    """A connection to a port of a gateway that is not open."""
    why = (Reason(None, f"nothing listens on port {port}"),)
    return Failed(None, "-", "connection refused", why=why)


def refused(port: int) -> Failed:
    """A connection of a kind that the port does not take: TLS or not, another server name."""
    why = (Reason(None, f"port {port} takes other connections alone"),)
    return Failed(None, "NR", "filter_chain_not_found", why=why)


def of_servers(servers: tuple[GatewayServer, ...]) -> tuple[Reason, ...]:
    """The server of a gateway that takes a request."""
    return tuple(
        Reason(server.gateway, f"{server.pointer.lstrip('/')} listens on port {server.port}")
        for server in servers[:1]
    )


def because(found: Route) -> tuple[Reason, ...]:
    """The route that is taken, and what it asks for."""
    if found.source is None:
        return (Reason(None, "nothing here declares the host"),)
    place = found.pointer.removeprefix("/spec/")
    if not place:
        return (Reason(found.source, "has a route of its own"),)
    parts = place.split("/")
    shown = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts)
    asked = " and ".join(described(condition) for condition in found.conditions)
    return (Reason(found.source, f"{shown[1:]} matches {asked}"),)


def aborted(abort: Abort | None, found: Redirect | Direct) -> Outcome:
    """An answer of the proxy under a fault that may come before it."""
    if abort is None or abort.percent <= 0:
        return found
    if abort.percent >= 100:
        return Failed(abort.status, "FI", "fault_filter_abort", why=found.why)
    return Unknown("a fault hits some of the requests", why=found.why)
