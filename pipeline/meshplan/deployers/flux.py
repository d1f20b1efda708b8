"""A Flux Kustomization: staged server-side apply, then pruning in reverse order.

Definitions (CustomResourceDefinition, Namespace, ClusterRole) come first and are waited for, then
classes, then the rest by kind; kinds that Flux does not know are ordered by group, kind, namespace
and name, so a DestinationRule is written before a VirtualService whichever way the change goes.
Pruning follows right after, before health is checked. Labels and annotations of single objects can
keep them from being written or pruned (fluxcd/pkg `ssa/sort.go`, `ssa/manager_apply.go`,
`ssa/manager_delete.go`; kustomize-controller). `dependsOn` orders Kustomizations, which are targets
of their own, and not what is in them.
"""

from collections.abc import Container

from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    plan_of,
    pruned,
    remove,
    updated,
    written,
)
from meshplan.diff import ChangeSet
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Step
from meshplan.resource import Resource, Snapshot

PREFIX = "kustomize.toolkit.fluxcd.io/"

_FIRST = (
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: rank - len(_FIRST) for rank, kind in enumerate(_FIRST)} | {
    kind: rank + 1 for rank, kind in enumerate(_LAST)
}
_DEFINITIONS = frozenset({"CustomResourceDefinition", "Namespace", "ClusterRole"})
_WAITS = "Flux waits only for definitions and classes, not between the other objects"


def _stage(found: ResourceId) -> int:
    if found.kind in _DEFINITIONS:
        return 0
    return 1 if found.kind.endswith("Class") else 2


def reconcile_key(found: ResourceId) -> tuple[int, int, str, str, str, str]:
    """The place of an object in Flux's order."""
    rank = _RANK.get(found.kind, 0)
    return _stage(found), rank, found.group, found.kind, found.namespace, found.name


def _is(resource: Resource, name: str, value: str) -> bool:
    """Whether a label or an annotation of Flux has a value, in whatever case."""
    found = (resource.labels.get(PREFIX + name), resource.annotations.get(PREFIX + name))
    return value in (str(text).lower() for text in found)


def _is_written(resource: Resource, there: Container[ResourceId]) -> bool:
    if _is(resource, "reconcile", "disabled") or _is(resource, "ssa", "ignore"):
        return False
    return not (_is(resource, "ssa", "ifnotpresent") and resource.id in there)


def _is_pruned(resource: Resource) -> bool:
    return not (_is(resource, "prune", "disabled") or _is(resource, "ssa", "ignore"))


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """The writes of a reconciliation, each a step of its own, then the deletions in reverse."""
    there = updated(changes)
    groups: list[list[Step]] = [
        [apply(resource, "Flux's order of kinds")]
        for resource in sorted(written(changes), key=lambda r: reconcile_key(r.id))
        if _is_written(resource, there)
    ]
    gone = sorted(
        filter(_is_pruned, pruned(changes)), key=lambda r: reconcile_key(r.id)[1:], reverse=True
    )
    groups += [
        [remove(resource, "Flux prunes after applying, in reverse order")] for resource in gone
    ]
    return plan_of(groups, changes, _WAITS)


FLUX = Deployer("flux", "Flux", order, _WAITS)
