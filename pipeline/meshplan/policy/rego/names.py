"""Names and literals as Rego writes them."""

import json
from typing import Any

from meshplan.policy import ir

#: Words and functions of Rego, and names that every module has.
_RESERVED = frozenset(
    [
        "as",
        "contains",
        "default",
        "else",
        "every",
        "false",
        "if",
        "import",
        "in",
        "input",
        "data",
        "not",
        "null",
        "package",
        "some",
        "true",
        "with",
        "abs",
        "all",
        "any",
        "array",
        "base64",
        "bits",
        "cast_array",
        "ceil",
        "concat",
        "count",
        "crypto",
        "endswith",
        "floor",
        "glob",
        "graph",
        "graphql",
        "hex",
        "http",
        "indexof",
        "internal",
        "intersection",
        "io",
        "is_array",
        "is_boolean",
        "is_null",
        "is_number",
        "is_object",
        "is_set",
        "is_string",
        "json",
        "lower",
        "max",
        "min",
        "net",
        "numbers",
        "object",
        "opa",
        "or",
        "and",
        "minus",
        "plus",
        "mul",
        "div",
        "rem",
        "print",
        "product",
        "providers",
        "rand",
        "re_match",
        "regex",
        "rego",
        "replace",
        "round",
        "semver",
        "set",
        "sort",
        "split",
        "sprintf",
        "startswith",
        "strings",
        "substring",
        "sum",
        "time",
        "to_number",
        "trace",
        "trim",
        "type_name",
        "union",
        "units",
        "upper",
        "urlquery",
        "uuid",
        "walk",
        "yaml",
        "eq",
        "neq",
        "lt",
        "lte",
        "gt",
        "gte",
        "assign",
        "equal",
        "mp",
        "model",
        "subject",
        "old",
        "new",
        "op",
        "params",
        "violation",
        "inventory",
        "checked",
        "reads",
        "reads_old",
        "msg",
        "finding",
    ]
)


class Names:
    """One name for each variable and each function of a module."""

    def __init__(self) -> None:
        self._taken = set(_RESERVED)
        self._names: dict[ir.Variable | ir.Helper, str] = {}

    def of(self, thing: ir.Variable | ir.Helper) -> str:
        """The name of a variable or a helper."""
        if thing not in self._names:
            self._names[thing] = self.fresh(thing.name)
        return self._names[thing]

    def fresh(self, wish: str) -> str:
        """A name that nothing else has."""
        base = wish.lower() if wish.isascii() and wish.strip("_") else "value"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name


def text(value: str) -> str:
    """A text as a literal; what does not show is escaped."""
    shown = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in shown)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if char.isascii() is False else f"\\u{ord(char):04x}"


def raw_text(value: str) -> str:
    """A text in back quotes, as patterns are written."""
    return f"`{value}`" if "`" not in value and value.isprintable() else text(value)


def literal(value: Any) -> str:
    """A constant as a term."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return text(value)
        case int() | float():
            return repr(value)
        case frozenset():
            return f"{{{', '.join(sorted(map(literal, value)))}}}" if value else "set()"
        case dict():
            return f"{{{', '.join(f'{text(k)}: {literal(v)}' for k, v in sorted(value.items()))}}}"
        case _:
            return f"[{', '.join(map(literal, value))}]"
