"""Whether a value fits a JSON Schema beyond doubt, so that nobody has to be asked who takes long.

The keywords of our own schemas are known here. What is not known, or does not fit, is left to
jsonschema, which also says what is wrong: it takes 70 ms to import, for settings that nearly always
are as they should be.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

#: Keywords that forbid nothing.
_WORDS = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def fits(value: Any, schema: Schema | bool, root: Schema) -> bool:
    """Whether nothing in a part of the schema `root` forbids a value; False also where in doubt."""
    if isinstance(schema, bool):
        return schema
    return all(
        word in _WORDS or (word in _HOLDS and _HOLDS[word](value, rule, schema, root))
        for word, rule in schema.items()
    )


def _reference(value: Any, rule: str, _: Schema, root: Schema) -> bool:
    found: Any = root
    first, *steps = rule.split("/")
    for step in steps:
        found = found.get(step) if isinstance(found, Mapping) else None
    return first == "#" and isinstance(found, Mapping | bool) and fits(value, found, root)


def _type(value: Any, rule: str | list[str], *_: Schema) -> bool:
    named = [rule] if isinstance(rule, str) else rule
    # A bool is an int to Python, and not to JSON.
    return any(
        isinstance(value, _TYPES.get(name, ())) and (name == "boolean" or type(value) is not bool)
        for name in named
    )


def _equal(value: Any, choices: list[Any], *_: Schema) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in choices)


def _properties(value: Any, rule: Mapping[str, Schema], _: Schema, root: Schema) -> bool:
    return not isinstance(value, dict) or all(
        fits(value[name], below, root) for name, below in rule.items() if name in value
    )


def _others(value: Any, rule: Schema | bool, schema: Schema, root: Schema) -> bool:
    named = schema.get("properties", {})
    return not isinstance(value, dict) or all(
        fits(entry, rule, root) for name, entry in value.items() if name not in named
    )


def _unique(value: Any, rule: bool, *_: Schema) -> bool:
    if not rule or not isinstance(value, list):
        return True
    return all(isinstance(item, str) for item in value) and len(set(value)) == len(value)


def _number(holds: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def check(value: Any, limit: Any, *_: Schema) -> bool:
        return not isinstance(value, int | float) or holds(value, limit)

    return check


def _size(
    of: type[str] | type[list[Any]], holds: Callable[[int, int], bool]
) -> Callable[..., bool]:
    def check(value: Any, limit: int, *_: Schema) -> bool:
        return not isinstance(value, of) or holds(len(value), limit)

    return check


_HOLDS: Mapping[str, Callable[..., bool]] = {
    "$ref": _reference,
    "type": _type,
    "enum": _equal,
    "properties": _properties,
    "additionalProperties": _others,
    "required": lambda value, rule, *_: not isinstance(value, dict) or value.keys() >= set(rule),
    "items": lambda value, rule, _, root: (
        not isinstance(value, list) or all(fits(item, rule, root) for item in value)
    ),
    "anyOf": lambda value, rule, _, root: any(fits(value, one, root) for one in rule),
    "pattern": lambda value, rule, *_: not isinstance(value, str) or bool(re.search(rule, value)),
    "uniqueItems": _unique,
    "minLength": _size(str, int.__ge__),
    "maxLength": _size(str, int.__le__),
    "minItems": _size(list, int.__ge__),
    "minimum": _number(lambda value, limit: value >= limit),
    "maximum": _number(lambda value, limit: value <= limit),
    "exclusiveMinimum": _number(lambda value, limit: value > limit),
}
