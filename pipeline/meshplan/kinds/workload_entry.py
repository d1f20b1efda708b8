"""WorkloadEntry and WorkloadGroup: workloads outside Kubernetes."""

from meshplan.kinds.kind import Kind

WORKLOAD_ENTRY = Kind(
    group="networking.istio.io",
    kind="WorkloadEntry",
    plural="workloadentries",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)

WORKLOAD_GROUP = Kind(
    group="networking.istio.io",
    kind="WorkloadGroup",
    plural="workloadgroups",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
)
