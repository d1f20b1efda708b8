"""VirtualService: which requests go where."""

from meshplan.kinds.kind import Kind

VIRTUAL_SERVICE = Kind(
    group="networking.istio.io",
    kind="VirtualService",
    plural="virtualservices",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)
