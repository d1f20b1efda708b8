"""Endpoints and EndpointSlice: addresses behind a Service."""

from meshplan.kinds.kind import Kind

ENDPOINTS = Kind(
    group="",
    kind="Endpoints",
    plural="endpoints",
    scope="Namespaced",
    versions=("v1",),
    list_keys={
        "subsets.addresses": ("ip",),
        "subsets.notReadyAddresses": ("ip",),
        "subsets.ports": ("port", "protocol"),
    },
    unordered=("subsets.addresses", "subsets.notReadyAddresses", "subsets.ports"),
    defaults={"subsets.ports.name": "", "subsets.ports.protocol": "TCP"},
)

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    kind="EndpointSlice",
    plural="endpointslices",
    scope="Namespaced",
    versions=("v1",),
    list_keys={
        "endpoints": ("addresses",),
        "endpoints.addresses": (),
        "ports": ("port", "protocol"),
    },
    unordered=("endpoints", "ports"),
    defaults={"ports.name": "", "ports.protocol": "TCP"},
    immutable=("addressType",),
)
