"""What Istio's routing objects rely on: VirtualService, DestinationRule, ServiceEntry."""

from collections.abc import Iterator, Mapping
from typing import Any

from meshplan.identity import ResourceId
from meshplan.kinds.names import MESH, gateway_name, host_name
from meshplan.kinds.need import (
    Attachment,
    Clients,
    Credential,
    Delegate,
    Endpoints,
    Host,
    Need,
    Object,
    Pods,
    Subset,
    TokenRule,
    labels_of,
)
from meshplan.kinds.needs.read import at, items, mapping, number, text, texts
from meshplan.resource import Resource

_NETWORKING = "networking.istio.io"

#: What a client sees when a route leads to a cluster that is not there, by kind of route.
_NO_CLUSTER = {"http": "503 NC", "tls": "connection closed (NC)", "tcp": "connection closed (NC)"}
_NO_ENDPOINT = {"http": "503 UH", "tls": "connection closed (UH)", "tcp": "connection closed (UH)"}


def of_virtual_service(resource: Resource, domain: str) -> Iterator[Need]:
    """Its gateways, its delegates, and the host, the subset and the pods behind each destination."""
    everywhere = clients_of(resource)
    yield from _attachments(resource, everywhere)
    for protocol in ("http", "tls", "tcp"):
        for index, route in items(resource.spec.get(protocol)):
            place = f"{protocol}[{index}] of {resource.id}"
            pointer = f"/spec/{protocol}/{index}"
            clients = _clients_of_route(resource, route, everywhere)
            yield from _destinations(resource, route, (protocol, place, pointer), clients, domain)
            if protocol == "http":
                yield from _delegate(resource, route, place, pointer)
                yield from _claims(route, place, pointer)


def clients_of(resource: Resource) -> Clients:
    """The proxies that read a VirtualService."""
    here = resource.id.namespace
    names = texts(resource.spec.get("gateways")) or (MESH,)
    return Clients(here, texts(resource.spec.get("exportTo")) or ("*",), _gateways(names, here))


def _gateways(names: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    return tuple(
        name if name == MESH else "/".join(gateway_name(name, namespace)) for name in names
    )


def _clients_of_route(resource: Resource, route: Mapping[str, Any], clients: Clients) -> Clients:
    """The proxies of one route: matches that name gateways narrow those of the VirtualService."""
    matches = [match for _, match in items(route.get("match"))]
    if not matches or not all(texts(match.get("gateways")) for match in matches):
        return clients
    named = dict.fromkeys(name for match in matches for name in texts(match.get("gateways")))
    gateways = _gateways(tuple(named), resource.id.namespace)
    return Clients(clients.namespace, clients.export_to, gateways)


def _attachments(resource: Resource, clients: Clients) -> Iterator[Need]:
    hosts = texts(resource.spec.get("hosts"))
    protocols = [name for name in ("http", "tls", "tcp") if any(items(resource.spec.get(name)))]
    for index, name in enumerate(clients.gateways):
        if name == MESH:
            continue
        where, _, what = name.partition("/")
        gateway = ResourceId(_NETWORKING, "Gateway", where, what)
        for host in hosts:
            for protocol in protocols:
                why = f"gateways[{index}] of {resource.id} serves {host} through {gateway}"
                served = Attachment(gateway, host, protocol)
                yield Need(served, f"/spec/gateways/{index}", why, "404 NR")


def _destinations(
    resource: Resource,
    route: Mapping[str, Any],
    where: tuple[str, str, str],
    clients: Clients,
    domain: str,
) -> Iterator[Need]:
    protocol, place, pointer = where
    targets = list(items(route.get("route")))
    for index, target in targets:
        if number(target.get("weight")) == 0 and len(targets) > 1:
            continue
        destination = mapping(target.get("destination"))
        name = text(destination.get("host"))
        if not name:
            continue
        host = host_name(name, resource.id.namespace, domain)
        at_target = f"{pointer}/route/{index}/destination"
        port = number(at(destination, "port", "number"))
        why = f"{place} sends requests to {host}"
        on_port = f"{why} on port {port}" if port else why
        yield Need(Host(host, port, clients), f"{at_target}/host", on_port, _NO_CLUSTER[protocol])
        subset = text(destination.get("subset"))
        if subset:
            why = f"{place} sends requests to subset {subset} of {host}"
            what = Subset(host, subset, clients)
            yield Need(what, f"{at_target}/subset", why, _NO_CLUSTER[protocol])
        pods = Endpoints(host, subset or None, clients)
        yield Need(pods, at_target, f"{why}, which needs a pod", _NO_ENDPOINT[protocol])


def destinations(resource: Resource) -> Iterator[str]:
    """The hosts that a VirtualService sends requests to, as it writes them."""
    for protocol in ("http", "tls", "tcp"):
        for _, route in items(resource.spec.get(protocol)):
            for _, target in items(route.get("route")):
                name = mapping(target.get("destination")).get("host")
                if isinstance(name, str):
                    yield name


def _delegate(
    resource: Resource, route: Mapping[str, Any], place: str, pointer: str
) -> Iterator[Need]:
    delegate = mapping(route.get("delegate"))
    name = text(delegate.get("name"))
    if name:
        here = resource.id.namespace
        found = ResourceId(
            _NETWORKING, "VirtualService", text(delegate.get("namespace")) or here, name
        )
        why = f"{place} delegates to {found}"
        yield Need(Delegate(found, here), f"{pointer}/delegate/name", why, "404 NR")


def _claims(route: Mapping[str, Any], place: str, pointer: str) -> Iterator[Need]:
    for index, match in items(route.get("match")):
        for side in ("headers", "withoutHeaders"):
            if any(str(name).startswith("@request.auth.") for name in mapping(match.get(side))):
                why = f"{place} matches claims of a token"
                yield Need(TokenRule(None), f"{pointer}/match/{index}/{side}", why, "404 NR")


def of_destination_rule(resource: Resource, _domain: str) -> Iterator[Need]:
    """The Secrets of its client certificates. The host it is about may come later."""
    for pointer, policy in _policies(resource.spec):
        name = text(at(policy, "tls", "credentialName"))
        if name:
            why = f"tls of {resource.id} takes its certificate from Secret {name}"
            what = Credential(name, resource.id.namespace)
            yield Need(what, f"{pointer}/tls/credentialName", why, "503 UF")


def _policies(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every traffic policy of a DestinationRule: its own, the subsets', and those of ports."""
    owners = [("/spec", spec)]
    owners += [(f"/spec/subsets/{i}", subset) for i, subset in items(spec.get("subsets"))]
    for pointer, owner in owners:
        policy = mapping(owner.get("trafficPolicy"))
        yield f"{pointer}/trafficPolicy", policy
        for index, port in items(policy.get("portLevelSettings")):
            yield f"{pointer}/trafficPolicy/portLevelSettings/{index}", port


def of_service_entry(resource: Resource, _domain: str) -> Iterator[Need]:
    """The pods or WorkloadEntries that it selects."""
    labels = labels_of(at(resource.spec, "workloadSelector", "labels"))
    if labels:
        why = f"workloadSelector of {resource.id} selects them"
        what = Pods(resource.id.namespace, labels)
        pointer = "/spec/workloadSelector/labels"
        yield Need(what, pointer, why, "503 UH", on_create=False, on_delete=False)


def of_workload_group(resource: Resource, _domain: str) -> Iterator[Need]:
    """The ServiceAccount of its machines, in a WorkloadGroup and in a WorkloadEntry."""
    path = (
        ("template", "serviceAccount")
        if resource.id.kind == "WorkloadGroup"
        else ("serviceAccount",)
    )
    name = text(at(resource.spec, *path))
    if name:
        account = ResourceId("", "ServiceAccount", resource.id.namespace, name)
        why = f"machines of {resource.id} run as {account}"
        pointer = "/spec/" + "/".join(path)
        yield Need(Object(account), pointer, why, "machines get no identity")
