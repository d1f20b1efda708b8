"""HorizontalPodAutoscaler."""

from meshplan.kinds.kind import Kind, under
from meshplan.kinds.readings import quantities

_METRICS = ("object", "pods", "resource", "containerResource", "external")

HORIZONTAL_POD_AUTOSCALER = Kind(
    group="autoscaling",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    scope="Namespaced",
    versions=("v2", "v2beta2"),
    defaults={"spec.minReplicas": 1},
    readings={
        **quantities("spec.behavior.scaleDown.tolerance", "spec.behavior.scaleUp.tolerance"),
        **under(
            [f"spec.metrics.{metric}.target" for metric in _METRICS],
            quantities("value", "averageValue"),
        ),
    },
)
