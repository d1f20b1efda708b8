"""Findings as annotations of GitHub Actions: workflow commands in the log of a step.

GitHub shows ten errors, ten warnings and ten notices of a step and says nothing of the rest. So the
worst come first, findings of one rule in one file are one annotation, and the last one that fits
says how many more there are.
"""

from collections.abc import Iterable, Iterator

from meshplan.dataclass import dataclass
from meshplan.finding import Finding, Severity
from meshplan.location import Location, Side
from meshplan.report import wording
from meshplan.report.judged import new
from meshplan.report.layout import View, printable, shorten
from meshplan.result import Result

#: Annotations of a kind that GitHub shows of one step.
LIMIT = 10
_TEXT = 1_000

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation: a finding, and how many of its rule there are in its file besides."""

    finding: Finding
    more: int


def render(result: Result, _view: View) -> str:
    """The commands, one a line; nothing where there is nothing to annotate."""
    notes = _notes(new(result))
    lines = [line for severity in Severity for line in _limited(severity, notes)]
    return "".join(f"{line}\n" for line in lines)


def _notes(found: Iterable[Finding]) -> tuple[Note, ...]:
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in found:
        path = finding.locations[0].path if finding.locations else ""
        alike.setdefault((finding.severity, finding.rule, path), []).append(finding)
    return tuple(Note(group[0], len(group) - 1) for group in alike.values())


def _limited(severity: Severity, notes: Iterable[Note]) -> Iterator[str]:
    mine = [note for note in notes if note.finding.severity is severity]
    shown = mine if len(mine) <= LIMIT else mine[: LIMIT - 1]
    for note in shown:
        yield _annotation(note)
    rest = mine[len(shown) :]
    if rest:
        hidden = sum(1 + note.more for note in rest)
        files = {note.finding.locations[0].path for note in rest if note.finding.locations}
        where = f" in {wording.count(len(files), 'file')}" if files else ""
        kind = "note" if severity is Severity.INFO else str(severity)
        text = f"and {wording.count(hidden, f'more {kind}')}{where}: see the report"
        yield _command(_COMMANDS[severity], text, {"title": "meshplan"})


def _annotation(note: Note) -> str:
    finding = note.finding
    text = finding.message + (f"\n{finding.help}" if finding.help else "")
    if note.more:
        text += f"\n(and {note.more} more of {finding.rule} in this file)"
    shown = "\n".join(shorten(printable(line[: _TEXT + 1]), _TEXT) for line in text.split("\n"))
    place = next((found for found in finding.locations if found.side is Side.HEAD), None)
    return _command(_COMMANDS[finding.severity], shown, _properties(finding.rule, place))


def _properties(rule: str, place: Location | None) -> dict[str, str]:
    title = {"title": shorten(printable(f"meshplan {rule}"), 200)}
    if place is None or not place.path:
        return title
    numbers = {"line": place.line, "endLine": place.end_line}
    if place.end_line in (None, place.line):  # columns mean something within one line only
        numbers |= {"col": place.column, "endColumn": place.end_column}
    shown = {name: str(number) for name, number in numbers.items() if number is not None}
    return {"file": printable(place.path)} | shown | title


def _command(name: str, message: str, properties: dict[str, str]) -> str:
    """A workflow command, escaped so that neither message nor property can be another one."""
    given = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{name} {given}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    codes = {char: f"%{ord(char):02X}" for char in "%\r\n" + more}
    return "".join(codes.get(char, char) for char in text)
