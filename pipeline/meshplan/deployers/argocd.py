"""An Argo CD sync: phase, wave, kind, name; in each wave it prunes first and then applies.

No Istio kind is in Argo CD's order of kinds, so inside a wave they follow their *names*. A run of
one kind is sent off in parallel. The wave of a write is read from the new manifest, that of a
deletion from the live one, and the waves of deletions are mirrored among themselves (argo-cd
`gitops-engine/pkg/sync/sync_tasks.go`, `sync_context.go`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    plan_of,
    pruned,
    remove,
    written,
)
from meshplan.deployers.helm import INSTALL_ORDER
from meshplan.diff import ChangeSet
from meshplan.plan import Plan, Step
from meshplan.resource import Resource, Snapshot

WAVE = "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"
HOOK = "argocd.argoproj.io/hook"
HELM_HOOK = "helm.sh/hook"
HELM_WEIGHT = "helm.sh/hook-weight"

_ORDERED = [
    kind
    for kind in INSTALL_ORDER
    if kind != "PriorityClass" and not kind.endswith("WebhookConfiguration")
]
_RANK = {kind: rank - len(_ORDERED) for rank, kind in enumerate(_ORDERED)}
_PHASES = {"PreSync": -1, "Sync": 0, "PostSync": 1}
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
    text = str(resource.annotations.get(OPTIONS, ""))
    return frozenset(part.strip() for part in text.split(","))


def _phase(resource: Resource) -> int | None:
    """The phase of an object; None for a hook that an ordinary sync does not run."""
    hooks = resource.annotations.get(HOOK)
    if not hooks:
        return 0
    phases = [_PHASES[name.strip()] for name in str(hooks).split(",") if name.strip() in _PHASES]
    return min(phases, default=None)


def _tasks(changes: ChangeSet, options: Options) -> list[_Task]:
    writes = [
        _Task(resource, phase, _number(resource.annotations, WAVE, HELM_WEIGHT), prune=False)
        for resource in written(changes)
        if (phase := _phase(resource)) is not None
    ]
    writes = _pull_definitions(writes)
    gone = [r for r in pruned(changes) if "Prune=false" not in _sync_options(r) and _phase(r) == 0]
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
            [apply(r, f"Argo CD's wave {number}, kind, then name: {r.id.name}") for r in run]
            for run in _runs([t for t in wave if not t.prune])
        ]
    return plan_of(groups, changes, _WAITS)


ARGOCD = Deployer("argocd", "Argo CD", order, _WAITS)
