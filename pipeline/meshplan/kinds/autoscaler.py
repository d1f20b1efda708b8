"""HorizontalPodAutoscaler."""

from meshplan.kinds.kind import Kind

HORIZONTAL_POD_AUTOSCALER = Kind(
    group="autoscaling",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    scope="Namespaced",
    versions=("v2", "v2beta2"),
)
