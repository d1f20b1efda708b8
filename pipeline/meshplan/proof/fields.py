"""What single objects say in their fields, as the proof looks for it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshplan.mesh.read import at, labels, mapping, mappings, text
from meshplan.mesh.service import MeshService, Resolution, service_of, services_of
from meshplan.resource import Resource
from meshplan.traffic.l4 import is_by_name, is_shared

_HOST = (":authority", "host")


def destinations_of(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """All destinations of a VirtualService as written, mirrors too."""
    spec = resource.spec
    for family in ("http", "tls", "tcp"):
        for rule in mappings(spec.get(family)):
            for entry in mappings(rule.get("route")):
                yield mapping(entry.get("destination"))
            if isinstance(rule.get("mirror"), Mapping):
                yield rule["mirror"]
            for entry in mappings(rule.get("mirrors")):
                yield mapping(entry.get("destination"))


def leaves_some(versions: Iterable[Resource | None]) -> bool:
    """Whether the versions of a Sidecar are not all for the same pods."""
    selectors = [None if one is None else selector_of(one) for one in versions]
    return any(one != selectors[0] for one in selectors)


def selector_of(resource: Resource) -> Mapping[str, str]:
    """The labels of the pods that a policy is for; none for all of its namespace."""
    spec = resource.spec
    for path in (
        ("selector", "matchLabels"),
        ("workloadSelector", "labels"),
        ("workloadSelector", "matchLabels"),
    ):
        found = labels(at(spec, *path))
        if found:
            return found
    return {}


def targets_of(version: Resource) -> Iterator[str]:
    """Names of the Gateways that a policy is attached to."""
    spec = version.spec
    refs = mappings(spec.get("targetRefs"))
    if isinstance(spec.get("targetRef"), Mapping):
        refs = (*refs, mapping(spec["targetRef"]))
    for ref in refs:
        if text(ref.get("kind")) == "Gateway":
            yield text(ref.get("name"))


def service_behind(resource: Resource) -> str:
    """The Service that an Endpoints or EndpointSlice is for."""
    if resource.id.kind == "Endpoints":
        return resource.id.name
    return resource.labels.get("kubernetes.io/service-name", "")


def shared_ports(version: Resource) -> Iterator[tuple[str, bool]]:
    """The ports on which a ServiceEntry has no address of its own, and whether it is told by name."""
    for service in services_of(version):
        for port in service.ports:
            if is_shared(service, port.number):
                yield str(port.number), is_by_name(service, port.number)
        return  # they are the same for all of its hosts


def spoken_ports(version: Resource, domain: str) -> Iterator[str]:
    """The ports on which a Service or ServiceEntry has requests, perhaps."""
    found: list[MeshService]
    if version.id.kind == "Service":
        found = [service_of(version, domain)]
    else:
        found = list(services_of(version))[:1]
    for service in found:
        for port in service.ports if service.resolution is not Resolution.ALIAS else ():
            if port.protocol.is_http_or_sniffed:
                yield str(port.number)


def authorities_of(route: Resource) -> Iterator[str]:
    """The hosts that a route of either API may write into requests, in small letters, no port."""
    for part in _writing(route.spec):
        rewritten = text(mapping(part.get("rewrite")).get("authority"))
        renamed = text(mapping(part.get("urlRewrite")).get("hostname"))
        for found in (rewritten, renamed, *_written_hosts(part)):
            if found:
                yield found.lower().partition(":")[0]


def _writing(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The parts of a route that may write a host; most routes have none."""
    for rule in mappings(spec.get("http")):
        if "rewrite" in rule or "headers" in rule:
            yield rule
        yield from (entry for entry in mappings(rule.get("route")) if "headers" in entry)
    for rule in mappings(spec.get("rules")):
        yield from mappings(rule.get("filters"))
        for backend in mappings(rule.get("backendRefs")):
            yield from mappings(backend.get("filters"))


def _written_hosts(part: Mapping[str, Any]) -> Iterator[str]:
    """What operations on headers make of the host."""
    request = mapping(mapping(part.get("headers")).get("request"))
    for operation in ("set", "add"):
        for name, value in mapping(request.get(operation)).items():
            if str(name).lower() in _HOST:
                yield str(value)
        for entry in mappings(mapping(part.get("requestHeaderModifier")).get(operation)):
            if text(entry.get("name")).lower() in _HOST:
                yield text(entry.get("value"))
