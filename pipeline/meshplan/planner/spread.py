"""More waves where so many steps meet in one that not every subset of them can be looked at.

What is visible on the way through several waves is visible in the one wave as well, so that nothing
becomes unsafe by it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from meshplan.identity import ResourceId
from meshplan.plan import Plan, Step, Wave
from meshplan.planner.gates import gate_for
from meshplan.proof import Proof

#: So many of the steps that meet may stay in one wave; fewer if that is still too many.
SIZES = (8, 5, 3)
#: Of more steps than this not even their waves would be few.
_MOST = 32


#: The number of a wave, and the steps that meet in it.
Crowd = tuple[int, frozenset[ResourceId]]


def crowds(proof: Proof) -> tuple[Crowd, ...]:
    """Steps that meet, if that is all that keeps a plan from being known."""
    if proof.counterexamples or not all(found.crowded for found in proof.unknowns):
        return ()
    if any(len(found.culprits) > _MOST for found in proof.unknowns):
        return ()
    return tuple(
        (found.wave, frozenset(found.culprits))
        for found in proof.unknowns
        if found.wave is not None
    )


def spread(plan: Plan, crowded: Sequence[Crowd], size: int) -> Plan:
    """The plan with its steps in the same order, of which at most `size` meet in one wave."""
    waves: list[Wave] = []
    for number, wave in enumerate(plan.waves):
        met = [ids for where, ids in crowded if where == number]
        written = {step.id for step in wave.steps}
        # What an earlier wave has written may still be on its way.
        late = {id_ for ids in met for id_ in ids} - written
        if waves and late:
            earlier = [step for before in waves for step in before.steps if step.id in late]
            waves[-1] = replace(waves[-1], gate=gate_for(earlier, waves[-1].gate))
        *parts, last = _parts(wave.steps, met, size)
        waves += (Wave(part, gate_for(_among(part, met))) for part in parts)
        waves.append(replace(wave, steps=last))
    return Plan(tuple(waves))


def _parts(
    steps: Sequence[Step], met: Sequence[frozenset[ResourceId]], size: int
) -> Iterator[tuple[Step, ...]]:
    part: list[Step] = []
    for step in steps:
        here = [ids for ids in met if step.id in ids]
        if any(sum(other.id in ids for other in part) >= size for ids in here):
            yield tuple(part)
            part = []
        part.append(step)
    yield tuple(part)


def _among(steps: Sequence[Step], met: Sequence[frozenset[ResourceId]]) -> list[Step]:
    return [step for step in steps if any(step.id in ids for ids in met)]
