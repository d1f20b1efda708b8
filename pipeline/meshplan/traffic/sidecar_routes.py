"""The routes of a sidecar for requests that leave (RDS), looked up by host.

istiod builds all virtual hosts of a port at once. Which of them owns a domain depends only on a
few objects, so that only those are looked at here; the rules about who comes first are istiod's
(`BuildSidecarOutboundVirtualHosts`).
"""

from collections.abc import Iterator

from meshplan.mesh.hosts import is_wildcard, matches, wildcards_above
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.scope import Listener, host_patterns
from meshplan.mesh.service import MeshService, Registry, Resolution
from meshplan.mesh.virtual_service import (
    MESH_GATEWAY,
    Destination,
    Semantics,
    VirtualService,
)
from meshplan.traffic.http_routes import DEFAULT_RETRY_ON, RouteContext, build_routes
from meshplan.traffic.table import (
    ALLOW_ANY,
    CATCH_ALL,
    REGISTRY_ONLY,
    ClusterName,
    Forward,
    Route,
    Target,
    VirtualHost,
)

#: Only on this port do VirtualServices count for hosts that nobody declares.
_HTTP_PORT = 80


class SidecarRoutes:
    """The routes of one class of sidecars for one port of their listeners."""

    def __init__(self, mesh: Mesh, proxy: Proxy, port: int, listener: Listener):
        self._mesh = mesh
        self._proxy = proxy
        self._port = port
        self._listener = listener
        self._domain = mesh.config.cluster_domain
        self._search = proxy.dns_domain(self._domain)
        self._context = RouteContext(proxy, port, MESH_GATEWAY, False, self._resolve)
        self._routes: dict[int, tuple[Route, ...]] = {}
        self._owners: dict[str, VirtualHost | None] = {}

    def virtual_host(self, host: str) -> VirtualHost:
        """The virtual host that Envoy picks for a host in lower case, without a port."""
        for domain in host_patterns(host):
            if (found := self._owner(domain)) is not None:
                return found
        return self.catch_all

    def claimants(self, host: str) -> tuple[VirtualService, ...]:
        """All VirtualServices that claim the domain of a host; the first of them has it."""
        for domain in host_patterns(host):
            if self._owner(domain) is not None:
                services = self._services_with(domain)
                return tuple(
                    self._listener.virtual_services[position]
                    for position in self._claimants(domain, services)
                    if self._claim(position, domain, services)
                )
        return ()

    @property
    def catch_all(self) -> VirtualHost:
        """The virtual host of all hosts that nobody declares (`buildCatchAllVirtualHost`)."""
        scope = self._mesh.scope(self._proxy)
        return ALLOW_ANY if scope.outbound_policy == "ALLOW_ANY" else REGISTRY_ONLY

    def service(self, host: str) -> MeshService | None:
        """The service on this port that the listener imports for a host."""
        return self._listener.service_on(host, self._port)

    def dialled(self, host: str) -> MeshService | None:
        """The service that a client means by a host, in full or in short.

        Nothing listens for an alias: who dials it gets the address of what it stands for.
        """
        for name in self._hosts_with(host):
            service = self.service(name)
            if service is None or service.resolution is Resolution.ALIAS:
                continue
            if self._may_use(service, host):
                return service
        return None

    def _owner(self, domain: str) -> VirtualHost | None:
        if domain not in self._owners:
            self._owners[domain] = self._find_owner(domain)
        return self._owners[domain]

    def _find_owner(self, domain: str) -> VirtualHost | None:
        """Who owns a domain: the first VirtualService that claims it, else a service itself."""
        services = self._services_with(domain)
        for position in self._claimants(domain, services):
            if routes := self._claim(position, domain, services):
                return VirtualHost(domain, routes)
        for service in services.values():
            port = service.port(self._port)
            if (
                port is not None
                and port.protocol.is_http_or_sniffed
                and service.resolution is not Resolution.ALIAS
                and self._may_use(service, domain)
            ):
                return VirtualHost(domain, (self._default_route(service),))
        return None

    def _services_with(self, domain: str) -> dict[str, MeshService]:
        # Most of the many wildcards above a host are nobody's.
        declared = self._mesh.registry.by_host
        found = (self.service(host) for host in self._hosts_with(domain) if host in declared)
        return {service.host: service for service in found if service is not None}

    def _claimants(self, domain: str, services: dict[str, MeshService]) -> list[int]:
        """Positions of the VirtualServices that may claim a domain, in order."""
        positions = self._listener.positions
        found = set(positions.get(domain, ()))
        for host in services:
            for pattern in (host, *wildcards_above(host)):
                found.update(positions.get(pattern, ()))
        return sorted(found)

    def _claim(
        self, position: int, domain: str, services: dict[str, MeshService]
    ) -> tuple[Route, ...]:
        """The routes of a VirtualService for a domain; nothing if it does not claim it."""
        virtual_service = self._listener.virtual_services[position]
        routes = self._routes_of(position)
        hosts = [host.lower() for host in virtual_service.hosts]
        if not routes or not self._is_near(virtual_service, hosts):
            return ()
        if domain in hosts and self._is_plain_host(domain):
            return routes if self._has_listener(virtual_service) else ()
        for service in services.values():
            if (
                self._may_use(service, domain)
                and self._covers(virtual_service, hosts, service)
                and self._has_http(service)
            ):
                return routes
        return ()

    def _covers(
        self, virtual_service: VirtualService, hosts: list[str], service: MeshService
    ) -> bool:
        """Whether a VirtualService routes for a service (`separateVSHostsAndServices`).

        By its own host, or by a wildcard if no other one fits better.
        """
        if service.host in hosts:
            return True
        wildcards = [host for host in hosts if is_wildcard(host)]
        if not any(matches(service.host, host) for host in wildcards):
            return False
        return self._listener.most_specific(service.host) is virtual_service

    def _is_near(self, virtual_service: VirtualService, hosts: list[str]) -> bool:
        """Whether routes of the Gateway API are from the namespace of a service or of the client;
        all others are never too far. For a wildcard no service counts, so they never apply there.
        """
        if virtual_service.semantics is not Semantics.GATEWAY_API:
            return True
        found = (self.service(host) for host in hosts if not is_wildcard(host))
        return any(
            virtual_service.namespace in (service.namespace, self._proxy.namespace)
            for service in found
            if service is not None
        )

    def _is_plain_host(self, host: str) -> bool:
        """Whether a host of a VirtualService is no service of this port."""
        if not is_wildcard(host):
            return self.service(host) is None
        return not any(self._on_port(s) for s in self._listener.matching(host))

    def _has_listener(self, virtual_service: VirtualService) -> bool:
        """Whether a VirtualService has any virtual host on this port: through a service that it
        routes for, whichever, or on port 80 in any case.
        """
        if self._port == _HTTP_PORT:
            return True
        hosts = [host.lower() for host in virtual_service.hosts]
        for host in hosts:
            names = [host]
            if is_wildcard(host):
                # Of several services for one host a single one counts.
                names = list(dict.fromkeys(s.host for s in self._listener.matching(host)))
            if any(
                self._has_http(found) and self._covers(virtual_service, hosts, found)
                for found in map(self.service, names)
                if found is not None
            ):
                return True
        return False

    def _on_port(self, service: MeshService) -> bool:
        return service.port(self._port) is not None

    def _has_http(self, service: MeshService) -> bool:
        port = service.port(self._port)
        return port is not None and port.protocol.is_http_or_sniffed

    def _routes_of(self, position: int) -> tuple[Route, ...]:
        found = self._routes.get(position)
        if found is None:
            virtual_service = self._listener.virtual_services[position]
            found = build_routes(self._mesh, virtual_service, self._context)
            self._routes[position] = found
        return found

    def _resolve(self, destination: Destination) -> tuple[str, int]:
        """`GetDestinationCluster`: the port of the listener where a destination names none."""
        service = self.service(destination.host)
        host = destination.host
        if service is not None and service.resolution is Resolution.ALIAS:
            host = service.alias_of
        return host, destination.port or self._port

    def _default_route(self, service: MeshService) -> Route:
        target = Target(ClusterName(service.host, self._port), 0)
        return Route(CATCH_ALL, Forward((target,), retry_on=DEFAULT_RETRY_ON), service.id)

    def _hosts_with(self, domain: str) -> Iterator[str]:
        """The hosts of services that may use a domain for themselves."""
        for host in self._full_names(domain):
            yield host
            yield from self._mesh.registry.by_alias.get(host, ())
        yield from self._mesh.registry.by_address.get(domain, ())

    def _full_names(self, domain: str) -> Iterator[str]:
        yield domain
        if domain.endswith("."):
            yield domain[:-1]
        svc = f".svc.{self._domain}"
        labels = domain.split(".")
        if len(labels) == 1:
            yield f"{domain}.{self._proxy.namespace}{svc}"
        elif len(labels) == 2:
            yield f"{domain}{svc}"
        elif len(labels) == 3 and labels[2] == "svc":
            yield f"{domain}.{self._domain}"
        if domain.startswith("*."):
            yield from self._full_names(domain[2:])

    def _may_use(self, service: MeshService, domain: str) -> bool:
        """Whether a domain is one of those of a service (`generateVirtualHostDomains`).

        A short form that is the full name of another service is left to that.
        """
        if domain in (service.host, *service.aliases):
            return True
        stem = domain
        if domain.startswith("*.") and service.resolution is Resolution.PASSTHROUGH:
            # Pods of a headless Service have names of their own.
            stem = domain[2:] if service.registry is Registry.KUBERNETES else domain
        if stem == service.host or stem in service.addresses:
            return True
        short = stem in {form for h in (service.host, *service.aliases) for form in self._forms(h)}
        return short and self.service(stem) is None

    def _forms(self, host: str) -> Iterator[str]:
        """Other ways to write a host (`GenerateAltVirtualHosts`)."""
        yield f"{host}."
        stem, found, _ = host.rpartition(f".svc.{self._domain}")
        if not found or not host.endswith(f".svc.{self._domain}"):
            return
        yield stem
        yield f"{stem}.svc"
        name, _, namespace = stem.partition(".")
        if namespace == self._proxy.namespace:
            yield name
