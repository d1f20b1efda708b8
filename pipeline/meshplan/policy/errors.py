"""What is wrong with the text of a rule: a code, a place, a sentence, and what to write instead."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError

#: Of a line that is shown; what is wrong is in the middle of a longer one.
_LONGEST = 200


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a source text. Lines and columns count characters from 1; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Grade(StrEnum):
    """Whether a rule with this mistake can be used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake in the text of a rule."""

    #: E001 to E209 and W301 to W401; docs/reference/rule-errors.md lists them.
    code: str
    message: str
    path: str
    span: Span
    #: The line of the source that it is about.
    source: str = ""
    #: What to write instead.
    help: str = ""

    @property
    def grade(self) -> Grade:
        """Whether the rule can be used in spite of it."""
        return Grade.WARNING if self.code.startswith("W") else Grade.ERROR

    @property
    def place(self) -> str:
        """`path:line:column`."""
        return f"{self.path}:{self.span.line}:{self.span.column}"

    def __str__(self) -> str:
        """As compilers write it: the sentence, the line of the source with carets, the help."""
        text = [f"{self.place}: {self.grade}[{self.code}]: {self.message}"]
        if self.source.strip():
            text += _excerpt(self.span, self.source)
        if self.help:
            text.append(f"{' ' * (len(str(self.span.line)) + 1)}= help: {self.help}")
        return "\n".join(text)


class PolicyError(MeshplanError):
    """Rules that cannot be used, with everything that is wrong with them."""

    exit_status = 2

    def __init__(self, diagnostics: Iterable[Diagnostic]):
        self.diagnostics = tuple(diagnostics)
        count = len(self.diagnostics)
        super().__init__(f"{count} mistake{'s' * (count != 1)} in rules")

    @property
    def sentence(self) -> str:
        """How many there are, and each as compilers write it."""
        return "\n\n".join([self.message, *map(str, self.diagnostics)])

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.diagnostics), self.message])


class Diagnostics:
    """Collects the mistakes of one file, each place and code once."""

    def __init__(self, path: str, text: str):
        self.path = path
        self._lines: Sequence[str] = text.splitlines()
        self._found: dict[tuple[Span, str], Diagnostic] = {}
        self._muted = 0

    @contextmanager
    def muted(self) -> Iterator[None]:
        """A part in which mistakes are not noted, because they are elsewhere."""
        self._muted += 1
        try:
            yield
        finally:
            self._muted -= 1

    def report(self, code: str, span: Span, message: str, help_: str = "") -> None:
        """Note a mistake."""
        if self._muted:
            return
        line = self._lines[span.line - 1] if 0 < span.line <= len(self._lines) else ""
        found = Diagnostic(code, message, self.path, span, line, help_)
        self._found.setdefault((span, code), found)

    @property
    def found(self) -> tuple[Diagnostic, ...]:
        """All mistakes in the order of the text."""
        return tuple(self._found[key] for key in sorted(self._found))

    @property
    def has_errors(self) -> bool:
        """Whether there is more than warnings."""
        return any(d.grade is Grade.ERROR for d in self._found.values())


def _excerpt(span: Span, source: str) -> list[str]:
    gutter = " " * len(str(span.line))
    end = span.end_column if span.end_line == span.line else len(source) + 1
    if len(source) > _LONGEST:
        # What is wrong, with what is around it.
        start = max(0, span.column - 1 - _LONGEST // 2)
        source = source[start : start + _LONGEST]
        span = replace(span, column=span.column - start)
        end = min(end - start, len(source) + 1)
    carets = "^" * max(1, end - span.column)
    # A tab stays a tab, so that the carets are below what they mean.
    before = "".join("\t" if char == "\t" else " " for char in source[: span.column - 1])
    return [f"{gutter} |", f"{span.line} | {source}", f"{gutter} | {before}{carets}"]
