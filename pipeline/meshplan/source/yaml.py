"""YAML and JSON text to documents, as `kubectl` reads them.

A file is cut at its `---` lines first (`stream`), then each piece is parsed alone, so that a broken
document does not take the others with it. `libyaml` makes trees of the pieces; `values` and
`scalars` make of the trees what Kubernetes' own conversion of YAML to JSON makes of them. A file
that begins with `{` is tried as JSON first (`jsontext`), as kubectl does.

The result is what `kubectl annotate --local -f FILE k=v -o json` prints, the annotation aside; a
test holds them to each other. These differences are meant:

- kubectl stops at the first document it cannot read; here it is a finding, and the rest is read.
- A key that is written twice is a finding besides: kubectl takes the last one without a word. Keys
  that are one in JSON, such as `1` and `"1"`, count; which of those kubectl takes is chance.
- Text behind the end of a document (`...`, or behind a closing bracket) is a finding; kubectl does
  not look at it, and so does not notice that it may be broken.
- Limits are tighter than kubectl's: depth, size, and what aliases may blow up (`Limits`).
- JSON and YAML may follow each other in one file, as kubectl has it since 1.33.
- Refused, where go-yaml reads something that nobody meant: a byte order mark at the beginning of
  a later line (a part of the key), a tag before a comma (a part of the tag).
- Refused, where a key is null or a value is infinite, even if a merge overwrites it later.
"""

from meshplan.dataclass import dataclass
from meshplan.finding import Finding, Severity
from meshplan.location import Location, Role
from meshplan.resource import Document, Origin
from meshplan.source import templates
from meshplan.source.jsontext import JsonValue, as_yaml, split
from meshplan.source.nodes import Span, first_line
from meshplan.source.position import locate
from meshplan.source.reading import Limits, Problem, Read, Reading, RefusedError
from meshplan.source.stream import Chunk, segments, utf8
from meshplan.source.values import deeper_than, value_of

__all__ = ["Limits", "Parsed", "locate", "parse", "parsed", "read"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds."""

    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: The template language the file is written in: go, jinja, ytt, shell, make; "" for none.
    template: str = ""


def parse(data: bytes, path: str, limits: Limits = Limits()) -> Parsed:  # noqa: B008 - frozen
    """All documents of a file, and what is wrong with it; never raises for what a file holds."""
    return parsed(read(data, limits), path)


def parsed(reading: Reading, path: str) -> Parsed:
    """A reading as the content of the file at `path`."""
    documents = [
        Document(found.value, Origin(path, found.line, found.index)) for found in reading.documents
    ]
    findings = [_finding(problem, path) for problem in reading.problems]
    return Parsed(tuple(documents), tuple(findings), reading.template)


def read(data: bytes, limits: Limits = Limits()) -> Reading:  # noqa: B008 - frozen
    """What the bytes of a file say, whatever the file's path."""
    if len(data) > limits.file_bytes:
        message = f"this file has more than {limits.file_bytes} bytes and is not read"
        return Reading(problems=(Problem("yaml-size", Severity.ERROR, message),))
    file = _File(data, limits)
    file.read()
    return file.reading()


class _File:
    """Collects what the pieces of one file say."""

    def __init__(self, data: bytes, limits: Limits):
        self._data, self._broken_line = utf8(data)
        self._limits = limits
        self._documents: list[Read] = []
        self._problems: list[Problem] = []
        #: The first piece that is no YAML because of templating.
        self._template: tuple[str, Span] | None = None

    def reading(self) -> Reading:
        """What was collected."""
        if self._template is None:
            return Reading(tuple(self._documents), self._bounded_problems())
        name, span = self._template
        found = Problem("template", Severity.INFO, templates.message(name), span)
        if name in ("go", "jinja"):
            # A program: what looks like a document in it may come out never or often.
            return Reading((), (found,), name)
        return Reading(tuple(self._documents), (found, *self._bounded_problems()), name)

    def read(self) -> None:
        """Reads all pieces."""
        if line := self._broken_line:
            message = "this is no UTF-8; kubectl reads U+FFFD in the place of such bytes"
            self._say("yaml-encoding", message, Span.at(line), Severity.WARNING)
        parts = split(self._data, self._limits.documents)
        for index, value in enumerate(parts.values):
            self._json(value, index)
        if error := parts.broken:
            message = f"this is no JSON: {error.message}; nothing is read from here on"
            self._say("yaml-syntax", message, Span.at(error.line, error.column))
        if parts.rest:
            self._yaml(parts.rest, parts.line, len(parts.values))
        if self._template is None and templates.is_ytt(self._data):
            self._is_template("ytt", self._data.decode(), 1)

    def _json(self, found: JsonValue, index: int) -> None:
        span = Span.at(found.line, found.column)
        if len(found.text) > self._limits.document_bytes:
            self._say(*_too_large(self._limits), span)
        elif deeper_than(found.value, self._limits.depth):
            message = f"this document nests more than {self._limits.depth} levels deep"
            self._say("yaml-depth", message, span)
        elif found.overflows:
            message = "this document has a number that is larger than a double can be"
            self._say("yaml-value", message, span)
        elif found.value is not None:
            if found.repeats:
                self._repeated(found, span)
            self._documents.append(Read(index, found.first_key, found.value))

    def _repeated(self, found: JsonValue, span: Span) -> None:
        """Reports the keys that are written twice, with their places: JSON is YAML, or nearly so."""
        from meshplan.source import libyaml  # noqa: PLC0415 - see `_yaml`

        begin = libyaml.Begin(found.line, found.column)
        try:
            node, _ = libyaml.compose(as_yaml(found.text), self._limits, begin)
            if node:
                self._problems.extend(value_of(node, self._limits)[1])
        except RefusedError:
            message = "a key is written twice; kubectl takes the last one without a word"
            self._say("yaml-duplicate-key", message, span, Severity.WARNING)

    def _yaml(self, data: bytes, line: int, index: int) -> None:
        # PyYAML takes 12 ms to import, and nothing is parsed where all files were read before.
        from meshplan.source import libyaml  # noqa: PLC0415

        for segment in segments(data, line=line, index=index):
            if segment.chunks[-1].index >= self._limits.documents:
                message = f"this file has more than {self._limits.documents} documents"
                self._say("yaml-size", message, Span.at(segment.chunks[0].line))
                return
            found = libyaml.quick(segment, self._limits)
            if found is None:
                for chunk in segment.chunks:
                    self._chunk(chunk)
            else:
                self._documents.extend(found)

    def _chunk(self, chunk: Chunk) -> None:
        """Reads one document with care."""
        try:
            self._add(chunk)
        except RefusedError as refused:
            problem = refused.problem
            line = problem.span.line - chunk.line + 1 if problem.span else 1
            text = chunk.data.decode()
            language = templates.language_of(text, line, self._is_yaml)
            if language:
                self._is_template(language, text, chunk.line)
            else:
                self._problems.append(problem)

    def _add(self, chunk: Chunk) -> None:
        from meshplan.source import libyaml  # noqa: PLC0415 - see `_yaml`

        self._check(chunk)
        node, after = libyaml.compose(chunk.data, self._limits, libyaml.Begin(chunk.line))
        if node is None:
            return
        value, problems = value_of(node, self._limits)
        self._problems.extend(problems)
        if after:
            message = "the document ends above; kubectl reads nothing from here to the next ---"
            self._say("yaml-syntax", message, after, Severity.WARNING)
        if value is not None:
            self._documents.append(Read(chunk.index, first_line(node), value))

    def _check(self, chunk: Chunk) -> None:
        """Raises RefusedError for what libyaml would read, and kubectl or we do not."""
        if chunk.stray:
            line = chunk.line - 1
            message = "kubectl takes nothing but a comment behind ---; put this in the next line"
            raise _refused("yaml-syntax", message, Span(line, 1, line, 4))
        if len(chunk.data) > self._limits.document_bytes:
            raise _refused(*_too_large(self._limits), Span.at(chunk.line))
        mark = chunk.data.find(b"\n\xef\xbb\xbf") + 1
        if mark:
            line = chunk.line + chunk.data.count(b"\n", 0, mark)
            message = "there is a byte order mark in the middle of this text; delete it"
            raise _refused("yaml-syntax", message, Span(line, 1, line, 2))

    def _is_yaml(self, text: str) -> bool:
        from meshplan.source import libyaml  # noqa: PLC0415 - see `_yaml`

        try:
            node, _ = libyaml.compose(text.encode(), self._limits)
            if node is not None:
                value_of(node, self._limits)
        except RefusedError:
            return False
        return True

    def _is_template(self, language: str, text: str, line: int) -> None:
        if self._template is None or self._template[0] in ("shell", "make"):
            at = line + templates.first_line(language, text) - 1
            self._template = language, Span.at(at)

    def _say(
        self, rule: str, message: str, span: Span, severity: Severity = Severity.ERROR
    ) -> None:
        self._problems.append(Problem(rule, severity, message, span))

    def _bounded_problems(self) -> tuple[Problem, ...]:
        kept, more = self._limits.problems, len(self._problems) - self._limits.problems
        if more <= 0:
            return tuple(self._problems)
        message = f"{more} more findings about this file are left out"
        last = Problem("yaml-size", Severity.WARNING, message, self._problems[kept].span)
        return (*self._problems[:kept], last)


def _too_large(limits: Limits) -> tuple[str, str]:
    return "yaml-size", f"this document has more than {limits.document_bytes} bytes"


def _refused(rule: str, message: str, span: Span) -> RefusedError:
    return RefusedError(Problem(rule, Severity.ERROR, message, span))


def _finding(problem: Problem, path: str) -> Finding:
    locations = [_location(path, problem.span, problem.pointer)]
    if problem.related:
        locations.append(_location(path, problem.related, role=Role.RELATED))
    return Finding(problem.rule, problem.severity, problem.message, tuple(locations))


def _location(
    path: str, span: Span | None, pointer: str = "", role: Role = Role.PRIMARY
) -> Location:
    if span is None:
        return Location(path, pointer=pointer, role=role)
    place = (span.line, span.column, span.end_line, span.end_column)
    return Location(path, *place, pointer=pointer, role=role)
