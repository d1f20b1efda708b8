"""AuthorizationPolicy: which requests a workload lets in."""

from meshplan.kinds.kind import Kind

AUTHORIZATION_POLICY = Kind(
    group="security.istio.io",
    kind="AuthorizationPolicy",
    plural="authorizationpolicies",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
)
