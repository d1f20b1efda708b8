"""What one class of proxies imports: services, VirtualServices, and where they apply.

Everything is looked up by host, so that one request costs little in a mesh of thousands of hosts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from meshplan.mesh.destination_rule import DestinationRule
from meshplan.mesh.hosts import is_wildcard, matches, subset_of, wildcards_above
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.mesh.registry import add_service, one_namespace_per_host
from meshplan.mesh.service import MeshService
from meshplan.mesh.sidecar import EVERYTHING, EgressListener, Sidecar
from meshplan.mesh.virtual_service import MESH_GATEWAY, HttpRule, Semantics, VirtualService

if TYPE_CHECKING:
    from meshplan.mesh.model import Mesh


class Listener:
    """The imports of one egress listener of a Sidecar (`IstioEgressListenerWrapper`)."""

    def __init__(self, mesh: "Mesh", namespace: str, listener: EgressListener):
        self.egress = listener
        self._mesh = mesh
        self._namespace = namespace
        self._by_namespace: dict[str, list[str]] = {}
        for entry in listener.hosts:
            where, slash, host = entry.partition("/")
            if slash:
                where = namespace if where == "." else where
                self._by_namespace.setdefault(where, []).append(host)
        self._services: dict[str, tuple[MeshService, ...]] = {}
        self._by_wildcard: dict[str, tuple[MeshService, ...]] = {}

    @property
    def imports_everything(self) -> bool:
        """Whether it imports all that the namespace may see."""
        return "*" in self._by_namespace.get("*", ()) and not self.egress.matches_port

    def services_for(self, host: str) -> tuple[MeshService, ...]:
        """The services of a host that it imports, of one namespace (`selectServices`)."""
        found = self._services.get(host)
        if found is None:
            found = self._select(self._mesh.registry.named(host, self._namespace))
            self._services[host] = found
        return found

    def service_on(self, host: str, port: int) -> MeshService | None:
        """The service that routes on a port mean by a host; of several the last."""
        found = [service for service in self.services_for(host) if service.port(port)]
        return found[-1] if found else None

    def matching(self, pattern: str) -> tuple[MeshService, ...]:
        """Imported services that have a name in common with a wildcard."""
        found = self._by_wildcard.get(pattern)
        if found is None:
            visible = self._mesh.registry.visible(self._namespace)
            found = self._select(s for s in visible if matches(pattern, s.host))
            self._by_wildcard[pattern] = found
        return found

    @cached_property
    def virtual_services(self) -> tuple[VirtualService, ...]:
        """The VirtualServices that it imports, in the order in which they win.

        (`SelectVirtualServices`; one with any imported host is taken with all its hosts.)
        """
        found = self._mesh.virtual_services_for(MESH_GATEWAY, self._namespace)
        if self.imports_everything:
            return found
        return tuple(vs for vs in found if self._imports(vs))

    @cached_property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """Host in lower case to the positions of the VirtualServices that have it."""
        found: dict[str, list[int]] = {}
        for position, vs in enumerate(self.virtual_services):
            for host in dict.fromkeys(h.lower() for h in vs.hosts):
                found.setdefault(host, []).append(position)
        return {host: tuple(positions) for host, positions in found.items()}

    @cached_property
    def destinations(self) -> Mapping[str, frozenset[int]]:
        """Host to the ports to which its VirtualServices send; 0 for one that is not named.

        (`virtualServiceDestinationsFilteredBySourceNamespace`)
        """
        found: dict[str, set[int]] = {}
        for virtual_service in self.virtual_services:
            for host, port in self._sent_to(virtual_service):
                found.setdefault(host, set()).add(port)
        return {host: frozenset(ports) for host, ports in found.items()}

    def most_specific(self, host: str) -> VirtualService | None:
        """The VirtualService with the host that fits a service best, the first of several.

        (`computeWildcardHostVirtualServiceIndex`)
        """
        for pattern in (host, *wildcards_above(host)):
            if positions := self.positions.get(pattern):
                return self.virtual_services[positions[0]]
        return None

    def _sent_to(self, virtual_service: VirtualService) -> Iterator[tuple[str, int]]:
        mesh = self._mesh
        for rule in mesh.http_rules(virtual_service):
            if self._may_match(rule):
                for destination in (*rule.destinations, *rule.mirrors):
                    yield destination.host, destination.port
        for other in (*mesh.tls_rules(virtual_service), *mesh.tcp_rules(virtual_service)):
            for destination in other.destinations:
                yield destination.host, destination.port

    def _may_match(self, rule: HttpRule) -> bool:
        named = [m.source_namespace for m in rule.matches if m.source_namespace]
        return not named or self._namespace in named

    def _select(self, services: Iterable[MeshService]) -> tuple[MeshService, ...]:
        trimmed = (self._trimmed(s) for s in services if self._takes(s.namespace, s.host))
        found = (service for service in trimmed if service is not None)
        return one_namespace_per_host(found, self._namespace)

    def _takes(self, namespace: str, host: str) -> bool:
        return any(
            subset_of(host, pattern)
            for where in (namespace, "*")
            for pattern in self._by_namespace.get(where, ())
        )

    def _trimmed(self, service: MeshService) -> MeshService | None:
        """A service with the port of the listener alone (`serviceMatchingListenerPort`)."""
        if not self.egress.matches_port:
            return service
        port = service.port(self.egress.port)
        return None if port is None else replace(service, ports=(port,))

    def _imports(self, virtual_service: VirtualService) -> bool:
        overlap = subset_of if virtual_service.semantics is Semantics.GATEWAY_API else matches
        return any(
            overlap(host, pattern)
            for where in (virtual_service.namespace, "*")
            for pattern in self._by_namespace.get(where, ())
            for host in virtual_service.hosts
        )


class ProxyScope:
    """All that a class of proxies imports (`SidecarScope`)."""

    def __init__(self, mesh: "Mesh", proxy: Proxy):
        self.proxy = proxy
        self._mesh = mesh
        #: The Sidecar that applies; None for a gateway, and for the default.
        self.sidecar: Sidecar | None = None
        if proxy.kind is ProxyKind.SIDECAR:
            self.sidecar = mesh.sidecar(proxy.namespace, proxy.labels)
        egress = self.sidecar.egress if self.sidecar and self.sidecar.egress else (EVERYTHING,)
        self.listeners = tuple(Listener(mesh, proxy.namespace, entry) for entry in egress)
        self._services: dict[str, MeshService | None] = {}

    @property
    def outbound_policy(self) -> str:
        """ALLOW_ANY or REGISTRY_ONLY, for hosts that nobody declares."""
        stated = self.sidecar.outbound_policy if self.sidecar else ""
        return stated or self._mesh.config.outbound_traffic_policy

    def listener(self, port: int) -> Listener | None:
        """The egress listener for a port (`GetEgressListenerForRDS`)."""
        for listener in self.listeners:
            if listener.egress.port in (0, port):
                return listener
        return None

    def service(self, host: str) -> MeshService | None:
        """The service for whose ports there are clusters; None where there are none."""
        if host not in self._services:
            found: dict[str, MeshService] = {}
            for service in self._candidates(host):
                add_service(found, service)
            self._services[host] = found.get(host)
        return self._services[host]

    def destination_rule(self, service: MeshService) -> DestinationRule | None:
        """The DestinationRule for a service."""
        return self._mesh.destination_rules.for_proxy(
            service.host, service.namespace, self.proxy.namespace, self.proxy.labels
        )

    def _candidates(self, host: str) -> Iterator[MeshService]:
        registry = self._mesh.registry
        if self.proxy.kind is ProxyKind.GATEWAY:
            yield from registry.named(host, self.proxy.namespace)
        elif host in registry.by_host:
            for listener in self.listeners:
                yield from listener.services_for(host)
                yield from self._destinations(listener, host)

    def _destinations(self, listener: Listener, host: str) -> Iterator[MeshService]:
        """A service that is imported because a VirtualService sends requests to it."""
        service = self._nearest(host)
        if service is None or service in listener.services_for(host):
            return
        ports = listener.destinations.get(host, frozenset())
        if listener.egress.matches_port and ports:
            ports = frozenset((listener.egress.port,))
        if 0 in ports:
            yield service
        elif kept := tuple(port for port in service.ports if port.number in ports):
            yield replace(service, ports=kept)

    def _nearest(self, host: str) -> MeshService | None:
        registry = self._mesh.registry
        own = registry.in_namespace(host, self.proxy.namespace)
        if own is not None:
            return own
        for namespace in registry.namespaces(host):
            found = registry.in_namespace(host, namespace)
            if found is not None and registry.rank(found, self.proxy.namespace) is not None:
                return found
        return None


def host_patterns(host: str) -> Iterator[str]:
    """A host and all wildcards over it, the most specific first; for Envoy's choice of domains.

    Unlike Istio, Envoy wants at least one character in the place of `*`.
    """
    yield host
    for index in range(1, len(host)):
        yield "*" + host[index:]
    if not is_wildcard(host):
        yield "*"
