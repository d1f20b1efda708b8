"""Types conditions, and tells what is known where they are true, and where they are not."""

import ast
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.policy import ir
from meshplan.policy.scope import NOTHING_KNOWN, Facts, unknown
from meshplan.policy.types import (
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    WHOLE,
    Basic,
    Items,
    Maybe,
    Message,
    Row,
    Set,
    Table,
    Transition,
    Type,
    describe,
    is_scalar,
    joined,
    may_be_none,
    present,
)

if TYPE_CHECKING:
    from meshplan.policy.expressions import Expressions


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition, and what is known not to be None where it is true, and where it is not."""

    expression: ir.Expression
    if_true: Facts = NOTHING_KNOWN
    if_false: Facts = NOTHING_KNOWN


_COMPARISONS: dict[type[ast.cmpop], ir.Comparison] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}


class Conditions:
    """Lowers the conditions of one function."""

    def __init__(self, of: "Expressions"):
        self._of = of

    def truth(self, node: ast.expr) -> Truth:
        """An expression where only its truth counts."""
        match node:
            case ast.BoolOp(op=ast.And()):
                return self._both(node)
            case ast.BoolOp():
                return self._either(node)
            case ast.UnaryOp(op=ast.Not()):
                found = self.truth(node.operand)
                return Truth(ir.Negation(found.expression), found.if_false, found.if_true)
            case ast.Compare():
                return self._compare(node)
            case _:
                found_value = self._of.value(node)
                key = self._of.scope.key(node)
                known = frozenset([key]) if key and may_be_none(found_value.type) else NOTHING_KNOWN
                return Truth(as_truth(found_value), known)

    def _both(self, node: ast.BoolOp) -> Truth:
        parts = []
        known: Facts = NOTHING_KNOWN
        otherwise: Facts | None = None
        for part in node.values:
            with self._of.scope.inner(known):
                found = self.truth(part)
            parts.append(found.expression)
            known |= found.if_true
            otherwise = found.if_false if otherwise is None else otherwise & found.if_false
        return Truth(ir.Both(tuple(parts)), known, otherwise or NOTHING_KNOWN)

    def _either(self, node: ast.BoolOp) -> Truth:
        parts = []
        known: Facts = NOTHING_KNOWN
        then: Facts | None = None
        for part in node.values:
            with self._of.scope.inner(known):
                found = self.truth(part)
            parts.append(found.expression)
            known |= found.if_false
            then = found.if_true if then is None else then & found.if_true
        return Truth(ir.Either(tuple(parts)), then or NOTHING_KNOWN, known)

    def _compare(self, node: ast.Compare) -> Truth:
        parts: list[Truth] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._compare_two(node, left, operator, right))
            left = right
        if len(parts) == 1:
            return parts[0]
        known = frozenset[str]().union(*(part.if_true for part in parts))
        return Truth(ir.Both(tuple(part.expression for part in parts)), known)

    def _compare_two(
        self, node: ast.Compare, left: ast.expr, operator: ast.cmpop, right: ast.expr
    ) -> Truth:
        if isinstance(operator, ast.Is | ast.IsNot):
            return self._is_none(node, left, operator, right)
        sign = _COMPARISONS[type(operator)]
        if sign in ("in", "not in"):
            return self._contained(node, left, sign, right)
        one, two = self._of.value(left), self._of.value(right)
        if NOTHING in (one.type, two.type):
            self._of.scope.error("E203", node, "None is compared with `is`", "write `is None`")
            return Truth(unknown())
        if sign in ("==", "!="):
            self._comparable(node, one.type, two.type)
            expression: ir.Expression = ir.Compare(sign, one, two)
            known: set[str] = set()
            for this, other in ((left, two), (right, one)):
                if not may_be_none(other.type) and self._of.scope.key(this):
                    known.add(self._of.scope.key(this))
            facts = frozenset(known)
            return (
                Truth(expression, facts)
                if sign == "=="
                else Truth(expression, NOTHING_KNOWN, facts)
            )
        if isinstance(one.type, Set) and isinstance(two.type, Set):
            return Truth(self._set_order(node, sign, one, two))
        one = self._of.present(left, f"`{sign}`")
        two = self._of.present(right, f"`{sign}`")
        types = {present(one.type), present(two.type)}
        if UNKNOWN not in types and types != {TEXT} and not types <= {WHOLE, NUMBER}:
            text = f"`{sign}` does not compare {describe(one.type)} with {describe(two.type)}"
            return Truth(self._of.wrong("E204", node, text, "compare texts, or numbers"))
        return Truth(ir.Compare(sign, one, two))

    def _set_order(
        self, node: ast.Compare, sign: ir.Comparison, one: ir.Expression, two: ir.Expression
    ) -> ir.Expression:
        self._comparable(node, one.type, two.type)
        if sign in (">", ">="):
            one, two = two, one
        subset = ir.Call("subset", (one, two), TRUTH)
        if sign in ("<=", ">="):
            return subset
        return ir.Both((subset, ir.Compare("!=", one, two)))

    def _comparable(self, node: ast.Compare, one: Type, two: Type) -> None:
        if any(
            isinstance(t, Message | Table | Transition) or t in (Basic.MESH, Basic.MATCH)
            for t in (one, two)
        ):
            self._of.scope.error(
                "E204", node, "objects are not compared as a whole", "compare fields"
            )
        elif joined(present(one), present(two)) is None:
            text = f"{describe(present(one))} is never equal to {describe(present(two))}"
            self._of.scope.error("E204", node, text, "this comparison is always the same")
        elif any(isinstance(t, Items) and not t.ordered for t in (one, two)):
            self._of.scope.error(
                "E186",
                node,
                "the objects of a mesh have no order, so a list of them has none",
                "use sets",
            )

    def _contained(
        self, node: ast.Compare, left: ast.expr, sign: ir.Comparison, right: ast.expr
    ) -> Truth:
        one, two = self._of.value(left), self._of.present(right, f"`{sign}`")
        known: Facts = NOTHING_KNOWN
        match present(two.type):
            case Basic.TEXT:
                one = self._of.of_type(left, TEXT, f"`{sign}` text")
                found: ir.Expression = ir.Call("contains", (one, two), TRUTH)
                return Truth(found if sign == "in" else ir.Negation(found))
            case Items(item) | Set(item):
                inner = item
            case Table():
                inner = TEXT
            case Row(items):
                inner = items[0]
                if len(set(items)) > 1:
                    return Truth(
                        self._of.wrong("E130", node, "the items of a collection are of one type")
                    )
                two = (
                    ir.Build("list", two.items, Items(inner)) if isinstance(two, ir.Build) else two
                )
            case Basic.UNKNOWN:
                return Truth(unknown())
            case other:
                return Truth(
                    self._of.wrong("E130", node, f"`in` does not look into {describe(other)}")
                )
        if not is_scalar(one.type) or joined(present(one.type), present(inner)) is None:
            text = f"{describe(one.type)} is never in {describe(two.type)}"
            return Truth(self._of.wrong("E204", node, text, "this comparison is always the same"))
        if self._of.scope.key(left) and not may_be_none(inner) and sign == "in":
            known = frozenset([self._of.scope.key(left)])
        return Truth(ir.Compare(sign, one, two), known)

    def _is_none(
        self, node: ast.Compare, left: ast.expr, operator: ast.cmpop, right: ast.expr
    ) -> Truth:
        found = self._of.value(left)
        if not (isinstance(right, ast.Constant) and right.value is None):
            return Truth(self._of.wrong("E202", node, "`is` compares with None only", "write `==`"))
        match found.type:
            case Message():
                name = self._of.scope.globals.source.segment(left) or "it"
                text = f"`{name}` is a message: an absent one is empty, never None"
                return Truth(self._of.wrong("E209", node, text, f"use `if not {name}:`"))
            case Basic.MATCH:
                negation: ir.Expression = ir.Negation(as_truth(found))
                return Truth(negation if isinstance(operator, ast.Is) else as_truth(found))
            case Maybe() | Basic.UNKNOWN | Basic.NOTHING:
                key = self._of.scope.key(left)
                facts = frozenset([key]) if key else NOTHING_KNOWN
                none = ir.IsNone(found)
                if isinstance(operator, ast.Is):
                    return Truth(none, NOTHING_KNOWN, facts)
                return Truth(ir.Negation(none), facts)
            case _:
                pass
        return Truth(
            self._of.wrong(
                "E207", node, f"{describe(found.type)} is never None here", "leave the test out"
            )
        )


def as_truth(value: ir.Expression) -> ir.Expression:
    """Whether a value counts as true."""
    if value.type in (TRUTH, Basic.MATCH):
        return value
    return ir.IsTrue(value)
