"""Connections of sidecars that are routed without being read: TCP, and TLS by server name."""

from collections.abc import Iterable, Iterator

from meshplan.mesh.hosts import is_wildcard, matches
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.scope import Listener
from meshplan.mesh.service import MeshService, Protocol, Registry, Resolution
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


class ServerNames:
    """Routes by the name in a TLS handshake: the exact name wins, then the longest wildcard."""

    def __init__(self, found: Iterable[tuple[str, Route]]):
        self._exact: dict[str, Route] = {}
        self._wild: list[tuple[str, Route]] = []
        for name, route in found:
            if is_wildcard(name):
                self._wild.append((name, route))
            else:
                self._exact.setdefault(name.lower(), route)

    def route(self, name: str) -> Route | None:
        """The route for a name in lower case; of several the first."""
        if name in self._exact:
            return self._exact[name]
        ranked = [(name_rank(pattern, name), -n) for n, (pattern, _) in enumerate(self._wild)]
        rank, position = max(ranked, default=(0, 0))
        return self._wild[-position][1] if rank else None


def sidecar_names(mesh: Mesh, proxy: Proxy, listener: Listener, port: int) -> ServerNames:
    """What a sidecar's listener for all addresses has for TLS on a port.

    Hosts without an address share it, so that only server names tell them apart.
    """
    return ServerNames(
        found
        for service in listener.matching("*")
        if is_shared(service, port) and is_by_name(service, port)
        for found in _names_of(mesh, proxy, listener, service, port)
    )


def shared_connection(mesh: Mesh, proxy: Proxy, listener: Listener, port: int) -> Route | None:
    """Where the listener for all addresses sends connections with no name that it knows: to the
    first host for TCP, whichever was dialled.
    """
    for service in listener.matching("*"):
        if is_shared(service, port) and not is_by_name(service, port):
            return _connected(mesh, proxy, listener, service, port)
    return None


def is_shared(service: MeshService, port: int) -> bool:
    """Whether a port of a service is served by the listener for all addresses, unread or by name:
    the service has no address of its own.
    """
    found = service.port(port)
    if found is None or found.protocol is Protocol.UDP or found.protocol.is_http:
        return False
    return service.registry is Registry.EXTERNAL and not service.addresses


def is_by_name(service: MeshService, port: int) -> bool:
    """Whether connections to a port are told apart by the name in their handshake."""
    found = service.port(port)
    return found is not None and found.protocol in _TLS


def sidecar_connection(
    mesh: Mesh, proxy: Proxy, listener: Listener, service: MeshService, request: Request, port: int
) -> Route | None:
    """The route of a connection to a service that has a listener; None if nothing takes it."""
    if not is_by_name(service, port):
        return _connected(mesh, proxy, listener, service, port)
    found = list(_tls_matches(mesh, proxy, _bound(listener, service), port))
    if not found:
        return _own(service, port)
    # Rules take the place of the service itself, even those for other names alone.
    names = _named_routes(mesh, proxy, found, port)
    return ServerNames(names).route(request.server_name)


def _connected(
    mesh: Mesh, proxy: Proxy, listener: Listener, service: MeshService, port: int
) -> Route:
    """The rule for TCP to a service, else the service itself."""
    for vs in _bound(listener, service):
        for rule in mesh.tcp_rules(vs):
            if _applies(rule, proxy, port, MESH_GATEWAY):
                return l4_route(mesh, proxy, rule, rule.pointer, port)
    return _own(service, port)


def _names_of(
    mesh: Mesh, proxy: Proxy, listener: Listener, service: MeshService, port: int
) -> Iterator[tuple[str, Route]]:
    """The names of a service's rules, else its own (`buildSidecarOutboundTLSFilterChainOpts`)."""
    found = list(_tls_matches(mesh, proxy, _bound(listener, service), port))
    if found:
        yield from _named_routes(mesh, proxy, found, port)
    else:
        yield service.host, _own(service, port)


def _named_routes(
    mesh: Mesh, proxy: Proxy, found: Iterable[tuple[L4Rule, L4Match]], port: int
) -> Iterator[tuple[str, Route]]:
    for rule, match in found:
        for name in match.sni_hosts:
            yield name, l4_route(mesh, proxy, rule, match.pointer, port)


def _own(service: MeshService, port: int) -> Route:
    target = Target(ClusterName(service.host, port), 0)
    return Route(CATCH_ALL, Forward((target,)), service.id)


def _bound(listener: Listener, service: MeshService) -> list[VirtualService]:
    """The VirtualServices for a service (`getConfigsForHost`)."""
    return [
        vs
        for vs in listener.virtual_services
        if any(matches(host, service.host) for host in vs.hosts)
    ]


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
