"""All workloads of a snapshot, by namespace."""

from collections.abc import Mapping
from functools import cached_property

from meshplan.identity import ResourceId
from meshplan.mesh.read import at, mappings, number, text, texts
from meshplan.mesh.service import Endpoint, MeshService, Port, Registry
from meshplan.mesh.views import Views, grouped
from meshplan.mesh.workload import Workload, matches_labels, workload_kinds, workload_of
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World

_SERVICE_LABEL = "kubernetes.io/service-name"


class Workloads:
    """What runs, read when its namespace is first asked for."""

    def __init__(self, snapshot: Snapshot, world: World, views: Views):
        self._snapshot = snapshot
        self._world = world
        self._views = views
        self._found: dict[str, tuple[Workload, ...]] = {}
        self._labelled: dict[str, Mapping[tuple[str, str], list[Workload]]] = {}
        self._named: dict[str, Mapping[tuple[str, str], Workload]] = {}

    @property
    def all(self) -> tuple[Workload, ...]:
        """Everything that runs pods, and the WorkloadEntries."""
        return tuple(w for namespace in self._makers for w in self.in_namespace(namespace))

    def in_namespace(self, namespace: str) -> tuple[Workload, ...]:
        """The workloads of a namespace."""
        found = self._found.get(namespace)
        if found is None:
            views = self._views
            read = (views.of(r, "", workload_of) for r in self._makers.get(namespace, ()))
            found = self._found[namespace] = tuple(w for w in read if w is not None)
        return found

    def matching(self, namespace: str, selector: Mapping[str, str]) -> tuple[Workload, ...]:
        """The workloads of a namespace that have all labels of a selector."""
        if not selector:
            return self.in_namespace(namespace)
        labelled = self._labelled.get(namespace)
        if labelled is None:
            found = self.in_namespace(namespace)
            labelled = self._labelled[namespace] = grouped(found, lambda w: w.labels.items())
        # The rarest label leaves few to look at: a namespace may have thousands of workloads.
        rarest = min((labelled.get(label, ()) for label in selector.items()), key=len)
        if len(selector) == 1:
            return tuple(rarest)
        return tuple(w for w in rarest if matches_labels(selector, w.labels))

    def get(self, kind: str, namespace: str, name: str) -> Workload | None:
        """The workload that an object makes; the first where groups share the name of a kind."""
        named = self._named.get(namespace)
        if named is None:
            found = reversed(self.in_namespace(namespace))
            named = self._named[namespace] = {(w.id.kind, w.id.name): w for w in found}
        return named.get((kind, name))

    def addresses_of(self, service: MeshService) -> tuple[Endpoint, ...]:
        """What Endpoints and EndpointSlices say of a Service that selects nothing."""
        if service.selector is not None or service.registry is not Registry.KUBERNETES:
            return ()
        return tuple(self._addresses.get((service.namespace, service.name), ()))

    def port_number(self, port: Port, namespace: str, labels: Mapping[str, str]) -> int:
        """The port of some pods that a port of their Service leads to; names are looked up."""
        if isinstance(port.target, int):
            return port.target or port.number
        for workload in self.matching(namespace, labels):
            if port.target in workload.ports:
                return workload.ports[port.target]
        return port.number

    def is_injected(self, workload: Workload) -> bool:
        """Whether pods have a sidecar, by their own labels, else by their namespace's."""
        if workload.injected is not None:
            return workload.injected
        return self.injects(workload.namespace)

    def injects(self, name: str) -> bool:
        """Whether pods of a namespace have sidecars if they do not say so themselves.

        Where it does not say either it is assumed, as whoever writes rules for pods expects one.
        """
        namespace = self._snapshot.get(ResourceId("", "Namespace", "", name))
        if namespace is None:
            return True
        stated = namespace.labels.get("istio-injection")
        if stated is not None:
            return stated == "enabled"
        return "istio.io/rev" in namespace.labels or self._world is World.OPEN

    @cached_property
    def _addresses(self) -> Mapping[tuple[str, str], list[Endpoint]]:
        """Endpoints written by hand, by namespace and name of their Service."""
        found: dict[tuple[str, str], list[Endpoint]] = {}
        for resource in self._snapshot.of_kind("", "Endpoints"):
            key = (resource.id.namespace, resource.id.name)
            for subset in mappings(resource.manifest.get("subsets")):
                for address in mappings(subset.get("addresses")):
                    ports = _ports(subset.get("ports"))
                    found.setdefault(key, []).append(Endpoint(text(address.get("ip")), ports, {}))
        for resource in self._snapshot.of_kind("discovery.k8s.io", "EndpointSlice"):
            key = (resource.id.namespace, resource.labels.get(_SERVICE_LABEL, ""))
            ports = _ports(resource.manifest.get("ports"))
            for entry in mappings(resource.manifest.get("endpoints")):
                if at(entry, "conditions", "ready") is not False:
                    made = [
                        Endpoint(address, ports, {}) for address in texts(entry.get("addresses"))
                    ]
                    found.setdefault(key, []).extend(made)
        return found

    @cached_property
    def _makers(self) -> Mapping[str, list[Resource]]:
        """What makes workloads, by namespace."""
        found = (r for g, kind in workload_kinds() for r in self._snapshot.of_kind(g, kind))
        return grouped(found, lambda resource: (resource.id.namespace,))


def _ports(value: object) -> Mapping[str, int]:
    return {text(port.get("name")): number(port.get("port")) for port in mappings(value)}
