"""Deployment, StatefulSet, DaemonSet, ReplicaSet: pods that run until they are removed."""

from meshplan.kinds.kind import Kind

DEPLOYMENT = Kind(
    group="apps",
    kind="Deployment",
    plural="deployments",
    scope="Namespaced",
    versions=("v1", "v1beta2", "v1beta1"),
)

STATEFUL_SET = Kind(
    group="apps",
    kind="StatefulSet",
    plural="statefulsets",
    scope="Namespaced",
    versions=("v1", "v1beta2", "v1beta1"),
)

DAEMON_SET = Kind(
    group="apps",
    kind="DaemonSet",
    plural="daemonsets",
    scope="Namespaced",
    versions=("v1", "v1beta2"),
)

REPLICA_SET = Kind(
    group="apps",
    kind="ReplicaSet",
    plural="replicasets",
    scope="Namespaced",
    versions=("v1", "v1beta2"),
)

REPLICATION_CONTROLLER = Kind(
    group="",
    kind="ReplicationController",
    plural="replicationcontrollers",
    scope="Namespaced",
    versions=("v1",),
)
