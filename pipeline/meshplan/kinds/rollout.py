"""Rollout of Argo Rollouts."""

from meshplan.kinds.kind import Kind

ROLLOUT = Kind(
    group="argoproj.io",
    kind="Rollout",
    plural="rollouts",
    scope="Namespaced",
    versions=("v1alpha1",),
)
