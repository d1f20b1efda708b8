"""The endpoints of clusters: addresses that are written down, pods, and what is not shown."""

from collections.abc import Iterator, Mapping

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.destination_rule import Subset
from meshplan.mesh.model import Mesh
from meshplan.mesh.service import Endpoint, MeshService, Port, Registry, Resolution
from meshplan.mesh.workload import Workload, matches_labels
from meshplan.traffic.outcome import Transport

#: Services whose endpoints are names that the proxies look up.
DNS = frozenset((Resolution.DNS, Resolution.DNS_ROUND_ROBIN))


@dataclass(frozen=True, slots=True)
class Upstream:
    """One endpoint of a cluster."""

    #: `address:port`, or the workload and port where addresses are not known.
    name: str
    port: int
    labels: Mapping[str, str]
    #: Where the workload lives, whose policies hold for it.
    namespace: str
    #: Whether a sidecar stands before it, as far as its object says (`tlsMode`).
    has_sidecar: bool
    transport: Transport
    source: ResourceId | None
    #: An endpoint that stands for others that the tree does not show.
    opaque: bool = False


def upstreams(mesh: Mesh, service: MeshService, port: Port) -> Iterator[Upstream]:
    """All endpoints of a port of a service.

    istiod keeps them by host and namespace, so that those of all services for one host in one
    namespace come together; ports are told apart by name.
    """
    for same in mesh.registry.by_host.get(service.host, ()):
        if same.namespace != service.namespace:
            continue
        own = next((p for p in same.ports if p.name == port.name), None)
        if own is not None:
            yield from _of_service(mesh, same, own)


def with_labels(found: tuple[Upstream, ...], subset: Subset | None) -> tuple[Upstream, ...]:
    """Those with the labels of a subset."""
    if subset is None:
        return found
    return tuple(one for one in found if matches_labels(subset.labels, one.labels))


def unseen(
    mesh: Mesh, service: MeshService, port: Port, subset: Subset | None
) -> tuple[Upstream, ...]:
    """What stands for endpoints that are kept elsewhere, in an open world.

    Pods among them have a sidecar unless their namespace says that it has none: whoever writes rules
    for pods expects one.
    """
    kept = service.selector is not None or service.registry is Registry.KUBERNETES
    if not kept or mesh.populates(service.host):
        return ()
    labels = {**(service.selector or {}), **(subset.labels if subset else {})}
    shown = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    what = f"pods {service.namespace}/{shown}" if shown else f"endpoints of {service.host}"
    target = port.target or port.number
    has_sidecar = bool(service.selector) and mesh.running.injects(service.namespace)
    return (
        Upstream(
            name=f"{what}:{target}",
            port=target if isinstance(target, int) else port.number,
            labels=labels,
            namespace=service.namespace,
            has_sidecar=has_sidecar,
            transport=Transport.PLAINTEXT,
            source=None,
            opaque=not has_sidecar,
        ),
    )


def _of_service(mesh: Mesh, service: MeshService, port: Port) -> Iterator[Upstream]:
    is_dns = service.resolution in DNS
    for endpoint in service.endpoints:
        if is_dns or endpoint.address.startswith("unix:") or _is_address(endpoint.address):
            yield _written(endpoint, port, service.id, service.namespace, endpoint.labels)
    for endpoint in mesh.running.addresses_of(service):
        if port.name in endpoint.ports:
            yield _written(endpoint, port, service.id, service.namespace, endpoint.labels)
    for workload in mesh.workloads_of(service):
        if workload.endpoint is not None:
            yield _written(
                workload.endpoint, port, workload.id, workload.namespace, workload.labels
            )
        elif workload.running and not is_dns:
            yield _of_pods(mesh, workload, port)


def _of_pods(mesh: Mesh, workload: Workload, port: Port) -> Upstream:
    target = port.target or port.number
    if isinstance(target, str):
        target = workload.ports.get(target, 0)
    return Upstream(
        name=f"{workload.id}:{target}",
        port=target,
        labels=workload.labels,
        namespace=workload.namespace,
        has_sidecar=mesh.running.is_injected(workload),
        transport=Transport.PLAINTEXT,
        source=workload.id,
    )


def _written(
    endpoint: Endpoint, port: Port, source: ResourceId, namespace: str, labels: Mapping[str, str]
) -> Upstream:
    """An endpoint with an address (`convertEndpoint`): its own port, else that of the service."""
    target = port.target if isinstance(port.target, int) else 0
    value = endpoint.ports.get(port.name) or target or port.number
    is_file = endpoint.address.startswith("unix:")
    return Upstream(
        name=endpoint.address if is_file else f"{endpoint.address}:{value}",
        port=value,
        labels=labels,
        namespace=namespace,
        has_sidecar=endpoint.tls_mode == "istio",
        transport=Transport.PLAINTEXT,
        source=source,
    )


def _is_address(value: str) -> bool:
    """Whether it is an IP address, as EDS wants it; names are only for DNS."""
    return value.replace(".", "").isdecimal() or ":" in value
