"""Reads JSON as rules see it: absent, null and wrongly typed values have no value."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from meshplan.dataclass import dataclass
from meshplan.policy import program
from meshplan.policy.catalog import FieldType, Leaf, ListOf, MapOf, Part, Scalar

#: The whole numbers that every JSON engine agrees on.
_LIMIT = 2**53
#: Decimals that all engines write alike.
_SMALLEST = 1e-4

Reader = Callable[[Any], Any]


def text(value: Any) -> str | None:
    """A text."""
    return value if isinstance(value, str) else None


def whole(value: Any) -> int | None:
    """A whole number, also where it is written `80.0`."""
    if isinstance(value, int):
        return None if isinstance(value, bool) or not -_LIMIT < value < _LIMIT else value
    if isinstance(value, float) and -_LIMIT < value < _LIMIT and value == int(value):
        return int(value)
    return None


def number(value: Any) -> int | float | None:
    """A number within the limits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if -_LIMIT < value < _LIMIT else None
    return None


def truth(value: Any) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def quantity(value: Any) -> str | None:
    """A text, or a number as a text: `8080` and `"8080"` are one port."""
    if isinstance(value, str):
        return value
    exact = whole(value)
    if exact is not None:
        return str(exact)
    if isinstance(value, float) and _SMALLEST <= abs(value) < _LIMIT:
        return repr(value)
    return None


def message(value: Any) -> Any:
    """An object."""
    return value if isinstance(value, dict) else None


_SCALARS: dict[Scalar, Reader] = {
    Scalar.TEXT: text,
    Scalar.INTEGER: whole,
    Scalar.NUMBER: number,
    Scalar.BOOLEAN: truth,
    Scalar.QUANTITY: quantity,
    Scalar.INT_OR_TEXT: quantity,
    Scalar.ANYTHING: message,
}


def reader(kind: FieldType) -> Reader:
    """What reads a value of a type; None is what it gives for no value."""
    match kind:
        case Leaf(scalar):
            return _SCALARS[scalar]
        case Part():
            return message
        case ListOf(item):
            return _list_reader(reader(item))
        case MapOf(value):
            return _table_reader(reader(value))
        case _:
            assert_never(kind)


def default_of(kind: FieldType) -> Any:
    """What an absent field of a type reads as."""
    match kind:
        case Leaf(_, default):
            return default
        case Part():
            return None
        case ListOf():
            return ()
        case MapOf():
            return {}
        case _:
            assert_never(kind)


def _list_reader(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        found = [item(v) for v in value]
        return [v for v in found if v is not None]

    return read


def _table_reader(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return None
        found = {k: item(v) for k, v in value.items() if isinstance(k, str)}
        return {k: v for k, v in found.items() if v is not None}

    return read


#: What messages call the types of JSON.
def described(value: Any) -> str:
    """The type of a value, in words."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list):
        return "a list"
    return "a mapping"


Fits = Callable[[Any], bool]

#: Whether a value has one of the types that a footprint names.
FITS: dict[str, Fits] = {
    "text": lambda v: isinstance(v, str),
    "whole": lambda v: whole(v) is not None,
    "number": lambda v: number(v) is not None,
    "truth": lambda v: isinstance(v, bool),
    "quantity": lambda v: quantity(v) is not None,
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}

#: Those types in words.
_WANTED = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "truth": "true or false",
    "quantity": "text or a number",
    "array": "a list",
    "object": "a mapping",
}

Steps = tuple[str | int, ...]


def faults(value: Any, shape: program.Shape, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """The values that do not have the types that a rule reads: their places, and what is wrong."""
    if value is None:
        return
    if shape.type and not FITS[shape.type](value):
        wanted = _WANTED[shape.type]
        yield steps, f"{written(steps)} should be {wanted}, not {described(value)}"
        return
    if isinstance(value, dict):
        for name, inner in shape.fields.items():
            found = value.get(name)
            if found is not None:
                yield from faults(found, inner, (*steps, name))
        if shape.each is not None and shape.type == "object":
            for key, found in value.items():
                yield from faults(found, shape.each, (*steps, key))
    elif isinstance(value, list) and shape.each is not None:
        for index, found in enumerate(value):
            yield from faults(found, shape.each, (*steps, index))


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule has found in an object."""

    message: str
    #: The way down to it.
    steps: Steps = ()
    #: Whether the place is in the object as it was before a change.
    old: bool = False
    fix: str | int | bool | None = None


def written(steps: Sequence[str | int]) -> str:
    """A place as a fault names it: `spec.ports[0].name`."""
    if not steps:
        return "this"
    texts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps]
    return "".join(texts).removeprefix(".")
