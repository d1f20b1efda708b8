"""Rollout of Argo Rollouts.

The API server fills no defaults into its pod template, and the controller rolls out whatever is
written differently there.
"""

from meshplan.kinds.kind import Kind, under
from meshplan.kinds.pod import POD_KEYS, POD_READINGS

ROLLOUT = Kind(
    group="argoproj.io",
    kind="Rollout",
    plural="rollouts",
    scope="Namespaced",
    versions=("v1alpha1",),
    list_keys=under("spec.template.spec", POD_KEYS),
    defaults={
        "spec.minReadySeconds": 0,
        "spec.paused": False,
        "spec.progressDeadlineSeconds": 600,
        "spec.replicas": 1,
        "spec.revisionHistoryLimit": 10,
        "spec.strategy.canary.maxSurge": "25%",
        "spec.strategy.canary.maxUnavailable": "25%",
    },
    readings=under("spec.template.spec", POD_READINGS),
    opaque=("spec.template",),
)
