"""Which part of a gateway's port takes a connection: the filter chains of its listener."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.mesh.gateway import Server
from meshplan.mesh.hosts import matches, subset_of
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.servers import ServerGroup
from meshplan.mesh.virtual_service import L4Match, L4Rule, VirtualService
from meshplan.traffic.gateway_routes import name_rank
from meshplan.traffic.l4 import l4_route
from meshplan.traffic.request import Request
from meshplan.traffic.table import CATCH_ALL, ClusterName, Forward, Route, Target

_ALL = ("*",)


@dataclass(frozen=True, slots=True)
class Chain:
    """What takes connections with some server names."""

    #: Several if they share one table of routes.
    servers: tuple[Server, ...]
    #: The names in the TLS handshake; `*` alone for all connections, with TLS or without.
    names: tuple[str, ...]
    #: Where connections go that are not read.
    route: Route | None = None

    @property
    def ends_tls(self) -> bool:
        """Whether it wants a handshake."""
        server = self.servers[0]
        return server.is_tls and not server.is_passthrough

    @property
    def is_automatic(self) -> bool:
        """Whether it is for clients of other networks, which name clusters."""
        tls = self.servers[0].tls
        return tls is not None and tls.mode == "AUTO_PASSTHROUGH"


def chains_of(mesh: Mesh, proxy: Proxy, groups: Iterable[ServerGroup]) -> Iterator[Chain]:
    """The chains of the servers of one port (`buildGatewayTCPBasedFilterChains`).

    A server for connections that are not read has one only where rules route them.
    """
    taken: set[str] = set()
    for group in groups:
        if group.is_plain_http:
            yield Chain(group.servers, _ALL)
            continue
        for server in group.servers:
            own = Chain((server,), _names(server.server_names))
            if server.is_http or own.is_automatic:
                yield own
            elif server.is_passthrough:
                yield from _passed_through(mesh, proxy, server, taken)
            elif found := _tcp_rule(mesh, proxy, server):
                names = own.names if server.is_tls else _ALL
                yield replace(own, names=names, route=_route(mesh, proxy, found, server))


def chosen(mesh: Mesh, proxy: Proxy, chains: Iterable[Chain], request: Request) -> Chain | None:
    """The chain for a connection: that with the exact name, with the longest wildcard, with any.

    (Envoy's filter chain matching of server names.)
    """
    is_secured = request.scheme in ("https", "tls")
    best: tuple[int, Chain] | None = None
    for chain in chains:
        if chain.is_automatic:
            if found := _by_cluster_name(mesh, proxy, chain.servers[0], request):
                return replace(chain, route=found)
            continue
        if is_secured:
            rank = max(name_rank(name, request.server_name) for name in chain.names)
        else:
            rank = int(chain.names == _ALL)
        if rank and (best is None or rank > best[0]):
            best = rank, chain
    return best[1] if best else None


def _names(stated: tuple[str, ...]) -> tuple[str, ...]:
    """`*` leaves nothing of other names, and none stand for all (`isMatchAll`)."""
    return _ALL if "*" in stated or not stated else stated


def _passed_through(mesh: Mesh, proxy: Proxy, server: Server, taken: set[str]) -> Iterator[Chain]:
    """A chain for each match (`buildGatewayNetworkFiltersFromTLSRoutes`)."""
    for vs in _bound(mesh, proxy, server):
        for rule in mesh.tls_rules(vs):
            for match in rule.matches:
                # A match with a name that an older one on the port has is left out as a whole.
                if not _at_gateway(match, server) or not taken.isdisjoint(match.sni_hosts):
                    continue
                taken.update(match.sni_hosts)
                found = l4_route(mesh, proxy, rule, match.pointer, server.port)
                yield Chain((server,), _names(match.sni_hosts), found)


def _tcp_rule(mesh: Mesh, proxy: Proxy, server: Server) -> L4Rule | None:
    """The rule that takes all connections (`buildGatewayNetworkFiltersFromTCPRoutes`)."""
    for vs in _bound(mesh, proxy, server):
        for rule in mesh.tcp_rules(vs):
            if not rule.matches or any(_at_gateway(m, server) for m in rule.matches):
                return rule
    return None


def _route(mesh: Mesh, proxy: Proxy, rule: L4Rule, server: Server) -> Route:
    return l4_route(mesh, proxy, rule, rule.pointer, server.port)


def _by_cluster_name(mesh: Mesh, proxy: Proxy, server: Server, request: Request) -> Route | None:
    """For clients of other networks the server name is that of a cluster (SNI-DNAT).

    Only clusters of the mesh have a chain of filters (`builtAutoPassthroughFilterChains`).
    """
    parts = (request.sni or request.host_name).split("_.", 3)
    if len(parts) != 4 or parts[0] != "outbound" or not parts[1].isdecimal():
        return None
    _, port, subset, host = parts
    if not any(subset_of(host, name) for name in server.server_names):
        return None
    scope = mesh.scope(proxy)
    service = scope.service(host)
    if service is None or service.external or service.port(int(port)) is None:
        return None
    rule = scope.destination_rule(service)
    if subset and (rule is None or rule.subset(subset) is None):
        return None
    target = Target(ClusterName(host, int(port), subset), 0)
    return Route(CATCH_ALL, Forward((target,)), server.gateway, server.pointer)


def _bound(mesh: Mesh, proxy: Proxy, server: Server) -> Iterator[VirtualService]:
    """The VirtualServices that share a host with a server (`pickMatchingGatewayHosts`)."""
    for vs in mesh.virtual_services_for(server.gateway_name, proxy.namespace):
        names = server.hosts_for(vs.namespace)
        if any(matches(name, host) for name in names for host in vs.hosts):
            yield vs


def _at_gateway(match: L4Match, server: Server) -> bool:
    """`l4SingleMatch`."""
    return match.port in (0, server.port) and (
        not match.gateways or server.gateway_name in match.gateways
    )
