"""DestinationRule: subsets of a host, and how to connect to it."""

from meshplan.kinds.kind import Kind

DESTINATION_RULE = Kind(
    group="networking.istio.io",
    kind="DestinationRule",
    plural="destinationrules",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)
