"""Admission webhooks: who may change or refuse an object."""

from meshplan.kinds.kind import Kind

VALIDATING_WEBHOOK_CONFIGURATION = Kind(
    group="admissionregistration.k8s.io",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    scope="Cluster",
    versions=("v1", "v1beta1"),
)

MUTATING_WEBHOOK_CONFIGURATION = Kind(
    group="admissionregistration.k8s.io",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    scope="Cluster",
    versions=("v1", "v1beta1"),
)
