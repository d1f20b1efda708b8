"""Istio's Gateway: ports and hosts that gateway pods listen on."""

from meshplan.kinds.kind import Kind

GATEWAY = Kind(
    group="networking.istio.io",
    kind="Gateway",
    plural="gateways",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)
