"""Ports of gateways on which one server may be in the way of another (`mergeGateways`)."""

from collections.abc import Iterator, Mapping

from meshplan.mesh.gateway import Server, gateway_of
from meshplan.mesh.read import at, mappings
from meshplan.proof.index import Index
from meshplan.proof.versions import Versions


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
