"""ServiceAccount."""

from meshplan.kinds.kind import Kind

SERVICE_ACCOUNT = Kind(
    group="",
    kind="ServiceAccount",
    plural="serviceaccounts",
    scope="Namespaced",
    versions=("v1",),
)
