"""Requests that a sidecar sends to the pods of a gateway, which route them once more.

Each proxy learns of a write in its own time: while the sidecar may send a request there, the gateway
has to have a route for it in every state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.traffic import Request
from meshplan.traffic.route import route
from meshplan.verify.names import NETWORKING, kind_of, strings
from meshplan.verify.views import Fate, Level, fate_of
from meshplan.verify.world import World

#: The pods of gateways, by the workload that makes them.
Relays = Mapping[str, Proxy]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a route sends it on: to a port of a gateway's pods, for a host."""

    proxy: Proxy
    port: int
    host: str
    path: str


def relays(world: World) -> Relays:
    """The workloads in the tree that some Gateway of Istio's own selects."""
    selectors = [
        selector
        for id_, versions in world.versions.items()
        if kind_of(id_) == (NETWORKING, "Gateway")
        for version in versions
        if (selector := strings(version.spec.get("selector")))
    ]
    return {
        str(workload.id): Proxy(ProxyKind.GATEWAY, workload.namespace, workload.labels)
        for mesh in (world.base, world.head)
        for workload in mesh.workloads
        if any(selector.items() <= workload.labels.items() for selector in selectors)
    }


def passed_on(fate: Fate, found: Relays) -> Iterator[Sent]:
    """What a fate sends to gateways."""
    for end, host, path in fate.sent:
        workload, _, port = end.rpartition(":")
        if workload in found and port.isdecimal():
            yield Sent(found[workload], int(port), host, path)


def onward(request: Request, sender: Proxy, sent: Sent, mesh: Mesh) -> Fate:
    """What a gateway makes of a request that a sidecar has sent to a port of its pods."""
    seen = replace(request, host=sent.host, path=sent.path)
    named = f"{mesh.config.trust_domain}/ns/{sender.namespace}/sa/{sender.service_account}"
    asked = [
        replace(
            seen,
            port=server.port,
            scheme="https" if server.tls else "http",
            principal=named if server.tls and server.tls.mode == "ISTIO_MUTUAL" else "",
        )
        for gateway in mesh.gateways_of(sent.proxy)
        for server in gateway.servers
        if server.is_http and mesh.target_port(server.port, sent.proxy) == sent.port
    ]
    if not asked:
        return Fate(Level.FAILED, text="nothing listens at the gateway")
    found = [fate_of(route(mesh, one, sent.proxy), one.path) for one in asked]
    return max(found, key=lambda fate: fate.level)
