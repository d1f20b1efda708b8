"""The waves of a plan as changes of state: what moves in each, and what is still on its way."""

from collections.abc import Mapping
from dataclasses import dataclass

from meshplan.identity import ResourceId
from meshplan.mesh.workload import workload_kinds
from meshplan.plan import Apply, GateKind, Plan, Remove, Step
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


def version_of(step: Step) -> Resource | None:
    """What is there after a step."""
    match step:
        case Apply(resource):
            return resource
        case Remove():
            return None


def moving_waves(plan: Plan) -> tuple[Moving, ...]:
    """The waves of a plan, with what their gates leave open.

    A gate that waits for proxies settles all of its wave, one that waits for pods settles the
    workloads; any other leaves it open whether what was written is in force.
    """
    found: list[Moving] = []
    settled: dict[ResourceId, Resource | None] = {}
    written: dict[ResourceId, Resource | None] = {}
    open_: dict[ResourceId, None] = {}
    for number, wave in enumerate(plan.waves):
        for step in wave.steps:
            written[step.id] = version_of(step)
            open_[step.id] = None
        found.append(Moving(number, dict(settled), dict(written), frozenset(open_)))
        for id_ in tuple(open_):
            if _settles(wave.gate.kind, id_):
                settled[id_] = written[id_]
                del open_[id_]
    return tuple(found)


def _settles(gate: GateKind, id_: ResourceId) -> bool:
    if gate is GateKind.READY:
        return (id_.group, id_.kind) in _WORKLOADS
    return gate in _SETTLING
