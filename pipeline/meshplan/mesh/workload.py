"""Workloads: what runs behind services, read from the templates that make pods."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.read import at, labels, mapping, mappings, number, text
from meshplan.mesh.service import Endpoint, endpoint_of
from meshplan.resource import Resource

#: Where the injector adds no sidecar, whatever labels say (`IgnoredNamespaces`).
_NEVER_INJECTED = frozenset({"kube-node-lease", "kube-public", "kube-system", "local-path-storage"})


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of one template (they cannot be told apart), or a WorkloadEntry."""

    #: The object that makes the pods, e.g. the Deployment.
    id: ResourceId
    namespace: str
    labels: Mapping[str, str]
    #: Named container ports.
    ports: Mapping[str, int]
    service_account: str
    #: Whether it would have any pod: false for a Deployment with `replicas: 0`.
    running: bool
    #: Only for a WorkloadEntry.
    endpoint: Endpoint | None = None
    #: Whether a sidecar is injected, as far as the template says: None where the namespace decides.
    injected: bool | None = None


def matches_labels(selector: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Whether `found` has every label of `selector` (`Instance.SubsetOf`)."""
    return all(found.get(key) == value for key, value in selector.items())


def workload_of(resource: Resource) -> Workload | None:
    """The workload that an object makes; None where its template cannot be read."""
    read = _READERS.get((resource.id.group, resource.id.kind))
    return read(resource) if read else None


def workload_kinds() -> Iterable[tuple[str, str]]:
    """Group and kind of everything that makes workloads."""
    return _READERS


def pod_labels(resource: Resource) -> Mapping[str, str] | None:
    """The labels of `workload_of(resource)` alone, which is quicker."""
    if (resource.id.group, resource.id.kind) not in _READERS:
        return None
    if resource.id.kind == "WorkloadEntry":
        return _workload_entry(resource).labels
    template = _template(resource)
    return labels(at(template, "metadata", "labels")) if template else None


def _template(resource: Resource) -> Mapping[str, Any]:
    """What the pods of an object are made from; empty where it cannot be read."""
    match resource.id.kind:
        case "Pod":
            return resource.manifest
        case "CronJob":
            return mapping(at(resource.spec, "jobTemplate", "spec", "template"))
        case _:
            return mapping(resource.spec.get("template"))


def _from_template(resource: Resource) -> Workload | None:
    template = _template(resource)
    if not template:
        return None
    replicas = resource.spec.get("replicas")
    stopped = isinstance(replicas, int) and not isinstance(replicas, bool) and replicas == 0
    spec = mapping(template.get("spec"))
    metadata = mapping(template.get("metadata"))
    found = labels(metadata.get("labels"))
    return Workload(
        id=resource.id,
        namespace=resource.id.namespace,
        labels=found,
        ports={
            text(port.get("name")): number(port.get("containerPort"))
            for container in mappings(spec.get("containers"))
            for port in mappings(container.get("ports"))
            if port.get("name")
        },
        service_account=text(spec.get("serviceAccountName")) or "default",
        running=not stopped,
        injected=_injection(
            resource.id.namespace, found, labels(metadata.get("annotations")), spec
        ),
    )


def _injection(
    namespace: str,
    found: Mapping[str, str],
    annotations: Mapping[str, str],
    spec: Mapping[str, Any],
) -> bool | None:
    """Whether pods get a sidecar, as far as they say themselves (`injectRequired`)."""
    if found.get("security.istio.io/tlsMode") == "istio":
        return True
    if spec.get("hostNetwork") is True or namespace in _NEVER_INJECTED:
        return False
    stated = found.get("sidecar.istio.io/inject", annotations.get("sidecar.istio.io/inject"))
    # Any other value is passed over.
    return {"true": True, "false": False}.get(stated or "")


def _workload_entry(resource: Resource) -> Workload:
    endpoint = endpoint_of(resource.spec)
    return Workload(
        id=resource.id,
        namespace=resource.id.namespace,
        # Labels of the spec and of the object, of which the latter win (`ConvertWorkloadEntry`).
        labels={**endpoint.labels, **labels(resource.labels)},
        ports={},
        service_account=endpoint.service_account,
        running=True,
        endpoint=endpoint,
    )


_READERS: Mapping[tuple[str, str], Callable[[Resource], Workload | None]] = {
    ("", "Pod"): _from_template,
    ("apps", "Deployment"): _from_template,
    ("apps", "StatefulSet"): _from_template,
    ("apps", "DaemonSet"): _from_template,
    ("apps", "ReplicaSet"): _from_template,
    ("", "ReplicationController"): _from_template,
    ("batch", "Job"): _from_template,
    ("batch", "CronJob"): _from_template,
    ("argoproj.io", "Rollout"): _from_template,
    ("networking.istio.io", "WorkloadEntry"): _workload_entry,
}
