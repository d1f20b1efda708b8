"""BackendTLSPolicy: how a gateway connects to a Service with TLS."""

from meshplan.kinds.kind import Kind

BACKEND_TLS_POLICY = Kind(
    group="gateway.networking.k8s.io",
    kind="BackendTLSPolicy",
    plural="backendtlspolicies",
    scope="Namespaced",
    versions=("v1", "v1alpha3"),
)
