"""Service."""

from meshplan.kinds.kind import Kind

SERVICE = Kind(
    group="",
    kind="Service",
    plural="services",
    scope="Namespaced",
    versions=("v1",),
)
