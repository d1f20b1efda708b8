"""What pods rely on before they can start, and what selects pods."""

from collections.abc import Iterator, Mapping
from typing import Any

from meshplan.identity import ResourceId
from meshplan.kinds.need import Admitted, Bindings, Guards, Injection, Need, Object, Pods, labels_of
from meshplan.kinds.needs.read import at, items, mapping, text
from meshplan.resource import Resource

_STUCK = "pods do not start"


def pod_template(resource: Resource) -> tuple[str, Mapping[str, Any]]:
    """The pod that an object makes or is, with its JSON pointer; nothing where it makes none."""
    if resource.id.kind == "Pod":
        return "", resource.manifest
    if resource.id.kind == "CronJob":
        path = ("jobTemplate", "spec", "template")
        return "/spec/" + "/".join(path), mapping(at(resource.spec, *path))
    return "/spec/template", mapping(resource.spec.get("template"))


def of_workload(resource: Resource, _domain: str) -> Iterator[Need]:
    """Identity, configuration, secrets, volumes and class of the pods of a workload."""
    pointer, pod = pod_template(resource)
    spec = mapping(pod.get("spec"))
    pointer = f"{pointer}/spec"
    yield from _identity(resource, spec, pointer)
    yield from _named_objects(resource, spec, pointer)
    yield from _environment(resource, spec, pointer)
    for index, volume in items(spec.get("volumes")):
        yield from _volume(resource, volume, f"{pointer}/volumes/{index}")
    yield from _surroundings(resource, mapping(pod.get("metadata")), pointer)
    if resource.id.kind == "StatefulSet":
        yield from _stateful(resource)
    if resource.id.kind == "Rollout":
        yield from _rollout(resource)


def _surroundings(resource: Resource, metadata: Mapping[str, Any], pointer: str) -> Iterator[Need]:
    """What has to be in force when a pod starts, or it starts without protection or sidecar."""
    here, labels = resource.id.namespace, labels_of(metadata.get("labels"))
    why = f"pods of {resource.id} are guarded by policies from their start"
    guards, open_ = Guards(here, labels), "requests are let in"
    yield Need(guards, pointer, why, open_, on_delete=False, binding=False)
    why = f"pods of {resource.id} get their sidecar when they start"
    yield Need(Injection(here), pointer, why, "no sidecar", on_delete=False, binding=False)


def _identity(resource: Resource, spec: Mapping[str, Any], pointer: str) -> Iterator[Need]:
    name = text(spec.get("serviceAccountName")) or text(spec.get("serviceAccount"))
    if not name:
        return
    here = resource.id.namespace
    account = ResourceId("", "ServiceAccount", here, name)
    pointer = f"{pointer}/serviceAccountName"
    why = f"pods of {resource.id} run as {account}"
    yield Need(Object(account), pointer, why, _STUCK)
    rights = f"{why} and use its rights"
    bound = Bindings(here, name)
    yield Need(bound, pointer, rights, "403 from the API server", binding=False)
    callers = f"{why}, a principal that an AuthorizationPolicy admits"
    yield Need(Admitted(here, name), pointer, callers, "403")


def _named_objects(resource: Resource, spec: Mapping[str, Any], pointer: str) -> Iterator[Need]:
    here = resource.id.namespace
    for index, ref in items(spec.get("imagePullSecrets")):
        if text(ref.get("name")):
            found = ResourceId("", "Secret", here, text(ref.get("name")))
            why = f"pods of {resource.id} pull their images with {found}"
            at_ref = f"{pointer}/imagePullSecrets/{index}"
            yield Need(Object(found), at_ref, why, _STUCK)
    for key, group, kind in (
        ("priorityClassName", "scheduling.k8s.io", "PriorityClass"),
        ("runtimeClassName", "node.k8s.io", "RuntimeClass"),
    ):
        if text(spec.get(key)):
            found = ResourceId(group, kind, "", text(spec.get(key)))
            why = f"{key} of {resource.id} names {found}"
            yield Need(Object(found), f"{pointer}/{key}", why, _STUCK)


def _environment(resource: Resource, spec: Mapping[str, Any], pointer: str) -> Iterator[Need]:
    for key in ("initContainers", "containers"):
        for index, container in items(spec.get(key)):
            place = f"{key}[{index}] of {resource.id} reads its environment from"
            here = f"{pointer}/{key}/{index}"
            for number, source in items(container.get("envFrom")):
                for ref, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    found = mapping(source.get(ref))
                    yield from _reference(resource, found, kind, place, f"{here}/envFrom/{number}")
            for number, variable in items(container.get("env")):
                for ref, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                    found = mapping(at(variable, "valueFrom", ref))
                    yield from _reference(resource, found, kind, place, f"{here}/env/{number}")


def _reference(
    resource: Resource, ref: Mapping[str, Any], kind: str, does: str, pointer: str
) -> Iterator[Need]:
    """A reference to a ConfigMap or a Secret, unless it may be missing."""
    name = text(ref.get("name")) or text(ref.get("secretName"))
    if name and ref.get("optional") is not True:
        found = ResourceId("", kind, resource.id.namespace, name)
        yield Need(Object(found), pointer, f"{does} {found}", _STUCK)


def _volume(resource: Resource, volume: Mapping[str, Any], pointer: str) -> Iterator[Need]:
    does = f"a volume of {resource.id} holds"
    sources = [volume, *(source for _, source in items(at(volume, "projected", "sources")))]
    for source in sources:
        for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            yield from _reference(resource, mapping(source.get(key)), kind, does, pointer)
    claim = text(at(volume, "persistentVolumeClaim", "claimName"))
    if claim:
        found = ResourceId("", "PersistentVolumeClaim", resource.id.namespace, claim)
        yield Need(Object(found), pointer, f"{does} {found}", _STUCK)


def _stateful(resource: Resource) -> Iterator[Need]:
    name = text(resource.spec.get("serviceName"))
    if name:
        found = ResourceId("", "Service", resource.id.namespace, name)
        why = f"pods of {resource.id} are known to each other through {found}"
        yield Need(Object(found), "/spec/serviceName", why, "pods have no names", on_delete=False)
    for index, claim in items(resource.spec.get("volumeClaimTemplates")):
        yield from _storage_class(
            resource, mapping(claim.get("spec")), f"/spec/volumeClaimTemplates/{index}/spec"
        )


def _storage_class(resource: Resource, spec: Mapping[str, Any], pointer: str) -> Iterator[Need]:
    name = text(spec.get("storageClassName"))
    if name:
        found = ResourceId("storage.k8s.io", "StorageClass", "", name)
        why = f"storageClassName of {resource.id} names {found}"
        yield Need(
            Object(found), f"{pointer}/storageClassName", why, "no volume is made", on_delete=False
        )


def _rollout(resource: Resource) -> Iterator[Need]:
    """The Services and routing objects that Argo Rollouts moves traffic with."""
    here = resource.id.namespace
    for strategy in ("canary", "blueGreen"):
        part = mapping(at(resource.spec, "strategy", strategy))
        for key in ("stableService", "canaryService", "activeService", "previewService"):
            if text(part.get(key)):
                found = ResourceId("", "Service", here, text(part.get(key)))
                pointer = f"/spec/strategy/{strategy}/{key}"
                why = f"{key} of {resource.id} names {found}"
                yield Need(Object(found), pointer, why, "the rollout is refused")
        istio = mapping(at(part, "trafficRouting", "istio"))
        for key, kind in (
            ("virtualService", "VirtualService"),
            ("destinationRule", "DestinationRule"),
        ):
            name = text(at(istio, key, "name"))
            if name:
                found = ResourceId("networking.istio.io", kind, here, name)
                pointer = f"/spec/strategy/{strategy}/trafficRouting/istio/{key}"
                why = f"trafficRouting of {resource.id} names {found}"
                yield Need(Object(found), pointer, why, "the rollout is refused")


def of_claim(resource: Resource, _domain: str) -> Iterator[Need]:
    """The class and the volume of a PersistentVolumeClaim."""
    yield from _storage_class(resource, resource.spec, "/spec")
    name = text(resource.spec.get("volumeName"))
    if name:
        found = ResourceId("", "PersistentVolume", "", name)
        why = f"volumeName of {resource.id} names {found}"
        yield Need(Object(found), "/spec/volumeName", why, "no volume is bound", on_delete=False)


def of_volume(resource: Resource, _domain: str) -> Iterator[Need]:
    """The class of a PersistentVolume."""
    yield from _storage_class(resource, resource.spec, "/spec")


def of_service(resource: Resource, _domain: str) -> Iterator[Need]:
    """The pods that a Service selects; a new Service may wait for its pods."""
    labels = labels_of(resource.spec.get("selector"))
    if labels:
        why = f"selector of {resource.id} leads to pods"
        what = Pods(resource.id.namespace, labels)
        yield Need(what, "/spec/selector", why, "503 UH", on_create=False, on_delete=False)
