"""What a client finds for a host in a state: services, subsets, pods, and whether TLS fits."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.graph.keys import Key, selector_of
from meshplan.graph.pods import reselected
from meshplan.graph.precedence import MOOT
from meshplan.graph.state import Index, View
from meshplan.identity import ResourceId
from meshplan.kinds.need import Endpoints, Host, Labels, Subset, labels_of
from meshplan.kinds.needs.read import items
from meshplan.mesh.destination_rule import (
    DestinationRule,
    DestinationRules,
    destination_rule_of,
)
from meshplan.mesh.hosts import namespace_of, wildcards_above
from meshplan.mesh.registry import ServiceRegistry, add_service, one_namespace_per_host
from meshplan.mesh.service import MeshService, Resolution, service_of, services_of

TrafficNeed = Host | Subset | Endpoints

#: Later than every creation time: what a change creates is the youngest.
_YOUNGEST = "~"


@lru_cache(maxsize=4096)
def host_keys(name: str) -> tuple[Key, ...]:
    """The keys of everything that defines a host or says something about it."""
    return (("host", name), *(("host", found) for found in wildcards_above(name) if found != name))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that a state says about a host."""

    registry: ServiceRegistry
    rules: DestinationRules

    def service(
        self, host: str, client: str, imported: Callable[[MeshService], bool] = lambda _: True
    ) -> MeshService | None:
        """The service that the clients of a namespace use for a host, merged as istiod does."""
        found: dict[str, MeshService] = {}
        seen = filter(imported, self.registry.named(host, client))
        for service in one_namespace_per_host(seen, client):
            add_service(found, service)
        return found.get(host)


def surroundings(host: str, view: View) -> Surroundings:
    """All that a state says about a host."""
    found = view.memory.get(host)
    if isinstance(found, Surroundings):
        return found
    services: list[MeshService] = []
    rules: dict[str, list[DestinationRule]] = {}
    for resource in view.find(*host_keys(host)):
        created = _created(resource.id, view)
        if resource.id.kind == "DestinationRule":
            rule = destination_rule_of(resource, view.index.domain)
            aged = replace(rule, created=rule.created or created)
            rules.setdefault(rule.namespace, []).append(aged)
        elif resource.id.kind == "Service":
            service = service_of(resource, view.index.domain)
            services.append(replace(service, created=service.created or created))
        else:
            services += (
                replace(service, created=service.created or created)
                for service in services_of(resource)
            )
    config = view.config
    made = Surroundings(
        ServiceRegistry(services, config.default_service_export_to),
        DestinationRules(
            lambda namespace: rules.get(namespace, ()),
            config.root_namespace,
            config.default_destination_rule_export_to,
        ),
    )
    view.memory[host] = made
    return made


def _created(subject: ResourceId, view: View) -> str:
    return _YOUNGEST if view.index.writes.is_created(subject) else ""


def level(what: TrafficNeed, view: View, client: str) -> int:
    """How many services, subsets or workloads meet the need; pods are moot without a cluster."""
    match what:
        case Host():
            return _host(what, view, client)
        case Subset():
            return int(subset_labels(what.host, what.subset, view, client) is not None)
        case Endpoints():
            return _endpoints(what, view, client)
        case _:
            assert_never(what)


def candidates(what: TrafficNeed, index: Index) -> Iterator[ResourceId]:
    """The objects that change and that the level depends on."""
    yield from index.touched(*host_keys(what.host))
    if isinstance(what, Endpoints):
        yield from behind_host(what.host, index, subsets_of(what.host, index, what.subset))


def _host(what: Host, view: View, client: str) -> int:
    found = surroundings(what.host, view).service(what.host, client)
    return int(found is not None and (what.port is None or found.port(what.port) is not None))


def subset_labels(name: str, wanted: str, view: View, client: str) -> Labels | None:
    """The labels of a subset as the client sees it; None where it sees no such subset."""
    rule = destination_rule(name, view, client)
    found = rule.subset(wanted) if rule else None
    return frozenset(found.labels.items()) if found else None


def destination_rule(name: str, view: View, client: str) -> DestinationRule | None:
    """The DestinationRule that most clients of a namespace use: the one without a selector."""
    around = surroundings(name, view)
    service = around.service(name, client)
    place = service.namespace if service else namespace_of(name, view.index.domain)
    return around.rules.for_proxy(name, place, client, {})


def _endpoints(what: Endpoints, view: View, client: str) -> int:
    extra: Labels | None = frozenset()
    if what.subset is not None:
        extra = subset_labels(what.host, what.subset, view, client)
    service = surroundings(what.host, view).service(what.host, client)
    if extra is None or service is None:
        return MOOT
    return sum(1 for _ in backends(service, extra, view))


def backends(service: MeshService, extra: Labels, view: View) -> Iterator[str]:
    """What is behind a service, as names: workloads, or the addresses that it lists."""
    if service.selector is not None:
        selector = frozenset(service.selector.items()) | extra
        for workload in view.pods(service.namespace, selector):
            yield str(workload.id)
    elif service.endpoints:
        for endpoint in service.endpoints:
            if extra <= frozenset(endpoint.labels.items()):
                yield endpoint.address
    elif service.resolution in (Resolution.PASSTHROUGH, Resolution.ALIAS):
        yield service.host


def behind_host(
    host: str, index: Index, subsets: Iterable[Labels] = (frozenset(),)
) -> Iterator[ResourceId]:
    """Workloads that change and that a Service of a host selects in one version only."""
    selections: set[tuple[str, Labels]] = set()
    for subject in set(index.ids(("host", host))):
        for resource in index.versions(subject):
            labels = selector_of(resource)
            if labels and resource.id.kind != "DestinationRule":
                selections.add((resource.id.namespace, labels))
    for namespace, labels in sorted(selections, key=str):
        for extra in sorted(subsets, key=sorted):
            yield from reselected(namespace, labels | extra, index)


def subsets_of(host: str, index: Index, name: str | None = "*") -> set[Labels]:
    """The labels of a subset, or of any ("*"), in any version of any rule for a host; also none."""
    found: set[Labels] = {frozenset()}
    for subject in set(index.ids(*host_keys(host))) if name is not None else ():
        for resource in index.versions(subject):
            for _, entry in items(resource.spec.get("subsets")):
                if name in ("*", entry.get("name")):
                    found.add(labels_of(entry.get("labels")))
    return found
