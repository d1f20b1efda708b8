"""NetworkPolicy."""

from meshplan.kinds.kind import Kind

NETWORK_POLICY = Kind(
    group="networking.k8s.io",
    kind="NetworkPolicy",
    plural="networkpolicies",
    scope="Namespaced",
    versions=("v1",),
)
