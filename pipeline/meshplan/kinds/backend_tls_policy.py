"""BackendTLSPolicy: how a gateway connects to a Service with TLS."""

from meshplan.kinds.gateway_api import GROUP
from meshplan.kinds.kind import Kind

BACKEND_TLS_POLICY = Kind(
    group=GROUP,
    kind="BackendTLSPolicy",
    plural="backendtlspolicies",
    scope="Namespaced",
    versions=("v1", "v1alpha3"),
    list_keys={
        "spec.targetRefs": ("group", "kind", "name", "sectionName"),
        "spec.validation.caCertificateRefs": ("group", "kind", "name"),
        "spec.validation.subjectAltNames": (),
    },
    unordered=("spec.targetRefs",),
)
