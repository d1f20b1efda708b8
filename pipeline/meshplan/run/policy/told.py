"""What became of the tests of rules, for people and for programs."""

from collections.abc import Iterator
from typing import Any

from meshplan.report.layout import Line, Span, line
from meshplan.report.rulebook import table
from meshplan.run.policy.tests import Tested, Tests

#: So many places that are not tested are shown without `-v`.
_SHOWN = 20


def to_json(tests: Tests) -> dict[str, Any]:
    """All of it."""
    return {
        "holds": tests.holds,
        "opa": tests.opa or "asked",
        "branches": _share(*tests.branches),
        "mistakes": _share(*tests.mistakes),
        "rules": [_rule_json(one) for one in tests.rules],
    }


def short_of(tests: Tests, branches: int, mistakes: int | None) -> tuple[str, ...]:
    """Which of the wanted percentages are not reached."""
    found = []
    for (done, total), wanted, what in (
        (tests.branches, branches, "branches are taken"),
        (tests.mistakes, mistakes or 0, "mistakes are noticed"),
    ):
        if done * 100 < wanted * total:
            found.append(f"{done} of {total} {what}, less than {wanted} %")
    return tuple(found)


def told(tests: Tests, short: tuple[str, ...], *, verbose: bool) -> Iterator[Line]:
    """A table of the rules, what fails, and what is not tested."""
    rows = [_row(one) for one in tests.rules]
    yield from table(("RULE", "CASES", "BRANCHES", "MISTAKES NOTICED"), rows)
    failures = list(_failures(tests))
    gaps = list(_gaps(tests))
    if failures or gaps:
        yield line()
    yield from failures
    shown = gaps if verbose else gaps[:_SHOWN]
    yield from shown
    if len(gaps) > len(shown):
        yield line(Span(f"{len(gaps) - len(shown)} more are not tested (-v)", "dim"))
    yield line()
    for sentence in short:
        yield line(Span("failed ", "bold red"), sentence)
    yield _summary(tests, holds=tests.holds and not short)


def _row(one: Tested) -> tuple[str | Span, ...]:
    held = one.cases - len(one.failed)
    cases = Span(f"{held}/{one.cases}", "bold red" if one.failed or not one.cases else "")
    branches = f"{one.branches - len(one.missed)}/{one.branches}"
    noticed = f"{one.mistakes - len(one.unnoticed)}/{one.mistakes}" if one.mistakes else "-"
    return one.rule.id, cases, branches, noticed


def _failures(tests: Tests) -> Iterator[Line]:
    bad = Span("failed ", "bold red")
    for one in tests.rules:
        for failed in (*one.failed, *one.different):
            case = failed.case
            yield line(bad, f"{case.place}: {one.rule.id}: {case.name}: {failed.why}")
        if one.vacuous:
            place = f"{one.rule.path}:{one.rule.span.line}"
            yield line(bad, f"{place}: {one.rule.id}: {one.vacuous}")


def _gaps(tests: Tests) -> Iterator[Line]:
    gap = Span("untested ", "yellow")
    for one in tests.rules:
        for branch in one.missed:
            yield line(gap, f"{branch.spot.path}:{branch.spot.span.line}: {one.rule.id}: {branch}")
        for mistake in one.unnoticed:
            place = f"{mistake.spot.path}:{mistake.spot.span.line}"
            yield line(gap, f"{place}: {one.rule.id}: no test notices a rule {mistake.what}")


def _summary(tests: Tests, *, holds: bool) -> Line:
    failed = sum(len(one.failed) + len(one.different) for one in tests.rules)
    empty = sum(bool(one.vacuous) for one in tests.rules)
    cases = sum(one.cases for one in tests.rules)
    rules = len(tests.rules)
    parts = [f"{rules} rule{'s' * (rules != 1)}, {cases} case{'s' * (cases != 1)}"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{empty} tested by too little"] if empty else []
    parts.append(f"branches {_percent(*tests.branches)}")
    if tests.mistakes[1]:
        parts.append(f"mistakes noticed {_percent(*tests.mistakes)}")
    parts.append(f"OPA was not asked: {tests.opa}" if tests.opa else "OPA asked as well")
    style = "green" if holds else "bold red"
    return line(Span("ok: " if holds else "failed: ", style), "; ".join(parts))


def _percent(done: int, total: int) -> str:
    return f"{100 * done // total} %" if total else "-"


def _share(done: int, total: int) -> dict[str, int]:
    return {"tested": done, "all": total}


def _rule_json(one: Tested) -> dict[str, Any]:
    return {
        "rule": one.rule.id,
        "path": one.rule.path,
        "line": one.rule.span.line,
        "cases": one.cases,
        "failed": [
            {"case": f.case.name, "path": f.case.path, "line": f.case.line, "why": f.why}
            for f in (*one.failed, *one.different)
        ],
        "vacuous": one.vacuous or None,
        "branches": {
            **_share(one.branches - len(one.missed), one.branches),
            "missed": [
                {"path": b.spot.path, "line": b.spot.span.line, "why": str(b)} for b in one.missed
            ],
        },
        "mistakes": {
            **_share(one.mistakes - len(one.unnoticed), one.mistakes),
            "unnoticed": [
                {"path": m.spot.path, "line": m.spot.span.line, "what": m.what}
                for m in one.unnoticed
            ],
        },
    }
