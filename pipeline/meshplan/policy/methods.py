"""Types the methods of texts, mappings and objects."""

import ast
from typing import TYPE_CHECKING

from meshplan.policy import ir
from meshplan.policy.arguments import arguments, sequence
from meshplan.policy.catalog import FieldType, Leaf, ListOf, Scalar, catalog
from meshplan.policy.scope import did_you_mean, unknown
from meshplan.policy.types import (
    TEXT,
    TRUTH,
    UNKNOWN,
    Items,
    Message,
    Row,
    Table,
    Type,
    describe,
    joined,
    may_be_none,
    maybe,
    present,
    type_of,
)

if TYPE_CHECKING:
    from meshplan.policy.expressions import Expressions

#: Methods of texts that take texts and give a text or a truth.
_PLAIN: dict[str, tuple[str, int, Type]] = {
    "startswith": ("starts", 1, TRUTH),
    "endswith": ("ends", 1, TRUTH),
    "removeprefix": ("remove_prefix", 1, TEXT),
    "removesuffix": ("remove_suffix", 1, TEXT),
    "lower": ("lower", 0, TEXT),
    "upper": ("upper", 0, TEXT),
}
_STRIPS = {"strip", "lstrip", "rstrip"}
_OF_TEXT = {*_PLAIN, *_STRIPS, "split", "replace", "join"}
_OF_TABLE = {"get", "keys", "values", "items"}

#: What the methods of `Resource` read.
_LOOSE: dict[str, FieldType] = {
    "text": Leaf(Scalar.TEXT),
    "integer": Leaf(Scalar.INTEGER),
    "boolean": Leaf(Scalar.BOOLEAN),
    "texts": ListOf(Leaf(Scalar.TEXT)),
    "items": ListOf(Leaf(Scalar.ANYTHING)),
    "entry": Leaf(Scalar.ANYTHING),
}


def loose(
    of: "Expressions", node: ast.Call, func: ast.Attribute, base: ir.Expression
) -> ir.Expression:
    """A reading of any object by its path: `r.text("spec", "mode")`."""
    message = base.type if isinstance(base.type, Message) else Message(())
    kind = _LOOSE.get(func.attr)
    if kind is None or not _is_resource(message):
        known = _LOOSE if _is_resource(message) else ()
        help_ = did_you_mean(func.attr, known, "a field is read as `x.field`")
        return of.wrong("E164", node, f"{describe(message)} has no method `{func.attr}`", help_)
    path = []
    for argument in node.args:
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            return of.wrong(
                "E182", argument, "a path is made of literals", 'r.text("spec", "mode")'
            )
        path.append(argument.value)
    if not path or node.keywords:
        return of.wrong("E182", node, "this takes a path", 'r.text("spec", "mode")')
    type_ = type_of(kind)
    if isinstance(base, ir.Read) and not base.checked:
        return ir.Read(base.base, (*base.path, *path), kind, type_, checked=False)
    return ir.Read(base, tuple(path), kind, type_, checked=False)


def _is_resource(message: Message) -> bool:
    return all(name in catalog().kinds for name in message.types)


def method(of: "Expressions", node: ast.Call, func: ast.Attribute) -> ir.Expression:
    """A method of a text or a mapping."""
    base = of.present(func.value, f"`.{func.attr}()`")
    kind = present(base.type)
    if kind is TEXT:
        return _of_text(of, node, func.attr, base)
    if isinstance(kind, Table):
        return _of_table(of, node, func.attr, base, kind)
    if kind is UNKNOWN:
        return unknown()
    help_ = "sets have |, & and -" if describe(kind).startswith("set") else ""
    return of.wrong("E164", node, f"{describe(kind)} has no method `{func.attr}`", help_)


def _of_text(of: "Expressions", node: ast.Call, name: str, base: ir.Expression) -> ir.Expression:
    if name not in _OF_TEXT:
        help_ = "use an f-string" if name == "format" else did_you_mean(name, _OF_TEXT)
        return of.wrong("E164", node, f"str has no method `{name}`", help_)
    if name == "join":
        return _join(of, node, base)
    if name in _STRIPS or name == "split":
        return _with_literal(of, node, name, base)
    if name == "replace":
        return _replace(of, node, base)
    operation, count, type_ = _PLAIN[name]
    if not arguments(of, node, count, count):
        return unknown()
    if count and isinstance(node.args[0], ast.Tuple) and type_ is TRUTH:
        parts = tuple(
            ir.Call(operation, (base, of.of_type(item, TEXT, f".{name}()")), TRUTH)
            for item in node.args[0].elts
        )
        return ir.Either(parts)
    values = tuple(of.of_type(a, TEXT, f".{name}()") for a in node.args)
    return ir.Call(operation, (base, *values), type_)


def _join(of: "Expressions", node: ast.Call, base: ir.Expression) -> ir.Expression:
    if not arguments(of, node, 1, 1):
        return unknown()
    found = sequence(of, node.args[0], "join()")
    match found.type:
        case Items(item, ordered):
            if not ordered:
                text = "the objects of a mesh have no order, so a list of them has none"
                return of.wrong("E186", node.args[0], text, "join(sorted(...))")
            if item not in (TEXT, UNKNOWN):
                return of.wrong("E185", node.args[0], f"join() takes texts, not {describe(item)}")
            return ir.Call("join", (base, found), TEXT)
        case _ if found.type is UNKNOWN:
            return unknown()
    return of.wrong("E185", node.args[0], "a set has no order", "join(sorted(...))")


def _with_literal(
    of: "Expressions", node: ast.Call, name: str, base: ir.Expression
) -> ir.Expression:
    what = "separator" if name == "split" else "characters"
    found = of.value(node.args[0]) if len(node.args) == 1 and not node.keywords else None
    if not isinstance(found, ir.Constant) or not isinstance(found.value, str) or not found.value:
        text = f"{name}() needs its {what}: engines differ about white space"
        return of.wrong("E184", node, text, f'{name}(" ")')
    return ir.Call(name, (base, found), Items(TEXT) if name == "split" else TEXT)


def _replace(of: "Expressions", node: ast.Call, base: ir.Expression) -> ir.Expression:
    if not arguments(of, node, 2, 2):
        return unknown()
    old = of.value(node.args[0])
    if not isinstance(old, ir.Constant) or not isinstance(old.value, str) or not old.value:
        return of.wrong("E184", node, "replace() needs a literal to look for")
    return ir.Call("replace", (base, old, of.of_type(node.args[1], TEXT, ".replace()")), TEXT)


def _of_table(
    of: "Expressions", node: ast.Call, name: str, base: ir.Expression, kind: Table
) -> ir.Expression:
    if name not in _OF_TABLE:
        return of.wrong("E164", node, f"dict has no method `{name}`", did_you_mean(name, _OF_TABLE))
    if name == "get":
        return _get(of, node, base, kind)
    if not arguments(of, node, 0, 0):
        return unknown()
    if name == "keys":
        return ir.Call("keys", (base,), Items(TEXT))
    if name == "values":
        return ir.Call("values", (base,), Items(kind.value))
    return ir.Call("items", (base,), Items(Row((TEXT, kind.value))))


def _get(of: "Expressions", node: ast.Call, base: ir.Expression, kind: Table) -> ir.Expression:
    if not arguments(of, node, 1, 2):
        return unknown()
    key = of.of_type(node.args[0], TEXT, ".get()")
    if isinstance(kind.value, Message):
        return ir.Call("get", (base, key, ir.Constant(None, kind.value)), kind.value)
    if len(node.args) == 1:
        return ir.Call("get", (base, key, ir.Constant(None, UNKNOWN)), maybe(kind.value))
    default = of.value(node.args[1])
    type_ = joined(kind.value, default.type)
    if type_ is None:
        return of.wrong("E130", node, f"the default of .get() is {describe(default.type)}")
    if may_be_none(default.type):
        type_ = maybe(type_)
    return ir.Call("get", (base, key, default), type_)
