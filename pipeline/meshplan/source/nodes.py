"""The tree of one YAML document with the place of every node: what libyaml says, untyped yet."""

from dataclasses import field
from typing import Self

from meshplan.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """From the first character to behind the last; lines and columns count from 1."""

    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def at(cls, line: int, column: int = 1) -> Self:
        """A point."""
        return cls(line, column, line, column)


@dataclass(slots=True)
class ScalarNode:
    """A leaf; `plain` if it is neither quoted nor a block, so that its text decides its type."""

    span: Span
    text: str
    tag: str
    plain: bool


@dataclass(slots=True)
class SequenceNode:
    """A list. It grows while its document is read, and not after that."""

    span: Span
    items: "list[Node]" = field(default_factory=list)


@dataclass(slots=True)
class MappingNode:
    """A mapping: keys and values in the order of the text, repeated keys included."""

    span: Span
    pairs: "list[tuple[Node, Node]]" = field(default_factory=list)


@dataclass(slots=True)
class AliasNode:
    """A reference to a node that was read before, or that is still being read: a cycle."""

    span: Span
    name: str
    target: "Node"


Node = ScalarNode | SequenceNode | MappingNode | AliasNode


def first_line(root: Node) -> int:
    """The line of the first key of a document; of a document that has none, its own."""
    key = root.pairs[0][0] if isinstance(root, MappingNode) and root.pairs else root
    return key.span.line
