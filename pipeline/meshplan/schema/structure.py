"""Check a value against the small part of JSON Schema that says which fields of which types there are.

`schemas/kinds/` holds no more than that, and a walk in step with the schema takes a hundredth of the
time of a validator for all of JSON Schema.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.location import escape_pointer
from meshplan.schema.wording import nearest, noun, quoted, type_name

#: The JSON form of a schema.
Schema = Mapping[str, Any]

#: Names and indexes that lead to a place.
_Steps = tuple[str | int, ...]

#: More problems than this in one object do not help anybody.
_ENOUGH = 20

#: Names that are in so many objects that they say nothing about where they belong.
_EVERYWHERE = frozenset({"name", "namespace", "kind", "type", "value", "labels"})

#: How far down a field is looked for that somebody wrote in the wrong place.
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place in a value that the schema forbids."""

    #: unknown-field, missing-field, wrong-type or invalid-value.
    rule: str
    steps: _Steps
    message: str
    help: str = ""

    @property
    def pointer(self) -> str:
        """The place as an RFC 6901 JSON pointer."""
        return "".join(f"/{escape_pointer(str(step))}" for step in self.steps)


def misfits(value: Any, schema: Schema, defs: Mapping[str, Schema]) -> list[Misfit]:
    """What `schema` forbids in `value`, in document order; null is as good as nothing."""
    return list(islice(_Walk(defs).value(value, schema, (), ()), _ENOUGH))


def dotted(steps: Sequence[str | int]) -> str:
    """A place as people write it: `spec.http[0].route`."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).removeprefix(".")


@dataclass(frozen=True, slots=True)
class _Around:
    """An object around a value: where it is, and its schema."""

    steps: _Steps
    schema: Schema


@dataclass(frozen=True, slots=True)
class _Walk:
    defs: Mapping[str, Schema]

    def value(
        self, value: Any, schema: Schema, steps: _Steps, outer: tuple[_Around, ...]
    ) -> Iterator[Misfit]:
        """The misfits of a value; `outer` are the objects that it is in."""
        schema = self.resolved(schema)
        expected = schema.get("type")
        if expected and not _has_type(value, expected):
            message = f"{dotted(steps)} is {type_name(value)}, expected {noun(expected)}"
            yield Misfit("wrong-type", steps, message)
        elif isinstance(value, Mapping):
            yield from self.mapping(value, schema, steps, outer)
        elif isinstance(value, list | tuple):
            items = schema.get("items", {})
            for index, item in enumerate(value):
                yield from self.value(item, items, (*steps, index), outer)
        else:
            yield from _scalar(value, schema, steps)

    def mapping(
        self,
        value: Mapping[str, Any],
        schema: Schema,
        steps: _Steps,
        outer: tuple[_Around, ...],
    ) -> Iterator[Misfit]:
        """The misfits of an object or a map."""
        fields = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        for name in schema.get("required", ()):
            if value.get(name) is None:
                yield Misfit("missing-field", steps, f"{dotted((*steps, name))} is missing")
        for name, entry in value.items():
            place = (*steps, name)
            if name in fields or others is not False:
                if entry is not None:
                    below = fields.get(name, others)
                    yield from self.value(
                        entry,
                        {} if below is True else below,
                        place,
                        (*outer, _Around(steps, schema)),
                    )
            else:
                hint = self.hint(name, schema, outer)
                yield Misfit("unknown-field", place, f"there is no field {dotted(place)}", hint)

    def hint(self, name: str, schema: Schema, outer: tuple[_Around, ...]) -> str:
        """Where a field belongs that is unknown where it is."""
        if close := nearest(name, schema.get("properties", {})):
            return f"did you mean {close}?"
        if name in _EVERYWHERE:
            return ""
        if place := self.below(name, schema):
            return f"did you mean {place}? Check the indentation."
        for around in reversed(outer):
            if name in around.schema.get("properties", {}):
                return f"did you mean {dotted((*around.steps, name))}? Check the indentation."
        return ""

    def below(self, name: str, schema: Schema) -> str:
        """The nearest place inside an object that has a field of this name."""
        level = [("", schema)]
        for _ in range(_NEAR):
            level = [
                (f"{path}{field}.", inner)
                for path, around in level
                for field, entry in around.get("properties", {}).items()
                if (inner := self.item(entry))
            ]
            for path, inner in level:
                if name in inner.get("properties", {}):
                    return f"{path}{name}"
        return ""

    def item(self, schema: Schema) -> Schema:
        """The schema of an object, or of the objects in a list."""
        found = self.resolved(schema)
        return self.resolved(found["items"]) if "items" in found else found

    def resolved(self, schema: Schema) -> Schema:
        """The schema that a reference stands for."""
        reference = schema.get("$ref")
        return self.defs[reference.rpartition("/")[2]] if reference else schema


def _scalar(value: Any, schema: Schema, steps: _Steps) -> Iterator[Misfit]:
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        close = nearest(str(value), [str(choice) for choice in choices])
        expected = f"one of {', '.join(map(str, choices))}" if len(choices) > 1 else str(choices[0])
        message = f"{dotted(steps)} is {quoted(value)}, expected {expected}"
        yield Misfit("invalid-value", steps, message, f"did you mean {close}?" if close else "")
    for bound, beyond in (("minimum", int.__lt__), ("maximum", int.__gt__)):
        limit = schema.get(bound)
        if limit is not None and type(value) is int and beyond(value, int(limit)):
            message = f"{dotted(steps)} is {value}, expected {bound} {int(limit)}"
            yield Misfit("invalid-value", steps, message)


def _has_type(value: Any, expected: str | Sequence[str]) -> bool:
    """Whether a value is of a JSON type; a number without fraction is a whole number."""
    if not isinstance(expected, str):
        return any(_has_type(value, name) for name in expected)
    match expected:
        case "object":
            return isinstance(value, Mapping)
        case "array":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer" if isinstance(value, float):
            return value.is_integer()
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return True
