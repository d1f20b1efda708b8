"""From a tree of nodes to the value that Kubernetes reads: keys, merges, aliases, budgets."""

import math
from typing import Any, assert_never

from meshplan.finding import Severity
from meshplan.location import escape_pointer
from meshplan.source import scalars
from meshplan.source.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, Span
from meshplan.source.reading import Limits, Problem, RefusedError


def value_of(root: Node, limits: Limits) -> tuple[Any, tuple[Problem, ...]]:
    """The value of a document, and its repeated keys.

    Nodes that are reached through an alias become one shared value, so what is returned takes no
    more memory than the text asks for; how large it looks to who walks it is under a budget.
    Raises RefusedError for what kubectl refuses, and for what is beyond the limits.
    """
    _Budget(limits).measure(root, 0)
    builder = _Builder()
    return builder.value(root, ""), tuple(builder.problems)


def deeper_than(value: Any, levels: int) -> bool:
    """Whether mappings and lists are nested more than `levels` deep."""
    children = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)):
        return False
    return levels == 0 or any(deeper_than(child, levels - 1) for child in children)


def is_merge(node: Node) -> bool:
    """Whether a key is `<<`, as go-yaml sees it: not if it is quoted."""
    return (
        isinstance(node, ScalarNode)
        and node.text == "<<"
        and (node.plain or node.tag == scalars.MERGE_TAG)
    )


def key_of(node: Node) -> str:
    """The JSON key that a key node becomes; raises RefusedError where kubectl does."""
    while isinstance(node, AliasNode):
        node = node.target
    if not isinstance(node, ScalarNode):
        raise refusal("yaml-value", "a key is a list or a mapping, and JSON has only strings", node)
    try:
        return scalars.key(_resolved(node))
    except scalars.ScalarError as error:
        raise refusal("yaml-value", f"{error}, and kubectl refuses that", node) from error


def refusal(rule: str, message: str, node: Node, pointer: str = "") -> RefusedError:
    """A document that is left out because of one of its nodes."""
    return RefusedError(Problem(rule, Severity.ERROR, message, node.span, pointer))


def _resolved(node: ScalarNode) -> scalars.Scalar:
    if node.tag:
        return scalars.tagged(node.tag, node.text)
    return scalars.resolve(node.text) if node.plain else node.text


class _Budget:
    """Counts what a document is once its aliases are followed, without following them."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._aliased = 0
        #: Size and height of the nodes that aliases lead to; None while one is being measured.
        self._measured: dict[int, tuple[int, int] | None] = {}

    def measure(self, node: Node, depth: int) -> tuple[int, int]:
        """Number of nodes and levels below and with `node`."""
        match node:
            case ScalarNode():
                return 1, 0
            case AliasNode(target=target):
                return self._alias(node, target, depth)
            case SequenceNode(items=children):
                return self._collection(node, children, depth)
            case MappingNode(pairs=pairs):
                return self._collection(node, [n for pair in pairs for n in pair], depth)
            case _:
                assert_never(node)

    def _collection(self, node: Node, children: list[Node], depth: int) -> tuple[int, int]:
        self._measured[id(node)] = None
        size, height = 1, 0
        for child in children:
            if child.__class__ is ScalarNode:
                size += 1
                continue
            below = self.measure(child, depth + 1)
            size += below[0]
            height = max(height, below[1])
        self._measured[id(node)] = size, height + 1
        return size, height + 1

    def _alias(self, node: AliasNode, target: Node, depth: int) -> tuple[int, int]:
        size, height = 1, 0
        if not isinstance(target, ScalarNode):
            found = self._measured[id(target)]
            if found is None:
                message = f"the alias *{node.name} stands inside of what it stands for"
                raise refusal("yaml-alias", message, node)
            size, height = found
        self._aliased += size
        if self._aliased > self._limits.aliased:
            message = f"aliases blow this document up to more than {self._limits.aliased} nodes"
            raise refusal("yaml-alias", message, node)
        if depth + height > self._limits.depth:
            message = f"aliases nest this document more than {self._limits.depth} levels deep"
            raise refusal("yaml-depth", message, node)
        return size, height


class _Builder:
    """Makes values; go-yaml's order of keys and merges is the order of the text."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        #: By node, so that an alias and what it stands for are one value.
        self._built: dict[int, Any] = {}

    def value(self, node: Node, pointer: str) -> Any:
        match node:
            case ScalarNode():
                return _scalar(node, pointer)
            case AliasNode(target=target):
                return self.value(target, pointer)
            case SequenceNode() | MappingNode():
                if id(node) not in self._built:
                    self._built[id(node)] = self._collection(node, pointer)
                return self._built[id(node)]
            case _:
                assert_never(node)

    def _collection(self, node: SequenceNode | MappingNode, pointer: str) -> Any:
        if isinstance(node, MappingNode):
            return self._mapping(node, pointer)
        return [self.value(item, f"{pointer}/{i}") for i, item in enumerate(node.items)]

    def _mapping(self, node: MappingNode, pointer: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        written: dict[str, Span] = {}
        for name, child in node.pairs:
            if is_merge(name):
                self._merge(child, out, pointer)
                continue
            key = key_of(name)
            below = f"{pointer}/{escape_pointer(key)}"
            if key in written:
                self._repeated(key, written[key], name.span, below)
            written[key] = name.span
            # Python keeps the place of the first of two equal keys, and the value of the last.
            out[key] = self.value(child, below)
        return out

    def _merge(self, node: Node, out: dict[str, Any], pointer: str) -> None:
        """Keys of `<<` overwrite those before them, and are overwritten by those after them."""
        sources = node.items if isinstance(node, SequenceNode) else [node]
        for source in reversed(sources):
            target = source.target if isinstance(source, AliasNode) else source
            if not isinstance(target, MappingNode):
                message = "a merge key (<<) needs a mapping, or a list of mappings"
                raise refusal("yaml-value", message, source, pointer)
            out.update(self.value(source, pointer))

    def _repeated(self, key: str, first: Span, again: Span, pointer: str) -> None:
        message = (
            f'the key "{key}" is written twice; kubectl takes the last one and drops what is in '
            "the others without a word"
        )
        self.problems.append(
            Problem("yaml-duplicate-key", Severity.WARNING, message, again, pointer, first)
        )


def _scalar(node: ScalarNode, pointer: str) -> scalars.Scalar:
    try:
        value = _resolved(node)
    except scalars.ScalarError as error:
        raise refusal("yaml-value", f"{error}; kubectl refuses that", node, pointer) from error
    if isinstance(value, (str, bool)) or value is None:
        return value
    if not math.isfinite(value):
        message = "infinity and NaN have no JSON form; kubectl refuses this document"
        raise refusal("yaml-value", message, node, pointer)
    return scalars.json_number(value)
