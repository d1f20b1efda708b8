"""Where rules run, for people and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshplan.report.layout import Line, Span, line
from meshplan.report.rulebook import table

#: A rule's id; by engine why it does not run there, "" where it does; what an engine needs.
Facts = tuple[str, Mapping[str, str], Mapping[str, str]]


def to_json(facts: Sequence[Facts]) -> list[dict[str, Any]]:
    """Each rule with its engines."""
    return [
        {
            "rule": id_,
            "targets": {
                engine: {"runs": not why, "why": why, "needs": needs.get(engine, "")}
                for engine, why in reasons.items()
            },
        }
        for id_, reasons, needs in facts
    ]


def told(facts: Sequence[Facts]) -> Iterator[Line]:
    """A table of rules and engines, with a note below for each `no` and each condition."""
    if not facts:
        yield line("no rules are in force")
        return
    engines = list(facts[0][1])
    notes: dict[str, int] = {}
    rows = []
    for id_, reasons, needs in facts:
        cells: list[str | Span] = [id_]
        for engine in engines:
            note = reasons[engine] or (f"needs {needs[engine]}" if needs.get(engine) else "")
            number = f" [{notes.setdefault(note, len(notes) + 1)}]" if note else ""
            cells.append(Span(f"no{number}", "red") if reasons[engine] else Span(f"yes{number}"))
        rows.append(cells)
    yield from table(("RULE", *(engine.upper() for engine in engines)), rows)
    if notes:
        yield line()
    for note, count in notes.items():
        yield line(f"[{count}] {note}")
