"""Connections of sidecars that are routed without being read: TCP, and TLS by server name."""

from collections.abc import Iterator

from meshplan.mesh.hosts import matches
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
                    return l4_route(mesh, proxy, rule, rule.pointer, port)
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
    return l4_route(mesh, proxy, best[1], best[2].pointer, port)


def _tls_matches(
    mesh: Mesh, proxy: Proxy, bound: list[VirtualService], port: int
) -> Iterator[tuple[L4Rule, L4Match]]:
    for vs in bound:
        for rule in mesh.tls_rules(vs):
            for match in rule.matches:
                if _meets(match, proxy, port, MESH_GATEWAY):
                    yield rule, match


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


def l4_route(mesh: Mesh, proxy: Proxy, rule: L4Rule, pointer: str, port: int) -> Route:
    """Where a rule for connections on a port leads."""
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
