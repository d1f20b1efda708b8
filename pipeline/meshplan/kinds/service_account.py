"""ServiceAccount."""

from meshplan.kinds.kind import Kind

SERVICE_ACCOUNT = Kind(
    group="",
    kind="ServiceAccount",
    plural="serviceaccounts",
    scope="Namespaced",
    versions=("v1",),
    list_keys={"secrets": ("name",), "imagePullSecrets": ("name",)},
    unordered=("secrets", "imagePullSecrets"),
)
