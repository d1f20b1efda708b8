"""What came out of looking at topics, put together and told with the objects named."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.proof.cases import Case
from meshplan.proof.scope import Scope
from meshplan.proof.types import (
    Counterexample,
    CrowdError,
    Lost,
    RequestClass,
    Undecided,
    short,
)
from meshplan.proof.views import Tally, Violation
from meshplan.proof.words import lost_sentence, sentence
from meshplan.traffic.outcome import Unknown


@dataclass(frozen=True, slots=True)
class Findings:
    """What came out of some topics."""

    classes: int = 0
    views: int = 0
    counterexamples: tuple[Counterexample, ...] = ()
    unknowns: tuple[Undecided, ...] = ()
    warnings: tuple[Counterexample, ...] = ()
    lost: tuple[Lost, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether nothing came out that has to be told."""
        return not (self.counterexamples or self.unknowns or self.warnings or self.lost)


def together(parts: Sequence[Findings]) -> Findings:
    """All of them, in their order."""
    return Findings(
        sum(found.classes for found in parts),
        sum(found.views for found in parts),
        tuple(one for found in parts for one in found.counterexamples),
        tuple(one for found in parts for one in found.unknowns),
        tuple(one for found in parts for one in found.warnings),
        tuple(one for found in parts for one in found.lost),
    )


def renumbered(found: Findings, numbers: Sequence[int]) -> Findings:
    """What was found about some waves, as waves of a plan."""
    if found.is_silent:
        return found
    return replace(
        found,
        counterexamples=tuple(replace(c, wave=numbers[c.wave]) for c in found.counterexamples),
        unknowns=tuple(
            u if u.wave is None else replace(u, wave=numbers[u.wave]) for u in found.unknowns
        ),
        warnings=tuple(replace(c, wave=numbers[c.wave]) for c in found.warnings),
    )


def thinned(found: Iterable[Counterexample]) -> tuple[Counterexample, ...]:
    """Of alike ones the simplest: the same host, steps and invariant in one wave."""
    kept: dict[object, Counterexample] = {}
    for one in sorted(found, key=_simplicity):
        host = short(one.request.request.host_name).removesuffix(".svc")
        kept.setdefault((one.wave, one.invariant, one.culprits, host), one)
    return tuple(sorted(kept.values(), key=lambda c: (c.wave, str(c.invariant), c.sentence)))


def _simplicity(found: Counterexample) -> tuple[object, ...]:
    request, client = found.request.request, found.request.client
    asked = "?" in request.path, len(request.headers), len(request.path)
    # By its name alone, in small letters and without a port, if that fares alike.
    spelled = request.host != request.host_name
    return client.anywhere, len(found.request.assumed), asked, spelled, found.sentence


def kinds(found: Findings) -> object:
    """What was found, apart from the words."""
    broken = {(c.wave, c.invariant, str(c.request)) for c in found.counterexamples}
    return broken, {(u.wave, str(u.request)) for u in found.unknowns}


def crowd(scope: Scope, case: Case, error: CrowdError) -> Undecided:
    """What is not looked at as too many steps of one wave meet."""
    asked = RequestClass(case.client, case.base, case.server)
    met = _ids(scope, error.positions)
    return Undecided(str(error), asked, error.wave, culprits=met, crowded=True)


def reported(scope: Scope, case: Case, tally: Tally) -> Findings:
    """What was found about a case, with the objects named."""
    broken: list[Counterexample] = []
    unknowns: list[Undecided] = []
    for violation in tally.violations:
        request = RequestClass(case.client, violation.request, case.server, violation.assumed)
        if violation.invariant is None or not violation.certain:
            ids = violation.during.opaque if isinstance(violation.during, Unknown) else ()
            why = violation.why or _counterexample(scope, request, violation).sentence
            unknowns.append(
                Undecided(why, request, violation.wave, ids, _ids(scope, violation.matter))
            )
        else:
            broken.append(_counterexample(scope, request, violation))
    warnings = tuple(
        _counterexample(scope, RequestClass(case.client, v.request, case.server, v.assumed), v)
        for v in tally.warnings
    )
    lost = []
    for request_, before, after in tally.lost:
        gone = RequestClass(case.client, request_, case.server)
        lost.append(Lost(gone, before, after, lost_sentence(gone, before, after)))
    return Findings(
        tally.classes, tally.views, tuple(broken), tuple(unknowns), warnings, tuple(lost)
    )


def _counterexample(scope: Scope, request: RequestClass, found: Violation) -> Counterexample:
    invariant = found.invariant
    assert invariant is not None  # noqa: S101 - what is unknown has words of its own
    visible = sorted({position for seen in found.seen for position in seen})
    stages = {
        stage: _ids(scope, seen)
        for stage, seen in zip(("routes", "clusters", "servers"), found.seen, strict=True)
    }
    return Counterexample(
        found.wave,
        _ids(scope, visible),
        invariant,
        request,
        found.before,
        found.during,
        found.after,
        sentence(request, invariant, found.before, found.during, found.after, found.why),
        _ids(scope, found.matter),
        stages,
    )


def _ids(scope: Scope, positions: Iterable[int]) -> tuple[ResourceId, ...]:
    return tuple(scope.ids[position] for position in positions)
