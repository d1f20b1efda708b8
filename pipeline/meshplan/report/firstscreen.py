"""What a reader sees first: the answer, and the few things that can change their mind."""

from collections.abc import Iterator
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.finding import Severity
from meshplan.location import Location
from meshplan.report import verdicts, wording
from meshplan.report.verdicts import Point, Weight
from meshplan.result import DeployerResult, Result, TargetResult, Verdict

#: Lines of the first screen, and what is left of them under the title and the line of counts.
SCREEN = 12
_LINES = SCREEN - 4
#: How many names of objects that go are written out.
_NAMED = 3

MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}  # noqa: RUF001
_SIGNS = {Weight.BAD: "❌", Weight.UNSURE: "❔", Weight.TOLD: "⚠️", Weight.GOOD: "✅"}


_WORST_FIRST = ("❌", "❔", "⚠️", "ℹ️", "✅")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Remark:
    """One line: a sign, what it is about, and what there is to say; names are names of objects."""

    sign: str
    title: str
    text: str = ""
    names: tuple[str, ...] = ()
    #: How much more there is of the same.
    more: int = 0
    place: Location | None = None
    rule: str = ""


def mark(result: Result) -> str:
    """The answer as a sign."""
    return "❌" if result.exit_status else "⚠️" if _is_unsure(result) else "✅"


def _is_unsure(result: Result) -> bool:
    """Whether something stands against the change that the settings let pass."""
    return any(
        wording.open_cycles(target)
        or target.impossible
        or (target.proof is not None and target.verdict.rank >= Verdict.UNKNOWN.rank)
        for target in result.targets
    )


def worst_first(result: Result) -> list[TargetResult]:
    """The targets in which something changes: what is held back first."""
    return sorted(
        wording.changed(result),
        key=lambda target: (not result.is_held_back(target), -target.verdict.rank),
    )


def remarks(result: Result) -> tuple[Remark, ...]:
    """What matters most, in the order in which it matters, no more than fit on the first screen."""
    targets = worst_first(result)
    reasons = (*_worst_point(targets), *_deployers(targets), *_worst_finding(result))
    found = (
        *_unread(result),
        *_deletions(targets),
        *sorted(reasons, key=lambda remark: _WORST_FIRST.index(remark.sign)),
        *_plans(targets),
    )
    return found[:_LINES]


def _unread(result: Result) -> Iterator[Remark]:
    missing = [(problem.path, problem.message) for problem in result.problems]
    missing += [(entry.path, entry.why) for entry in wording.unread(result)]
    for path, why in missing[:1]:
        yield Remark("❌", "not read", why, (path,) if path else (), len(missing) - 1)


def _deletions(targets: list[TargetResult]) -> Iterator[Remark]:
    gone = [
        wording.naming(target)(wording.subject(change).id)
        for target in targets
        for change in target.changes
        if wording.urgency(change) <= 1
    ]
    if gone:
        title = f"deletes {wording.count(len(gone), 'object')}"
        yield Remark("🗑️", title, "", tuple(gone[:_NAMED]), len(gone[_NAMED:]))


def _worst_point(targets: list[TargetResult]) -> Iterator[Remark]:
    """The worst of what the plan itself does to requests."""
    found = [point for target in targets for point in verdicts.of_the_plan(target)]
    if found:
        yield _of_point(min(found, key=lambda point: list(Weight).index(point.weight)))


def _deployers(targets: list[TargetResult]) -> Iterator[Remark]:
    """What the deployers in use would do: of each, the worst of all targets."""
    worst: dict[str, DeployerResult] = {}
    for deployer in (found for target in targets for found in target.deployers):
        known = worst.get(deployer.title)
        if deployer.configured and (known is None or deployer.verdict.rank > known.verdict.rank):
            worst[deployer.title] = deployer
    for deployer in list(worst.values())[:2]:
        remark = _of_point(verdicts.deployed(deployer))
        for example in deployer.counterexamples[:1]:
            # What the step writes is told below; here it would push out what happens.
            step = f"at step {example.wave + 1} of {len(deployer.plan.waves)}"
            remark = replace(remark, text=f"{step}: {example.sentence}")
        yield remark


def _of_point(point: Point) -> Remark:
    first = point.cases[0] if point.cases else ""
    return Remark(_SIGNS[point.weight], point.title, first, (), max(0, len(point.cases) - 1))


def _worst_finding(result: Result) -> Iterator[Remark]:
    shown = wording.to_show(result)
    if shown:
        first = shown[0]
        place = first.locations[0] if first.locations else None
        mark_ = MARKS[first.severity]
        yield Remark(mark_, "", first.message, (), len(shown) - 1, place, first.rule)


def _plans(targets: list[TargetResult]) -> Iterator[Remark]:
    """How long the way is."""
    waves = sum(len(target.plan.waves) for target in targets if target.plan)
    steps = sum(1 for target in targets if target.plan for _ in target.plan.steps)
    if steps < 2:
        return
    if all(wording.is_free(target) for target in targets):
        yield Remark("📋", wording.count(steps, "step") + " in any order")
        return
    title = f"{wording.count(steps, 'step')} in {wording.count(waves, 'wave')}"
    said = ""
    if all(target.proof is not None and target.proof.is_safe for target in targets):
        back = all(target.reversible for target in targets)
        said = "the way back is proven as well" if back else "not every way back is proven"
    yield Remark("📋", title, said)
