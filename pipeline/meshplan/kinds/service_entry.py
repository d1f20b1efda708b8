"""ServiceEntry: a host that is added to the service registry."""

from meshplan.kinds.kind import Kind

SERVICE_ENTRY = Kind(
    group="networking.istio.io",
    kind="ServiceEntry",
    plural="serviceentries",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)
