"""What was read from the bytes of a file, whatever the path: the part of a `Parsed` to remember."""

from typing import Any

from meshplan.dataclass import dataclass
from meshplan.finding import Severity
from meshplan.source.nodes import Span


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost. Whatever is beyond is left out, with a finding that says where."""

    file_bytes: int = 32 * 1024 * 1024
    #: Documents of one file, empty ones included.
    documents: int = 100_000
    document_bytes: int = 8 * 1024 * 1024
    #: Mappings and lists inside each other, aliases followed.
    depth: int = 200
    #: Scalars, lists and mappings of one document.
    nodes: int = 400_000
    #: Those that a document gets by way of aliases and merge keys.
    aliased: int = 100_000
    #: Findings about one file.
    problems: int = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding that has no path yet."""

    rule: str
    severity: Severity
    message: str
    span: Span | None = None
    pointer: str = ""
    #: Where the first of two equal keys is, or what breaks off begins.
    related: Span | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One document: which of the file it is, the line of its first key, and what it says."""

    index: int
    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Reading:
    """All that the bytes of a file say."""

    documents: tuple[Read, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: The template language that the file is written in: go, jinja, ytt, shell, make; or "".
    template: str = ""


class RefusedError(Exception):
    """A document that cannot be read, with the reason."""

    def __init__(self, problem: Problem):
        super().__init__(problem.message)
        self.problem = problem
