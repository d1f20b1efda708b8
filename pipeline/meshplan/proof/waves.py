"""The waves of a plan as changes of state: what moves in each, and what is still on its way."""

from collections.abc import Mapping, Sequence
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.workload import workload_kinds
from meshplan.plan import Apply, GateKind, Plan, Step
from meshplan.resource import Resource

Versions = Mapping[ResourceId, Resource | None]

_WORKLOADS = frozenset(workload_kinds()) - {("networking.istio.io", "WorkloadEntry")}
#: Gates behind which the proxies have everything.
_SETTLING = frozenset((GateKind.PROXIES, GateKind.DRAINED, GateKind.ASSUMED))


@dataclass(frozen=True, slots=True)
class Moving:
    """One wave: the versions of changed objects around it, and the objects that move in it.

    Objects that were written in an earlier wave and that no gate has waited for move as well.
    """

    number: int
    before: Versions
    after: Versions
    ids: frozenset[ResourceId]
    #: Versions that objects have in between: one is deleted and created again, or written twice.
    passing: Mapping[ResourceId, tuple[Resource | None, ...]] = field(default_factory=dict)


def version_of(step: Step) -> Resource | None:
    """What is there after a step."""
    return step.resource if isinstance(step, Apply) else None


def moving_waves(plan: Plan, start: Versions | None = None) -> tuple[Moving, ...]:
    """The waves of a plan, with what their gates leave open; `start` if it is not the base.

    A gate that waits for proxies settles all of its wave, one that waits for pods settles the
    workloads; any other leaves it open whether what was written is in force.
    """
    found: list[Moving] = []
    settled: dict[ResourceId, Resource | None] = dict(start or {})
    #: What was written to each object since it was settled last.
    open_: dict[ResourceId, list[Resource | None]] = {}
    for number, wave in enumerate(plan.waves):
        for step in wave.steps:
            open_.setdefault(step.id, []).append(version_of(step))
        found.append(_moving(number, settled, open_))
        for id_ in tuple(open_):
            if _settles(wave.gate.kind, id_):
                settled[id_] = open_.pop(id_)[-1]
    return tuple(found)


def wave_of(number: int, before: Versions, steps: Sequence[Step]) -> Moving:
    """A single wave that begins in a settled state."""
    open_: dict[ResourceId, list[Resource | None]] = {}
    for step in steps:
        open_.setdefault(step.id, []).append(version_of(step))
    return _moving(number, before, open_)


def _moving(
    number: int, settled: Versions, open_: Mapping[ResourceId, Sequence[Resource | None]]
) -> Moving:
    after = {**settled, **{id_: versions[-1] for id_, versions in open_.items()}}
    passing = {id_: tuple(found[:-1]) for id_, found in open_.items() if len(found) > 1}
    return Moving(number, dict(settled), after, frozenset(open_), passing)


def _settles(gate: GateKind, id_: ResourceId) -> bool:
    if gate is GateKind.READY:
        return (id_.group, id_.kind) in _WORKLOADS
    return gate in _SETTLING
