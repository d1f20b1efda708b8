"""What is known of a plan and of the deployers' own orders, in words for every report."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from meshplan.dataclass import dataclass
from meshplan.plan import Plan
from meshplan.result import DeployerResult, Result, TargetResult, Verdict
from meshplan.result.deployed import does, named, step

if TYPE_CHECKING:
    from meshplan.proof import Counterexample, Undecided


class Weight(StrEnum):
    """How much a point matters."""

    BAD = "bad"
    UNSURE = "unsure"
    TOLD = "told"
    GOOD = "good"


_WORST_FIRST = list(Weight)


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know about a target: a title, and the cases it is about."""

    weight: Weight
    title: str
    cases: tuple[str, ...] = ()


def points(target: TargetResult) -> tuple[Point, ...]:
    """What there is to know, the worst first."""
    found = (
        *_refuted(target),
        *_undecided(target),
        *_lost(target),
        *map(deployed, target.deployers),
        *_warned(target),
    )
    return tuple(sorted(found, key=lambda point: _WORST_FIRST.index(point.weight)))


def of_the_plan(target: TargetResult) -> tuple[Point, ...]:
    """What there is to know of the plan itself, the worst first."""
    found = (*_refuted(target), *_undecided(target), *_lost(target), *_warned(target))
    return tuple(sorted(found, key=lambda point: _WORST_FIRST.index(point.weight)))


def verdict(target: TargetResult) -> str:
    """The verdict on a target as a phrase."""
    match target.verdict:
        case Verdict.UNCHANGED:
            return "nothing changes"
        case Verdict.SAFE:
            return "proven safe in any order"
        case Verdict.SAFE_IN_ORDER:
            return f"proven safe in this order{_bridges(target.plan)}"
        case Verdict.UNSAFE:
            found = target.proof.counterexamples if target.proof else ()
            return "no order is safe" if target.impossible else f"this order {does(found)} requests"
        case Verdict.UNKNOWN:
            return _unknown(target)
        case _:
            assert_never(target.verdict)


def _unknown(target: TargetResult) -> str:
    if target.tried:
        return "no safe order was found"
    if target.proof is not None:
        return "not proven"
    cycles = len(target.cycles)
    if cycles:
        return f"no safe order is known: {cycles} {'cycle' if cycles == 1 else 'cycles'}"
    return "ordered by what depends on what; not proven"


def _bridges(plan: Plan | None) -> str:
    if plan is None or not plan.bridges:
        return ""
    ids = {step.id for step in plan.steps if step.bridge}
    return f", with {'a bridge' if len(ids) == 1 else f'bridges of {len(ids)} objects'}"


def worst(result: Result) -> str:
    """The verdict on the worst target as a phrase."""
    found = max(result.targets, key=lambda target: target.verdict.rank, default=None)
    return verdict(found) if found else "nothing changes"


def held_back(result: Result) -> Iterator[str]:
    """What about plans makes the exit status 1."""
    held = [target for target in result.targets if result.is_held_back(target)]
    judged = [target for target in held if target.proof and _counts(result, target.verdict)]
    if judged:
        yield verdict(max(judged, key=lambda target: target.verdict.rank))
    refuted = {
        deployer.title: does(deployer.counterexamples)
        for target in held
        for deployer in target.deployers
        if deployer.configured and deployer.verdict is Verdict.UNSAFE
    }
    for title, verbs in refuted.items():
        yield f"{title} as configured {verbs} requests"


def _counts(result: Result, found: Verdict) -> bool:
    return found in result.settings.fail_on_verdicts


def measure(target: TargetResult) -> str:
    """How much was looked at, and whether there is a way back; empty without a proof."""
    proof = target.proof
    if proof is None:
        return ""
    classes = f"{proof.classes} kind{'' if proof.classes == 1 else 's'} of requests"
    views = f"{proof.views} view{'' if proof.views == 1 else 's'}"
    looked = f"looked at {classes} in {views} of the mesh"
    if proof.is_safe and not proof.classes:
        looked = "no request meets what changes"
    if not proof.is_safe:
        return looked
    if target.reversible:
        return f"{looked}; the way back is proven as well"
    return f"{looked}; no proven way back: {target.irreversible}"


def _refuted(target: TargetResult) -> Iterator[Point]:
    proof = target.proof
    if target.impossible is not None:
        title = "no order is safe, with or without bridges"
        yield Point(Weight.BAD, title, (target.impossible.sentence,))
    elif proof is not None and proof.counterexamples:
        title = f"this order {does(proof.counterexamples)} requests"
        cases = _told(proof.counterexamples, lambda number: f"in wave {number + 1}")
        yield Point(Weight.BAD, title, cases)
    if target.tried:
        yield Point(Weight.UNSURE, f"there may be a safe order: {target.tried}")


def _undecided(target: TargetResult) -> Iterator[Point]:
    if target.proof is not None and target.proof.unknowns:
        yield Point(Weight.UNSURE, "not decided", _whys(target.proof.unknowns))


def _whys(unknowns: Iterable["Undecided"]) -> tuple[str, ...]:
    """Why something is not decided, each reason once, with the first request it is about."""
    found: dict[str, list[str]] = {}
    for unknown in unknowns:
        asked = found.setdefault(unknown.why, [])
        if unknown.request is not None:
            asked.append(str(unknown.request))
    return tuple(
        why + (f": {asked[0]}{_and_more(len(asked) - 1)}" if asked else "")
        for why, asked in found.items()
    )


def _lost(target: TargetResult) -> Iterator[Point]:
    if target.lost:
        cases = tuple(dict.fromkeys(found.sentence or str(found.request) for found in target.lost))
        yield Point(Weight.TOLD, "no longer served after the change", cases)


def _warned(target: TargetResult) -> Iterator[Point]:
    if target.proof is not None and target.proof.warnings:
        title = "for a while, on the way"
        cases = _told(target.proof.warnings, lambda number: f"in wave {number + 1}")
        yield Point(Weight.TOLD, title, cases)


def deployed(found: DeployerResult) -> Point:
    """What a deployer would do."""
    name = named(found.title, configured=found.configured)
    match found.verdict:
        case Verdict.UNSAFE:
            weight = Weight.BAD if found.configured else Weight.TOLD
            title = f"{name} {does(found.counterexamples)} these requests"
            waves = found.plan.waves
            cases = _told(found.counterexamples, lambda number: step(number, waves), "step")
            return Point(weight, title, cases)
        case Verdict.UNKNOWN:
            return Point(Weight.UNSURE, f"{name} is not decided", _whys(found.unknowns))
        case _:
            return Point(Weight.GOOD, f"{name} is proven safe")


def _told(
    found: Iterable["Counterexample"], where: Callable[[int], str], unit: str = "wave"
) -> tuple[str, ...]:
    """Counterexamples in words: what happens, where it begins, and up to where it goes on."""
    cases: dict[str, list[Counterexample]] = {}
    for example in found:
        happening = example.sentence.partition(" → ")[2] or example.sentence
        cases.setdefault(happening, []).append(example)
    seen: set[int] = set()
    told = []
    for alike in cases.values():
        first, last = (pick(example.wave for example in alike) for pick in (min, max))
        place = where(first) if first not in seen else where(first).partition(",")[0]
        seen.add(first)
        others = len({example.sentence for example in alike}) - 1
        more = [f"and {others} alike"] if others else []
        more += [f"up to {unit} {last + 1}"] if last > first else []
        told.append(f"{place}: {alike[0].sentence}" + (f" ({', '.join(more)})" if more else ""))
    return tuple(told)


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""
