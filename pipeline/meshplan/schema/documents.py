"""Check a value against one of the JSON Schemas in `schemas/`, and say in words what is wrong."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from meshplan.data import data_path
from meshplan.dataclass import dataclass
from meshplan.location import escape_pointer
from meshplan.schema.certain import fits
from meshplan.schema.wording import did_you_mean, noun, quoted, type_name

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


@dataclass(frozen=True, slots=True, order=True)
class SchemaProblem:
    """One thing in a value that its schema forbids."""

    #: RFC 6901 JSON pointer, "" for the value itself; of an unknown key, that key.
    pointer: str
    message: str


def validate(schema_name: str, value: Any) -> tuple[SchemaProblem, ...]:
    """Everything in `value` that `schemas/<schema_name>.schema.json` forbids, in document order."""
    if fits(value, schema := _schema(schema_name), schema):
        return ()
    return _misfits(_validator(schema_name), value)


def misfits(schema: Mapping[str, Any], value: Any) -> tuple[SchemaProblem, ...]:
    """Everything in `value` that a schema of our own making forbids, in document order."""
    # Late, as below.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return _misfits(Draft202012Validator(schema), value)


def _misfits(validator: "Validator", value: Any) -> tuple[SchemaProblem, ...]:
    found = (problem for error in validator.iter_errors(value) for problem in _problems(error))
    return tuple(dict.fromkeys(found))


@cache
def _schema(schema_name: str) -> Any:
    return json.loads((data_path("schemas") / f"{schema_name}.schema.json").read_text("utf-8"))


@cache
def _validator(schema_name: str) -> "Validator":
    # Imported late: it takes 70 ms, and most runs have nothing that it could object to.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(_schema(schema_name))


def _problems(error: "ValidationError") -> Iterator[SchemaProblem]:
    """An error as problems: of alternatives, those of the one that fits best."""
    if error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        best = min(branches.values(), key=_misfit)
        if not all(_is_wrong_type_here(inner, error) for inner in best):
            for inner in best:
                yield from _problems(inner)
            return
    pointer = "".join(f"/{escape_pointer(str(step))}" for step in error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        rules: Any = error.schema
        known = rules.get("properties", {})
        for key in (key for key in error.instance if key not in known):
            yield SchemaProblem(
                f"{pointer}/{escape_pointer(str(key))}",
                f'unknown key "{key}"{did_you_mean(str(key), known)}',
            )
    else:
        yield SchemaProblem(pointer, _message(error))


def _misfit(errors: "list[ValidationError]") -> tuple[int, int]:
    """How far a value is from an alternative: errors deep inside mean that it was nearly right."""
    return (-min(len(error.absolute_path) for error in errors), len(errors))


def _is_wrong_type_here(inner: "ValidationError", outer: "ValidationError") -> bool:
    return inner.validator == "type" and len(inner.absolute_path) == len(outer.absolute_path)


def _message(error: "ValidationError") -> str:
    """The sentence for an error, without the part of the value's path that the pointer says."""
    expected: Any = error.validator_value
    match error.validator:
        case "type":
            return f"{type_name(error.instance)}, expected {noun(expected)}"
        case "enum":
            choices = [str(choice) for choice in expected]
            hint = did_you_mean(str(error.instance), choices)
            return (
                f"{quoted(error.instance)} is not one of {', '.join(map(quoted, expected))}{hint}"
            )
        case "const":
            return f"{quoted(error.instance)}, expected {quoted(expected)}"
        case "required":
            given: Any = error.instance
            missing = [key for key in expected if key not in given]
            return f"missing: {', '.join(map(quoted, missing))}"
        case "anyOf" | "oneOf":
            kinds = [branch["type"] for branch in expected if "type" in branch]
            return (
                f"{type_name(error.instance)}, expected {noun(kinds)}" if kinds else error.message
            )
        case "minLength" | "minItems" | "minProperties" if expected == 1:
            return "is empty"
        case "pattern":
            return f"{quoted(error.instance)} does not match {expected}"
        case _:
            return error.message
