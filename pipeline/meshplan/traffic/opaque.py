"""Objects that change what proxies do in ways that are not modelled."""

from collections.abc import Mapping

from meshplan.identity import ResourceId
from meshplan.mesh.gateway_api import GATEWAY_API
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.mesh.read import at, labels, mappings, text
from meshplan.mesh.security import is_attached
from meshplan.mesh.virtual_services import NETWORKING
from meshplan.mesh.workload import matches_labels
from meshplan.resource import Resource

EXTENSIONS = "extensions.istio.io"

#: Patches to these never touch a request.
_HARMLESS = frozenset(("BOOTSTRAP",))


def opaque_outbound(mesh: Mesh, proxy: Proxy) -> tuple[ResourceId, ...]:
    """Those that meet the requests which a proxy sends on."""
    if proxy.kind is ProxyKind.SIDECAR:
        return _opaque(mesh, proxy.namespace, proxy.labels, "SIDECAR_OUTBOUND")
    found = _opaque(mesh, proxy.namespace, proxy.labels, "GATEWAY")
    is_ingress = proxy.labels.get("istio") == "ingressgateway"
    return (*found, *_ingresses(mesh)) if is_ingress else found


def opaque_inbound(mesh: Mesh, namespace: str, found: Mapping[str, str]) -> tuple[ResourceId, ...]:
    """Those that meet the requests which a workload's sidecar takes."""
    return _opaque(mesh, namespace, found, "SIDECAR_INBOUND")


def opaque_service(mesh: Mesh, service: ResourceId | None) -> tuple[ResourceId, ...]:
    """Those on the way to a service: TLS of the Gateway API, and the ambient mesh."""
    if service is None:
        return ()
    found = [
        policy.id
        for policy in mesh.snapshot.of_kind(GATEWAY_API, "BackendTLSPolicy")
        if policy.id.namespace == service.namespace
        and any(
            (text(ref.get("kind")), text(ref.get("name"))) == (service.kind, service.name)
            for ref in mappings(policy.spec.get("targetRefs"))
        )
    ]
    for id_ in (service, ResourceId("", "Namespace", "", service.namespace)):
        resource = mesh.snapshot.get(id_)
        if resource is not None and _is_ambient(resource.labels):
            found.append(id_)
    return tuple(found)


def _is_ambient(found: Mapping[str, str]) -> bool:
    waypoint = found.get("istio.io/use-waypoint", "none")
    return found.get("istio.io/dataplane-mode") == "ambient" or waypoint.lower() != "none"


def _ingresses(mesh: Mesh) -> tuple[ResourceId, ...]:
    """Ingresses that istiod turns into routes of its ingress gateway."""
    return tuple(
        resource.id
        for resource in mesh.snapshot.of_kind("networking.k8s.io", "Ingress")
        if "istio"
        in (
            resource.spec.get("ingressClassName"),
            resource.annotations.get("kubernetes.io/ingress.class"),
        )
    )


def _opaque(
    mesh: Mesh, namespace: str, found: Mapping[str, str], context: str
) -> tuple[ResourceId, ...]:
    root = mesh.config.root_namespace
    filters = mesh.snapshot.of_kind(NETWORKING, "EnvoyFilter")
    plugins = mesh.snapshot.of_kind(EXTENSIONS, "WasmPlugin")
    return (
        *(
            resource.id
            for resource in filters
            if resource.id.namespace in (namespace, root)
            and _selects(resource, namespace, found)
            and _patches(resource, context)
        ),
        *(
            resource.id
            for resource in plugins
            if resource.id.namespace in (namespace, root)
            and is_attached(resource, namespace, found)
        ),
    )


def _selects(resource: Resource, namespace: str, found: Mapping[str, str]) -> bool:
    if resource.spec.get("targetRefs"):
        return is_attached(resource, namespace, found)
    return matches_labels(labels(at(resource.spec, "workloadSelector", "labels")), found)


def _patches(resource: Resource, context: str) -> bool:
    return any(
        text(at(patch, "match", "context")) in ("", "ANY", context)
        and text(patch.get("applyTo")) not in _HARMLESS
        for patch in mappings(resource.spec.get("configPatches"))
    )
