"""How much of a plan has to be carried out before a sync, so that the sync itself is safe.

A sync writes the final version of each object, once. So every wave through the last that writes
something else (a bridge, an object that goes again) comes before it; and as many more as it takes
until what is left for the sync is proven safe in the order in which Argo CD writes.
"""

from collections.abc import Mapping

from meshplan.argocd.assess import Assessment, assessed, difference_of, planned
from meshplan.dataclass import dataclass
from meshplan.deployers import Options
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Wave, simulate
from meshplan.resource import Resource, Snapshot
from meshplan.result import Verdict
from meshplan.run.plan import Difference
from meshplan.settings import Settings


@dataclass(frozen=True, slots=True)
class Prelude:
    """Waves to carry out before the sync; or why there are none that make it safe."""

    waves: tuple[Wave, ...] = ()
    #: How many waves of the plan are left for the sync.
    left: int = 0
    refused: str = ""


def prelude(
    name: str, difference: Difference, options: Options, settings: Settings, *, whole: bool
) -> Prelude:
    """The shortest beginning of the plan after which the sync is safe; all of it if `whole`."""
    if not whole and assessed(difference, options, settings).is_safe:
        return Prelude()
    result = planned(name, difference, settings)
    if result.verdict not in (Verdict.SAFE, Verdict.SAFE_IN_ORDER) or result.plan is None:
        return Prelude(refused=_why_not(result.impossible, result.tried, result.proof))
    plan = result.plan
    number = len(plan.waves)
    for taken in range(number if whole else _needed(plan), number + 1):
        if _rest(plan, taken, difference, options, settings).is_safe:
            return Prelude(plan.waves[:taken], number - taken)
    return Prelude(refused="even after the whole plan something is left for the sync")


def _why_not(impossible: object, tried: str, proof: object) -> str:
    sentence = getattr(impossible, "sentence", "")
    if sentence:
        return f"no order is safe: {sentence}"
    unknowns = getattr(proof, "unknowns", ())
    why = tried or next((found.why for found in unknowns), "it is not proven")
    return f"no safe order is known: {why}"


def _needed(plan: Plan) -> int:
    """The number of waves through the last that is not about the final version of an object."""
    last = 0
    written: dict[ResourceId, int] = {}
    for number, wave in enumerate(plan.waves, 1):
        for step in wave.steps:
            if step.bridge or step.id in written:
                last = max(last, number if step.bridge else written[step.id])
            written[step.id] = number
    return last


def _rest(
    plan: Plan, taken: int, difference: Difference, options: Options, settings: Settings
) -> Assessment:
    """The sync that follows the first waves."""
    steps = [step for wave in plan.waves[:taken] for step in wave.steps]
    there = simulate(steps, difference.base.snapshot)
    left = difference_of(there, difference.head.snapshot, settings)
    return assessed(left, options, settings)


State = Mapping[ResourceId, Resource | None]


def states(waves: tuple[Wave, ...], base: Snapshot) -> list[State]:
    """What the objects that the waves touch are before each wave, and after the last."""
    ids = {step.id for wave in waves for step in wave.steps}
    found: list[State] = [{id_: base.get(id_) for id_ in ids}]
    for wave in waves:
        there = simulate(wave.steps, Snapshot(r for r in found[-1].values() if r is not None))
        found.append({id_: there.get(id_) for id_ in ids})
    return found
