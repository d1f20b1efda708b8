"""RequestAuthentication: which tokens are read and verified."""

from meshplan.kinds.kind import Kind
from meshplan.kinds.readings import durations

REQUEST_AUTHENTICATION = Kind(
    group="security.istio.io",
    kind="RequestAuthentication",
    plural="requestauthentications",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
    list_keys={
        "spec.targetRefs": ("group", "kind", "name"),
        "spec.jwtRules": ("issuer",),
        "spec.jwtRules.audiences": (),
        "spec.jwtRules.fromHeaders": ("name", "prefix"),
        "spec.jwtRules.outputClaimToHeaders": ("header",),
    },
    unordered=("spec.targetRefs",),
    defaults={
        "spec": {},
        "spec.selector": {},
        "spec.selector.matchLabels": {},
        "spec.jwtRules.forwardOriginalToken": False,
    },
    readings=durations("spec.jwtRules.timeout"),
)
