"""An Argo CD sync: phase, wave, kind, name; in each wave it prunes first and then applies.

No Istio kind is in Argo CD's order of kinds, so inside a wave they follow their *names*. A run of
one kind is sent off in parallel. The wave of a write is read from the new manifest, that of a
deletion from the live one, and the waves of deletions are mirrored among themselves. A hook is
deleted before it is created again, unless its policy says otherwise, and is never pruned (argo-cd
`gitops-engine/pkg/sync/sync_tasks.go`, `sync_context.go`, `hook/`).
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from meshplan.dataclass import dataclass
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
from meshplan.deployers.helm import INSTALL_ORDER
from meshplan.diff import ChangeSet
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Step
from meshplan.resource import Resource, Snapshot

WAVE = "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"
HOOK = "argocd.argoproj.io/hook"
DELETE_POLICY = "argocd.argoproj.io/hook-delete-policy"
HELM_HOOK = "helm.sh/hook"
HELM_WEIGHT = "helm.sh/hook-weight"
HELM_DELETE_POLICY = "helm.sh/hook-delete-policy"

_ORDERED = [
    kind
    for kind in INSTALL_ORDER
    if kind != "PriorityClass" and not kind.endswith("WebhookConfiguration")
]
_RANK = {kind: rank - len(_ORDERED) for rank, kind in enumerate(_ORDERED)}
_PHASES = {"PreSync": -1, "Sync": 0, "PostSync": 1}
_HELM_PHASES = {"pre-install": -1, "pre-upgrade": -1, "post-install": 1, "post-upgrade": 1}
#: Where neither annotation says when to delete a hook.
_DEFAULT_POLICY = frozenset({"BeforeHookCreation"})
_WAITS = "Argo CD waits two seconds between waves and for the health of built-in kinds; Istio kinds have none"


@dataclass(frozen=True, slots=True)
class _Task:
    resource: Resource
    phase: int
    wave: int
    prune: bool


def _number(annotations: Mapping[str, str], *names: str) -> int:
    """The first of the annotations that is an integer; Argo CD ignores any other value."""
    for name in names:
        try:
            return int(annotations[name])
        except (KeyError, TypeError, ValueError):
            continue
    return 0


def _sync_options(resource: Resource) -> frozenset[str]:
    return words(resource.annotations, OPTIONS)


def _hook_phases(resource: Resource) -> list[int] | None:
    """The phases of a hook in an ordinary sync, none for other hooks; None for what is no hook.

    Helm's hooks count as Argo CD's own, those that it has no phase for as no hooks.
    """
    own = words(resource.annotations, HOOK)
    if own:
        return [_PHASES[name] for name in own if name in _PHASES]
    helm = words(resource.annotations, HELM_HOOK)
    return [_HELM_PHASES[name] for name in helm if name in _HELM_PHASES] or None


def _phase(resource: Resource) -> int | None:
    """The first phase in which an object is written; None if an ordinary sync does not write it."""
    phases = _hook_phases(resource)
    return 0 if phases is None else min(phases, default=None)


def _recreated(changes: ChangeSet) -> dict[ResourceId, str]:
    """What is deleted and created in the place of an update, with the reason."""
    found = {}
    for resource in written(changes):
        if {"Force=true", "Replace=true"} <= _sync_options(resource):
            found[resource.id] = "Argo CD replaces it by force: deleted, then created"
        if _hook_phases(resource) is not None:
            own = words(resource.annotations, DELETE_POLICY)
            policy = own or words(resource.annotations, HELM_DELETE_POLICY) or _DEFAULT_POLICY
            if not policy.isdisjoint({"BeforeHookCreation", "before-hook-creation"}):
                found[resource.id] = "Argo CD deletes a hook before it creates it again"
    return found


def _tasks(changes: ChangeSet, options: Options) -> list[_Task]:
    writes = [
        _Task(resource, phase, _number(resource.annotations, WAVE, HELM_WEIGHT), prune=False)
        for resource in written(changes)
        if (phase := _phase(resource)) is not None
    ]
    writes = _pull_definitions(writes)
    gone = [
        r
        for r in pruned(changes)
        if "Prune=false" not in _sync_options(r) and _hook_phases(r) is None
    ]
    waves = {r.id: _number(r.annotations, WAVE, HELM_WEIGHT) for r in gone}
    distinct = sorted(set(waves.values()))
    mirror = dict(zip(distinct, reversed(distinct), strict=True))
    last = max([task.wave for task in writes if task.phase == 0] + distinct, default=0) + 1
    return writes + [
        _Task(
            resource,
            0,
            last
            if options.prune_last or "PruneLast=true" in _sync_options(resource)
            else mirror[waves[resource.id]],
            prune=True,
        )
        for resource in gone
    ]


def _pull_definitions(tasks: Sequence[_Task]) -> list[_Task]:
    """Namespaces before what is in them and CRDs before their objects, in wave and phase."""

    def needed_by(definition: Resource, other: _Task) -> bool:
        if definition.id.kind == "Namespace":
            return other.resource.id.namespace == definition.id.name
        names = definition.spec.get("names")
        kind = names.get("kind") if isinstance(names, Mapping) else None
        return (definition.spec.get("group"), kind) == (
            other.resource.id.group,
            other.resource.id.kind,
        )

    pulled = []
    for task in tasks:
        first = min(
            (
                (other.phase, other.wave)
                for other in tasks
                if task.resource.id.kind in ("Namespace", "CustomResourceDefinition")
                and needed_by(task.resource, other)
            ),
            default=(task.phase, task.wave),
        )
        phase, wave = min(first, (task.phase, task.wave))
        pulled.append(_Task(task.resource, phase, wave, prune=False))
    return pulled


def _kind_rank(resource: Resource) -> int:
    return _RANK.get(resource.id.kind, 0)


def _runs(writes: Sequence[_Task]) -> list[list[Resource]]:
    """The groups that are sent off together, in order.

    Objects of several kinds with the same rank and name come in no certain order (the sort is not
    stable and its input comes from a map), so such a tie is one group.
    """
    ordered = sorted(writes, key=lambda t: (_kind_rank(t.resource), t.resource.id.name))
    runs: list[list[Resource]] = []
    for _, tie in groupby(ordered, key=lambda t: (_kind_rank(t.resource), t.resource.id.name)):
        group = [task.resource for task in tie]
        kinds = {r.id.kind for r in group}
        if runs and len(kinds) == 1 and {r.id.kind for r in runs[-1]} == kinds:
            runs[-1] += group
        else:
            runs.append(group)
    return runs


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """The groups of writes and deletions of a full sync with pruning."""
    groups: list[list[Step]] = []
    tasks = sorted(_tasks(changes, options), key=lambda t: (t.phase, t.wave))
    for (_, number), members in groupby(tasks, key=lambda t: (t.phase, t.wave)):
        wave = list(members)
        groups.append(
            [remove(t.resource, f"Argo CD prunes first in wave {number}") for t in wave if t.prune]
        )
        groups += [
            [apply(r, f"Argo CD's wave {number}, by kind, then name") for r in run]
            for run in _runs([t for t in wave if not t.prune])
        ]
    return plan_of(groups, changes, _WAITS, _recreated(changes))


ARGOCD = Deployer("argocd", "Argo CD", order, _WAITS)
