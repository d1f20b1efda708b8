"""What a plan is held back for, as findings: for reports that know nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshplan.finding import Finding, Severity, Status
from meshplan.identity import ResourceId
from meshplan.location import Location, Role, Side
from meshplan.report import verdicts, wording
from meshplan.report.verdicts import Point, Weight
from meshplan.result import Result, TargetResult, Verdict

#: How many places of a finding are named.
_PLACES = 10


def judged(result: Result) -> tuple[Finding, ...]:
    """All findings, the worst first, and with them what was not read and what plans do."""
    found = (
        *_unread(result),
        *(one for target in result.targets for one in _target(result, target)),
    )
    ordered = sorted(result.findings, key=lambda finding: finding.severity.rank)
    return tuple(sorted((*found, *ordered), key=lambda finding: finding.severity.rank))


def new(result: Result) -> tuple[Finding, ...]:
    """Of those, the ones that matter now."""
    wanted = Status.NEW if result.base else Status.EXISTING
    return tuple(f for f in judged(result) if f.status is wanted and f.waiver is None)


def _status(result: Result) -> Status:
    return Status.NEW if result.base else Status.EXISTING


def _unread(result: Result) -> Iterator[Finding]:
    for problem in result.problems:
        places = (Location(problem.path, problem.line),) if problem.path else ()
        message = problem.message
        yield Finding("not-read", Severity.ERROR, message, places, status=_status(result))
    for entry in wording.unread(result):
        message = f"not read, although it changed: {entry.why}"
        places = (Location(entry.path),) if entry.path else ()
        yield Finding(
            "not-read", Severity.ERROR, message, places, status=_status(result), target=entry.target
        )


def _target(result: Result, target: TargetResult) -> Iterator[Finding]:
    places = _places(target)
    counts = target.verdict in result.settings.fail_on_verdicts
    for point in verdicts.of_the_plan(target):
        if point.weight is Weight.BAD:
            severity = Severity.ERROR if counts else Severity.WARNING
            ids = _culprits(target)
            yield _finding("plan-unsafe", severity, point, target, _pick(places, ids))
        elif point.weight is Weight.UNSURE:
            severity = Severity.ERROR if counts else Severity.WARNING
            yield _finding("plan-unknown", severity, point, target, _pick(places, ()))
    if target.lost:
        sentences = tuple(dict.fromkeys(lost.sentence or str(lost.request) for lost in target.lost))
        point = Point(Weight.TOLD, "no longer served after the change", sentences)
        yield _finding("requests-lost", Severity.INFO, point, target, _pick(places, ()))
    for deployer in target.deployers:
        if deployer.configured and deployer.verdict is Verdict.UNSAFE:
            # The first one is what the message tells.
            ids = tuple(found for one in deployer.counterexamples[:1] for found in one.culprits)
            point = verdicts.deployed(deployer)
            picked = _pick(places, ids)
            yield _finding("deployer-unsafe", Severity.ERROR, point, target, picked)


def _finding(
    rule: str, severity: Severity, point: Point, target: TargetResult, places: tuple[Location, ...]
) -> Finding:
    said = f"{point.title}: {point.cases[0]}" if point.cases else point.title
    more = f" (and {len(point.cases) - 1} more)" if len(point.cases) > 1 else ""
    return Finding(
        rule,
        severity,
        f"target {target.name}: {said}{more}",
        places,
        target=target.name,
        # What happens where may read otherwise with every commit, and is the same alert.
        key=f"{rule} {point.title}",
        place=target.name,
    )


def _culprits(target: TargetResult) -> tuple[ResourceId, ...]:
    proof = target.proof
    examples = [target.impossible] if target.impossible else proof.counterexamples if proof else ()
    return tuple(found for example in examples for found in example.culprits)


def _places(target: TargetResult) -> dict[ResourceId, Location]:
    """Where the objects that change are written."""
    found = {}
    for change in sorted(target.changes, key=wording.urgency):
        spot = wording.spot(change)
        if spot is not None:
            found[wording.subject(change).id] = spot
    return found


def _pick(places: dict[ResourceId, Location], wanted: Iterable[ResourceId]) -> tuple[Location, ...]:
    """The places of the objects to blame, else of what changes; those of the head first."""
    named = [places[found] for found in dict.fromkeys(wanted) if found in places]
    chosen = sorted(named or places.values(), key=lambda place: place.side is Side.BASE)
    first, rest = chosen[:1], chosen[1:_PLACES]
    return (*first, *(replace(place, role=Role.RELATED) for place in rest))
