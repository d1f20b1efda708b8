"""Services of the mesh: Kubernetes Services and the hosts of ServiceEntries, in one form."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.read import labels, mapping, mappings, number, text, texts
from meshplan.resource import Resource

#: `~`, in lists of namespaces that may see an object: none of them.
NOBODY = "~"

EXPORT_TO_ANNOTATION = "networking.istio.io/exportTo"
TLS_MODE_LABEL = "security.istio.io/tlsMode"


class Protocol(StrEnum):
    """Protocols as istiod distinguishes them; SNIFFED is one that nobody declared."""

    HTTP = "HTTP"
    HTTP2 = "HTTP2"
    HTTP_PROXY = "HTTP_PROXY"
    GRPC = "GRPC"
    GRPC_WEB = "GRPC-Web"
    HTTPS = "HTTPS"
    TLS = "TLS"
    TCP = "TCP"
    MONGO = "Mongo"
    REDIS = "Redis"
    MYSQL = "MySQL"
    UDP = "UDP"
    SNIFFED = ""

    @property
    def is_http(self) -> bool:
        """Whether requests are routed by their content."""
        return self in _HTTP

    @property
    def is_http_or_sniffed(self) -> bool:
        """Whether requests may be routed by their content."""
        return self in _HTTP or self is Protocol.SNIFFED


_HTTP = frozenset(
    (Protocol.HTTP, Protocol.HTTP2, Protocol.HTTP_PROXY, Protocol.GRPC, Protocol.GRPC_WEB)
)
_BY_NAME = {found.value.lower(): found for found in Protocol if found}
_WELL_KNOWN_TCP = frozenset((25, 53, 3306, 27017))
_KUBERNETES_APP_PROTOCOLS = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}


class Resolution(StrEnum):
    """How a proxy finds the endpoints of a service (`model.Resolution`)."""

    #: istiod tells: a Service with a cluster IP, a ServiceEntry with STATIC.
    STATIC = "STATIC"
    #: The original destination of the connection: headless, ServiceEntry with NONE.
    PASSTHROUGH = "NONE"
    DNS = "DNS"
    DNS_ROUND_ROBIN = "DNS_ROUND_ROBIN"
    DYNAMIC_DNS = "DYNAMIC_DNS"
    #: An ExternalName Service: another name for another host.
    ALIAS = "ALIAS"


class Registry(StrEnum):
    """Where a service was declared."""

    KUBERNETES = "Kubernetes"
    EXTERNAL = "External"


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service."""

    number: int
    name: str
    protocol: Protocol
    #: The port of the endpoints: a number, or the name of a container port; 0 for the same number.
    target: int | str = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is served, as an object writes it (not a pod)."""

    address: str
    #: Port name of the service to port number.
    ports: Mapping[str, int]
    labels: Mapping[str, str]
    service_account: str = ""
    weight: int = 0

    @property
    def tls_mode(self) -> str:
        """`istio` where a sidecar takes mTLS, else `disabled` (`getTLSModeFromWorkloadEntry`)."""
        stated = self.labels.get(TLS_MODE_LABEL)
        if stated is not None:
            return stated
        return "istio" if self.service_account else "disabled"


@dataclass(frozen=True, slots=True)
class MeshService:
    """A host with ports that the proxies of some namespaces can see (`model.Service`)."""

    id: ResourceId
    host: str
    namespace: str
    #: Name of the Service, or the host of a ServiceEntry: breaks ties between equally old ones.
    name: str
    created: str
    ports: tuple[Port, ...]
    resolution: Resolution
    registry: Registry
    #: Whether it lies outside the mesh (MESH_EXTERNAL, ExternalName).
    external: bool
    #: Namespaces as written, with `.`, `*` and `~`; empty for the default of the mesh.
    export_to: frozenset[str]
    #: Labels of the pods (or WorkloadEntries) behind it; None where it selects nothing.
    selector: Mapping[str, str] | None
    endpoints: tuple[Endpoint, ...] = ()
    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    #: The host that an ALIAS stands for.
    alias_of: str = ""
    #: Hosts that stand for this one.
    aliases: tuple[str, ...] = ()
    #: Other objects whose ports were merged into it.
    merged: tuple[ResourceId, ...] = ()
    subject_alt_names: tuple[str, ...] = ()

    def port(self, port: int) -> Port | None:
        """The port with this number."""
        return next((found for found in self.ports if found.number == port), None)


def parse_protocol(name: str) -> Protocol:
    """A protocol by its name, as `protocol.Parse` does; unknown ones are sniffed."""
    return _BY_NAME.get(name.lower(), Protocol.SNIFFED)


def service_of(resource: Resource, domain: str) -> MeshService:
    """A Kubernetes Service (`ConvertService`)."""
    spec = resource.spec
    alias = text(spec.get("externalName")) if spec.get("type") == "ExternalName" else ""
    cluster_ip = text(spec.get("clusterIP"))
    resolution = Resolution.STATIC
    if alias:
        resolution = Resolution.ALIAS
    elif cluster_ip == "None":
        resolution = Resolution.PASSTHROUGH
    stated = text(resource.annotations.get(EXPORT_TO_ANNOTATION))
    return MeshService(
        id=resource.id,
        host=f"{resource.id.name}.{resource.id.namespace}.svc.{domain}",
        namespace=resource.id.namespace,
        name=resource.id.name,
        created=creation_time(resource),
        ports=tuple(_service_port(port) for port in mappings(spec.get("ports"))),
        resolution=resolution,
        registry=Registry.KUBERNETES,
        external=bool(alias),
        export_to=frozenset(part.strip() for part in stated.split(",")) if stated else frozenset(),
        selector=labels(spec["selector"]) if mapping(spec.get("selector")) else None,
        addresses=(cluster_ip,) if cluster_ip not in ("", "None") else (),
        labels=labels(resource.labels),
        alias_of=alias,
    )


def services_of(resource: Resource) -> Iterator[MeshService]:
    """The hosts of a ServiceEntry, one service each (`convertServices`)."""
    spec = resource.spec
    resolution = (
        Resolution(spec["resolution"])
        if text(spec.get("resolution")) in _SERVICE_ENTRY
        else (Resolution.PASSTHROUGH)
    )
    selector = spec.get("workloadSelector")
    ports = tuple(_entry_port(port) for port in mappings(spec.get("ports")))
    endpoints = tuple(endpoint_of(entry) for entry in mappings(spec.get("endpoints")))
    # EndpointSlices of a DNS service without endpoints: the host itself is what is looked up.
    by_name = resolution in _DNS and not endpoints and not isinstance(selector, Mapping)
    for host in texts(spec.get("hosts")):
        yield MeshService(
            id=resource.id,
            host=host,
            namespace=resource.id.namespace,
            name=host,
            created=creation_time(resource),
            ports=ports,
            resolution=resolution,
            registry=Registry.EXTERNAL,
            external=spec.get("location") != "MESH_INTERNAL",
            export_to=frozenset(texts(spec.get("exportTo"))),
            selector=labels(selector.get("labels")) if isinstance(selector, Mapping) else None,
            endpoints=(Endpoint(host, {}, {}),) if by_name else endpoints,
            addresses=texts(spec.get("addresses")),
            labels=labels(resource.labels),
            subject_alt_names=texts(spec.get("subjectAltNames")),
        )


def endpoint_of(entry: Mapping[str, Any]) -> Endpoint:
    """An endpoint of a ServiceEntry, or the spec of a WorkloadEntry."""
    ports = {str(name): number(port) for name, port in mapping(entry.get("ports")).items()}
    return Endpoint(
        address=text(entry.get("address")),
        ports=ports,
        labels=labels(entry.get("labels")),
        service_account=text(entry.get("serviceAccount")),
        weight=number(entry.get("weight")),
    )


_SERVICE_ENTRY = frozenset(found.value for found in Resolution if found is not Resolution.ALIAS)
_DNS = frozenset((Resolution.DNS, Resolution.DNS_ROUND_ROBIN))


def _entry_port(port: Mapping[str, Any]) -> Port:
    return Port(
        number=number(port.get("number")),
        name=text(port.get("name")),
        protocol=parse_protocol(text(port.get("protocol"))),
        target=number(port.get("targetPort")),
    )


def _service_port(port: Mapping[str, Any]) -> Port:
    value = number(port.get("port"))
    target = port.get("targetPort")
    return Port(
        number=value,
        name=text(port.get("name")),
        protocol=_service_protocol(value, port),
        target=target if isinstance(target, str) and not target.isdecimal() else number(target),
    )


def _service_protocol(value: int, port: Mapping[str, Any]) -> Protocol:
    """The protocol of a Service's port: appProtocol, else the name's prefix (`ConvertProtocol`)."""
    if port.get("protocol") == "UDP":
        return Protocol.UDP
    stated = text(port.get("appProtocol"))
    if stated in _KUBERNETES_APP_PROTOCOLS:
        return _KUBERNETES_APP_PROTOCOLS[stated]
    name = stated or text(port.get("name"))
    if name.lower().startswith("grpc-web"):
        return Protocol.GRPC_WEB
    found = parse_protocol(name.partition("-")[0])
    if found is Protocol.SNIFFED and value in _WELL_KNOWN_TCP:
        return Protocol.TCP
    return found
