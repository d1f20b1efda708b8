"""YAML and JSON text to documents, as `kubectl` reads them.

TODO docstring
"""

from dataclasses import dataclass

from meshplan.finding import Finding, Severity
from meshplan.location import Location
from meshplan.resource import Document, Origin
from meshplan.source.reading import Limits, Problem, Read, Reading, Refused
from meshplan.source.stream import Stream
from meshplan.source.values import value_of

__all__ = ["Limits", "Parsed", "locate", "parse", "parsed", "read"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds."""

    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: The template language that keeps the file from being read: go, jinja, ytt, shell, make; or "".
    template: str = ""


def parse(data: bytes, path: str, limits: Limits = Limits()) -> Parsed:  # noqa: B008 - frozen
    """All documents of a file, and what is wrong with it; never raises for what a file holds."""
    return parsed(read(data, limits), path)


def parsed(reading: Reading, path: str) -> Parsed:
    """A reading as the content of the file at `path`."""
    return Parsed(
        tuple(
            Document(found.value, Origin(path, found.line, found.index))
            for found in reading.documents
        ),
        tuple(_finding(problem, path) for problem in reading.problems),
        reading.template,
    )


def read(data: bytes, limits: Limits = Limits()) -> Reading:  # noqa: B008 - frozen
    """What the bytes of a file say, whatever the file's path."""
    # PyYAML takes 12 ms to import, and nothing is parsed where all files have been read before.
    from meshplan.source import libyaml  # noqa: PLC0415

    if len(data) > limits.file_bytes:
        message = f"this file has more than {limits.file_bytes} bytes and is not read"
        return Reading(problems=(Problem("yaml-size", Severity.ERROR, message),))
    stream = Stream.of(data)
    found = libyaml.quick(stream, limits)
    if found is not None:
        return Reading(found)
    documents: list[Read] = []
    problems: list[Problem] = []
    for chunk in stream.chunks():
        try:
            node, _ = libyaml.compose(chunk.data, limits)
            if node is None:
                continue
            value, more = value_of(node, limits)
            if value is not None:
                documents.append(Read(chunk.index, chunk.line + node.span.line - 1, value))
            problems.extend(more)
        except Refused as refused:
            problems.append(refused.problem)
    return Reading(tuple(documents), tuple(problems))


def _finding(problem: Problem, path: str) -> Finding:
    span = problem.span
    place = (span.line, span.column, span.end_line, span.end_column) if span else ()
    return Finding(
        problem.rule,
        problem.severity,
        problem.message,
        (Location(path, *place, pointer=problem.pointer),),
        help=problem.help,
    )


def locate(data: bytes, document: int, pointer: str) -> tuple[int, int, int, int] | None:
    """Line, column, end line and end column of the value at a JSON pointer, counted from 1."""
    return None
