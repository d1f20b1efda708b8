"""Admission webhooks: who may change or refuse an object."""

from collections.abc import Mapping

from meshplan.kinds.kind import Default, Kind

_KEYS: Mapping[str, tuple[str, ...]] = {
    "webhooks": ("name",),
    "webhooks.admissionReviewVersions": (),
    "webhooks.matchConditions": ("name",),
    "webhooks.rules": (),
    "webhooks.rules.apiGroups": (),
    "webhooks.rules.apiVersions": (),
    "webhooks.rules.operations": (),
    "webhooks.rules.resources": (),
}
_DEFAULTS: Mapping[str, Default] = {
    "webhooks.clientConfig.service.port": 443,
    "webhooks.failurePolicy": "Fail",
    "webhooks.matchPolicy": "Equivalent",
    "webhooks.namespaceSelector": {},
    "webhooks.namespaceSelector.matchLabels": {},
    "webhooks.objectSelector": {},
    "webhooks.objectSelector.matchLabels": {},
    "webhooks.rules.scope": "*",
    "webhooks.timeoutSeconds": 10,
}

# v1beta1 assumes other values (failurePolicy Ignore, timeoutSeconds 30), so it is no equal of v1.
VALIDATING_WEBHOOK_CONFIGURATION = Kind(
    group="admissionregistration.k8s.io",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    scope="Cluster",
    versions=("v1",),
    list_keys=_KEYS,
    unordered=("webhooks",),
    defaults=_DEFAULTS,
)

MUTATING_WEBHOOK_CONFIGURATION = Kind(
    group="admissionregistration.k8s.io",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    scope="Cluster",
    versions=("v1",),
    list_keys=_KEYS,
    defaults={**_DEFAULTS, "webhooks.reinvocationPolicy": "Never"},
)
