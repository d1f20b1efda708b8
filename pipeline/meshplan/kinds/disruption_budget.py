"""PodDisruptionBudget."""

from meshplan.kinds.kind import Kind

POD_DISRUPTION_BUDGET = Kind(
    group="policy",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
)
