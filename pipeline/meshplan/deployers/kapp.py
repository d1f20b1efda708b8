"""kapp with its default rules: everything that no rule holds back goes off at once.

The default rules order definitions, namespaces, RBAC, storage and what pods need; they know no
Istio kind, and none of them stands between a write and a deletion (carvel kapp
`pkg/kapp/config/default.go`, `pkg/kapp/diffgraph`).
"""

from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    key,
    plan_of,
    pruned,
    remove,
    written,
)
from meshplan.diff import ChangeSet
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Step
from meshplan.resource import Resource, Snapshot

_POD_RELATED = frozenset(
    {
        ("networking.k8s.io", "NetworkPolicy"),
        ("", "ResourceQuota"),
        ("", "LimitRange"),
        ("policy", "PodSecurityPolicy"),
        ("policy", "PodDisruptionBudget"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("", "ServiceAccount"),
        ("", "Secret"),
        ("", "ConfigMap"),
    }
)
_RBAC_GROUP = "rbac.authorization.k8s.io"
_STORAGE = frozenset(
    {
        ("storage.k8s.io", "StorageClass"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
    }
)
_WAITS = "kapp waits for each object's own health; Istio kinds are done at once"


def _before(first: Resource, then: Resource) -> bool:
    """Whether a default rule makes the write of `then` wait for the write of `first`."""
    a, b = first.id, then.id
    if a.kind == "CustomResourceDefinition":
        names = first.spec.get("names") or {}
        return (first.spec.get("group"), names.get("kind")) == key(b)
    if a.kind == "Namespace" and a.group == "":
        return b.namespace == a.name
    if a.group == _RBAC_GROUP and b.group == _RBAC_GROUP:
        return not a.kind.endswith("Binding") and b.kind.endswith("Binding")
    if key(a) == ("storage.k8s.io", "StorageClass"):
        return key(b) in _STORAGE and key(b) != key(a)
    return _prepares(a) and not _prepares(b) and bool(b.namespace)


def _prepares(found: ResourceId) -> bool:
    return key(found) in _POD_RELATED or found.group == _RBAC_GROUP or key(found) in _STORAGE


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """Layers of writes; all deletions, which nothing holds back, go with the first."""
    groups: list[list[Step]] = [
        [remove(r, "no default rule of kapp holds a deletion back") for r in pruned(changes)]
    ]
    waiting = list(written(changes))
    layer = 0
    while waiting:
        free = [r for r in waiting if not any(_before(o, r) for o in waiting if o.id != r.id)]
        free = free or waiting
        steps = [apply(r, "kapp writes all that no rule holds back at once") for r in free]
        if layer:
            groups.append([])
        groups[-1] += steps
        waiting = [r for r in waiting if r not in free]
        layer += 1
    return plan_of(groups, changes, _WAITS)


KAPP = Deployer("kapp", "kapp", order, _WAITS)
