"""Types the operators on numbers, texts, lists and sets."""

import ast
from typing import TYPE_CHECKING

from meshplan.policy import ir
from meshplan.policy.scope import unknown
from meshplan.policy.types import (
    NUMBER,
    TEXT,
    UNKNOWN,
    WHOLE,
    Basic,
    Items,
    Set,
    describe,
    joined,
    present,
)
from meshplan.policy.unsupported import OPERATORS

if TYPE_CHECKING:
    from meshplan.policy.expressions import Expressions


def sign(of: "Expressions", node: ast.UnaryOp) -> ir.Expression:
    """`-x` and `+x`."""
    if isinstance(node.op, ast.Invert):
        return of.wrong("E206", node, "`~` is not part of the rule language", "write `not`")
    if isinstance(node.operand, ast.Constant) and type(node.operand.value) in (int, float):
        found = of.constant(node.operand)
        if isinstance(found.type, Basic) and isinstance(found, ir.Constant):
            value = found.value
            if isinstance(value, int | float):
                return ir.Constant(-value if isinstance(node.op, ast.USub) else value, found.type)
        return found
    part = _whole(of, node.operand)
    return ir.Call("negate", (part,), WHOLE) if isinstance(node.op, ast.USub) else part


def _whole(of: "Expressions", node: ast.expr) -> ir.Expression:
    found = of.present(node, "arithmetic")
    if found.type is NUMBER:
        return of.wrong(
            "E205",
            node,
            "arithmetic on decimals differs between engines "
            "(0.1 + 0.2 is 0.3 in OPA, 0.30000000000000004 in Python)",
            "compare the fields directly, or work in whole units",
        )
    if present(found.type) not in (WHOLE, UNKNOWN):
        return of.wrong("E130", node, f"arithmetic needs int, and this is {describe(found.type)}")
    return found


def binary(of: "Expressions", node: ast.BinOp) -> ir.Expression:
    """An operator between two values."""
    unsupported = OPERATORS.get(type(node.op))
    if unsupported is not None:
        return of.wrong(unsupported[0], node, unsupported[1], unsupported[2])
    left = of.present(node.left, "an operator")
    right = of.present(node.right, "an operator")
    one, two = present(left.type), present(right.type)
    if UNKNOWN in (one, two):
        return unknown()
    if isinstance(one, Set) and isinstance(two, Set):
        return _of_sets(of, node, left, right)
    if isinstance(node.op, ast.Add):
        if one is TEXT and two is TEXT:
            return ir.Call("concat", (left, right), TEXT)
        if isinstance(one, Items) and isinstance(two, Items):
            type_ = joined(one, two)
            if type_ is not None:
                return ir.Call("chain", (left, right), type_)
    names = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply"}
    name = names.get(type(node.op))
    if name is not None and {one, two} <= {WHOLE, NUMBER}:
        return ir.Call(name, (_whole(of, node.left), _whole(of, node.right)), WHOLE)
    return of.wrong(
        "E130",
        node,
        f"this operator does not take {describe(one)} and {describe(two)}",
        "+ is for int, str and lists; - and * for int; |, & and - for sets",
    )


def _of_sets(
    of: "Expressions", node: ast.BinOp, left: ir.Expression, right: ir.Expression
) -> ir.Expression:
    names = {ast.BitOr: "union", ast.BitAnd: "intersection", ast.Sub: "difference"}
    name = names.get(type(node.op))
    type_ = joined(left.type, right.type)
    if name is None or type_ is None:
        return of.wrong(
            "E130",
            node,
            f"this operator does not take {describe(left.type)} and {describe(right.type)}",
            "sets have |, & and -",
        )
    return ir.Call(name, (left, right), type_)
