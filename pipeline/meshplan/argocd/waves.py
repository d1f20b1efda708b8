"""Sync waves for a plan: numbers for writes, around those that cannot be chosen.

The wave of a deletion is read from the live object, so the commit that removes it cannot change it;
but the writes can be put before and after it, with negative numbers if need be. A wave that the
user has set is kept.
"""

from collections.abc import Mapping, Sequence

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.plan import Apply, GateKind, Plan, Step, Wave

#: After everything: deletions with PruneLast.
LAST = 2**31


@dataclass(frozen=True, slots=True)
class Numbered:
    """Waves of a sync that follow a plan."""

    waves: Mapping[ResourceId, int]
    #: Waves of barriers, and what each waits for.
    barriers: tuple[tuple[int, str], ...]


def number(plan: Plan, fixed: Mapping[ResourceId, int]) -> Numbered | str:
    """Wave numbers for the writes of a plan, or why there are none.

    `fixed` are the waves that stand: of deletions, and of writes whose wave the user has set. Each
    object may be written once.
    """
    twice = _written_twice(plan)
    if twice:
        return twice
    groups = _groups(plan.waves)
    while isinstance(numbers := _numbers(_bounds(groups, fixed)), int):
        joined = _joined(groups, fixed, numbers)
        if joined is None:
            return _conflict(groups, fixed, numbers)
        groups = joined
    waves: dict[ResourceId, int] = {}
    barriers = []
    for place, (group, (low, high)) in enumerate(zip(groups, numbers, strict=True)):
        free = [s for s in group.steps if isinstance(s, Apply) and s.id not in fixed]
        waves |= {step.id: low for step in free}
        if place < len(groups) - 1:
            barriers.append((high + 1, group.gate.why))
    return Numbered(waves, tuple(barriers))


def _written_twice(plan: Plan) -> str:
    seen: set[ResourceId] = set()
    for step in plan.steps:
        if step.bridge:
            return f"{step.id} needs a version in between that is in neither revision"
        if step.id in seen:
            return f"{step.id} has to be deleted and created again, and a sync writes it once"
        seen.add(step.id)
    return ""


def _groups(waves: Sequence[Wave]) -> list[Wave]:
    """Waves of the plan, those together between which nothing has to be waited for."""
    found: list[Wave] = []
    for wave in waves:
        if found and found[-1].gate.kind is GateKind.NONE:
            found[-1] = Wave((*found[-1].steps, *wave.steps), wave.gate)
        else:
            found.append(wave)
    return found


def _bounds(groups: Sequence[Wave], fixed: Mapping[ResourceId, int]) -> list[list[int]]:
    return [[fixed[s.id] for s in group.steps if s.id in fixed] for group in groups]


def _joined(
    groups: Sequence[Wave], fixed: Mapping[ResourceId, int], place: int
) -> list[Wave] | None:
    """The groups with one joined to the one before it, where both have to be in the same wave.

    The plan has them apart, perhaps for no reason: the proof of what comes of it will tell.
    """
    before, here = groups[place - 1], groups[place]
    waves = {fixed.get(step.id) for step in (*before.steps, *here.steps)}
    if len(waves) > 1:
        return None
    joined = Wave((*before.steps, *here.steps), here.gate)
    return [*groups[: place - 1], joined, *groups[place + 1 :]]


def _numbers(bounds: Sequence[Sequence[int]]) -> list[tuple[int, int]] | int:
    """Lowest and highest wave of each group, with room for a barrier in between.

    Groups before the first that is fixed count down from it. Gives the place of the first group
    that would have to begin before the one before it has ended.
    """
    first = next((n for n, known in enumerate(bounds) if min(known, default=LAST) < LAST), None)
    start = min(bounds[first]) if first is not None else 0
    first = first or 0
    found = [(start - 2 * (first - place),) * 2 for place in range(first)]
    if any(bounds[place] for place in range(first)):
        return first  # deleted last, and something is to follow
    for place in range(first, len(bounds)):
        known = bounds[place]
        after = found[-1][1] + 2 if found else min((*known, start))
        low, high = (min(known), max(known)) if known else (after, after)
        if low < after or (after > LAST and not known):
            return place
        found.append((low, high))
    return [(low, high) for low, high in found]


def _conflict(groups: Sequence[Wave], fixed: Mapping[ResourceId, int], place: int) -> str:
    """Which two waves that stand contradict the plan."""
    earlier = [s for group in groups[:place] for s in group.steps if s.id in fixed]
    early = max(earlier, key=lambda s: fixed[s.id])
    late = min(groups[place].steps, key=lambda s: fixed.get(s.id, LAST))

    def told(step: Step) -> str:
        what = "written" if isinstance(step, Apply) else "deleted"
        wave = fixed.get(step.id)
        if wave is None:
            return f"{step.id} has to be {what} after that"
        return f"{step.id} is {what} {'last' if wave >= LAST else f'in wave {wave}'}"

    if late.id not in fixed:
        return f"{told(early)}, and {told(late)}"
    return f"{told(early)} and {told(late)}, but the second has to wait for the first"
