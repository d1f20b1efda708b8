"""Objects that change what proxies do in ways that are not modelled."""

from collections.abc import Mapping

from meshplan.identity import ResourceId
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
    context = "GATEWAY" if proxy.kind is ProxyKind.GATEWAY else "SIDECAR_OUTBOUND"
    return _opaque(mesh, proxy.namespace, proxy.labels, context)


def opaque_inbound(mesh: Mesh, namespace: str, found: Mapping[str, str]) -> tuple[ResourceId, ...]:
    """Those that meet the requests which a workload's sidecar takes."""
    return _opaque(mesh, namespace, found, "SIDECAR_INBOUND")


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
