"""WorkloadEntry and WorkloadGroup: workloads outside Kubernetes."""

from meshplan.kinds.kind import Kind

WORKLOAD_ENTRY = Kind(
    group="networking.istio.io",
    kind="WorkloadEntry",
    plural="workloadentries",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    defaults={"spec.labels": {}, "spec.ports": {}, "spec.weight": 0},
)

WORKLOAD_GROUP = Kind(
    group="networking.istio.io",
    kind="WorkloadGroup",
    plural="workloadgroups",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    defaults={
        "spec.metadata": {},
        "spec.metadata.labels": {},
        "spec.metadata.annotations": {},
        "spec.template.labels": {},
        "spec.template.ports": {},
    },
)
