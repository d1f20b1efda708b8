"""What gateways and routes rely on: Istio's Gateway, the Gateway API, Ingress."""

from collections.abc import Iterator, Mapping
from typing import Any

from meshplan.identity import ResourceId
from meshplan.kinds.names import service_host
from meshplan.kinds.need import (
    Attachment,
    Clients,
    Credential,
    Endpoints,
    ExposedPort,
    Grant,
    Host,
    Need,
    Object,
    Pods,
    labels_of,
)
from meshplan.kinds.needs.read import at, items, mapping, number, text, texts
from meshplan.resource import Resource

GATEWAY_API = "gateway.networking.k8s.io"

_PROTOCOLS = {"HTTPRoute": "http", "GRPCRoute": "http", "TLSRoute": "tls"}


def of_istio_gateway(resource: Resource, _domain: str) -> Iterator[Need]:
    """The gateway pods, the Service port that leads to them, and the Secrets of certificates."""
    selector = labels_of(resource.spec.get("selector"))
    if selector:
        why = f"selector of {resource.id} configures the gateway pods"
        pods = Pods(None, selector)
        yield Need(pods, "/spec/selector", why, "connection refused", binding=False)
    for index, server in items(resource.spec.get("servers")):
        pointer = f"/spec/servers/{index}"
        place = f"servers[{index}] of {resource.id}"
        port = number(at(server, "port", "number"))
        if port and selector:
            why = f"{place} listens on port {port}"
            what = ExposedPort(selector, port)
            yield Need(what, f"{pointer}/port/number", why, "connection refused", binding=False)
        tls = mapping(server.get("tls"))
        for name in (text(tls.get("credentialName")), *texts(tls.get("credentialNames"))):
            if name:
                why = f"{place} takes its certificate from Secret {name}"
                secret = Credential(name, resource.id.namespace, selector)
                yield Need(secret, f"{pointer}/tls/credentialName", why, "TLS handshake fails")


def of_gateway(resource: Resource, _domain: str) -> Iterator[Need]:
    """The class of a Gateway of the Gateway API and the certificates of its listeners."""
    name = text(resource.spec.get("gatewayClassName"))
    if name:
        found = ResourceId(GATEWAY_API, "GatewayClass", "", name)
        why = f"gatewayClassName of {resource.id} names {found}"
        yield Need(Object(found), "/spec/gatewayClassName", why, "connection refused")
    yield from _certificates(resource)


def of_listener_set(resource: Resource, _domain: str) -> Iterator[Need]:
    """The Gateway that its listeners join, and their certificates."""
    parent = mapping(resource.spec.get("parentRef"))
    name = text(parent.get("name"))
    if name:
        where = text(parent.get("namespace")) or resource.id.namespace
        gateway = ResourceId(GATEWAY_API, "Gateway", where, name)
        why = f"parentRef of {resource.id} adds listeners to {gateway}"
        yield Need(Object(gateway), "/spec/parentRef", why, "connection refused")
    yield from _certificates(resource)


def _certificates(resource: Resource) -> Iterator[Need]:
    for index, listener in items(resource.spec.get("listeners")):
        for number_, ref in items(at(listener, "tls", "certificateRefs")):
            name = text(ref.get("name"))
            if not name:
                continue
            where = text(ref.get("namespace")) or resource.id.namespace
            secret = ResourceId(
                text(ref.get("group")), text(ref.get("kind")) or "Secret", where, name
            )
            pointer = f"/spec/listeners/{index}/tls/certificateRefs/{number_}"
            why = f"listeners[{index}] of {resource.id} takes its certificate from {secret}"
            yield Need(Object(secret), pointer, why, "connection refused")
            if where != resource.id.namespace:
                yield _granted(resource, secret, pointer, "connection refused")


def of_route(resource: Resource, domain: str) -> Iterator[Need]:
    """The parents that a route attaches to and the backends that it sends requests to."""
    hosts = texts(resource.spec.get("hostnames")) or ("*",)
    gateways: list[str] = []
    for index, parent in items(resource.spec.get("parentRefs")):
        name = text(parent.get("name"))
        if not name:
            continue
        where = text(parent.get("namespace")) or resource.id.namespace
        kind = text(parent.get("kind")) or "Gateway"
        found = ResourceId(_group(parent, GATEWAY_API), kind, where, name)
        pointer = f"/spec/parentRefs/{index}"
        why = f"parentRefs[{index}] of {resource.id} attaches it to {found}"
        if (found.group, kind) == (GATEWAY_API, "Gateway"):
            gateways.append(f"{where}/{name}")
            section, port = text(parent.get("sectionName")) or None, number(parent.get("port"))
            protocol = _PROTOCOLS.get(resource.id.kind, "tcp")
            for host in hosts:
                what = Attachment(found, host, protocol, section, port)
                yield Need(what, pointer, f"{why} for {host}", "404 NR")
        else:
            yield Need(Object(found), pointer, why, "404 NR")
    clients = Clients(resource.id.namespace, gateways=tuple(gateways))
    for index, rule in items(resource.spec.get("rules")):
        place = f"rules[{index}] of {resource.id}"
        pointer = f"/spec/rules/{index}"
        yield from _backends(resource, rule, (place, pointer), clients, domain)
        for position, extension in items(rule.get("filters")):
            yield from _extension(resource, extension, place, f"{pointer}/filters/{position}")


def _group(ref: Mapping[str, Any], default: str) -> str:
    group = ref.get("group")
    return group if isinstance(group, str) else default


def _backends(
    resource: Resource,
    rule: Mapping[str, Any],
    where: tuple[str, str],
    clients: Clients,
    domain: str,
) -> Iterator[Need]:
    place, base = where
    for index, ref in items(rule.get("backendRefs")):
        name = text(ref.get("name"))
        if not name or number(ref.get("weight")) == 0:
            continue
        namespace = text(ref.get("namespace")) or resource.id.namespace
        backend = ResourceId(_group(ref, ""), text(ref.get("kind")) or "Service", namespace, name)
        pointer = f"{base}/backendRefs/{index}"
        if (backend.group, backend.kind) == ("", "Service"):
            host = service_host(name, namespace, domain)
        elif (backend.group, backend.kind) == ("networking.istio.io", "Hostname"):
            host = name
        else:
            why = f"{place} sends requests to {backend}"
            yield Need(Object(backend), pointer, why, "500")
            continue
        port = number(ref.get("port"))
        why = f"{place} sends requests to {host}" + (f" on port {port}" if port else "")
        yield Need(Host(host, port, clients), pointer, why, "500")
        yield Need(Endpoints(host, None, clients), pointer, f"{why}, which needs a pod", "503 UH")
        if namespace != resource.id.namespace and clients.gateways:
            yield _granted(resource, backend, pointer, "500")


def _granted(resource: Resource, to: ResourceId, pointer: str, failure: str) -> Need:
    what = Grant(resource.id.group, resource.id.kind, resource.id.namespace, to)
    why = f"the reference of {resource.id} to {to} crosses namespaces and has to be granted"
    return Need(what, pointer, why, failure)


def _extension(
    resource: Resource, entry: Mapping[str, Any], place: str, pointer: str
) -> Iterator[Need]:
    ref = mapping(entry.get("extensionRef"))
    if text(ref.get("name")):
        found = ResourceId(
            text(ref.get("group")),
            text(ref.get("kind")),
            resource.id.namespace,
            text(ref.get("name")),
        )
        yield Need(
            Object(found), f"{pointer}/extensionRef", f"a filter in {place} is {found}", "500"
        )


def of_backend_tls_policy(resource: Resource, _domain: str) -> Iterator[Need]:
    """The certificates of the authorities that it trusts."""
    for index, ref in items(at(resource.spec, "validation", "caCertificateRefs")):
        name = text(ref.get("name"))
        if name:
            kind = text(ref.get("kind")) or "ConfigMap"
            found = ResourceId(text(ref.get("group")), kind, resource.id.namespace, name)
            pointer = f"/spec/validation/caCertificateRefs/{index}"
            why = f"validation of {resource.id} trusts the authorities in {found}"
            yield Need(Object(found), pointer, why, "503 UF")


def of_ingress(resource: Resource, domain: str) -> Iterator[Need]:
    """The class, the certificates and the Services of an Ingress."""
    spec, here = resource.spec, resource.id.namespace
    name = text(spec.get("ingressClassName"))
    if name:
        found = ResourceId("networking.k8s.io", "IngressClass", "", name)
        why = f"ingressClassName of {resource.id} names {found}"
        yield Need(Object(found), "/spec/ingressClassName", why, "404")
    for index, entry in items(spec.get("tls")):
        name = text(entry.get("secretName"))
        if name:
            secret = ResourceId("", "Secret", here, name)
            why = f"tls[{index}] of {resource.id} takes its certificate from {secret}"
            pointer = f"/spec/tls/{index}/secretName"
            yield Need(Object(secret), pointer, why, "TLS handshake fails")
    clients = Clients(here, gateways=())
    for pointer, backend in _ingress_backends(spec):
        service = mapping(backend.get("service"))
        name = text(service.get("name")) or text(backend.get("serviceName"))
        if name:
            host = service_host(name, here, domain)
            port = number(at(service, "port", "number")) or number(backend.get("servicePort"))
            why = f"{pointer.removeprefix('/spec/')} of {resource.id} sends requests to {host}"
            yield Need(Host(host, port, clients), pointer, why, "503")
            pods = Endpoints(host, None, clients)
            yield Need(pods, pointer, f"{why}, which needs a pod", "503")


def _ingress_backends(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key in ("defaultBackend", "backend"):
        if isinstance(spec.get(key), Mapping):
            yield f"/spec/{key}", spec[key]
    for rule_number, rule in items(spec.get("rules")):
        for path_number, path in items(at(rule, "http", "paths")):
            pointer = f"/spec/rules/{rule_number}/http/paths/{path_number}/backend"
            yield pointer, mapping(path.get("backend"))
