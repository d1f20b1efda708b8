"""The static types of the rule language, and how the fields of the catalog have them."""

from enum import Enum
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.policy.catalog import (
    Catalog,
    Field,
    FieldType,
    Leaf,
    ListOf,
    MapOf,
    Part,
    Scalar,
    python_name,
    read_type,
)
from meshplan.policy.catalog import catalog as the_catalog
from meshplan.policy.facts.declared import RECORDS


class Basic(Enum):
    """Types without parts; the values are what messages call them."""

    TEXT = "str"
    WHOLE = "int"
    NUMBER = "float"
    TRUTH = "bool"
    NOTHING = "None"
    #: What `re.search` gives: true or not, and nothing else.
    MATCH = "re.Match | None"
    MESH = "Mesh"
    #: What `at` gives.
    FINDING = "Finding"
    #: The type of what has a mistake already; everything fits it.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value, or None."""

    type: "Basic | Row"


@dataclass(frozen=True, slots=True)
class Message:
    """An object of one of several types of the catalog; none for `Resource`, which is any object.

    It is never None: an absent one is empty and false.
    """

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; that of the objects of a mesh has no order."""

    item: "Type"
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Set:
    """A set."""

    item: "Type"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping from texts to values of one type."""

    value: "Type"


@dataclass(frozen=True, slots=True)
class Row:
    """A tuple."""

    items: "tuple[Type, ...]"


@dataclass(frozen=True, slots=True)
class Transition:
    """`Change[…]`: an object before and after."""

    subject: Message


Type = Basic | Maybe | Message | Items | Set | Table | Row | Transition

TEXT, WHOLE, NUMBER, TRUTH = Basic.TEXT, Basic.WHOLE, Basic.NUMBER, Basic.TRUTH
NOTHING, UNKNOWN = Basic.NOTHING, Basic.UNKNOWN
RESOURCE = Message(())

_SCALARS = {
    Scalar.TEXT: TEXT,
    Scalar.INTEGER: WHOLE,
    Scalar.NUMBER: NUMBER,
    Scalar.BOOLEAN: TRUTH,
    Scalar.QUANTITY: TEXT,
    Scalar.INT_OR_TEXT: TEXT,
}


def describe(type_: Type) -> str:
    """A type as a rule would write it."""
    match type_:
        case Basic():
            return type_.value
        case Maybe(inner):
            return f"{describe(inner)} | None"
        case Message(types):
            return " | ".join(name.rpartition(".")[2] for name in types) or "Resource"
        case Items(item):
            return f"list[{describe(item)}]"
        case Set(item):
            return f"set[{describe(item)}]"
        case Table(value):
            return f"dict[str, {describe(value)}]"
        case Row(items):
            return f"tuple[{', '.join(map(describe, items))}]"
        case Transition(subject):
            return f"Change[{describe(subject)}]"
        case _:
            assert_never(type_)


def present(type_: Type) -> Type:
    """The type of a value that is known not to be None."""
    return type_.type if isinstance(type_, Maybe) else type_


def may_be_none(type_: Type) -> bool:
    """Whether None is among the values."""
    return isinstance(type_, Maybe) or type_ is NOTHING


def maybe(type_: Type) -> Type:
    """The type of a value that may also be None."""
    if isinstance(type_, Basic | Row) and type_ not in (UNKNOWN, NOTHING, Basic.MATCH):
        return Maybe(type_)
    return type_


def joined(left: Type, right: Type) -> Type | None:
    """The type of a value of one of two types; None where no type has both."""
    if UNKNOWN in (left, right):
        return UNKNOWN
    if left == right:
        return left
    if NOTHING in (left, right):
        other = right if left is NOTHING else left
        return maybe(other) if isinstance(other, Basic | Row | Maybe) else None
    if may_be_none(left) or may_be_none(right):
        inner = joined(present(left), present(right))
        return None if inner is None else maybe(inner)
    if {left, right} == {WHOLE, NUMBER}:
        return NUMBER
    match left, right:
        case (Items(a), Items(b)) | (Set(a), Set(b)):
            item = UNKNOWN if UNKNOWN in (a, b) else joined(a, b)
            if item is None:
                return None
            ordered = not isinstance(left, Items) or (left.ordered and right.ordered)  # type: ignore[union-attr]
            return Items(item, ordered) if isinstance(left, Items) else Set(item)
        case _:
            return None


def is_scalar(type_: Type) -> bool:
    """Whether values are texts, numbers, truths, None, or rows of such: what sets may hold."""
    match type_:
        case Maybe(inner):
            return is_scalar(inner)
        case Row(items):
            return all(map(is_scalar, items))
        case _:
            return type_ in (TEXT, WHOLE, NUMBER, TRUTH, NOTHING, UNKNOWN)


def type_of(kind: FieldType) -> Type:
    """The type of a field."""
    match kind:
        case Leaf(Scalar.ANYTHING):
            return RESOURCE
        case Leaf(scalar, default):
            found = _SCALARS[scalar]
            return found if default is not None else Maybe(found)
        case ListOf(item):
            return Items(present(type_of(item)))
        case MapOf(value):
            return Table(present(type_of(value)))
        case Part(name):
            return Message(tuple(name.split("|")))
        case _:
            assert_never(kind)


_RECORD_FIELDS = {
    name: {
        python_name(field): Field(python_name(field), field, read_type(text))
        for field, text in fields.items()
    }
    for name, fields in RECORDS.items()
}

#: What `image_ref` gives.
IMAGE = "facts.ImageRef"
_RECORD_FIELDS[IMAGE] = {
    field: Field(field, field, read_type(text))
    for field, text in {
        "registry": 's=""',
        "repository": 's=""',
        "tag": "s",
        "digest": "s",
    }.items()
}


def fields_of(name: str, known: Catalog | None = None) -> dict[str, Field]:
    """The fields of a type of the catalog, or of an answer of the mesh."""
    record = _RECORD_FIELDS.get(name)
    if record is not None:
        return record
    message = (known or the_catalog()).message(name)
    return dict(message.fields) if message is not None else {}


def field_of(message: Message, name: str) -> Field | None:
    """A field that all types of a message have alike; None where one lacks it or has another type.

    A default that only some have is none.
    """
    found: Field | None = None
    for type_ in message.types:
        here = fields_of(type_).get(name)
        if here is None:
            return None
        if found is None or found == here:
            found = here
        else:
            merged = _merged(found.type, here.type)
            if merged is None:
                return None
            found = Field(name, here.json_name, merged)
    return found


def _merged(left: FieldType, right: FieldType) -> FieldType | None:
    if left == right:
        return left
    match left, right:
        case (Leaf(a), Leaf(b)) if a is b:
            return Leaf(a, left.default if left.default == right.default else None)
        case (Part(a), Part(b)):
            return Part("|".join(dict.fromkeys([*a.split("|"), *b.split("|")])))
        case (ListOf(one), ListOf(other)):
            item = _merged(one, other)
            return None if item is None else ListOf(item)
        case (MapOf(one), MapOf(other)):
            value = _merged(one, other)
            return None if value is None else MapOf(value)
        case _:
            return None
