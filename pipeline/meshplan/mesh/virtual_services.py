"""All VirtualServices of a snapshot: who sees which, and their rules with delegates filled in."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from meshplan.identity import ResourceId
from meshplan.mesh.config import MeshConfig
from meshplan.mesh.delegates import delegated
from meshplan.mesh.gateway_api import Listener
from meshplan.mesh.gateway_api_routes import Converter
from meshplan.mesh.views import Views, grouped
from meshplan.mesh.virtual_service import (
    HttpRule,
    L4Rule,
    Semantics,
    VirtualService,
    http_rules_of,
    l4_rules_of,
    virtual_service_of,
)
from meshplan.resource import Resource, Snapshot

NETWORKING = "networking.istio.io"


class VirtualServices:
    """VirtualServices, and what routes of the Gateway API become (`virtualServiceIndex`)."""

    def __init__(
        self, snapshot: Snapshot, config: MeshConfig, listeners: Iterable[Listener], views: Views
    ):
        self._snapshot = snapshot
        self._config = config
        self._listeners = listeners
        self._views = views

    @cached_property
    def all(self) -> tuple[VirtualService, ...]:
        """All of them, delegates too, the oldest first."""
        domain = self._config.cluster_domain
        written = (
            self._views.of(found, "", lambda r: virtual_service_of(r, domain))
            for found in self._snapshot.of_kind(NETWORKING, "VirtualService")
        )
        made = Converter(self._snapshot, self._listeners, domain).virtual_services()
        return tuple(sorted((*written, *made), key=lambda vs: vs.key))

    def bound_to(self, gateway: str, namespace: str) -> tuple[VirtualService, ...]:
        """Those of a gateway that proxies of a namespace see (`VirtualServicesForGateway`)."""
        ranked = [
            (rank, vs)
            for vs in self._by_gateway.get(gateway, ())
            if (rank := self.rank(vs, namespace)) is not None
        ]
        return tuple(vs for _, vs in sorted(ranked, key=lambda pair: pair[0]))

    def rank(self, virtual_service: VirtualService, namespace: str) -> int | None:
        """How near one is: 0 private to `namespace`, 1 exported to it, 2 public, None hidden."""
        export_to = virtual_service.export_to
        own = virtual_service.namespace == namespace
        if not export_to:
            private = "." in self._config.default_virtual_service_export_to
            return (0 if own else None) if private else 2
        if "*" in export_to:
            return 2
        if "~" in export_to:
            return None
        if own and ("." in export_to or namespace in export_to):
            return 0
        return 1 if namespace in export_to else None

    def get(self, id_: ResourceId) -> VirtualService | None:
        """The VirtualService with this identity."""
        return self._by_id.get(id_)

    def delegate(self, name: tuple[str, str], namespace: str) -> VirtualService | None:
        """The delegate with this namespace and name, if `namespace` may use it."""
        found = self.get(ResourceId(NETWORKING, "VirtualService", *name))
        if found is None or found.hosts:
            return None
        export_to = found.export_to or set(self._config.default_virtual_service_export_to)
        seen = {found.namespace if where == "." else where for where in export_to}
        return found if "*" in seen or namespace in seen else None

    def http_rules(self, virtual_service: VirtualService) -> tuple[HttpRule, ...]:
        """The HTTP rules, those of delegates filled in (`mergeVirtualServicesIfNeeded`)."""
        if virtual_service.semantics is Semantics.GATEWAY_API:
            return virtual_service.made
        written = self._written(virtual_service.resource)
        if all(rule.delegate is None for rule in written):
            return written
        found: list[HttpRule] = []
        for rule in written:
            if rule.delegate is None:
                found.append(rule)
            elif delegate := self.delegate(rule.delegate, virtual_service.namespace):
                found.extend(delegated(rule, self._written(delegate.resource)))
        return tuple(found)

    def tls_rules(self, virtual_service: VirtualService) -> tuple[L4Rule, ...]:
        """The rules for TLS that goes through unopened."""
        if virtual_service.semantics is Semantics.GATEWAY_API:
            return virtual_service.made_tls
        return self._l4_rules(virtual_service.resource, "tls")

    def tcp_rules(self, virtual_service: VirtualService) -> tuple[L4Rule, ...]:
        """The rules for plain TCP."""
        if virtual_service.semantics is Semantics.GATEWAY_API:
            return virtual_service.made_tcp
        return self._l4_rules(virtual_service.resource, "tcp")

    @cached_property
    def _by_gateway(self) -> Mapping[str, list[VirtualService]]:
        """Without delegates, which nobody reads by themselves."""
        return grouped((vs for vs in self.all if vs.hosts), lambda vs: vs.gateways)

    @cached_property
    def _by_id(self) -> Mapping[ResourceId, VirtualService]:
        return {vs.id: vs for vs in self.all if vs.semantics is Semantics.ISTIO}

    def _written(self, resource: Resource) -> tuple[HttpRule, ...]:
        domain = self._config.cluster_domain
        return self._views.of(resource, "http", lambda r: http_rules_of(r, domain))

    def _l4_rules(self, resource: Resource, kind: str) -> tuple[L4Rule, ...]:
        domain = self._config.cluster_domain
        return self._views.of(resource, kind, lambda r: l4_rules_of(r, kind, domain))
