"""What a page says of one target and of findings, as values for its templates."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meshplan.diff import Change, Rename
from meshplan.finding import Finding
from meshplan.report import graph, verdicts, wayback, wording
from meshplan.result import TargetResult, action_of, shown_fields

if TYPE_CHECKING:
    from meshplan.graph import Edge

#: With more steps, edges or lines than this, a plan, a graph or a diff is folded.
OPEN_STEPS = 24
OPEN_EDGES = 16
OPEN_LINES = 12


def section(target: TargetResult, *, alone: bool) -> Mapping[str, Any]:
    """Everything about a target; `alone` if no other target changes."""
    changes = sorted(target.changes, key=wording.urgency)
    name = wording.naming(target)
    points = verdicts.points(target)
    waves = list(_waves(target, name))
    steps = sum(len(wave["steps"]) for wave in waves)
    fields = [found for change in changes if (found := _fields(change, name))]
    lines = sum(len(found["lines"]) for found in fields)
    back = list(_back(target, name))
    return {
        "name": target.name,
        "alone": alone,
        "verdict": verdicts.verdict(target),
        "points": points,
        "cases": max((len(point.cases) for point in points), default=0),
        "measure": verdicts.measure(target),
        "free": wording.is_free(target),
        "cycles": list(_cycles(target, name)),
        "waves": waves,
        "steps": steps,
        "is_open": steps <= OPEN_STEPS,
        "chart": graph.chart(target),
        "edges": [_edge(edge, name) for edge in target.edges],
        "graph_is_open": len(target.edges) <= OPEN_EDGES,
        "changes": [_change(change, name) for change in changes],
        "fields": fields,
        "lines": lines,
        "fields_are_open": alone and lines <= OPEN_LINES,
        "back": back,
        "undone": sum(len(wave["steps"]) for wave in back),
    }


def _edge(edge: "Edge", name: wording.Naming) -> Mapping[str, str]:
    return {
        "first": name(edge.first),
        "then": name(edge.then),
        "why": edge.why,
        "failure": edge.failure,
    }


def _cycles(target: TargetResult, name: wording.Naming) -> Iterator[Mapping[str, Any]]:
    for cycle in wording.open_cycles(target):
        yield {
            "ids": [name(found) for found in cycle.ids],
            "why": cycle.why,
            "edges": [_edge(edge, name) for edge in cycle.edges],
        }


def _change(change: Change, name: wording.Naming) -> Mapping[str, Any]:
    subject = wording.subject(change)
    return {
        "action": action_of(change),
        "id": name(subject.id),
        "was": name(change.before.id) if isinstance(change, Rename) else "",
        "place": wording.spot(change),
    }


def _fields(change: Change, name: wording.Naming) -> Mapping[str, Any]:
    """The changed fields of an object as lines of a diff; nothing where there are none."""
    lines = [line for entry in shown_fields(change) for line in wording.diff_lines(entry)]
    return {"id": name(wording.subject(change).id), "lines": lines} if lines else {}


def _waves(target: TargetResult, name: wording.Naming) -> Iterator[Mapping[str, Any]]:
    reason, number = wording.reasons(target), 0
    for wave in target.plan.waves if target.plan else ():
        steps = []
        for step in wave.steps:
            number += 1
            word, why = wording.step_word(step), reason(step)
            steps.append({"number": number, "word": word, "id": name(step.id), "why": why})
        yield {"steps": steps, "gate": _parts(wording.gate(wave.gate))}


def _back(target: TargetResult, name: wording.Naming) -> Iterator[Mapping[str, Any]]:
    if not target.reversible:
        return
    number = 0
    for wave in wayback.way_back(target):
        steps = []
        for undo in wave.steps:
            number += 1
            said = {"word": undo.word, "id": name(undo.id), "why": undo.version}
            steps.append({"number": number, **said})
        yield {"steps": steps, "gate": _parts(wayback.gate(wave.gate))}


def _parts(gate: str) -> list[str]:
    """What a gate waits for, one thing each."""
    return gate.split("; ") if gate else []


def findings_of(found: Sequence[Finding]) -> list[Mapping[str, Any]]:
    """Findings with what a page shows of them: the same advice once."""
    advice: set[tuple[str, str]] = set()
    told: list[Mapping[str, Any]] = []
    for finding in found:
        first, *others = finding.locations or (None,)
        is_new = (finding.rule, finding.help) not in advice
        advice.add((finding.rule, finding.help))
        told.append(
            {
                "severity": finding.severity,
                "message": finding.message,
                "rule": finding.rule,
                "place": first,
                "related": [place for place in others[:3] if str(place) not in finding.message],
                "help": finding.help if is_new else "",
                "waiver": finding.waiver,
            }
        )
    return told
