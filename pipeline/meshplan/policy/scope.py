"""What a name means at a place of a rule, and what is known there not to be None."""

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.policy import ir
from meshplan.policy.errors import Diagnostics, Span
from meshplan.policy.text import Source
from meshplan.policy.types import UNKNOWN, Message, Type

#: What is known not to be None: a variable, or a field of one, as a text.
Facts = frozenset[str]
NOTHING_KNOWN: Facts = frozenset()

#: Statements and loops of one function; what `+` in a loop unrolls counts each time.
MAX_STATEMENTS = 2000


@dataclass(slots=True)
class Globals:
    """What the functions of a file share."""

    source: Source
    diagnostics: Diagnostics
    constants: dict[str, ir.Constant] = field(default_factory=dict)
    helpers: dict[str, ir.Helper] = field(default_factory=dict)
    #: Types that have been imported, by the name that the file gives them.
    types: dict[str, Message] = field(default_factory=dict)
    #: Words of the language that have been imported.
    words: set[str] = field(default_factory=set)
    #: Functions that are defined further down, or that are being looked at.
    pending: set[str] = field(default_factory=set)
    has_re: bool = False


class Scope:
    """The names of one function, while it is looked at."""

    def __init__(self, globals_: Globals):
        self.globals = globals_
        self.names: dict[str, ir.Variable] = {}
        self.known: Facts = NOTHING_KNOWN
        self.slots = 0
        self.statements = 0
        self.loops = 0
        self.takes_mesh = False
        #: Where a finding is, that does not say it.
        self.places: list[ir.Place] = []
        #: Whether names may be used again: those of a comprehension end with it.
        self.shadowing = False

    def error(self, code: str, node: ast.AST, message: str, help_: str = "") -> None:
        """Report a mistake at a node."""
        self.globals.diagnostics.report(code, self.span(node), message, help_)

    def span(self, node: ast.AST) -> Span:
        """Where a node is."""
        return self.globals.source.span(node)

    def variable(
        self,
        name: str,
        type_: Type,
        place: ir.Place | None = None,
        value: ir.Expression | None = None,
        keys_of: ir.Place | None = None,
    ) -> ir.Variable:
        """A new variable with room of its own."""
        self.slots += 1
        return ir.Variable(name, type_, place, self.slots, value, keys_of)

    def bind(self, node: ast.Name | ast.arg, variable: ir.Variable) -> None:
        """Give a name to a variable."""
        name = node.id if isinstance(node, ast.Name) else node.arg
        if name in self.names and not self.shadowing:
            self.error(
                "E108",
                node,
                f"names are assigned once, and `{name}` has a value already",
                "use another name",
            )
        elif name.startswith("__"):
            self.error("E160", node, f"`{name}` is no name for a value", "use another name")
        self.names[name] = variable

    @contextmanager
    def inner(self, known: Iterable[str] = ()) -> Iterator[None]:
        """A part in which more is known, and whose names end with it."""
        names, facts, places = dict(self.names), self.known, list(self.places)
        loops, shadowing = self.loops, self.shadowing
        self.known = facts | frozenset(known)
        try:
            yield
        finally:
            self.names, self.known, self.places = names, facts, places
            self.loops, self.shadowing = loops, shadowing

    def key(self, node: ast.expr) -> str:
        """What a name, or a field of one, is called in `known`; "" for other expressions."""
        if isinstance(node, ast.Name):
            found = self.names.get(node.id)
            return f"{found.slot}" if found is not None else ""
        if isinstance(node, ast.Attribute):
            base = self.key(node.value)
            return base and f"{base}.{node.attr}"
        return ""


def unknown() -> ir.Constant:
    """What stands for an expression with a mistake."""
    return ir.Constant(None, UNKNOWN)


def place_of(expression: ir.Expression) -> ir.Place | None:
    """Where a value was read from the subject; None for one that was computed."""
    match expression:
        case ir.Subject(root):
            return ir.Place(root)
        case ir.Name(variable):
            # A key stands where its value does.
            keys_of = variable.keys_of
            return keys_of.below(variable) if keys_of is not None else variable.place
        case ir.Read(base, path):
            place = place_of(base)
            return place.below(*path) if place is not None else None
        case ir.Fallback(first):
            return place_of(first)
        case _:
            return None


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A question about a misspelt name."""
    # difflib takes a while to import, and only mistakes need it.
    from difflib import get_close_matches  # noqa: PLC0415

    found = get_close_matches(name, sorted(known), 1, 0.6)
    return f"did you mean `{found[0]}`?" if found else otherwise
