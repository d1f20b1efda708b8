"""The routes of a gateway (RDS), looked up by host (`buildGatewayHTTPRouteConfig`)."""

from collections.abc import Iterator, Mapping

from meshplan.mesh.gateway import Server
from meshplan.mesh.hosts import is_wildcard, subset_of, wildcards_above
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.scope import host_patterns
from meshplan.mesh.service import MeshService, Resolution
from meshplan.mesh.virtual_service import Destination, Semantics, VirtualService
from meshplan.traffic.condition import TokenPlace
from meshplan.traffic.http_routes import RouteContext, build_routes
from meshplan.traffic.table import Route, VirtualHost


class GatewayRoutes:
    """The routes of some servers of a gateway that share one table."""

    def __init__(
        self,
        mesh: Mesh,
        proxy: Proxy,
        servers: tuple[Server, ...],
        token_places: tuple[TokenPlace, ...] = (),
    ):
        self._mesh = mesh
        self._proxy = proxy
        self._servers = servers
        self._token_places = token_places
        self._routes: dict[tuple[str, ...], tuple[Route, ...]] = {}
        self._owners: dict[str, VirtualHost | None] = {}
        self._bound = {
            name: _Bound(mesh, proxy, name) for name in {s.gateway_name: None for s in servers}
        }

    def virtual_host(self, host: str) -> VirtualHost | None:
        """The virtual host that Envoy picks for a host in lower case, without a port."""
        for domain in host_patterns(host):
            if domain not in self._owners:
                self._owners[domain] = self._find(domain)
            if (found := self._owners[domain]) is not None:
                return found
        return None

    def sharing(self, host: str) -> tuple[VirtualService, ...]:
        """The VirtualServices whose routes share the virtual host of a host, in order."""
        found = self.virtual_host(host)
        if found is None:
            return ()
        return tuple({vs.key: vs for _, vs in self._routed(found.domain)}.values())

    def _routed(self, domain: str) -> Iterator[tuple[Server, VirtualService]]:
        """The servers and VirtualServices that have routes for a domain."""
        for server in self._servers:
            for virtual_service in self._bound[server.gateway_name].near(domain):
                if _meet(server, virtual_service, domain) and self._routes_of(
                    server, virtual_service
                ):
                    yield server, virtual_service

    def _find(self, domain: str) -> VirtualHost | None:
        """The routes of all VirtualServices for a domain, the oldest first, catch-alls last."""
        routes: list[Route] = []
        names = {host.lower() for s in self._servers if _redirects(s) for host in s.hosts}
        require_tls = exists = domain in names
        seen: set[tuple[str, ...]] = set()
        for server, virtual_service in self._routed(domain):
            exists = True
            require_tls = require_tls or _redirects(server)
            key = (server.gateway_name, *virtual_service.key)
            if key not in seen:
                # A second copy behind the first is never reached.
                seen.add(key)
                routes.extend(self._routes_of(server, virtual_service))
        if not exists:
            return None
        ordered = sorted(routes, key=lambda route: route.is_catch_all)
        return VirtualHost(domain, tuple(ordered), require_tls)

    def _routes_of(self, server: Server, virtual_service: VirtualService) -> tuple[Route, ...]:
        key = (server.gateway_name, *virtual_service.key)
        found = self._routes.get(key)
        if found is None:
            context = RouteContext(
                proxy=self._proxy,
                port=server.port,
                gateway=server.gateway_name,
                is_tls=server.tls is not None,
                resolve=self._resolver(server, virtual_service),
                token_places=self._token_places,
            )
            found = self._routes[key] = build_routes(self._mesh, virtual_service, context)
        return found

    def _resolver(self, server: Server, virtual_service: VirtualService) -> "_Resolver":
        return _Resolver(self._mesh, self._proxy, server.port, virtual_service.namespace)


class _Resolver:
    """The host and port of a destination, for routes of a gateway (`GetDestinationCluster`).

    The service of the VirtualService's namespace counts first, if the gateway may see it.
    """

    def __init__(self, mesh: Mesh, proxy: Proxy, port: int, namespace: str):
        self._mesh = mesh
        self._proxy = proxy
        self._port = port
        self._namespace = namespace

    def __call__(self, destination: Destination) -> tuple[str, int]:
        service = self._service(destination.host)
        host, port = destination.host, destination.port or self._port
        if service is None:
            return host, port
        if service.resolution is Resolution.ALIAS:
            host = service.alias_of
        if not destination.port and len(service.ports) == 1:
            port = service.ports[0].number
        return host, port

    def _service(self, host: str) -> MeshService | None:
        registry = self._mesh.registry
        near = registry.in_namespace(host, self._namespace)
        if near is not None and registry.rank(near, self._proxy.namespace) is not None:
            return near
        return self._mesh.scope(self._proxy).service(host)


class _Bound:
    """The VirtualServices bound to one gateway, by host."""

    def __init__(self, mesh: Mesh, proxy: Proxy, name: str):
        found = mesh.virtual_services_for(name, proxy.namespace)
        # Of the public ones routes of the Gateway API in the namespace of the pods come first.
        self._ordered = sorted(found, key=lambda vs: self._is_later(vs, mesh, proxy))
        positions: dict[str, list[int]] = {}
        for position, vs in enumerate(self._ordered):
            for host in dict.fromkeys(h.lower() for h in vs.hosts):
                positions.setdefault(host, []).append(position)
        self._positions: Mapping[str, list[int]] = positions

    @staticmethod
    def _is_later(virtual_service: VirtualService, mesh: Mesh, proxy: Proxy) -> bool:
        own = (
            virtual_service.semantics is Semantics.GATEWAY_API
            and virtual_service.namespace == proxy.namespace
        )
        return mesh.routing.rank(virtual_service, proxy.namespace) == 2 and not own

    def near(self, domain: str) -> Iterator[VirtualService]:
        """Those that have the domain, or a wildcard over it, among their hosts, in order."""
        found = set(self._positions.get(domain, ()))
        for pattern in wildcards_above(domain):
            found.update(self._positions.get(pattern, ()))
        for position in sorted(found):
            yield self._ordered[position]


def _redirects(server: Server) -> bool:
    return server.tls is not None and server.tls.https_redirect


def _meet(server: Server, virtual_service: VirtualService, domain: str) -> bool:
    """Whether a domain is common to a server and a VirtualService (`Names.Intersection`)."""
    hosts = [host.lower() for host in virtual_service.hosts]
    for name in server.hosts_for(virtual_service.namespace):
        own = name.lower()
        if own == domain and any(subset_of(domain, host) for host in hosts):
            return True
        if domain in hosts and subset_of(domain, own):
            return True
    return False


def name_rank(pattern: str, name: str) -> int:
    """How well a pattern fits a server name: 0 not at all, an exact one best."""
    wanted = pattern.lower()
    if wanted == name:
        return 1000
    if is_wildcard(wanted) and name.endswith(wanted[1:]) and len(name) >= len(wanted):
        return len(wanted)
    return 0
