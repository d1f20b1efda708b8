"""PodDisruptionBudget."""

from meshplan.kinds.kind import Kind

# v1beta1 reads an empty selector as none, v1 as all pods, so it is no equal of v1.
POD_DISRUPTION_BUDGET = Kind(
    group="policy",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    scope="Namespaced",
    versions=("v1",),
    defaults={"spec.selector.matchLabels": {}},
)
