"""Ports of gateways, and those on which one server may be in the way of another (`mergeGateways`)."""

from collections.abc import Iterable, Iterator, Mapping

from meshplan.mesh.gateway import Server, gateway_of
from meshplan.mesh.read import at, mapping, mappings, number, text
from meshplan.proof.index import GATEWAY_API, NETWORKING, Index
from meshplan.proof.versions import Versions
from meshplan.resource import Resource


def servers_on(port: str, index: Index, versions: Versions) -> Iterator[Mapping[str, object]]:
    """The servers of all Gateways on a port, if the oldest may keep others from being opened.

    Servers that end or pass TLS stand beside each other, and so do those that speak HTTP; any other
    mixture depends on which comes first.
    """
    found = [
        version for id_ in index.ids(("gateway", "port", port)) for version in versions.all_of(id_)
    ]
    servers = (server for version in found for server in gateway_of(version).servers)
    if {_sort(server) for server in servers if str(server.port) == port} in ({"tls"}, {"http"}):
        return
    for version in found:
        for server in mappings(version.spec.get("servers")):
            if str(at(server, "port", "number")) == port:
                yield server


def _sort(server: Server) -> str:
    if server.is_tls:
        return "tls"
    return "http" if server.is_http else "other"


def server_ports(resources: Iterable[Resource]) -> tuple[tuple[int, str], ...]:
    """Port and protocol of every server of every Gateway among some objects, HTTPS as `https`."""
    found: dict[tuple[int, str], None] = {}
    for resource in resources:
        kind = (resource.id.group, resource.id.kind)
        if kind == (NETWORKING, "Gateway"):
            for server in mappings(resource.spec.get("servers")):
                tls = mapping(server.get("tls"))
                protocol = text(at(server, "port", "protocol")).upper()
                port = number(at(server, "port", "number"))
                mode = text(tls.get("mode"))
                found[port, _scheme(protocol, mode, secured=bool(tls))] = None
        elif kind == (GATEWAY_API, "Gateway"):
            for listener in mappings(resource.spec.get("listeners")):
                protocol = text(listener.get("protocol")).upper()
                passes = text(at(listener, "tls", "mode")) == "Passthrough"
                mode = "PASSTHROUGH" if passes else ""
                scheme = _scheme(protocol, mode, secured=False)
                found[number(listener.get("port")), scheme] = None
    return tuple(found)


def _scheme(protocol: str, mode: str, *, secured: bool) -> str:
    if protocol in ("TCP", "MONGO", "REDIS", "MYSQL"):
        return "tls" if secured else "tcp"
    if protocol in ("HTTPS", "TLS") or mode in ("SIMPLE", "MUTUAL"):
        return (
            "tls" if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH") or protocol == "TLS" else "https"
        )
    return "http"
