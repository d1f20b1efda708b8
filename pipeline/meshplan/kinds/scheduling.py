"""PriorityClass."""

from meshplan.kinds.kind import Kind

PRIORITY_CLASS = Kind(
    group="scheduling.k8s.io",
    kind="PriorityClass",
    plural="priorityclasses",
    scope="Cluster",
    versions=("v1", "v1beta1", "v1alpha1"),
    defaults={
        "description": "",
        "globalDefault": False,
        "preemptionPolicy": "PreemptLowerPriority",
    },
    immutable=("preemptionPolicy", "value"),
)
