"""Whether a cluster that a route names exists for a client, and has endpoints, in a state."""

from collections.abc import Iterable, Iterator

from meshplan.graph.keys import Key
from meshplan.graph.state import View
from meshplan.kinds.names import covers, host_name, wildcards_over
from meshplan.kinds.need import Endpoints, Host, Labels, Subset, labels_of
from meshplan.kinds.needs.read import at, items, number, text, texts
from meshplan.resource import Resource


def host(what: Host, view: View, client: str) -> int:
    """How many Services or ServiceEntries give the client the host, with the port."""
    return sum(_has_port(entry, what.port) for entry in registry(what.host, view, client))


def subset(what: Subset, view: View, client: str) -> int:
    """Whether the DestinationRules that the client uses for the host define the subset."""
    return int(subset_labels(what, view, client) is not None)


def endpoints(what: Endpoints, view: View, client: str) -> int | None:
    """How many workloads are behind the cluster; None where there is no cluster at all."""
    extra: Labels | None = frozenset()
    if what.subset is not None:
        extra = subset_labels(Subset(what.host, what.subset, what.clients), view, client)
    services = list(registry(what.host, view, client))
    if extra is None or not services:
        return None
    return sum(_endpoints(service, extra, view) for service in services)


def _endpoints(service: Resource, extra: Labels, view: View) -> int:
    if service.id.kind == "Service":
        selector = labels_of(service.spec.get("selector"))
    else:
        inline = [labels_of(e.get("labels")) for _, e in items(service.spec.get("endpoints"))]
        selector = labels_of(at(service.spec, "workloadSelector", "labels"))
        if not selector:
            return sum(extra <= found for found in inline)
    pods = view.pods(service.id.namespace, selector | extra) if selector else ()
    return sum(1 for _ in pods)


def host_keys(name: str) -> tuple[Key, ...]:
    """The keys of everything that defines a host or says something about it."""
    return tuple(("host", found) for found in (name, *wildcards_over(name)))


def registry(name: str, view: View, client: str) -> Iterator[Resource]:
    """The Services and ServiceEntries of the most specific host that the client may see."""
    found: dict[str, list[Resource]] = {}
    for resource in view.find(*host_keys(name)):
        if resource.id.kind == "DestinationRule" or not visible(resource, view, client):
            continue
        pattern = _most_specific(hosts_of(resource, view), name)
        if pattern is not None:
            found.setdefault(pattern, []).append(resource)
    if found:
        yield from found[max(found, key=_specificity)]


def hosts_of(resource: Resource, view: View) -> tuple[str, ...]:
    """The hosts that a Service, a ServiceEntry or a DestinationRule is about."""
    match resource.id.kind:
        case "Service":
            return (host_name(resource.id.name, resource.id.namespace, view.index.domain),)
        case "ServiceEntry":
            return tuple(found.lower() for found in texts(resource.spec.get("hosts")))
        case _:
            written = text(resource.spec.get("host"))
            return (host_name(written, resource.id.namespace, view.index.domain),)


def _most_specific(patterns: Iterable[str], name: str) -> str | None:
    return max((p for p in patterns if covers(p, name)), key=_specificity, default=None)


def _specificity(pattern: str) -> tuple[bool, int]:
    return not pattern.startswith("*"), len(pattern)


def visible(resource: Resource, view: View, client: str) -> bool:
    """Whether an object is exported to the namespace of the client."""
    config = view.config
    if resource.id.kind == "Service":
        written = text(resource.annotations.get("networking.istio.io/exportTo"))
        export = tuple(part.strip() for part in written.split(",") if part.strip())
        export = export or config.default_service_export_to
    elif resource.id.kind == "ServiceEntry":
        export = texts(resource.spec.get("exportTo")) or config.default_service_export_to
    elif resource.id.kind == "VirtualService":
        export = texts(resource.spec.get("exportTo")) or config.default_virtual_service_export_to
    else:
        export = texts(resource.spec.get("exportTo")) or config.default_destination_rule_export_to
    own = resource.id.namespace
    return any(e == "*" or e == client or (e == "." and client == own) for e in export)


def _has_port(service: Resource, port: int | None) -> bool:
    if port is None:
        return True
    return any(number(entry.get("port", entry.get("number"))) == port for entry in _ports(service))


def _ports(service: Resource) -> Iterator[dict[str, object]]:
    return (dict(entry) for _, entry in items(service.spec.get("ports")))


def subset_labels(what: Subset, view: View, client: str) -> Labels | None:
    """The labels of a subset as the client sees it; None where it sees no such subset."""
    for rule in destination_rules(what.host, view, client):
        for _, entry in items(rule.spec.get("subsets")):
            if text(entry.get("name")) == what.subset:
                return labels_of(entry.get("labels"))
    return None


def destination_rules(name: str, view: View, client: str) -> tuple[Resource, ...]:
    """The DestinationRules that the client merges for a host: those of one namespace and host.

    The client's own namespace comes first, then that of the service, then the root namespace
    (istiod `PushContext.destinationRule`); rules of several namespaces are never merged.
    """
    rules = [r for r in view.find(*host_keys(name)) if r.id.kind == "DestinationRule"]
    root = view.config.root_namespace
    places = [client] if client != root else []
    places += [service.id.namespace for service in registry(name, view, client)]
    for place in (*places, root):
        own = place == client
        found: dict[str, list[Resource]] = {}
        for rule in rules:
            if rule.id.namespace == place and (own or visible(rule, view, client)):
                pattern = _most_specific(hosts_of(rule, view), name)
                if pattern is not None:
                    found.setdefault(pattern, []).append(rule)
        if found:
            return tuple(found[max(found, key=_specificity)])
    return ()
