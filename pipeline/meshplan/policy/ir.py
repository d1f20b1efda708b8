"""Rules after checking: typed expressions and statements that each back end interprets.

Every expression has a value for every JSON document. Names are resolved, field accesses are
readings with a type and a default, and each yield knows the place that its finding is about.
"""

from enum import Enum
from typing import Literal

from meshplan.dataclass import dataclass
from meshplan.policy.catalog import FieldType
from meshplan.policy.errors import Span
from meshplan.policy.types import Basic, Message, Type

#: What a rule computes with: JSON, with tuples and frozensets.
Value = object


class Root(Enum):
    """The object that a place is in."""

    #: The object as it is to be; the subject of a rule that is not about changes.
    NEW = "new"
    #: The object as it was.
    OLD = "old"


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A name, assigned once. Variables are told apart by identity."""

    name: str
    type: Type
    #: Where the value was read; None for a value that was computed.
    place: "Place | None" = None
    #: Where the value is kept while a rule runs.
    slot: int = 0
    #: What it stands for, where a statement has given it a value once.
    value: "Expression | None" = None
    #: For a key: the mapping that it is a key of.
    keys_of: "Place | None" = None


@dataclass(frozen=True, slots=True)
class Place:
    """The way to a part of the subject; a variable stands for an index or a key."""

    root: Root
    steps: tuple[str | Variable, ...] = ()

    def below(self, *steps: str | Variable) -> "Place":
        """A place further down."""
        return Place(self.root, (*self.steps, *steps))


# Expressions


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, or a tuple, frozenset or mapping of literals."""

    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a variable."""

    variable: Variable
    #: That of the variable, without None where that has been ruled out.
    type: Type


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that the rule is about."""

    root: Root
    type: Message


@dataclass(frozen=True, slots=True)
class Operation:
    """`Change.op`."""

    type: Type = Basic.TEXT


@dataclass(frozen=True, slots=True)
class Read:
    """A field, or a field of a field; absent, null and wrongly typed values have no value."""

    base: "Expression"
    #: As YAML writes them; never empty.
    path: tuple[str, ...]
    kind: FieldType
    type: Type
    #: Whether another type than `kind` is a mistake in the object; not for what `Resource` reads.
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Collection:
    """All objects of a kind in the mesh; without a group and a kind all objects."""

    group: str
    kind: str
    type: Type


@dataclass(frozen=True, slots=True)
class Ask:
    """What the model of the mesh says."""

    fact: str
    arguments: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of `operations.py`."""

    operation: str
    arguments: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Search:
    """Whether a text matches a regular expression."""

    #: In Python's notation, anchored as the call wants it; see regex.py.
    pattern: str
    mode: Literal["search", "match", "fullmatch"]
    text: "Expression"
    type: Type = Basic.MATCH


@dataclass(frozen=True, slots=True)
class Apply:
    """A call of a helper."""

    helper: "Helper"
    arguments: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Both:
    """`and` of truths."""

    parts: "tuple[Expression, ...]"
    type: Type = Basic.TRUTH


@dataclass(frozen=True, slots=True)
class Either:
    """`or` of truths."""

    parts: "tuple[Expression, ...]"
    type: Type = Basic.TRUTH


@dataclass(frozen=True, slots=True)
class Negation:
    """`not` of a truth."""

    part: "Expression"
    type: Type = Basic.TRUTH


@dataclass(frozen=True, slots=True)
class IsTrue:
    """Whether a value of any type is present, and neither empty nor 0."""

    part: "Expression"
    type: Type = Basic.TRUTH


@dataclass(frozen=True, slots=True)
class IsNone:
    """Whether there is no value."""

    part: "Expression"
    type: Type = Basic.TRUTH


Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two values of one type, or of a value with a collection."""

    operator: Comparison
    left: "Expression"
    right: "Expression"
    type: Type = Basic.TRUTH


@dataclass(frozen=True, slots=True)
class Fallback:
    """`a or b` of values: the first if it is true, else the second."""

    first: "Expression"
    second: "Expression"
    type: Type


@dataclass(frozen=True, slots=True)
class Choice:
    """`a if condition else b`."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"
    type: Type


@dataclass(frozen=True, slots=True)
class Format:
    """An f-string: texts, and expressions that are texts or whole numbers."""

    parts: "tuple[str | Expression, ...]"
    type: Type = Basic.TEXT


@dataclass(frozen=True, slots=True)
class Build:
    """A display: `[a, b]`, `{a, b}`, `(a, b)`."""

    form: Literal["list", "set", "row"]
    items: "tuple[Expression, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Each:
    """One `for` with the conditions behind it, in a statement or in a comprehension."""

    source: "Expression"
    #: What goes round: the items of a list or set, or the values of a mapping.
    form: Literal["list", "set", "table"]
    #: The number of the item, or its key; for a set always None.
    key: Variable | None = None
    #: The item or the value; None where the rule does not name it.
    item: Variable | None = None
    #: For rows: a variable for each element, in the place of `item`.
    row: tuple[Variable | None, ...] = ()
    conditions: "tuple[Expression, ...]" = ()


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A list, a set, or a mapping with some of the keys of another."""

    form: Literal["list", "set", "table"]
    loops: tuple[Each, ...]
    element: "Expression"
    type: Type
    #: The key, for a mapping.
    key: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether the element is true in some round: `any(…)`, and `all(…)` as its opposite."""

    loops: tuple[Each, ...]
    element: "Expression"
    type: Type = Basic.TRUTH


Expression = (
    Constant
    | Name
    | Subject
    | Operation
    | Read
    | Collection
    | Ask
    | Call
    | Search
    | Apply
    | Both
    | Either
    | Negation
    | IsTrue
    | IsNone
    | Compare
    | Fallback
    | Choice
    | Format
    | Build
    | Comprehension
    | Exists
)


# Statements


@dataclass(frozen=True, slots=True)
class Let:
    """`name = value`."""

    variable: Variable
    value: Expression
    span: Span
    #: Whether it depends on the mesh and the parameters alone: worked out once for all subjects.
    invariant: bool = False


@dataclass(frozen=True, slots=True)
class If:
    """`if condition: … else: …`."""

    condition: Expression
    then: "tuple[Statement, ...]"
    otherwise: "tuple[Statement, ...]"
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """A loop."""

    each: Each
    body: "tuple[Statement, ...]"
    span: Span


@dataclass(frozen=True, slots=True)
class Leave:
    """`continue` in a loop, `return` outside."""

    span: Span


@dataclass(frozen=True, slots=True)
class Yield:
    """A finding."""

    message: Expression
    place: Place
    fix: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Return:
    """The value of a helper."""

    value: Expression
    span: Span


Statement = Let | If | For | Leave | Yield | Return


@dataclass(frozen=True, slots=True, eq=False)
class Helper:
    """A function that rules call."""

    name: str
    parameters: tuple[Variable, ...]
    type: Type
    body: tuple[Statement, ...]
    #: How many values a call needs room for.
    slots: int
    span: Span
