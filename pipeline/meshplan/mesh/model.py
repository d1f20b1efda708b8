"""`Mesh`: the indexed view of a snapshot. Each index is built when it is first asked for."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Self, TypeVar

from meshplan.identity import ResourceId
from meshplan.mesh.config import MeshConfig
from meshplan.mesh.destination_rule import (
    DestinationRule,
    DestinationRules,
    destination_rule_of,
)
from meshplan.mesh.gateway import Gateway, gateway_of
from meshplan.mesh.gateway_api import Listener, listeners_of
from meshplan.mesh.hosts import namespace_of, resolve_gateway_name, resolve_short_name
from meshplan.mesh.known import NOTHING, Known
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.registry import (
    ServiceRegistry,
    add_service,
    one_namespace_per_host,
    services_by_pattern,
)
from meshplan.mesh.scope import ProxyScope
from meshplan.mesh.security import PeerMode, SecurityPolicies
from meshplan.mesh.servers import MergedServers, merge_servers
from meshplan.mesh.service import MeshService, service_of, services_of
from meshplan.mesh.sidecar import Sidecar, Sidecars
from meshplan.mesh.views import Views, grouped
from meshplan.mesh.virtual_service import HttpRule, L4Rule, VirtualService
from meshplan.mesh.virtual_services import NETWORKING, VirtualServices
from meshplan.mesh.workload import Workload, matches_labels
from meshplan.mesh.workloads import Workloads
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World

SECURITY = "security.istio.io"
_NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation"

_T = TypeVar("_T")


class Mesh:
    """What istiod would know if it held exactly the objects of a snapshot.

    Lookups follow istiod 1.29 function by function; the docstrings name the function. Objects that
    tie in age are ordered by name, as istiod does.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        config: MeshConfig,
        world: World,
        views: Views | None = None,
        known: Known = NOTHING,
    ):
        self.snapshot = snapshot
        self.config = config
        self.world = world
        #: What the tree declares in other states.
        self.known = known
        #: What the layers above have built for this mesh; it goes when the mesh goes.
        self.memory: dict[str, object] = {}
        self._views = views if views is not None else Views()
        self._scopes: dict[Proxy, ProxyScope] = {}
        self._servers: dict[Proxy, MergedServers] = {}

    @classmethod
    def of(cls, snapshot: Snapshot, config: MeshConfig, world: World) -> Self:
        """The mesh of a snapshot."""
        return cls(snapshot, config, world)

    def at(self, snapshot: Snapshot) -> Self:
        """The mesh of another snapshot under the same settings; objects in both are read once."""
        return type(self)(snapshot, self.config, self.world, self._views, self.known)

    def knowing(self, known: Known) -> Self:
        """The same mesh, with more known about other states of its tree."""
        return type(self)(self.snapshot, self.config, self.world, self._views, self.known | known)

    def declares(self, host: str) -> bool:
        """Whether a host is the tree's own: where it is absent, it does not exist."""
        if self.world is World.CLOSED:
            return True
        return host in self.registry.by_host or host in self.known.hosts

    def populates(self, host: str) -> bool:
        """Whether the endpoints of a host are the tree's own: where there are none, none exist."""
        return self.world is World.CLOSED or host in self.known.populated

    def lacks(self, secret: ResourceId) -> bool:
        """Whether a Secret is not there, and is nobody else's."""
        if secret in self.snapshot:
            return False
        return self.world is World.CLOSED or secret in self.known.secrets

    # Names

    def resolve_host(self, name: str, namespace: str) -> str:
        """A host in full, as an object of `namespace` writes it (`ResolveShortnameToFQDN`)."""
        return resolve_short_name(name, namespace, self.config.cluster_domain)

    def resolve_gateway(self, name: str, namespace: str) -> str:
        """A Gateway as `namespace/name`, or `mesh` (`resolveGatewayName`)."""
        return resolve_gateway_name(name, namespace)

    # Services and workloads

    @cached_property
    def registry(self) -> ServiceRegistry:
        """All services with their visibility."""
        domain = self.config.cluster_domain
        services = self._read("", "Service", lambda r: (service_of(r, domain),))
        entries = self._read(NETWORKING, "ServiceEntry", lambda r: tuple(services_of(r)))
        found = (service for group in (*services, *entries) for service in group)
        return ServiceRegistry(found, self.config.default_service_export_to)

    def service(self, host: str, namespace: str) -> MeshService | None:
        """The service that clients of `namespace` mean by a host, or None if they see none.

        As for a proxy without a Sidecar: its own namespace wins, Kubernetes beats ServiceEntries,
        then the oldest (`selectServices`, `appendSidecarServices`).
        """
        found: dict[str, MeshService] = {}
        for service in one_namespace_per_host(self.registry.named(host, namespace), namespace):
            add_service(found, service)
        return found.get(host)

    def services(self, namespace: str) -> tuple[MeshService, ...]:
        """All services that clients of `namespace` see, one for each host."""
        found: dict[str, MeshService] = {}
        for service in one_namespace_per_host(self.registry.visible(namespace), namespace):
            add_service(found, service)
        return tuple(found.values())

    def services_matching(self, pattern: str, namespace: str) -> tuple[MeshService, ...]:
        """Those of `services` whose host is meant by `pattern`, which may be a wildcard."""
        if not pattern.startswith("*"):
            found = self.service(pattern, namespace)
            return (found,) if found else ()
        return services_by_pattern(self.services(namespace), pattern)

    def services_in(self, namespace: str) -> Sequence[MeshService]:
        """The services that are declared in a namespace, the oldest first."""
        return self._services_by_namespace.get(namespace, ())

    @cached_property
    def running(self) -> Workloads:
        """All workloads, by namespace."""
        return Workloads(self.snapshot, self.world, self._views)

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """Everything that runs pods, and the WorkloadEntries."""
        return self.running.all

    def workloads_matching(
        self, namespace: str, selector: Mapping[str, str]
    ) -> tuple[Workload, ...]:
        """The workloads of a namespace that have all labels of a selector."""
        return self.running.matching(namespace, selector)

    def workloads_of(self, service: MeshService) -> tuple[Workload, ...]:
        """The workloads behind a service; none where no label is asked for (`Instance.Match`)."""
        if not service.selector:
            return ()
        return self.workloads_matching(service.namespace, service.selector)

    # Routing rules

    @cached_property
    def destination_rules(self) -> DestinationRules:
        """All DestinationRules."""
        domain = self.config.cluster_domain
        by_namespace = grouped(
            self.snapshot.of_kind(NETWORKING, "DestinationRule"), lambda r: (r.id.namespace,)
        )
        return DestinationRules(
            lambda namespace: [
                self._views.of(found, "", lambda r: destination_rule_of(r, domain))
                for found in by_namespace.get(namespace, ())
            ],
            self.config.root_namespace,
            self.config.default_destination_rule_export_to,
        )

    def destination_rule(
        self,
        host: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        service_namespace: str | None = None,
    ) -> DestinationRule | None:
        """The DestinationRule, merged, that a proxy of `namespace` uses for a host.

        `labels` are those of the proxy, for rules with a workloadSelector. `service_namespace` is
        where the host is declared; it is looked up, or read from the host, where it is not given.
        (`PushContext.destinationRule`, `SidecarScope.DestinationRule`)
        """
        if service_namespace is None:
            service = self.service(host, namespace)
            service_namespace = (
                service.namespace if service else namespace_of(host, self.config.cluster_domain)
            )
        return self.destination_rules.for_proxy(host, service_namespace, namespace, labels or {})

    @cached_property
    def routing(self) -> VirtualServices:
        """All VirtualServices, and those that routes of the Gateway API become."""
        return VirtualServices(self.snapshot, self.config, self._listeners, self._views)

    @property
    def virtual_services(self) -> tuple[VirtualService, ...]:
        """All VirtualServices, delegates too, the oldest first."""
        return self.routing.all

    def virtual_services_for(self, gateway: str, namespace: str) -> tuple[VirtualService, ...]:
        """The VirtualServices bound to a gateway (`mesh` or `namespace/name`) that proxies of
        `namespace` see: private ones, then exported ones, then public ones, the oldest first
        (`VirtualServicesForGateway`).
        """
        return self.routing.bound_to(gateway, namespace)

    def virtual_service(self, id_: ResourceId) -> VirtualService | None:
        """The VirtualService with this identity."""
        return self.routing.get(id_)

    def delegate(self, name: tuple[str, str], namespace: str) -> VirtualService | None:
        """The delegate with this namespace and name, if `namespace` may use it."""
        return self.routing.delegate(name, namespace)

    def http_rules(self, virtual_service: VirtualService) -> tuple[HttpRule, ...]:
        """The HTTP rules of a VirtualService, those of its delegates filled in.

        A rule whose delegate is missing or not exported to it is left out.
        """
        return self.routing.http_rules(virtual_service)

    def tls_rules(self, virtual_service: VirtualService) -> tuple[L4Rule, ...]:
        """The rules for TLS that goes through unopened."""
        return self.routing.tls_rules(virtual_service)

    def tcp_rules(self, virtual_service: VirtualService) -> tuple[L4Rule, ...]:
        """The rules for plain TCP."""
        return self.routing.tcp_rules(virtual_service)

    @cached_property
    def gateways(self) -> tuple[Gateway, ...]:
        """All Gateways, and the listeners of those of the Gateway API, the oldest first."""
        found = self._read(NETWORKING, "Gateway", gateway_of)
        listeners = (listener.gateway for listener in self._listeners)
        return tuple(
            sorted((*found, *listeners), key=lambda g: (g.created, g.id.name, g.id.namespace))
        )

    def gateway(self, name: str) -> Gateway | None:
        """The Gateway `namespace/name`."""
        return self._gateways_by_name.get(name)

    def gateways_of(self, proxy: Proxy) -> tuple[Gateway, ...]:
        """The Gateways whose servers the pods of a gateway open (`PushContext.mergeGateways`)."""
        hosts = {service.host for service in self._services_of(proxy)}
        return tuple(
            gateway
            for gateway in self.gateways
            if gateway.selects(proxy.namespace, proxy.labels)
            and (not gateway.services or not hosts.isdisjoint(gateway.services))
        )

    def servers(self, proxy: Proxy) -> MergedServers:
        """What the pods of a gateway listen for, the servers of all their Gateways merged."""
        found = self._servers.get(proxy)
        if found is None:
            found = merge_servers(
                self.gateways_of(proxy),
                lambda gateway, port: self._listening(gateway, port, proxy),
            )
            self._servers[proxy] = found
        return found

    def target_port(self, port: int, proxy: Proxy) -> int:
        """The port on which a gateway's pods listen for a port of a server (`resolvePorts`).

        That of a Service in front of them counts as its target port.
        """
        for service in self._services_of(proxy):
            found = service.port(port)
            if found is not None and _NO_TRANSLATION not in service.labels:
                return self.running.port_number(found, proxy.namespace, proxy.labels)
        return port

    def sidecar(self, namespace: str, labels: Mapping[str, str]) -> Sidecar | None:
        """The Sidecar of a workload; None for the default, that imports all (`getSidecarScope`)."""
        return self._sidecars.of(namespace, labels)

    def sidecars(self, namespace: str, labels: Mapping[str, str]) -> tuple[Sidecar, ...]:
        """The Sidecars of a namespace that could be that of a workload; the oldest is."""
        return self._sidecars.candidates(namespace, labels)

    def scope(self, proxy: Proxy) -> ProxyScope:
        """What a class of proxies imports."""
        found = self._scopes.get(proxy)
        if found is None:
            found = self._scopes[proxy] = ProxyScope(self, proxy)
        return found

    # Security

    def peer_authentication(
        self, namespace: str, labels: Mapping[str, str], port: int | None = None
    ) -> PeerMode:
        """What a workload accepts on a port, and why (`ComposePeerAuthentication`).

        `port` is that of the workload, not of the Service.
        """
        return self._peer_authentications.peer_mode(namespace, labels, port)

    def namespace_peer_authentication(self, namespace: str) -> PeerMode:
        """What a namespace accepts, apart from its workloads (`GetNamespaceMutualTLSMode`)."""
        return self._peer_authentications.namespace_mode(namespace)

    def authorization_policies(
        self, namespace: str, labels: Mapping[str, str]
    ) -> tuple[Resource, ...]:
        """The AuthorizationPolicies that apply to a workload: of the root namespace, then its own,
        the oldest first (`ListAuthorizationPolicies`)."""
        return self._authorization_policies.attached(namespace, labels)

    def request_authentications(
        self, namespace: str, labels: Mapping[str, str]
    ) -> tuple[Resource, ...]:
        """The RequestAuthentications that apply to a workload."""
        return self._request_authentications.attached(namespace, labels)

    # Indexes

    @cached_property
    def _listeners(self) -> tuple[Listener, ...]:
        domain = self.config.cluster_domain
        return tuple(listeners_of(self.snapshot, domain, self.world, self.known))

    @cached_property
    def _services_by_namespace(self) -> Mapping[str, list[MeshService]]:
        return grouped(self.registry.services, lambda service: (service.namespace,))

    @cached_property
    def _gateways_by_name(self) -> Mapping[str, Gateway]:
        return {gateway.name: gateway for gateway in self.gateways}

    @cached_property
    def _sidecars(self) -> Sidecars:
        found = self.snapshot.of_kind(NETWORKING, "Sidecar")
        return Sidecars(found, self.config.root_namespace)

    @cached_property
    def _peer_authentications(self) -> SecurityPolicies:
        return self._policies("PeerAuthentication")

    @cached_property
    def _authorization_policies(self) -> SecurityPolicies:
        return self._policies("AuthorizationPolicy")

    @cached_property
    def _request_authentications(self) -> SecurityPolicies:
        return self._policies("RequestAuthentication")

    def _policies(self, kind: str) -> SecurityPolicies:
        return SecurityPolicies(self.snapshot.of_kind(SECURITY, kind), self.config.root_namespace)

    def _services_of(self, proxy: Proxy) -> tuple[MeshService, ...]:
        """The Services in front of some pods, the oldest first."""
        return tuple(
            service
            for service in self.services_in(proxy.namespace)
            if service.selector and matches_labels(service.selector, proxy.labels)
        )

    def _listening(self, gateway: Gateway, port: int, proxy: Proxy) -> tuple[int, ...]:
        """The ports that a port of a server stands for (`resolvePorts`)."""
        if not gateway.services:
            return (self.target_port(port, proxy),)
        ports = (s.port(port) for s in self._services_of(proxy) if s.host in gateway.services)
        numbers = (
            self.running.port_number(found, proxy.namespace, proxy.labels)
            for found in ports
            if found is not None
        )
        return tuple(dict.fromkeys(numbers))

    def _read(self, group: str, kind: str, read: Callable[[Resource], _T]) -> list[_T]:
        views = self._views
        return [views.of(found, "", read) for found in self.snapshot.of_kind(group, kind)]
