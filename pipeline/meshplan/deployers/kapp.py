"""kapp with its default rules and those of the objects: what no rule holds back goes off at once.

The default rules order definitions, namespaces, RBAC, storage and what pods need; they know no
Istio kind, and none of them stands between a write and a deletion. Objects may name groups and rules
of their own, for both directions (carvel kapp `pkg/kapp/config/default.go`, `pkg/kapp/diffgraph`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from meshplan.dataclass import dataclass
from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    key,
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

GROUP = "kapp.k14s.io/change-group"
RULE = "kapp.k14s.io/change-rule"
DELETE_STRATEGY = "kapp.k14s.io/delete-strategy"
UPDATE_STRATEGY = "kapp.k14s.io/update-strategy"

_SENTENCE = re.compile(r"(upsert|delete) (before|after) (upserting|deleting) (\S+)")
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


@dataclass(frozen=True, slots=True)
class _Change:
    """One write or deletion with the groups and rules in its annotations."""

    resource: Resource
    deletes: bool
    groups: frozenset[str]
    #: Of each rule for this change: whether it goes after, whether after deletions, of what group.
    rules: tuple[tuple[bool, bool, str], ...]

    @property
    def step(self) -> Step:
        """The change as a step."""
        if self.deletes:
            return remove(self.resource, "no rule of kapp holds the deletion back any longer")
        return apply(self.resource, "kapp writes all that no rule holds back at once")


def _change(resource: Resource, *, deletes: bool) -> _Change:
    rules = []
    for text in _stated(resource, RULE):
        found = _SENTENCE.fullmatch(" ".join(text.split()))
        if found and (found[1] == "delete") == deletes:
            rules.append((found[2] == "after", found[3] == "deleting", found[4]))
    return _Change(resource, deletes, frozenset(_stated(resource, GROUP)), tuple(rules))


def _stated(resource: Resource, name: str) -> Iterator[str]:
    """The values of an annotation and of its numbered forms (`name.x`), with names filled in."""
    found = resource.id
    names = {
        "{api-group}": found.group,
        "{kind}": found.kind,
        "{name}": found.name,
        "{namespace}": found.namespace,
    }
    for annotation, value in resource.annotations.items():
        if annotation == name or annotation.startswith(f"{name}."):
            text = str(value)
            for placeholder, filling in names.items():
                text = text.replace(placeholder, filling)
            yield text.strip()


def _waits_for(then: _Change, first: _Change) -> bool:
    """Whether a rule makes one change wait for another."""
    if not then.deletes and not first.deletes and _before(first.resource, then.resource):
        return True
    after = any(is_after and _means(first, rest) for is_after, *rest in then.rules)
    return after or any(not is_after and _means(then, rest) for is_after, *rest in first.rules)


def _means(change: _Change, rule: Sequence[object]) -> bool:
    deletes, group = rule
    return change.deletes == deletes and group in change.groups


def _before(first: Resource, then: Resource) -> bool:
    """Whether a default rule makes the write of `then` wait for the write of `first`."""
    a, b = first.id, then.id
    if a.kind == "CustomResourceDefinition":
        names = first.spec.get("names")
        kind = names.get("kind") if isinstance(names, Mapping) else None
        return (first.spec.get("group"), kind) == key(b)
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
    """Layers of changes, each of all that waits for nothing that is left."""
    there = updated(changes)
    waiting = [
        _change(r, deletes=True)
        for r in pruned(changes)
        if r.annotations.get(DELETE_STRATEGY) != "orphan"
    ]
    waiting += [
        _change(r, deletes=False)
        for r in written(changes)
        if not (r.id in there and r.annotations.get(UPDATE_STRATEGY) == "skip")
    ]
    groups: list[list[Step]] = []
    while waiting:
        free = [c for c in waiting if not any(_waits_for(c, o) for o in waiting if o is not c)]
        # Rules in a circle: kapp gives up with an error, and nothing is written.
        free = free or waiting
        groups.append([change.step for change in free])
        waiting = [change for change in waiting if change not in free]
    replaced = {
        r.id: "kapp is told to replace it: deleted, then created"
        for r in written(changes)
        if r.annotations.get(UPDATE_STRATEGY) == "always-replace"
    }
    return plan_of(groups, changes, _WAITS, replaced)


KAPP = Deployer("kapp", "kapp", order, _WAITS)
