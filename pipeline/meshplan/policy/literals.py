"""Reads literals: the constants of a file, the arguments of decorators, defaults."""

import ast

from meshplan.policy import ir
from meshplan.policy.scope import Globals
from meshplan.policy.text import MAX_BYTES
from meshplan.policy.types import (
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    WHOLE,
    Items,
    Row,
    Set,
    Table,
    Type,
    is_scalar,
    joined,
)

_LARGEST = 2**53 - 1


class _NoLiteralError(Exception):
    def __init__(self, node: ast.AST, message: str):
        self.node = node
        self.message = message


def literal(globals_: Globals, node: ast.expr, code: str) -> ir.Constant | None:
    """The value of a literal; None, with the reason reported under a code, for anything else.

    Lists and tuples are tuples, sets are frozensets, mappings are dicts.
    """
    try:
        return _literal(globals_, node)
    except _NoLiteralError as error:
        help_ = "literals: text, numbers, True, False, and [], (), {} of these"
        globals_.diagnostics.report(code, globals_.source.span(error.node), error.message, help_)
        return None


def _literal(globals_: Globals, node: ast.expr) -> ir.Constant:
    match node:
        case ast.Constant(value=value):
            return _scalar(node, value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if (
            not isinstance(value, bool)
        ):
            return _scalar(node, -value)
        case ast.Name(id=name) if name in globals_.constants:
            return globals_.constants[name]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            one, two = _literal(globals_, left), _literal(globals_, right)
            if isinstance(one.value, str) and isinstance(two.value, str):
                text = one.value + two.value
                if len(text) <= MAX_BYTES:
                    return ir.Constant(text, TEXT)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            values = [_literal(globals_, item) for item in items]
            if isinstance(node, ast.Tuple) and len({v.type for v in values}) > 1:
                row = Row(tuple(v.type for v in values))
                return ir.Constant(tuple(v.value for v in values), row)
            return ir.Constant(tuple(v.value for v in values), Items(_common(node, values)))
        case ast.Set(elts=items):
            return _set(globals_, node, items)
        case ast.Call(func=ast.Name(id="frozenset" | "set"), args=[inner], keywords=[]):
            if isinstance(inner, ast.Set | ast.List | ast.Tuple):
                return _set(globals_, node, inner.elts)
        case ast.Call(func=ast.Name(id="frozenset" | "set"), args=[], keywords=[]):
            return ir.Constant(frozenset(), Set(UNKNOWN))
        case ast.Dict(keys=keys, values=values_):
            return _table(globals_, node, keys, values_)
        case _:
            pass
    raise _NoLiteralError(node, "this is not a literal: nothing is computed before a rule runs")


def _scalar(node: ast.expr, value: object) -> ir.Constant:
    if isinstance(value, bool):
        return ir.Constant(value, TRUTH)
    if isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise _NoLiteralError(node, "half a surrogate pair is no character")
        return ir.Constant(value, TEXT)
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return ir.Constant(value, WHOLE)
    if isinstance(value, float) and abs(value) < 1e15:
        return ir.Constant(value, NUMBER)
    raise _NoLiteralError(node, "this literal is not part of the rule language")


def _set(globals_: Globals, node: ast.expr, items: list[ast.expr]) -> ir.Constant:
    values = [_literal(globals_, item) for item in items]
    inner = _common(node, values)
    if not is_scalar(inner):
        raise _NoLiteralError(node, "a set holds texts, numbers, truths and tuples of these")
    return ir.Constant(frozenset(v.value for v in values), Set(inner))


def _table(
    globals_: Globals, node: ast.expr, keys: list[ast.expr | None], items: list[ast.expr]
) -> ir.Constant:
    found: dict[str, ir.Value] = {}
    values = [_literal(globals_, item) for item in items]
    for key, value in zip(keys, values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise _NoLiteralError(key or node, "the keys of a mapping are texts")
        if key.value in found:
            raise _NoLiteralError(key, "the key is there already")
        found[key.value] = value.value
    return ir.Constant(found, Table(_common(node, values)))


def _common(node: ast.expr, values: list[ir.Constant]) -> Type:
    found: Type = UNKNOWN
    for number, value in enumerate(values):
        both = value.type if number == 0 else joined(found, value.type)
        if both is None:
            raise _NoLiteralError(node, "the items of a collection are of one type")
        found = both
    return found
