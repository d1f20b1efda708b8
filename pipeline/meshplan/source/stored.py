"""Readings as JSON: the form in which they are kept between runs, and go between processes.

JSON and nothing that runs, as whoever can write to the cache must not run code by way of it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from meshplan.finding import Severity
from meshplan.source.nodes import Span
from meshplan.source.reading import Problem, Read, Reading

#: What one blob may take; the largest are rare, and quick to parse for their size.
_MAX_VALUE = 8 * 1024 * 1024
#: How an object that holds secrets looks in the JSON, at whatever depth.
_SECRET = '"kind":"Secret"'  # noqa: S105 - a kind, not a password
#: In one line and ASCII alone. `json.dumps` would make an encoder for each.
_JSON = json.JSONEncoder(separators=(",", ":"))


def as_texts(readings: Mapping[str, Reading]) -> dict[str, str]:
    """Readings as JSON, without those that hold a Secret or are too large to be kept."""
    texts = ((key, _text(reading)) for key, reading in readings.items())
    return {key: text for key, text in texts if text is not None}


def _text(reading: Reading) -> str | None:
    """A reading as JSON; None for one that is not to be kept."""
    documents = [(found.index, found.line, found.value) for found in reading.documents]
    problems = [
        (p.rule, p.severity, p.message, _tuple(p.span), p.pointer, _tuple(p.related))
        for p in reading.problems
    ]
    try:
        text = _JSON.encode((documents, problems, reading.template))
    except (ValueError, RecursionError):
        return None
    return None if _SECRET in text or len(text) > _MAX_VALUE else text


def from_texts(texts: Sequence[str]) -> list[Reading | None]:
    """The inverse of `as_texts`; None for what is none."""
    try:
        # One call for all shares the strings that are keys.
        values = json.loads(f"[{','.join(texts)}]")
    except (TypeError, ValueError, RecursionError):
        return [_reading(text) for text in texts]
    if len(values) != len(texts):
        return [_reading(text) for text in texts]
    return [_decoded(value) for value in values]


def _reading(text: str) -> Reading | None:
    try:
        return _decoded(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return None


def _decoded(value: Any) -> Reading | None:
    try:
        documents, problems, template = value
        return Reading(
            tuple([Read(index, line, found) for index, line, found in documents]),
            tuple([_problem(*problem) for problem in problems]),
            str(template),
        )
    except (TypeError, ValueError):
        return None


def _problem(
    rule: str, severity: str, message: str, span: Any, pointer: str, related: Any
) -> Problem:
    return Problem(rule, Severity(severity), message, _span(span), pointer, _span(related))


def _tuple(span: Span | None) -> tuple[int, ...] | None:
    return None if span is None else (span.line, span.column, span.end_line, span.end_column)


def _span(value: Any) -> Span | None:
    return Span(*value) if value else None
