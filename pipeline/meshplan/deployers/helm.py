"""`helm upgrade`: creates and patches in install order, then deletes in the same order.

Kinds that Helm does not know come last, by kind in alphabetical order. It deletes what the new
manifest no longer holds in install order as well, so a DestinationRule goes before the
VirtualService that used it. Hooks run before or after all of that, by weight and name, each deleted
before it is created again. A release without any object is taken for one that is uninstalled, in an
order of its own (helm `pkg/release/v1/util/kind_sorter.go`, `pkg/kube/client.go`,
`pkg/action/hooks.go`).
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    plan_of,
    pruned,
    remove,
    words,
    written,
)
from meshplan.diff import ChangeSet
from meshplan.identity import ResourceId
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
#: The order in which Helm uninstalls the kinds it knows.
UNINSTALL_ORDER = (
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
)
HOOK = "helm.sh/hook"
WEIGHT = "helm.sh/hook-weight"
DELETE_POLICY = "helm.sh/hook-delete-policy"
RESOURCE_POLICY = "helm.sh/resource-policy"

_RANK = {kind: rank for rank, kind in enumerate(INSTALL_ORDER)}
_UNINSTALL_RANK = {kind: rank for rank, kind in enumerate(UNINSTALL_ORDER)}
_WAITS = "Helm writes one object after the other and waits, if at all, only at the end"


def install_key(resource: Resource) -> tuple[int, str, str, int, str]:
    """The place of an object in Helm's install order; within a kind, the order of the files."""
    return _key(resource, _RANK)


def uninstall_key(resource: Resource) -> tuple[int, str, str, int, str]:
    """The place of an object in the order in which a release is uninstalled."""
    return _key(resource, _UNINSTALL_RANK)


def _key(resource: Resource, ranks: Mapping[str, int]) -> tuple[int, str, str, int, str]:
    kind = resource.id.kind
    rank = ranks.get(kind)
    known = (rank, "") if rank is not None else (len(ranks), kind)
    return *known, resource.origin.path, resource.origin.document, resource.id.name


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """The writes of `helm upgrade`, each a step of its own.

    A first install and an uninstall send off all objects of a kind together.
    """
    own = [r for r in written(changes) if not is_hook(r)]
    gone = [r for r in pruned(changes) if not is_hook(r) and not _is_kept(r)]
    if len(tuple(pruned(changes))) == len(base) > 0:
        kinds = groupby(sorted(gone, key=uninstall_key), key=lambda r: r.id.kind)
        steps: list[list[Step]]
        steps = [[remove(r, "Helm's uninstall order") for r in rs] for kind, rs in kinds]
        return plan_of(steps, changes, _WAITS)
    event = "upgrade" if base else "install"
    groups = _hooks(changes, f"pre-{event}")
    for _, resources in groupby(sorted(own, key=install_key), key=lambda r: r.id.kind):
        applied: list[Step] = [apply(r, "Helm's install order") for r in resources]
        groups += [[step] for step in applied] if base else [applied]
    groups += [
        [remove(r, "Helm deletes after the writes, in install order")]
        for r in sorted(gone, key=install_key)
    ]
    groups += _hooks(changes, f"post-{event}")
    return plan_of(groups, changes, _WAITS, _recreated(written(changes)))


def is_hook(resource: Resource) -> bool:
    """Whether Helm runs an object as a hook, so that it is no part of the release."""
    return bool(words(resource.annotations, HOOK))


def _is_kept(resource: Resource) -> bool:
    return str(resource.annotations.get(RESOURCE_POLICY, "")).strip().lower() == "keep"


def _hooks(changes: ChangeSet, event: str) -> list[list[Step]]:
    """The hooks of an event, by weight and name. They are not deleted with the release."""
    found = [r for r in written(changes) if event in words(r.annotations, HOOK)]
    found.sort(key=lambda r: (_weight(r), r.id.name))
    return [[apply(r, f"Helm's {event} hook, weight {_weight(r)}")] for r in found]


def _weight(resource: Resource) -> int:
    try:
        return int(resource.annotations[WEIGHT])
    except (KeyError, TypeError, ValueError):
        return 0


def _recreated(resources: Iterable[Resource]) -> dict[ResourceId, str]:
    """Hooks that are deleted before they are created again: all whose policy does not differ."""
    return {
        r.id: "Helm deletes a hook before it creates it again"
        for r in resources
        if is_hook(r)
        and "before-hook-creation"
        in (words(r.annotations, DELETE_POLICY) or {"before-hook-creation"})
    }


HELM = Deployer("helm", "Helm", order, _WAITS)
