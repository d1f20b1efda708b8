"""The plan that a sync of Argo CD amounts to, with nothing assumed in its favour.

Within a wave Argo CD prunes, then applies one group after the other, and waits for nothing; after a
wave it waits two seconds and for the health of built-in kinds. Neither says that a proxy has taken
over anything. So all that is written between two barriers may be visible in any part.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshplan.argocd.barrier import is_barrier
from meshplan.deployers import Options
from meshplan.deployers.argocd import ARGOCD
from meshplan.diff import ChangeSet, Create, id_of
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.resource import Snapshot

if TYPE_CHECKING:
    from meshplan.identity import ResourceId

#: Kinds that no request meets: that they are gone for a moment is nobody's loss.
_OUT_OF_THE_WAY = frozenset({("batch", "Job"), ("batch", "CronJob"), ("", "ConfigMap")})
_BARRIER = "a barrier Job holds the sync until the proxies have it"


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync as a plan; `unclear` says why it cannot be one."""

    plan: Plan
    unclear: str = ""


def sync_of(changes: ChangeSet, base: Snapshot, head: Snapshot, options: Options) -> Sync:
    """What a full sync does, cut where barriers hold it."""
    changes = _with_barriers(changes, head)
    waves: list[Wave] = []
    held: dict[ResourceId, Step] = {}
    unclear = ""
    for step in _steps(ARGOCD.order(changes, base, options)):
        if _is_barrier(step):
            if held:
                waves.append(Wave(tuple(held.values()), Gate(GateKind.PROXIES, _BARRIER)))
            held = {}
        elif step.id in held and (step.id.group, step.id.kind) not in _OUT_OF_THE_WAY:
            unclear = f"{step.id} is deleted and created again, and nothing waits in between"
        else:
            held[step.id] = step
    if held:
        waves.append(Wave(tuple(held.values()), Gate(GateKind.NONE, "nothing follows")))
    return Sync(Plan(tuple(waves)), unclear)


def _with_barriers(changes: ChangeSet, head: Snapshot) -> ChangeSet:
    """The changes, with barriers that did not change: a hook runs in every sync."""
    known = {id_of(change) for change in changes}
    jobs = (job for job in head.of_kind("batch", "Job") if is_barrier(job) and job.id not in known)
    return ChangeSet((*changes, *(Create(job) for job in jobs)))


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
