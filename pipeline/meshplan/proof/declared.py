"""What is the tree's own: where a state lacks it, nobody else has it."""

from collections.abc import Iterator, Mapping

from meshplan.graph.keys import made_by
from meshplan.identity import ResourceId
from meshplan.mesh.gateway_api import GATEWAY_API, Grants
from meshplan.mesh.known import Known
from meshplan.mesh.read import at, labels, mapping, mappings, text, texts
from meshplan.proof.fields import service_behind
from meshplan.proof.index import DISCOVERY, NETWORKING, Index
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

_SERVICES = (("", "Service"), (NETWORKING, "ServiceEntry"))
_ENDPOINTS = (("", "Endpoints"), (DISCOVERY, "EndpointSlice"))
_GRANT = (GATEWAY_API, "ReferenceGrant")


def known_by(index: Index, versions: Versions) -> Known:
    """The hosts that come or go, or whose pods do; and the Secrets and grants that do."""
    hosts: set[str] = set()
    populated: set[str] = set()
    secrets: set[ResourceId] = set()
    granting: list[Resource] = []
    for id_ in versions.changed:
        for version in versions.all_of(id_):
            if (id_.group, id_.kind) in _SERVICES:
                found = tuple(hosts_of(version, index.domain))
                hosts.update(found)
                runs = any(_runs(pods, versions) for pods in _behind(version, index))
                written = index.ids(("endpoints", id_.namespace, id_.name))
                if runs or (any(True for _ in written) and not _selects(id_, versions)):
                    populated.update(found)
            elif _runs(id_, versions):
                for service in selecting(version, index, versions):
                    populated.update(hosts_of(service, index.domain))
            elif (id_.group, id_.kind) in _ENDPOINTS:
                # Of Services that select pods a controller writes them.
                where, name = id_.namespace, service_behind(version)
                if not _selects(ResourceId("", "Service", where, name), versions):
                    populated.add(f"{name}.{where}.svc.{index.domain}")
            elif (id_.group, id_.kind) == ("", "Secret"):
                secrets.add(id_)
            elif (id_.group, id_.kind) == _GRANT:
                granting.append(version)
    if secrets:
        secrets -= set(_made(versions))
    return Known(
        frozenset(hosts), frozenset(populated), frozenset(secrets), Grants(granting).allowed
    )


def hosts_of(version: Resource, domain: str) -> Iterator[str]:
    """The hosts that a Service or ServiceEntry declares."""
    if version.id.kind == "Service":
        yield f"{version.id.name}.{version.id.namespace}.svc.{domain}"
    else:
        yield from (host.lower() for host in texts(version.spec.get("hosts")))


def selected_by(version: Resource) -> Mapping[str, str]:
    """The labels by which a Service or ServiceEntry selects pods; none for any other object."""
    match version.id.kind:
        case "Service":
            return labels(version.spec.get("selector"))
        case "ServiceEntry":
            return labels(at(version.spec, "workloadSelector", "labels"))
        case _:
            return {}


def secrets_named(gateway: Resource) -> frozenset[str]:
    """The names of the Secrets of a Gateway's certificates, without their namespaces."""
    stated: list[str] = []
    for server in mappings(gateway.spec.get("servers")):
        tls = mapping(server.get("tls"))
        stated += (text(tls.get("credentialName")), *texts(tls.get("credentialNames")))
    for listener in mappings(gateway.spec.get("listeners")):
        stated += (text(r.get("name")) for r in mappings(at(listener, "tls", "certificateRefs")))
    return frozenset(name.rpartition("/")[2] for name in stated) - {""}


def selecting(version: Resource, index: Index, versions: Versions) -> Iterator[Resource]:
    """The Services that select a workload."""
    workload = versions.workload(version)
    if workload is None:
        return
    for id_ in index.selecting(workload.namespace, workload.labels):
        for service in versions.all_of(id_):
            selector = labels(service.spec.get("selector"))
            if all(workload.labels.get(k) == v for k, v in selector.items()):
                yield service


def _runs(id_: ResourceId, versions: Versions) -> bool:
    """Whether some version of a workload has pods."""
    found = map(versions.workload, versions.all_of(id_))
    return any(workload is not None and workload.running for workload in found)


def _selects(id_: ResourceId, versions: Versions) -> bool:
    """Whether some version of a Service selects pods."""
    return any(map(selected_by, versions.all_of(id_)))


def _behind(version: Resource, index: Index) -> Iterator[ResourceId]:
    """The workloads that a Service or ServiceEntry selects."""
    found = selected_by(version)
    if found:
        yield from index.pods(version.id.namespace, found)


def _made(versions: Versions) -> Iterator[ResourceId]:
    """Secrets that somebody makes from other objects, of either revision."""
    for snapshot in (versions.base, versions.head):
        for resource in snapshot.values():
            secret = made_by(resource)
            if secret is not None:
                yield secret
