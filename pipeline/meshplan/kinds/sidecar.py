"""Sidecar: what the proxies of a namespace or workload can see."""

from meshplan.kinds.kind import Kind

SIDECAR = Kind(
    group="networking.istio.io",
    kind="Sidecar",
    plural="sidecars",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)
