"""All workloads of a snapshot, by namespace."""

from collections.abc import Mapping
from functools import cached_property

from meshplan.identity import ResourceId
from meshplan.mesh.service import Port
from meshplan.mesh.views import Views, grouped
from meshplan.mesh.workload import Workload, matches_labels, workload_kinds, workload_of
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World


class Workloads:
    """What runs, read when its namespace is first asked for."""

    def __init__(self, snapshot: Snapshot, world: World, views: Views):
        self._snapshot = snapshot
        self._world = world
        self._views = views
        self._found: dict[str, tuple[Workload, ...]] = {}

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
        return tuple(w for w in self.in_namespace(namespace) if matches_labels(selector, w.labels))

    def port_number(self, port: Port, namespace: str, labels: Mapping[str, str]) -> int:
        """The port of some pods that a port of their Service leads to; names are looked up."""
        if isinstance(port.target, int):
            return port.target or port.number
        for workload in self.matching(namespace, labels):
            if port.target in workload.ports:
                return workload.ports[port.target]
        return port.number

    def is_injected(self, workload: Workload) -> bool:
        """Whether pods have a sidecar, by their own labels, else by their namespace's.

        Where neither says anything it is assumed, as whoever writes rules for pods expects one.
        """
        if workload.injected is not None:
            return workload.injected
        namespace = self._snapshot.get(ResourceId("", "Namespace", "", workload.namespace))
        if namespace is None:
            return True
        stated = namespace.labels.get("istio-injection")
        if stated is not None:
            return stated == "enabled"
        return "istio.io/rev" in namespace.labels or self._world is World.OPEN

    @cached_property
    def _makers(self) -> Mapping[str, list[Resource]]:
        """What makes workloads, by namespace."""
        found = (r for g, kind in workload_kinds() for r in self._snapshot.of_kind(g, kind))
        return grouped(found, lambda resource: (resource.id.namespace,))
