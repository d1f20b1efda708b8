"""`helm upgrade`: creates and patches in install order, then deletes in the same order.

Kinds that Helm does not know come last, by kind in alphabetical order. It deletes what the new
manifest no longer holds in install order as well, so a DestinationRule goes before the
VirtualService that used it (helm `pkg/release/v1/util/kind_sorter.go`, `pkg/kube/client.go`).
"""

from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    plan_of,
    pruned,
    remove,
    written,
)
from meshplan.diff import ChangeSet
from meshplan.plan import Plan, Step
from meshplan.resource import Resource, Snapshot

#: Helm's install order of the kinds it knows.
INSTALL_ORDER = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)
_RANK = {kind: rank for rank, kind in enumerate(INSTALL_ORDER)}
_WAITS = "Helm writes one object after the other and waits, if at all, only at the end"


def install_key(resource: Resource) -> tuple[int, str, str, int, str]:
    """The place of an object in Helm's install order; within a kind, the order of the files."""
    kind = resource.id.kind
    rank = _RANK.get(kind)
    known = (rank, "") if rank is not None else (len(INSTALL_ORDER), kind)
    return *known, resource.origin.path, resource.origin.document, resource.id.name


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """The writes of `helm upgrade`, each a step of its own."""
    groups: list[list[Step]] = [
        [apply(resource, f"Helm's install order: {resource.id.kind}")]
        for resource in sorted(written(changes), key=install_key)
    ]
    groups += [
        [remove(resource, "Helm deletes after the writes, in install order")]
        for resource in sorted(pruned(changes), key=install_key)
    ]
    return plan_of(groups, changes, _WAITS)


HELM = Deployer("helm", "Helm", order, _WAITS)
