"""Connections that are routed without being read: TCP, and TLS by server name."""

from collections.abc import Iterator

from meshplan.mesh.gateway import Server
from meshplan.mesh.hosts import matches, subset_of
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.scope import Listener
from meshplan.mesh.service import MeshService, Protocol, Resolution
from meshplan.mesh.virtual_service import (
    MESH_GATEWAY,
    Destination,
    L4Match,
    L4Rule,
    VirtualService,
)
from meshplan.mesh.workload import matches_labels
from meshplan.traffic.gateway_routes import name_rank
from meshplan.traffic.request import Request
from meshplan.traffic.table import CATCH_ALL, ClusterName, Forward, Route, Target

_TLS = frozenset((Protocol.HTTPS, Protocol.TLS))


def sidecar_connection(
    mesh: Mesh, proxy: Proxy, listener: Listener, service: MeshService, request: Request, port: int
) -> Route | None:
    """The route of a connection from a sidecar to a service; None if nothing takes it."""
    declared = service.port(port)
    is_tls = declared is not None and declared.protocol in _TLS
    bound = [
        vs
        for vs in listener.virtual_services
        if any(matches(host, service.host) for host in vs.hosts)
    ]
    if is_tls:
        found = _by_server_name(mesh, proxy, bound, request, port)
        if found is not None:
            return found
        if any(True for _ in _tls_matches(mesh, proxy, bound, port)):
            # Rules for other names take the place of the service itself.
            return None
    else:
        for vs in bound:
            for rule in mesh.tcp_rules(vs):
                if _applies(rule, proxy, port, MESH_GATEWAY):
                    return _route(mesh, proxy, rule, rule.pointer, port)
    target = Target(ClusterName(service.host, port), 0)
    return Route(CATCH_ALL, Forward((target,)), service.id)


def _by_server_name(
    mesh: Mesh, proxy: Proxy, bound: list[VirtualService], request: Request, port: int
) -> Route | None:
    """The rule for a server name: the exact name wins, then the longest wildcard, then order."""
    best: tuple[int, L4Rule, L4Match] | None = None
    for rule, match in _tls_matches(mesh, proxy, bound, port):
        for pattern in match.sni_hosts:
            rank = name_rank(pattern, request.server_name)
            if rank and (best is None or rank > best[0]):
                best = (rank, rule, match)
    if best is None:
        return None
    return _route(mesh, proxy, best[1], best[2].pointer, port)


def _tls_matches(
    mesh: Mesh, proxy: Proxy, bound: list[VirtualService], port: int
) -> Iterator[tuple[L4Rule, L4Match]]:
    for vs in bound:
        for rule in mesh.tls_rules(vs):
            for match in rule.matches:
                if _meets(match, proxy, port, MESH_GATEWAY):
                    yield rule, match


def gateway_connection(mesh: Mesh, proxy: Proxy, server: Server, request: Request) -> Route | None:
    """The route of a connection to a server of a gateway that is not HTTP."""
    name = server.gateway_name
    bound = [vs for vs in mesh.virtual_services_for(name, proxy.namespace) if _shares(server, vs)]
    if server.tls is not None and server.tls.mode == "AUTO_PASSTHROUGH":
        return _by_cluster_name(mesh, proxy, server, request)
    if server.is_passthrough:
        return _passed_through(mesh, proxy, bound, server, request)
    for vs in bound:
        for rule in mesh.tcp_rules(vs):
            if not rule.matches or any(_at_gateway(m, server) for m in rule.matches):
                return _route(mesh, proxy, rule, rule.pointer, server.port)
    return None


def has_connections(mesh: Mesh, proxy: Proxy, server: Server) -> bool:
    """Whether any connection to such a server is routed; a port on which none is, is not open."""
    if server.tls is not None and server.tls.mode == "AUTO_PASSTHROUGH":
        return True
    found = mesh.virtual_services_for(server.gateway_name, proxy.namespace)
    bound = [vs for vs in found if _shares(server, vs)]
    if server.is_passthrough:
        rules = [rule for vs in bound for rule in mesh.tls_rules(vs)]
    else:
        rules = [rule for vs in bound for rule in mesh.tcp_rules(vs)]
        if any(not rule.matches for rule in rules):
            return True
    return any(_at_gateway(match, server) for rule in rules for match in rule.matches)


def _by_cluster_name(mesh: Mesh, proxy: Proxy, server: Server, request: Request) -> Route | None:
    """For clients of other networks the server name is that of a cluster (SNI-DNAT).

    Only clusters of the mesh have a chain of filters (`builtAutoPassthroughFilterChains`).
    """
    parts = request.sni.split("_.", 3)
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


def _passed_through(
    mesh: Mesh, proxy: Proxy, bound: list[VirtualService], server: Server, request: Request
) -> Route | None:
    best: tuple[int, L4Rule, L4Match] | None = None
    taken: set[str] = set()
    for vs in bound:
        for rule in mesh.tls_rules(vs):
            for match in rule.matches:
                # A rule with a name that an older one has is left out as a whole.
                if not _at_gateway(match, server) or taken & set(match.sni_hosts):
                    continue
                taken.update(match.sni_hosts)
                for pattern in match.sni_hosts:
                    rank = name_rank(pattern, request.server_name)
                    if rank and (best is None or rank > best[0]):
                        best = (rank, rule, match)
    if best is None:
        return None
    return _route(mesh, proxy, best[1], best[2].pointer, server.port)


def _shares(server: Server, virtual_service: VirtualService) -> bool:
    """`pickMatchingGatewayHosts`."""
    names = server.hosts_for(virtual_service.namespace)
    return any(matches(name, host) for name in names for host in virtual_service.hosts)


def _applies(rule: L4Rule, proxy: Proxy, port: int, gateway: str) -> bool:
    if not rule.matches:
        return True
    # Destination subnets need addresses, which a tree of manifests does not have.
    return any(
        _meets(match, proxy, port, gateway) and not match.destination_subnets
        for match in rule.matches
    )


def _meets(match: L4Match, proxy: Proxy, port: int, gateway: str) -> bool:
    """`matchTLS`, `matchTCP`."""
    return (
        (not match.gateways or gateway in match.gateways)
        and matches_labels(match.source_labels, proxy.labels)
        and match.port in (0, port)
        and match.source_namespace in ("", proxy.namespace)
    )


def _at_gateway(match: L4Match, server: Server) -> bool:
    """`l4SingleMatch`."""
    return match.port in (0, server.port) and (
        not match.gateways or server.gateway_name in match.gateways
    )


def _route(mesh: Mesh, proxy: Proxy, rule: L4Rule, pointer: str, port: int) -> Route:
    scope = mesh.scope(proxy)
    single = len(rule.destinations) == 1
    targets = tuple(
        Target(
            ClusterName(*_named(scope.service(found.host), found, port), found.subset),
            found.weight,
            invalid=found.invalid,
        )
        for found in rule.destinations
        if single or found.weight
    )
    return Route(CATCH_ALL, Forward(targets), rule.source, pointer)


def _named(service: MeshService | None, destination: Destination, port: int) -> tuple[str, int]:
    """`GetDestinationCluster`."""
    host = destination.host
    if service is not None and service.resolution is Resolution.ALIAS:
        host = service.alias_of
    if destination.port:
        return host, destination.port
    if service is not None and len(service.ports) == 1:
        return host, service.ports[0].number
    return host, port
