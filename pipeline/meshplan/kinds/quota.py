"""ResourceQuota and LimitRange."""

from meshplan.kinds.kind import Kind
from meshplan.kinds.readings import quantities

RESOURCE_QUOTA = Kind(
    group="",
    kind="ResourceQuota",
    plural="resourcequotas",
    scope="Namespaced",
    versions=("v1",),
    list_keys={"spec.scopes": ()},
    defaults={"spec.hard": {}},
    readings=quantities("spec.hard.*"),
    immutable=("spec.scopes", "spec.scopeSelector"),
)

LIMIT_RANGE = Kind(
    group="",
    kind="LimitRange",
    plural="limitranges",
    scope="Namespaced",
    versions=("v1",),
    list_keys={"spec.limits": ("type",)},
    unordered=("spec.limits",),
    readings=quantities(
        *(
            f"spec.limits.{bound}.*"
            for bound in ("default", "defaultRequest", "max", "maxLimitRequestRatio", "min")
        )
    ),
)
