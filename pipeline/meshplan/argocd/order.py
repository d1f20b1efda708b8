"""The plan that a sync of Argo CD amounts to, with nothing assumed in its favour.

Within a wave Argo CD prunes, then applies one group after the other, and waits for nothing; after a
wave it waits two seconds and for the health of built-in kinds. Neither says that a proxy has taken
over anything. So all that is written between two barriers may be visible in any part.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from meshplan.argocd.barrier import is_barrier
from meshplan.dataclass import dataclass
from meshplan.deployers import Options
from meshplan.deployers.argocd import ARGOCD, HELM_WEIGHT, WAVE
from meshplan.diff import ChangeSet, Create, id_of
from meshplan.graph import Edge
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.resource import Resource, Snapshot

#: Kinds that no request meets: that they are gone for a moment is nobody's loss.
_OUT_OF_THE_WAY = frozenset({("batch", "Job"), ("batch", "CronJob"), ("", "ConfigMap")})
_TRAFFIC_GROUPS = frozenset(
    {"networking.istio.io", "security.istio.io", "gateway.networking.k8s.io", "discovery.k8s.io"}
)
_TRAFFIC_KINDS = frozenset(
    {
        *(("", kind) for kind in ("Service", "Endpoints", "Pod")),
        *(("apps", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
        ("argoproj.io", "Rollout"),
    }
)
_DEFINITIONS = ("Namespace", "CustomResourceDefinition")
_BARRIER = "a barrier Job holds the sync until the proxies have it"


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync as a plan; `unclear` says why it cannot be one."""

    plan: Plan
    unclear: str = ""


def sync_of(changes: ChangeSet, base: Snapshot, head: Snapshot, options: Options) -> Sync:
    """What a full sync does, cut where barriers hold it.

    A barrier holds the waves after its own. What is written in its own wave is sent off while it
    runs, so the cut comes with the first step that is certain to be in a later one.
    """
    changes = _with_barriers(changes, head)
    waves: list[Wave] = []
    held: dict[ResourceId, Step] = {}
    barrier: int | None = None
    unclear = ""
    steps = list(_steps(ARGOCD.order(changes, base, options)))
    written = {step.id for step in steps if isinstance(step, Apply)}
    for step in steps:
        if isinstance(step, Apply) and is_barrier(step.resource):
            barrier = max(barrier or wave_of(step.resource), wave_of(step.resource))
            continue
        if barrier is not None and _is_later(step, barrier, written):
            if held:
                waves.append(Wave(tuple(held.values()), Gate(GateKind.PROXIES, _BARRIER)))
            held, barrier = {}, None
        if step.id in held and (step.id.group, step.id.kind) not in _OUT_OF_THE_WAY:
            unclear = f"{step.id} is deleted and created again, and nothing waits in between"
        else:
            held[step.id] = step
    if held:
        waves.append(Wave(tuple(held.values()), Gate(GateKind.NONE, "nothing follows")))
    return Sync(Plan(tuple(waves)), unclear)


def _is_later(step: Step, wave: int, written: Collection[ResourceId]) -> bool:
    """Whether a step that comes after a barrier is certain to be in a later wave.

    Argo CD pulls definitions forward; of deletions, only that of what is created again follows
    anything in its wave.
    """
    if isinstance(step, Remove):
        return step.id not in written
    return step.id.kind not in _DEFINITIONS and wave_of(step.resource) > wave


def wave_of(resource: Resource) -> int:
    """The wave that an object says it is in."""
    for name in (WAVE, HELM_WEIGHT):
        try:
            return int(resource.annotations[name])
        except (KeyError, TypeError, ValueError):
            continue
    return 0


def _with_barriers(changes: ChangeSet, head: Snapshot) -> ChangeSet:
    """The changes, with barriers that did not change: a hook runs in every sync."""
    known = {id_of(change) for change in changes}
    jobs = (job for job in head.of_kind("batch", "Job") if is_barrier(job) and job.id not in known)
    return ChangeSet((*changes, *(Create(job) for job in jobs)))


def disorder(changes: ChangeSet, base: Snapshot, options: Options, edges: Iterable[Edge]) -> str:
    """What a sync writes before what it needs, where no request tells; "" where all is in order.

    The proof is about requests: that a Secret is there before the Gateway that names it, or a
    ServiceAccount before its pods, is not among what it looks at.
    """
    first: dict[ResourceId, int] = {}
    last: dict[ResourceId, int] = {}
    for number, wave in enumerate(ARGOCD.order(changes, base, options).waves):
        for step in wave.steps:
            first.setdefault(step.id, number)
            last[step.id] = number
    for edge in edges:
        if _is_proven(edge.first) and _is_proven(edge.then):
            continue
        if edge.first in last and edge.then in first and first[edge.then] <= last[edge.first]:
            return f"{edge.then} is not after {edge.first}: {edge.why}"
    return ""


def _is_proven(id_: ResourceId) -> bool:
    """Whether the proof looks at what an object does to requests."""
    return id_.group in _TRAFFIC_GROUPS or (id_.group, id_.kind) in _TRAFFIC_KINDS


def favourable(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:
    """The same sync if every group were in force before the next one is sent off."""
    found = ARGOCD.order(changes, base, options)
    kept = (
        replace(wave, steps=tuple(s for s in wave.steps if not _is_barrier(s)))
        for wave in found.waves
    )
    return Plan(tuple(wave for wave in kept if wave.steps))


def _steps(plan: Plan) -> Iterator[Step]:
    """The steps in order; of a barrier only that it runs, not that an old one is cleared away."""
    barriers = {s.id for s in plan.steps if isinstance(s, Apply) and is_barrier(s.resource)}
    return (s for s in plan.steps if not (isinstance(s, Remove) and s.id in barriers))


def _is_barrier(step: Step) -> bool:
    return isinstance(step, Apply) and is_barrier(step.resource)
