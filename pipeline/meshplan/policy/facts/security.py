"""Mutual TLS: what clients speak, what servers accept, and whether they understand each other."""

from collections.abc import Iterable, Iterator

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import sidecar
from meshplan.mesh.read import at, text
from meshplan.mesh.security import MutualTls
from meshplan.mesh.workload import Workload
from meshplan.policy.facts.hosts import named, visible
from meshplan.policy.facts.json import Json
from meshplan.policy.facts.memory import remembered
from meshplan.traffic.clusters import Cluster
from meshplan.traffic.outcome import Transport
from meshplan.traffic.table import ClusterName
from meshplan.traffic.tables import tables
from meshplan.traffic.upstreams import Upstream

_SPOKEN = {
    Transport.MTLS: "ISTIO_MUTUAL",
    Transport.TLS: "TLS",
    Transport.PLAINTEXT: "PLAINTEXT",
}


def connection(mesh: Mesh, name: str, port: int, subset: str, namespace: str) -> Json:
    """`mesh.connection(host, port, subset, namespace)`: the worst of all ports and pods."""
    full = mesh.resolve_host(name, namespace)
    found = [
        _between(mesh, cluster, upstream)
        for cluster in _clusters(mesh, full, port, subset, namespace)
        for upstream in cluster.upstreams
        if not upstream.opaque
    ]
    return min(found, key=lambda c: ("no", "unknown", "yes").index(str(c["works"])), default={})


def _clusters(mesh: Mesh, full: str, port: int, subset: str, namespace: str) -> Iterator[Cluster]:
    service = visible(mesh, full, namespace)
    clusters = tables(mesh).clusters(sidecar(namespace))
    ports = [port] if port else [p.number for p in service.ports] if service else []
    for number in ports:
        found = clusters.get(ClusterName(full, number, subset))
        if found is not None:
            yield found


def _between(mesh: Mesh, cluster: Cluster, upstream: Upstream) -> dict[str, Json]:
    accepted = mesh.peer_authentication(upstream.namespace, upstream.labels, upstream.port)
    spoken = _SPOKEN[upstream.transport]
    server = accepted.mode.value if upstream.has_sidecar else "NONE"
    return {
        "client": spoken,
        "policy": _first(accepted.sources),
        "rule": _first(cluster.rule),
        "server": server,
        "works": _works(spoken, server, passthrough=cluster.passthrough),
    }


def _works(spoken: str, server: str, *, passthrough: bool) -> str:
    """Whether a server takes what a client speaks."""
    if spoken == "TLS" or passthrough:
        # What certificates the server has, or who it is, no manifest says.
        return "unknown"
    if spoken == "PLAINTEXT":
        return "no" if server == MutualTls.STRICT else "yes"
    return "no" if server in ("NONE", MutualTls.DISABLE) else "yes"


def peer_mode(mesh: Mesh, kind: str, namespace: str, name: str, port: str) -> Json:
    """`mesh.peer_mode(kind, namespace, name, port)`."""
    found = mesh.running.get(kind, namespace, name)
    if found is None:
        return {}
    number = int(port) if port.isdecimal() and len(port) < 6 else found.ports.get(port)
    accepted = mesh.peer_authentication(namespace, found.labels, number)
    return {"mode": accepted.mode.value, "policy": _first(accepted.sources)}


def workload(mesh: Mesh, kind: str, namespace: str, name: str) -> Json:
    """`mesh.workload(kind, namespace, name)`."""
    found = mesh.running.get(kind, namespace, name)
    if found is None:
        return {}
    return {
        "gateway": _is_gateway(mesh, found),
        "injected": _injected(mesh, found),
        "known": True,
        "services": [*_hosts_of(mesh, found)],
    }


def _hosts_of(mesh: Mesh, found: Workload) -> list[str]:
    """The hosts of the Services that lead to a workload, sorted."""
    tables: dict[str, dict[ResourceId, list[str]]] = remembered(mesh, "policy.hosts", dict)
    table = tables.get(found.namespace)
    if table is None:
        table = tables[found.namespace] = _hosts_in(mesh, found.namespace)
    return table.get(found.id, [])


def _hosts_in(mesh: Mesh, namespace: str) -> dict[ResourceId, list[str]]:
    """The hosts of each workload of a namespace."""
    hosts: dict[ResourceId, list[str]] = {}
    for service in sorted(mesh.services_in(namespace), key=lambda s: s.host):
        if service.selector:
            for workload in mesh.running.matching(namespace, service.selector):
                hosts.setdefault(workload.id, []).append(service.host)
    return hosts


def _is_gateway(mesh: Mesh, found: Workload) -> bool:
    """Whether its pods are proxies by themselves: a Gateway selects them, or they say so."""
    selectors = remembered(
        mesh,
        "policy.selectors",
        lambda: {(g.namespace, frozenset((g.selector or {}).items())) for g in mesh.gateways},
    )
    labels = found.labels.items()
    if any(own in ("", found.namespace) and some and some <= labels for own, some in selectors):
        return True
    if "gateway.networking.k8s.io/gateway-name" in found.labels:
        return True
    resource = mesh.snapshot.get(found.id)
    template = at(resource.manifest, "spec", "template") if resource else None
    stated = text(at(template, "metadata", "annotations", "inject.istio.io/templates"))
    return "gateway" in stated.split(",")


def _injected(mesh: Mesh, found: Workload) -> str:
    """Whether its pods get a sidecar: yes, no, unknown."""
    if found.injected is not None:
        return "yes" if found.injected else "no"
    namespace = mesh.snapshot.get(ResourceId("", "Namespace", "", found.namespace))
    if namespace is None:
        return "unknown"
    stated = namespace.labels.get("istio-injection")
    if stated is not None:
        return "yes" if stated == "enabled" else "no"
    return "yes" if "istio.io/rev" in namespace.labels else "unknown"


def _first(sources: Iterable[ResourceId]) -> str:
    return next((named(source) for source in sources), "")
