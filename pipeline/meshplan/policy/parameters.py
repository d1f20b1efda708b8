"""Parameters of rules: their JSON Schema, and the values that settings give."""

from collections.abc import Mapping
from typing import Any

from meshplan.errors import SettingsError
from meshplan.policy import program
from meshplan.policy.types import TEXT, TRUTH, WHOLE, Items, Table, Type, describe


def schema(rule: program.Rule) -> dict[str, Any]:
    """The JSON Schema of the parameters of a rule."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            p.name: {**_schema(p.type), "default": plain(p.default)} for p in rule.parameters
        },
    }


def _schema(type_: Type) -> dict[str, Any]:
    match type_:
        case Items(item):
            return {"type": "array", "items": _schema(item)}
        case Table(value):
            return {"type": "object", "additionalProperties": _schema(value)}
        case _:
            pass
    return {"type": {TEXT: "string", WHOLE: "integer", TRUTH: "boolean"}[type_]}  # type: ignore[index]


def plain(value: Any) -> Any:
    """A literal as JSON."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, frozenset):
        return [plain(item) for item in sorted(value, key=str)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def given(rule: program.Rule, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a rule; raises SettingsError for what it has not, or of another type."""
    known = {parameter.name: parameter for parameter in rule.parameters}
    for name, value in values.items():
        if name not in known:
            names = ", ".join(known) or "none"
            message = f"{rule.id} has no parameter {name}"
            raise SettingsError(message, hint=f"its parameters: {names}")
        if not _holds(value, known[name].type):
            wanted = describe(known[name].type)
            message = f"parameter {name} of {rule.id} is {wanted}, and the settings say otherwise"
            raise SettingsError(message)
    return {name: plain(p.default) for name, p in known.items()} | dict(values)


def _holds(value: Any, type_: Type) -> bool:
    match type_:
        case Items(item):
            return isinstance(value, list | tuple) and all(_holds(v, item) for v in value)
        case Table(item):
            return isinstance(value, dict) and all(
                isinstance(k, str) and _holds(v, item) for k, v in value.items()
            )
        case _:
            pass
    if type_ is WHOLE:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return isinstance(value, bool if type_ is TRUTH else str)
