"""The way back: a plan read from its end, and what makes a way back impossible."""

from collections.abc import Iterator, Mapping

from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.resource import Resource, Snapshot

#: Deleting one of these loses what no manifest can bring back.
_HOLDS_DATA = frozenset(
    {
        ("", "PersistentVolumeClaim"),
        ("", "PersistentVolume"),
        ("", "Namespace"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)


def reversed_plan(plan: Plan, base: Snapshot) -> Plan:
    """The plan that walks back from where `plan` ends to `base`, wave by wave."""
    waves: list[Wave] = []
    state = {step.id: base.get(step.id) for step in plan.steps}
    for wave in plan.waves:
        steps = tuple(_undone(wave, state))
        waves.insert(0, Wave(steps[::-1], Gate(GateKind.NONE, "nothing follows")))
        for step in wave.steps:
            state[step.id] = step.resource if isinstance(step, Apply) else None
    gates = [wave.gate for wave in plan.waves[:-1]][::-1]
    last = [Gate(GateKind.NONE, "nothing follows")] if waves else []
    return Plan(tuple(Wave(w.steps, gate) for w, gate in zip(waves, [*gates, *last], strict=True)))


def _undone(wave: Wave, before: Mapping[ResourceId, Resource | None]) -> Iterator[Step]:
    for step in wave.steps:
        was = before.get(step.id)
        if was is not None:
            yield Apply(was, "as it was before", bridge=step.bridge)
        elif isinstance(step, Apply):
            yield Remove(step.id, step.resource.api_version, "was not there before", step.bridge)


def irreversible(plan: Plan) -> str:
    """Why there is no way back whatever a proof says; empty if nothing stands against it."""
    lost = [
        str(step.id)
        for step in plan.steps
        if isinstance(step, Remove) and (step.id.group, step.id.kind) in _HOLDS_DATA
    ]
    return f"deleting {', '.join(lost)} loses data" if lost else ""
