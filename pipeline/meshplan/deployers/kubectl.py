"""`kubectl apply --recursive -f DIR --prune`: file by file, then everything that is gone at once.

Files are visited in lexical order and documents in the order of the file. `kubectl apply -k DIR`
writes what Kustomize renders, in its legacy order by kind, which kubectl asks for whatever the
Kustomization says unless that sorts by itself. Pruning deletes after all writes, without an order.
"""

from pathlib import PurePosixPath

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

_FIRST = (
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: rank - len(_FIRST) for rank, kind in enumerate(_FIRST)} | {
    kind: rank + 1 for rank, kind in enumerate(_LAST)
}
_WAITS = "kubectl writes one object after the other and waits for nothing"


def _file_key(resource: Resource) -> tuple[tuple[str, ...], int, int, str]:
    origin = resource.origin
    item = origin.pointer.rpartition("/")[2]
    parts = PurePosixPath(origin.path).parts
    return parts, origin.document, int(item) if item.isdigit() else 0, str(resource.id)


def kustomize_key(resource: Resource) -> tuple[int, str, str, str, str, str]:
    """The place of an object in the legacy order of Kustomize."""
    found = resource.id
    version = resource.api_version.rpartition("/")[2]
    # Kustomize writes `~X` for a namespace that is not there, and `~G` for the core group.
    group, namespace = found.group or "~G", found.namespace or "~X"
    return _RANK.get(found.kind, 0), group, version, found.kind, namespace, found.name


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """The writes of kubectl, each a step of its own, and one wave of deletions."""
    rendered = [r for r in written(changes) if r.origin.via.startswith("kustomize")]
    plain = [r for r in written(changes) if r not in rendered]
    groups: list[list[Step]] = [
        [apply(resource, "Kustomize's order of kinds")]
        for resource in sorted(rendered, key=kustomize_key)
    ]
    groups += [
        [apply(resource, f"kubectl's order of files: {resource.origin.path}")]
        for resource in sorted(plain, key=_file_key)
    ]
    groups.append(
        [remove(resource, "kubectl prunes after all writes") for resource in pruned(changes)]
    )
    return plan_of(groups, changes, _WAITS)


KUBECTL = Deployer("kubectl", "kubectl", order, _WAITS)
