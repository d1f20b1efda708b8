"""RequestAuthentication: which tokens are read and verified."""

from meshplan.kinds.kind import Kind

REQUEST_AUTHENTICATION = Kind(
    group="security.istio.io",
    kind="RequestAuthentication",
    plural="requestauthentications",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
)
