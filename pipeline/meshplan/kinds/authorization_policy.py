"""AuthorizationPolicy: which requests a workload lets in."""

from meshplan.kinds.kind import Kind, under

_SOURCE = (
    "principals",
    "requestPrincipals",
    "namespaces",
    "serviceAccounts",
    "ipBlocks",
    "remoteIpBlocks",
)
_OPERATION = ("hosts", "ports", "methods", "paths")


def _with_opposites(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {path: () for name in names for path in (name, f"not{name[0].upper()}{name[1:]}")}


AUTHORIZATION_POLICY = Kind(
    group="security.istio.io",
    kind="AuthorizationPolicy",
    plural="authorizationpolicies",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
    list_keys={
        "spec.targetRefs": ("group", "kind", "name"),
        "spec.rules": (),
        "spec.rules.from": (),
        "spec.rules.to": (),
        "spec.rules.when": (),
        "spec.rules.when.values": (),
        "spec.rules.when.notValues": (),
    }
    | under("spec.rules.from.source", _with_opposites(_SOURCE))
    | under("spec.rules.to.operation", _with_opposites(_OPERATION)),
    unordered=("spec.targetRefs",),
    defaults={
        "spec": {},
        "spec.action": "ALLOW",
        "spec.selector": {},
        "spec.selector.matchLabels": {},
    },
)
