"""The report for a terminal: what matters first, what goes away before what comes."""

from collections.abc import Callable, Iterable, Iterator

from meshplan.diff import Change, FieldChange, Rename, Replace
from meshplan.finding import Finding, Severity, Status
from meshplan.graph import Cycle
from meshplan.plan import Apply, Plan, Remove, Step, Wave
from meshplan.report import verdicts, wording
from meshplan.report.layout import Line, Span, View, line, write
from meshplan.report.verdicts import Point, Weight
from meshplan.result import Result, TargetResult, Verdict, action_of, shown_fields

#: How much is shown without `--verbose`.
FIELDS_SHOWN = 8
LINES_SHOWN = 6
STEPS_SHOWN = 40
CHANGES_SHOWN = 60
FINDINGS_SHOWN = 30
EDGES_SHOWN = 8
COVERAGE_SHOWN = 20
CASES_SHOWN = 3

_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "±", "rename": "→"}
_STYLES = {"+": "green", "~": "yellow", "-": "red", "±": "red", "→": "yellow"}
_SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_WEIGHTS = {
    Weight.BAD: ("✗", "bold red"),
    Weight.UNSURE: ("?", "bold yellow"),
    Weight.TOLD: ("!", "yellow"),
    Weight.GOOD: ("✓", "green"),
}
_BLANK = line()


def render(result: Result, view: View) -> str:
    """The whole report."""
    return write(_report(result, view), view)


def _report(result: Result, view: View) -> Iterator[Line]:
    yield from _head(result)
    for target in wording.changed(result):
        yield _BLANK
        yield from _target(target, view)
    yield from _findings(result, view)
    yield from _coverage(result, view)
    yield from _assumptions(result, view)


def _head(result: Result) -> Iterator[Line]:
    yield line(Span(wording.compared(result), "bold"), hang=0)
    yield line(Span(wording.headline(result), _style(result)), hang=0)
    targets = wording.changed(result)
    if targets:
        where = f" in {len(targets)} of {wording.count(len(result.targets), 'target')}"
        where = where if len(result.targets) > 1 else ""
        yield line(wording.change_counts(result), where, hang=0)
    for problem in result.problems:
        place = f"{problem.path}:{problem.line}: " if problem.line else f"{problem.path}: "
        yield line(Span("error ", "bold red"), place if problem.path else "", problem.message)


def _style(result: Result) -> str:
    if result.exit_status:
        return "bold red"
    unsure = result.verdict.rank >= Verdict.UNKNOWN.rank and any(
        target.cycles or target.proof for target in result.targets
    )
    return "bold yellow" if unsure else "green"


def _target(target: TargetResult, view: View) -> Iterator[Line]:
    kind = f"  {target.kind}" if target.kind else ""
    yield line(Span(target.name, "bold underline"), Span(kind, "dim"), hang=0)
    for point in verdicts.points(target):
        yield from _point(point, view)
    yield from _changes(target, view)
    for cycle in wording.open_cycles(target):
        yield _BLANK
        yield from _cycle(cycle, target, view)
    if target.plan:
        yield from _plan(target.plan, target, view)
    if measured := verdicts.measure(target):
        yield _BLANK
        yield line(Span(measured, "dim"), indent=2)


def _point(point: Point, view: View) -> Iterator[Line]:
    sign, style = _WEIGHTS[point.weight]
    colon = ":" if point.cases else ""
    yield line(Span(f"{sign} {point.title}{colon}", style), indent=2)
    shown = point.cases if view.verbose else point.cases[:CASES_SHOWN]
    for case in shown:
        yield line(case, indent=6)
    yield from _more(len(point.cases) - len(shown), "case", indent=6)


def _changes(target: TargetResult, view: View) -> Iterator[Line]:
    ordered = sorted(target.changes, key=wording.urgency)
    shown = ordered if view.verbose else ordered[:CHANGES_SHOWN]
    name = wording.naming(target)
    for change in shown:
        yield from _change(change, name, view)
    yield from _more(len(ordered) - len(shown), "change")


def _change(change: Change, name: wording.Naming, view: View) -> Iterator[Line]:
    word = action_of(change)
    sign = _SIGNS[word]
    subject = wording.subject(change)
    was = f" (was {name(change.before.id)})" if isinstance(change, Rename) else ""
    yield line(
        Span(f"{sign} ", _STYLES[sign]),
        Span(f"{word} ", _STYLES[sign]),
        Span(name(subject.id), "bold"),
        was,
        Span(f"  {wording.place(subject.origin.location())}", "dim"),
        indent=2,
    )
    if isinstance(change, Replace):
        many = len(change.immutable) > 2
        immutable = f"{len(change.immutable)} fields" if many else wording.listing(change.immutable)
        yield line(f"deleted and created again: {immutable} cannot be changed in place", indent=6)
    fields = shown_fields(change)
    shown = fields if view.verbose else fields[:FIELDS_SHOWN]
    for entry in shown:
        yield from _field(entry, view)
    yield from _more(len(fields) - len(shown), "field", indent=6)


def _field(entry: FieldChange, view: View) -> Iterator[Line]:
    sign = wording.sign(entry)
    rows = wording.text_diff(entry)
    values = "" if rows else wording.values(entry)
    path = f"{entry.path}: " if values else entry.path
    yield line(path, values, indent=6, hang=4, lead=Span(f"{sign} ", _STYLES[sign]))
    shown = rows if view.verbose else rows[:LINES_SHOWN]
    for row in shown:
        yield line(Span(row, _STYLES[row[0]]), indent=10)
    yield from _more(len(rows) - len(shown), "line", indent=10)


def _cycle(cycle: Cycle, target: TargetResult, view: View) -> Iterator[Line]:
    name = wording.naming(target)
    members = wording.listing([name(found) for found in cycle.ids])
    said = "✗ each has to wait for another: "
    yield line(Span(said, "bold red"), Span(members, "bold"), indent=2)
    shown = cycle.edges if view.verbose else cycle.edges[:EDGES_SHOWN]
    for edge in shown:
        failure = Span(f" (else {edge.failure})", "dim") if edge.failure else ""
        first, then = name(edge.first), name(edge.then)
        yield line(f"{first} before {then}: {edge.why}", failure, indent=6)
    yield from _more(len(cycle.edges) - len(shown), "reason", indent=6)
    if cycle.why and not cycle.edges:
        yield line(cycle.why, indent=6, hang=0)


def _plan(plan: Plan, target: TargetResult, view: View) -> Iterator[Line]:
    if wording.is_free(target) and not view.verbose:
        if len(plan.waves[0].steps) > 1:
            yield _BLANK
            yield line(Span("any order", "bold"), ": nothing waits for anything else", indent=2)
        return
    reason = wording.reasons(target)
    tied = {found for edge in target.edges for found in (edge.first, edge.then)}

    def why(step: Step) -> str:
        """Of a step that nothing waits for, and that waits for nothing, there is little to say."""
        told = view.verbose or step.bridge or step.id in tied or isinstance(step, Remove)
        return reason(step) if told else ""

    name = wording.naming(target)
    for number, wave in enumerate(plan.waves, 1):
        yield _BLANK
        yield from _wave(number, wave, why, name, view)


def _wave(
    number: int, wave: Wave, why: Callable[[Step], str], name: wording.Naming, view: View
) -> Iterator[Line]:
    yield line(Span(f"wave {number}", "bold cyan"), indent=2)
    shown = wave.steps if view.verbose else wave.steps[:STEPS_SHOWN]
    for step in shown:
        style = "green" if isinstance(step, Apply) else "red"
        yield line(Span(f"{wording.step_word(step)} ", style), name(step.id), indent=4, hang=7)
        if reason := why(step):
            yield line(Span(reason, "dim"), indent=8, hang=0)
    yield from _more(len(wave.steps) - len(shown), "step")
    gate = wording.gate(wave.gate)
    if gate:
        yield line(Span("then ", "cyan"), gate, indent=4, hang=5)


def _findings(result: Result, view: View) -> Iterator[Line]:
    shown = wording.to_show(result)
    limited = shown if view.verbose else shown[:FINDINGS_SHOWN]
    if shown:
        yield _BLANK
        yield line(Span(wording.severities(shown), "bold"))
    for found in limited:
        yield from _finding(found)
    yield from _more(len(shown) - len(limited), "finding", indent=0)
    if result.base:
        yield from _other_findings(result, view)
    yield from _waived(result, view)


def _waived(result: Result, view: View) -> Iterator[Line]:
    found = wording.waived(result)
    if not found:
        return
    yield _BLANK
    yield line(wording.severities(found), Span(" waived", "dim"), "" if view.verbose else " (-v)")
    for entry in found if view.verbose else ():
        yield from _finding(entry)
        if entry.waiver is not None:
            waiver = entry.waiver
            told = f"until {waiver.expires} by {waiver.owner}: {waiver.reason}"
            yield line(Span("waived ", "dim"), told, indent=2)


def _other_findings(result: Result, view: View) -> Iterator[Line]:
    for status, words in (
        (Status.EXISTING, "there before"),
        (Status.FIXED, "fixed by this change"),
    ):
        found = wording.others(result, status)
        if not found:
            continue
        yield _BLANK
        yield line(
            wording.severities(found), Span(f" {words}", "dim"), "" if view.verbose else " (-v)"
        )
        for entry in found if view.verbose else ():
            yield from _finding(entry)


def _finding(found: Finding) -> Iterator[Line]:
    first, *related = found.locations or (None,)
    yield line(
        Span(f"{wording.place(first)}: " if first else "", "bold"),
        Span(f"{found.severity} ", _SEVERITIES[found.severity]),
        found.message,
        Span(f" [{found.rule}]", "dim"),
    )
    for place in related:
        if str(place) in found.message:
            continue
        yield line(Span(f"also {wording.place(place)}", "dim"), indent=2)
    if found.help:
        yield line(Span("help: ", "cyan"), found.help, indent=2)


def _coverage(result: Result, view: View) -> Iterator[Line]:
    unread, skipped = wording.unread(result), wording.skipped(result)
    if unread or (skipped and view.verbose):
        yield _BLANK
    shown = unread if view.verbose else unread[:COVERAGE_SHOWN]
    for entry in shown:
        yield line(Span("not read ", "bold red"), f"{entry.path} ({entry.kind}): {entry.why}")
    yield from _more(len(unread) - len(shown), "thing not read", "things not read", indent=0)
    if skipped and not view.verbose:
        yield _BLANK
        yield line(Span(f"{len(skipped)} skipped, unchanged or outside the repository (-v)", "dim"))
    for entry in skipped if view.verbose else ():
        yield line(Span("skipped ", "dim"), f"{entry.path} ({entry.kind}): {entry.why}")


def _assumptions(result: Result, view: View) -> Iterator[Line]:
    if not result.assumptions or not (wording.changed(result) or view.verbose):
        return
    yield _BLANK
    if view.verbose:
        for entry in result.assumptions:
            yield line(Span("assuming ", "dim"), f"{entry.name}: {entry.value} ({entry.source})")
        return
    facts = ", ".join(f"{entry.name} {entry.value}" for entry in result.assumptions)
    yield line(Span(f"assuming {facts}", "dim"))


def _more(number: int, noun: str, plural: str = "", *, indent: int = 4) -> Iterable[Line]:
    if number > 0:
        yield line(
            Span(
                f"… and {wording.count(number, f'more {noun}', plural and f'more {plural}')} (-v)",
                "dim",
            ),
            indent=indent,
        )
