"""From a JSON pointer to the place in the text, for the few findings and changes that are shown.

Values carry no places: a document is parsed a second time when someone asks.
"""

from collections.abc import Iterator

from meshplan.source.jsontext import as_yaml, split
from meshplan.source.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, Span
from meshplan.source.reading import Limits, RefusedError
from meshplan.source.stream import segments, utf8
from meshplan.source.values import is_merge, key_of


def locate(data: bytes, document: int, pointer: str) -> tuple[int, int, int, int] | None:
    """Line, column, end line and end column of the value at a JSON pointer, counted from 1.

    `document` is the `Origin.document` of the document. A value that is not there has the place of
    its nearest ancestor; None is a document that is not there, or cannot be read.
    """
    from meshplan.source import libyaml  # noqa: PLC0415 - not where all files were read before

    found = _text_of(data, document)
    if found is None:
        return None
    text, line, column = found
    try:
        root, _ = libyaml.compose(text, Limits(), libyaml.Begin(line, column))
    except RefusedError:
        return None
    if root is None:
        return None
    span = span_of(root, pointer)
    return span.line, span.column, span.end_line, span.end_column


def _text_of(data: bytes, document: int) -> tuple[bytes, int, int] | None:
    """The text of one document of a file, and the line and column that it begins in."""
    parts = split(utf8(data)[0], Limits().documents)
    if document < len(parts.values):
        value = parts.values[document]
        return as_yaml(value.text), value.line, value.column
    for segment in segments(parts.rest, line=parts.line, index=len(parts.values)):
        for chunk in segment.chunks:
            if chunk.index == document:
                return chunk.data, chunk.line, 1
    return None


def span_of(root: Node, pointer: str) -> Span:
    """The place of a value; of its nearest ancestor where the document has no such value."""
    node = root
    for step in pointer.split("/")[1:]:
        child = _child(node, step.replace("~1", "/").replace("~0", "~"))
        if child is None:
            break
        node = child
    return node.span


def _child(node: Node, step: str) -> Node | None:
    match node:
        case AliasNode(target=target):
            return None if isinstance(target, AliasNode) else _child(target, step)
        case SequenceNode(items=items):
            known = step.isascii() and step.isdigit() and int(step[:9]) < len(items)
            return items[int(step)] if known else None
        case MappingNode():
            return next(_values(node, step), None)
        case ScalarNode():
            return None


def _values(node: MappingNode, key: str) -> Iterator[Node]:
    """The values written for a key, the one in force first: later ones win, merged ones too."""
    for name, value in reversed(node.pairs):
        if is_merge(name):
            sources = value.items if isinstance(value, SequenceNode) else [value]
            for source in sources:
                target = source.target if isinstance(source, AliasNode) else source
                if isinstance(target, MappingNode):
                    yield from _values(target, key)
        elif _is_key(name, key):
            yield value


def _is_key(name: Node, key: str) -> bool:
    try:
        return key_of(name) == key
    except RefusedError:
        return False
