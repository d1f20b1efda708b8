"""Endpoints and EndpointSlice: addresses behind a Service."""

from meshplan.kinds.kind import Kind

ENDPOINTS = Kind(
    group="",
    kind="Endpoints",
    plural="endpoints",
    scope="Namespaced",
    versions=("v1",),
)

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    kind="EndpointSlice",
    plural="endpointslices",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
)
