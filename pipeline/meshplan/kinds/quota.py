"""ResourceQuota and LimitRange."""

from meshplan.kinds.kind import Kind

RESOURCE_QUOTA = Kind(
    group="",
    kind="ResourceQuota",
    plural="resourcequotas",
    scope="Namespaced",
    versions=("v1",),
)

LIMIT_RANGE = Kind(
    group="",
    kind="LimitRange",
    plural="limitranges",
    scope="Namespaced",
    versions=("v1",),
)
