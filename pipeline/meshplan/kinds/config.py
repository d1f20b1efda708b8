"""ConfigMap and Secret."""

from meshplan.kinds.kind import Kind

CONFIG_MAP = Kind(
    group="",
    kind="ConfigMap",
    plural="configmaps",
    scope="Namespaced",
    versions=("v1",),
)

SECRET = Kind(
    group="",
    kind="Secret",
    plural="secrets",
    scope="Namespaced",
    versions=("v1",),
)
