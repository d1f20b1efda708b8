"""The only room of PyYAML: libyaml's parser, driven in two ways.

`quick` takes whole files that hold nothing special, which is nearly all of them: libyaml builds the
tree in C and a hook decides what each scalar is. Whatever is special makes it give up, and then
`compose` reads one document from libyaml's events, with places, limits and anchors of our own. The
two agree on every document that both read; a property test holds them to it.

PyYAML's resolver, which tries regular expressions on each scalar, is not used at all.
"""

import math
import operator
import re
from dataclasses import replace
from typing import Any

import yaml

from meshplan.dataclass import dataclass
from meshplan.errors import SourceError
from meshplan.finding import Severity
from meshplan.source import scalars
from meshplan.source.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, Span
from meshplan.source.reading import Limits, Problem, Read, RefusedError
from meshplan.source.stream import Segment

try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out
except ImportError as error:  # a PyYAML that was built where libyaml's headers were not at hand
    raise SourceError(
        "the PyYAML that is installed comes without libyaml, and meshplan needs it",
        hint="install one of its wheels: pip install --force-reinstall --only-binary :all: PyYAML",
    ) from error

#: What `quick` leaves to `compose`: other line ends than LF, zero bytes, directives, a document's end
#: that is no separator, byte order marks, and an escape that go-yaml does not know.
_SPECIAL = (
    *(b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\0"),
    *(b"\n%", b"\n...", b"\xef\xbb\xbf", b"\\/"),
)
_TAG = re.compile(rb"(?:^|[\s\[{,:])!", re.MULTILINE)
_ANCHOR = re.compile(rb"(?:^|[\s\[{,:])&[0-9A-Za-z_-]", re.MULTILINE)
_ALIAS = re.compile(rb"(?:^|[\s\[{,:])\*[0-9A-Za-z_-]", re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
#: Where a block collection can begin: behind spaces and the indicators of those around it.
_INDENT = re.compile(rb"^(?:[ \t]+|[-?:](?=[ \t]))+", re.MULTILINE)
#: libyaml's composer recurses in C, about 300 bytes a level; the smallest usual stack has 512 KiB.
_C_LEVELS = 1000
_LONG_LINE = 240


class _SpecialError(Exception):
    """Something that `quick` leaves to `compose`."""


class _Memo(dict[str, scalars.Scalar]):
    """The values of plain scalars seen before; equal ones become one object."""

    def __missing__(self, text: str) -> scalars.Scalar:
        value = scalars.resolve(text)
        if type(value) is float or type(value) is int:
            if not math.isfinite(value):
                raise _SpecialError
            value = scalars.json_number(value)
        elif value == "<<" or "?" in text:
            raise _SpecialError
        if len(text) <= 64 and len(self) < 50_000:
            self[text] = value
        return value


_plain = _Memo()


class _QuickParser(CParser):
    """libyaml's composer, with the value of a scalar in the place of its tag."""

    def resolve(self, kind: type, value: str, implicit: Any) -> Any:
        """The value of a scalar; called from C for each node that has no tag."""
        return _plain[value] if kind is _Scalar and implicit[0] else value

    # Called from C for each node, for path resolvers that there are not. Builtins take less time
    # than methods do, and their answers are not looked at.
    descend_resolver = operator.is_
    ascend_resolver = bool


_Scalar = yaml.ScalarNode
_Mapping = yaml.MappingNode


def quick(segment: Segment, limits: Limits) -> tuple[Read, ...] | None:
    """All documents of a segment, or None if anything about it is special."""
    if not _is_plain(segment, limits):
        return None
    parser = _QuickParser(segment.data)
    above = segment.chunks[0].line - 1
    found, last = [], -1
    try:
        while parser.check_node():
            root: Any = parser.get_node()
            value = _value(root, limits.depth)
            index = segment.index_of(root.start_mark.line + 1)
            if index == last:
                return None
            last = index
            if value is not None:
                found.append(Read(index, above + _first_line(root), value))
    except (yaml.YAMLError, _SpecialError, RecursionError):
        return None
    finally:
        parser.dispose()
    return tuple(found)


def _is_plain(segment: Segment, limits: Limits) -> bool:
    """Whether a text can be left to libyaml's composer; cheap, and on the safe side."""
    text = segment.data
    if len(text) > limits.document_bytes or any(chunk.stray for chunk in segment.chunks):
        return False
    if text.startswith((b"%", b"...")) or any(special in text for special in _SPECIAL):
        return False
    if b"!" in text and _TAG.search(text):
        return False
    if b"&" in text and b"*" in text and _ANCHOR.search(text) and _ALIAS.search(text):
        return False
    return _nodes(text) <= limits.nodes and _levels(text) <= _C_LEVELS


def _nodes(text: bytes) -> int:
    """An upper bound for the number of nodes: each but the first has one of these before it."""
    if len(text) < 100_000:
        return len(text)
    return 1 + sum(text.count(mark) for mark in (b",", b":", b"\n", b"[", b"{", b"- ", b"?"))


def _levels(text: bytes) -> int:
    """An upper bound for how deep nodes are nested, from the text alone."""
    brackets = text.count(b"[") + text.count(b"{")
    longest = max(map(len, text.split(b"\n")))
    if longest > _LONG_LINE:
        longest = max((len(m[0]) for m in _INDENT.finditer(text)), default=0)
    # A list may begin in the column of the mapping that it is in.
    return brackets + 2 * (longest + 1)


def _first_line(root: Any) -> int:
    """The line of the first key of a document, from 1."""
    node = root.value[0][0] if root.__class__ is _Mapping and root.value else root
    return int(node.start_mark.line) + 1


def _value(node: Any, levels: int) -> Any:
    if node.__class__ is _Scalar:
        return node.tag
    if not levels:
        raise _SpecialError
    if node.__class__ is not _Mapping:
        return [
            child.tag if child.__class__ is _Scalar else _value(child, levels - 1)
            for child in node.value
        ]
    out = {}
    for name, child in node.value:
        key = name.tag
        if key.__class__ is not str:
            raise _SpecialError
        out[key] = child.tag if child.__class__ is _Scalar else _value(child, levels - 1)
    if len(out) != len(node.value):
        raise _SpecialError
    return out


@dataclass(frozen=True, slots=True)
class Begin:
    """Where in its file a text begins, from 1."""

    line: int = 1
    column: int = 1

    def span(self, start: Any, end: Any) -> Span:
        """The place in the file between two marks of the text."""
        return Span(*self._place(start), *self._place(end))

    def _place(self, mark: Any) -> tuple[int, int]:
        column = mark.column + (1 if mark.line else self.column)
        return self.line + mark.line, column


_AT_ONCE = Begin()


def compose(
    data: bytes, limits: Limits, begin: Begin = _AT_ONCE
) -> tuple[Node | None, Span | None]:
    """The tree of the first document of a text, and the place of what follows it, if anything does.

    None is an empty document. Raises RefusedError.
    """
    parser = CParser(data)
    try:
        root = _Composer(parser, limits, begin, data).document()
        return root, None if root is None else _after(parser, begin)
    except yaml.MarkedYAMLError as error:
        raise RefusedError(_syntax(error, begin)) from error
    except yaml.reader.ReaderError as error:
        line = begin.line + data.count(b"\n", 0, error.position)
        message = f"this is no text that YAML allows: {error.reason}"
        problem = Problem("yaml-syntax", Severity.ERROR, message, Span.at(line))
        raise RefusedError(problem) from error
    finally:
        parser.dispose()


class _Composer:
    """Builds the tree of one document from libyaml's events, without recursion."""

    def __init__(self, parser: Any, limits: Limits, begin: Begin, data: bytes):
        self._parser = parser
        self._begin = begin
        #: The text, where it holds an escape that only libyaml knows: its places count characters.
        self._text = data.decode() if b"\\/" in data else ""
        self._limits = limits
        self._anchors: dict[str, Node] = {}
        self._open: list[SequenceNode | MappingNode] = []
        #: The key that waits for its value, for each open mapping that has one.
        self._keys: list[Node | None] = []
        self._count = 0
        #: How many of the open collections are written with brackets.
        self._flow = 0

    def document(self) -> Node | None:
        """The root of the first document."""
        root: Node | None = None
        while True:
            event = self._parser.get_event()
            match event:
                case yaml.ScalarEvent() | yaml.AliasEvent():
                    node = self._leaf(event)
                    root = root or node
                    self._add(node)
                case yaml.CollectionStartEvent():
                    node = self._opened(event)
                    root = root or node
                case yaml.CollectionEndEvent():
                    node = self._open.pop()
                    self._keys.pop()
                    self._flow -= bool(self._flow)
                    node.span = self._closed(node, event)
                case yaml.DocumentEndEvent() | yaml.StreamEndEvent():
                    return root
                case _:  # the start of the stream or of the document
                    pass

    def _leaf(self, event: Any) -> Node:
        span = self._begin.span(event.start_mark, event.end_mark)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                message = f"the alias *{event.anchor} stands for nothing: no node before it is &{event.anchor}"
                raise RefusedError(Problem("yaml-syntax", Severity.ERROR, message, span))
            return AliasNode(span, event.anchor, self._anchors[event.anchor])
        if self._text and event.style == '"' and self._has_slash_escape(event):
            message = "kubectl does not know the escape \\/; write / alone"
            raise RefusedError(Problem("yaml-syntax", Severity.ERROR, message, span))
        if self._flow and not event.style and "?" in event.value:
            message = "kubectl takes no ? within brackets unless it is quoted"
            raise RefusedError(Problem("yaml-syntax", Severity.ERROR, message, span))
        if self._flow and event.tag and not event.style and not event.value:
            message = "kubectl takes a tag within brackets for that of the next value; give it one"
            raise RefusedError(Problem("yaml-syntax", Severity.ERROR, message, span))
        node = ScalarNode(span, event.value, event.tag or "", event.implicit[0])
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _closed(self, node: SequenceNode | MappingNode, event: Any) -> Span:
        """The place of a collection that ends: with its bracket, or else with the last thing in it.

        libyaml has a block end where the next token begins, behind comments and empty lines.
        """
        end = self._begin.span(event.start_mark, event.end_mark)
        if event.start_mark.index == event.end_mark.index:
            end = node.items[-1].span if isinstance(node, SequenceNode) else node.pairs[-1][1].span
        return replace(node.span, end_line=end.end_line, end_column=end.end_column)

    def _has_slash_escape(self, event: Any) -> bool:
        written = self._text[event.start_mark.index : event.end_mark.index]
        return "/" in _ESCAPED.findall(written)

    def _opened(self, event: Any) -> SequenceNode | MappingNode:
        span = self._begin.span(event.start_mark, event.end_mark)
        node = (
            MappingNode(span) if isinstance(event, yaml.MappingStartEvent) else SequenceNode(span)
        )
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._add(node)
        self._open.append(node)
        # Within brackets everything is.
        self._flow += bool(self._flow or event.flow_style)
        self._keys.append(None)
        if len(self._open) > self._limits.depth:
            message = f"this document nests more than {self._limits.depth} levels deep"
            raise RefusedError(Problem("yaml-depth", Severity.ERROR, message, span))
        return node

    def _add(self, node: Node) -> None:
        """Puts a node where the parser stands: into the innermost open collection."""
        self._count += 1
        if self._count > self._limits.nodes:
            message = f"this document has more than {self._limits.nodes} nodes"
            raise RefusedError(Problem("yaml-size", Severity.ERROR, message, node.span))
        if not self._open:
            return
        parent = self._open[-1]
        if isinstance(parent, SequenceNode):
            parent.items.append(node)
        elif (key := self._keys[-1]) is None:
            self._keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self._keys[-1] = None


def _after(parser: Any, begin: Begin) -> Span | None:
    """The place of what follows a document in the same text."""
    try:
        event = parser.peek_event()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return begin.span(mark, mark) if mark else None
    except yaml.reader.ReaderError:
        return None
    if isinstance(event, yaml.StreamEndEvent):
        return None
    return begin.span(event.start_mark, event.end_mark)


def _syntax(error: Any, begin: Begin) -> Problem:
    """libyaml's complaint as one sentence with its places."""
    mark = error.problem_mark or error.context_mark
    span = begin.span(mark, mark) if mark else None
    message = f"{error.problem} {error.context}" if error.context else str(error.problem)
    related = None
    if error.context_mark and mark and error.context_mark.line != mark.line:
        related = begin.span(error.context_mark, error.context_mark)
    return Problem("yaml-syntax", Severity.ERROR, message, span, related=related)
