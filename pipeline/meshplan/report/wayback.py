"""The way back in words: the plan read from its end, as `planner.reverse` proves it."""

from collections.abc import Iterator, Mapping

from meshplan.dataclass import dataclass
from meshplan.diff import Create
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Wave
from meshplan.report import wording
from meshplan.result import TargetResult

_END = Gate(GateKind.NONE, "")


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes one step back: `apply` an earlier version, or `remove` what was not there."""

    word: str
    id: ResourceId
    #: Which version is written.
    version: str


@dataclass(frozen=True, slots=True)
class BackWave:
    """The steps back between two gates, and what to wait for after them."""

    steps: tuple[Undo, ...]
    gate: Gate


def way_back(target: TargetResult) -> tuple[BackWave, ...]:
    """The waves of the way back; none where there is no plan."""
    waves = target.plan.waves if target.plan else ()
    state = dict(_at_base(target))
    undone = []
    for number, wave in enumerate(waves, 1):
        undone.append(tuple(_undone(wave, state))[::-1])
        _take(number, wave, state)
    gates = [*[wave.gate for wave in waves[:-1]][::-1], _END]
    return tuple(
        BackWave(steps, gate) for steps, gate in zip(reversed(undone), gates, strict=False)
    )


def _at_base(target: TargetResult) -> Iterator[tuple[ResourceId, str]]:
    for change in target.changes:
        if not isinstance(change, Create):
            yield change.before.id, "as in the base"


def _undone(wave: Wave, state: Mapping[ResourceId, str]) -> Iterator[Undo]:
    for step in wave.steps:
        if step.id in state:
            yield Undo("apply", step.id, state[step.id])
        elif isinstance(step, Apply):
            yield Undo("remove", step.id, "")


def _take(number: int, wave: Wave, state: dict[ResourceId, str]) -> None:
    for step in wave.steps:
        if isinstance(step, Apply):
            bridge = f"the bridge of wave {number}"
            state[step.id] = bridge if step.bridge else "as in the head"
        else:
            state.pop(step.id, None)


def gate(found: Gate) -> str:
    """What to wait for on the way back: its reason speaks of the way there."""
    return wording.gate(Gate(found.kind, ""))
