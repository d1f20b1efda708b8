"""The text of a file of rules as a tree, within limits, and where each part of it stands."""

import ast
import warnings
from collections.abc import Iterator

from meshplan.dataclass import dataclass
from meshplan.policy.errors import Diagnostics, Span

#: Longer files, and trees that are deeper, are refused before anything looks at them.
MAX_BYTES = 64 * 1024
MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A text, and its tree."""

    path: str
    text: str
    tree: ast.Module
    lines: tuple[str, ...]

    def span(self, node: ast.AST) -> Span:
        """The part of the text that a node is."""
        line = getattr(node, "lineno", 1)
        end_line = getattr(node, "end_lineno", None) or line
        return Span(
            line,
            self._column(line, getattr(node, "col_offset", 0)),
            end_line,
            self._column(end_line, getattr(node, "end_col_offset", None) or 0),
        )

    def segment(self, node: ast.AST) -> str:
        """The text of a node that is on one line; "" for others."""
        span = self.span(node)
        if span.line != span.end_line or span.line > len(self.lines):
            return ""
        return self.lines[span.line - 1][span.column - 1 : span.end_column - 1]

    def _column(self, line: int, offset: int) -> int:
        """`ast` counts bytes."""
        if not 0 < line <= len(self.lines):
            return offset + 1
        text = self.lines[line - 1]
        if text.isascii():
            return offset + 1
        return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")) + 1


def read(path: str, text: str, diagnostics: Diagnostics) -> Source | None:
    """The tree of a text; None, with the reason reported, where there is none."""
    start = Span(1, 1, 1, 2)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        message = f"the file has {size} bytes, and at most {MAX_BYTES} are read"
        diagnostics.report("E001", start, message, "split it into several files")
        return None
    try:
        tree = _parse(text)
    except SyntaxError as error:
        diagnostics.report("E002", _span_of(error), f"this is not Python: {error.msg}")
        return None
    except (ValueError, RecursionError, MemoryError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError | MemoryError) else error
        diagnostics.report("E001", start, f"the file cannot be read: {reason}", "split it")
        return None
    # Not `splitlines`: Python ends a line at fewer characters.
    lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").split("\n"))
    source = Source(path, text, tree, lines)
    deep = _too_deep(tree)
    if deep is not None:
        message = f"this is nested more than {MAX_DEPTH} levels deep"
        diagnostics.report("E001", source.span(deep), message, "split it: give parts a name")
        return None
    return source


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        # A backslash that means nothing is said by no warning, but refused.
        warnings.simplefilter("error")
        try:
            return ast.parse(text, type_comments=False)
        except Warning as warning:
            raise SyntaxError(str(warning)) from warning


def _span_of(error: SyntaxError) -> Span:
    line, column = error.lineno or 1, max(error.offset or 1, 1)
    end_line = error.end_lineno or line
    end = error.end_offset if error.end_offset and error.end_offset > 0 else column + 1
    return Span(line, column, end_line, max(end, column + 1) if end_line == line else end)


def _too_deep(tree: ast.AST) -> ast.AST | None:
    """A node below the deepest level that is read; found without recursion."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH and hasattr(node, "lineno"):
            return node
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    return None


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """All literals of a tree."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
