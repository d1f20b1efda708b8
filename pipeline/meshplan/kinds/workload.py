"""Deployment, StatefulSet, DaemonSet, ReplicaSet: pods that run until they are removed."""

from collections.abc import Callable, Mapping
from typing import Any

from meshplan.kinds.kind import Default, Kind, under
from meshplan.kinds.pod import POD_KEYS, POD_READINGS, TEMPLATE_DEFAULTS
from meshplan.kinds.storage import CLAIM_DEFAULTS, CLAIM_KEYS, CLAIM_READINGS


def _template_labels(spec: Mapping[str, Any]) -> Any:
    for name in ("template", "metadata", "labels"):
        spec = spec.get(name) or {}
        if not isinstance(spec, Mapping):
            return None
    return spec or None


def _selector(spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the versions before apps/v1 select where they say nothing; apps/v1 asks for it."""
    labels = _template_labels(spec)
    return {"matchLabels": labels} if labels else None


_KEYS = under("spec.template.spec", POD_KEYS)
_READINGS = under("spec.template.spec", POD_READINGS)
_DEFAULTS: Mapping[str, Default] = {
    **under("spec.template", TEMPLATE_DEFAULTS),
    "spec.minReadySeconds": 0,
    "spec.selector": _selector,
    "spec.selector.matchLabels": {},
}
_CLAIMS = "spec.volumeClaimTemplates"


def _if_rolling(value: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The default of what only a rolling update has; that is the type where none is written."""
    return lambda strategy: (
        value if strategy.get("type", "RollingUpdate") == "RollingUpdate" else None
    )


DEPLOYMENT = Kind(
    group="apps",
    kind="Deployment",
    plural="deployments",
    scope="Namespaced",
    versions=("v1", "v1beta2"),
    list_keys=_KEYS,
    defaults={
        **_DEFAULTS,
        "spec.paused": False,
        "spec.progressDeadlineSeconds": 600,
        "spec.replicas": 1,
        "spec.revisionHistoryLimit": 10,
        "spec.strategy": {},
        "spec.strategy.type": "RollingUpdate",
        "spec.strategy.rollingUpdate": _if_rolling({}),
        "spec.strategy.rollingUpdate.maxSurge": "25%",
        "spec.strategy.rollingUpdate.maxUnavailable": "25%",
    },
    readings=_READINGS,
    immutable=("spec.selector",),
)

STATEFUL_SET = Kind(
    group="apps",
    kind="StatefulSet",
    plural="statefulsets",
    scope="Namespaced",
    versions=("v1", "v1beta2"),
    list_keys={**_KEYS, _CLAIMS: ("metadata.name",), **under(f"{_CLAIMS}.spec", CLAIM_KEYS)},
    defaults={
        **_DEFAULTS,
        "spec.persistentVolumeClaimRetentionPolicy": {},
        "spec.persistentVolumeClaimRetentionPolicy.whenDeleted": "Retain",
        "spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Retain",
        "spec.podManagementPolicy": "OrderedReady",
        "spec.replicas": 1,
        "spec.revisionHistoryLimit": 10,
        "spec.serviceName": "",
        "spec.updateStrategy": {},
        "spec.updateStrategy.type": "RollingUpdate",
        "spec.updateStrategy.rollingUpdate": _if_rolling({}),
        "spec.updateStrategy.rollingUpdate.partition": 0,
        f"{_CLAIMS}.apiVersion": "v1",
        f"{_CLAIMS}.kind": "PersistentVolumeClaim",
        f"{_CLAIMS}.status": {},
        **under(f"{_CLAIMS}.spec", CLAIM_DEFAULTS),
    },
    readings={**_READINGS, **under(f"{_CLAIMS}.spec", CLAIM_READINGS)},
    immutable=("spec.podManagementPolicy", "spec.selector", "spec.serviceName", _CLAIMS),
)

DAEMON_SET = Kind(
    group="apps",
    kind="DaemonSet",
    plural="daemonsets",
    scope="Namespaced",
    versions=("v1", "v1beta2"),
    list_keys=_KEYS,
    defaults={
        **_DEFAULTS,
        "spec.revisionHistoryLimit": 10,
        "spec.updateStrategy": {},
        "spec.updateStrategy.type": "RollingUpdate",
        "spec.updateStrategy.rollingUpdate": _if_rolling({}),
        "spec.updateStrategy.rollingUpdate.maxSurge": 0,
        "spec.updateStrategy.rollingUpdate.maxUnavailable": 1,
    },
    readings=_READINGS,
    immutable=("spec.selector",),
)

REPLICA_SET = Kind(
    group="apps",
    kind="ReplicaSet",
    plural="replicasets",
    scope="Namespaced",
    versions=("v1", "v1beta2"),
    list_keys=_KEYS,
    defaults={**_DEFAULTS, "spec.replicas": 1},
    readings=_READINGS,
    immutable=("spec.selector",),
)

REPLICATION_CONTROLLER = Kind(
    group="",
    kind="ReplicationController",
    plural="replicationcontrollers",
    scope="Namespaced",
    versions=("v1",),
    list_keys=_KEYS,
    defaults={
        **under("spec.template", TEMPLATE_DEFAULTS),
        "spec.minReadySeconds": 0,
        "spec.replicas": 1,
        "spec.selector": _template_labels,
    },
    readings=_READINGS,
)
