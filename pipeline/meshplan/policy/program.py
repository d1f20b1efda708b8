"""What a file of rules says: each rule with its page, its parameters, and its checked body."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from meshplan.dataclass import dataclass
from meshplan.policy.errors import Span
from meshplan.policy.ir import Helper, Statement, Value, Variable
from meshplan.policy.page import Page
from meshplan.policy.types import Type


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a rule: settings may give it another value."""

    name: str
    type: Type
    default: Value
    variable: Variable
    span: Span


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects that a rule is about."""

    group: str
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What a rule reads of its subject, as a tree: the derived footprint."""

    #: What has to be here: object, array, text, whole, number, truth, quantity; "" for anything.
    type: str = ""
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    #: Of each item of a list, or each value of a mapping.
    each: "Shape | None" = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, checked and typed."""

    id: str
    name: str
    #: deny, warn or info.
    level: str
    severity: str
    refs: tuple[str, ...]
    holds: Literal["finally", "always"]
    page: Page
    #: Empty for a rule about objects of any kind.
    kinds: tuple[Kind, ...]
    is_change: bool
    takes_mesh: bool
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    #: How many values a run needs room for.
    slots: int
    path: str
    span: Span
    #: What it reads of the object as it is to be, and of the object as it was.
    new: Shape = Shape()
    old: Shape = Shape()


@dataclass(frozen=True, slots=True)
class Module:
    """A file of rules."""

    path: str
    rules: tuple[Rule, ...]
    helpers: tuple[Helper, ...]
