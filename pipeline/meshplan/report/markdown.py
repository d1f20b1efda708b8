"""The report for a pull request, in GitHub's Markdown, within the size of a comment.

What comes from a manifest is either in a code span, in a fenced block with a longer fence than
anything in it, or has every sign that Markdown, HTML or GitHub reads replaced by an entity. A
mention is not undone by an entity, so `@` is followed by a zero-width space outside of code.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshplan.diff import Change, Rename
from meshplan.finding import Finding, Severity, Status
from meshplan.plan import Plan
from meshplan.report import verdicts, wording
from meshplan.report.layout import View, printable
from meshplan.report.verdicts import Weight
from meshplan.result import Result, TargetResult, Verdict, action_of, shown_fields

if TYPE_CHECKING:
    from jinja2 import Template

    from meshplan.graph import Edge

#: Bytes of a comment on GitHub, with room for what a workflow adds around it.
LIMIT = 65_000
#: How many rows each list may have, from most to least detail; 0 leaves only its number.
_ROWS = (200, 50, 15, 5, 0)

#: How many cases of a point are told; a comment is to be read in seconds.
_CASES = 5
_NAMES = ("kapp", "kubectl")
_ALERTS = {
    Weight.BAD: "CAUTION",
    Weight.UNSURE: "WARNING",
    Weight.TOLD: "NOTE",
    Weight.GOOD: "",
}
_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}  # noqa: RUF001
#: What a code span of one backtick can hold, also in a table.
_BARE = re.compile(r"[\w !\"#$%'()*+,./:;=?@\[\]^{}~→…-]+\Z")
#: Brackets of an index that cannot be those of a link, and hyphens inside a word.
_INDEX = re.compile(r"&#91;(\d+)&#93;(?![(\[:&])")
_HYPHEN = re.compile(r"(?<=\w)&#45;(?=\w)")
_FENCES = re.compile(r"`+")


def render(result: Result, _view: View) -> str:
    """The report with as much detail as fits."""
    text = ""
    for rows in _ROWS:
        text = _template().render(_context(result, rows))
        if len(text.encode("utf-8", "replace")) <= LIMIT:
            break
    return text


def prose(value: object) -> str:
    """Text of ours or a manifest's in a sentence."""
    text = "".join(_entity(char) for char in printable(str(value)))
    text = _HYPHEN.sub("-", _INDEX.sub(r"[\1]", text))
    return text.replace("://", "&#58;//").replace("www.", "www&#46;")


def _entity(char: str) -> str:
    if char.isalnum() or char in " ,./:;()?%'\"’…→·":  # noqa: RUF001
        return char
    return f"&#{ord(char)};" + ("&#8203;" if char in "@#" else "")


def code(value: object) -> str:
    """Text in a code span, also inside a table or an HTML block."""
    text = printable(str(value))
    if _BARE.match(text) and text == text.strip():
        return f"`{text}`"
    return html_code(text)


def html_code(value: object) -> str:
    """Text in a code element, for where Markdown is not read: in `<summary>`."""
    text = printable(str(value))
    entities = "".join(c if c.isalnum() or c in " ,./→…" else f"&#{ord(c)};" for c in text)
    return f"<code>{entities}</code>"


def fence(lines: Sequence[str], language: str = "") -> str:
    """A fenced block that nothing in `lines` can close."""
    rows = [printable(entry) for entry in lines]
    longest = max((len(run) for row in rows for run in _FENCES.findall(row)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join((ticks + language, *rows, ticks))


@cache
def _template() -> "Template":
    # Late: jinja2 takes 45 ms to import, and the other reports need none of it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    # Autoescaping is for HTML and would be wrong here: each value has a filter of its own.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["more"] = _more
    environment.filters |= {
        "prose": prose,
        "code": code,
        "html_code": html_code,
        "fence": fence,
        "count": wording.count,
        "sentence": _sentence,
    }
    return environment.get_template("markdown.md.jinja")


def _sentence(text: str) -> str:
    """With a capital letter, unless the first word is the name of a program."""
    is_name = text.split(" ", maxsplit=1)[0].removesuffix("'s") in _NAMES
    return text if is_name else text[:1].upper() + text[1:]


def _more(entries: Sequence[object], rows: int, noun: str, plural: str) -> str:
    """The line under a list that was cut, or nothing."""
    hidden = len(entries) - rows
    return (
        f"\n… and {wording.count(hidden, f'more {noun}', f'more {plural}')}\n" if hidden > 0 else ""
    )


def _context(result: Result, rows: int) -> dict[str, Any]:
    shown = wording.to_show(result)
    return {
        "mark": "❌" if result.exit_status else "⚠️" if _is_unsure(result) else "✅",
        "headline": wording.headline(result),
        "compared": wording.compared(result),
        "counts": wording.change_counts(result),
        "rows": rows,
        "problems": [str(problem.message) for problem in result.problems],
        "targets": [_target(target, rows) for target in wording.changed(result)],
        "findings": [_finding(found) for found in shown],
        "severities": wording.severities(shown),
        "existing": len(wording.others(result, Status.EXISTING)) if result.base else 0,
        "fixed": len(wording.others(result, Status.FIXED)),
        "unread": wording.unread(result),
        "skipped": wording.skipped(result),
        "assumptions": result.assumptions,
        "command": _command(result),
    }


def _is_unsure(result: Result) -> bool:
    """Whether something stands against the change that the settings let pass."""
    return any(
        wording.open_cycles(target)
        or target.impossible
        or (target.proof is not None and target.verdict.rank >= Verdict.UNKNOWN.rank)
        for target in result.targets
    )


def _command(result: Result) -> str:
    """How to see the same on a laptop."""
    names = [(name.commit or name.name)[:12] for name in (result.base, result.head) if name]
    return f"meshplan diff {'..'.join(names)}" if result.base and result.head.commit else ""


def _target(target: TargetResult, rows: int) -> dict[str, Any]:
    changes = sorted(target.changes, key=wording.urgency)
    name = wording.naming(target)
    return {
        "name": target.name,
        "kind": target.kind,
        "points": [
            {
                "alert": _ALERTS[point.weight],
                "title": point.title,
                "cases": point.cases[: min(rows, _CASES)],
                "more": max(0, len(point.cases) - min(rows, _CASES)),
            }
            for point in verdicts.points(target)
        ],
        "measure": verdicts.measure(target),
        "free": wording.is_free(target),
        "changes": [_change(change, name) for change in changes],
        "deletions": [
            name(wording.subject(change).id) for change in changes if wording.urgency(change) <= 1
        ],
        "fields": list(_field_lines(target, rows)),
        "cycles": [
            {
                "ids": [name(found) for found in cycle.ids],
                "why": cycle.why,
                "edges": [_edge(edge, name) for edge in cycle.edges],
            }
            for cycle in wording.open_cycles(target)
        ],
        "waves": list(_waves(target.plan, target)) if target.plan else [],
    }


def _edge(edge: "Edge", name: wording.Naming) -> Mapping[str, str]:
    return {
        "first": name(edge.first),
        "then": name(edge.then),
        "why": edge.why + (f" (else {edge.failure})" if edge.failure else ""),
    }


def _change(change: Change, name: wording.Naming) -> dict[str, Any]:
    subject = wording.subject(change)
    return {
        "action": action_of(change),
        "id": name(subject.id),
        "was": name(change.before.id) if isinstance(change, Rename) else "",
        "place": wording.place(subject.origin.location()),
    }


def _field_lines(target: TargetResult, rows: int) -> Iterator[str]:
    """Lines of a diff: what goes with `-`, what comes with `+`."""
    left = rows * 2
    name = wording.naming(target)
    for change in target.changes:
        fields = shown_fields(change)
        if not fields or left <= 0:
            continue
        yield f"@@ {name(wording.subject(change).id)} @@"
        for entry in fields[:left]:
            yield from wording.diff_lines(entry)
        if len(fields) > left:
            yield f"  … and {wording.count(len(fields) - left, 'more field')}"
        left -= len(fields)


def _waves(plan: Plan, target: TargetResult) -> Iterator[Mapping[str, Any]]:
    reason, name = wording.reasons(target), wording.naming(target)
    for wave in plan.waves:
        yield {
            "steps": [
                {
                    "word": wording.step_word(step),
                    "id": name(step.id),
                    "why": reason(step),
                }
                for step in wave.steps
            ],
            "gate": wording.gate(wave.gate),
        }


def _finding(found: Finding) -> dict[str, Any]:
    first = found.locations[0] if found.locations else None
    return {
        "mark": _MARKS[found.severity],
        "severity": str(found.severity),
        "message": found.message,
        "rule": found.rule,
        "place": wording.place(first),
        "help": found.help,
    }
