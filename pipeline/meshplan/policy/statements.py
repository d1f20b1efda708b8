"""Lowers the bodies of rules and helpers to the IR."""

import ast
from collections.abc import Sequence
from typing import Literal

from meshplan.policy import ir, loops
from meshplan.policy.expressions import Expressions
from meshplan.policy.scope import MAX_STATEMENTS, Scope, place_of, unknown
from meshplan.policy.types import (
    NOTHING,
    TEXT,
    TRUTH,
    UNKNOWN,
    WHOLE,
    Basic,
    Message,
    Transition,
    Type,
    describe,
    joined,
    may_be_none,
)
from meshplan.policy.unsupported import STATEMENTS

Body = Literal["rule", "loop", "helper"]


class Statements:
    """Lowers the statements of one function."""

    def __init__(self, scope: Scope):
        self.scope = scope
        self.expressions = Expressions(scope)
        #: What a helper returns, as far as it has been seen.
        self.result: Type | None = None

    def block(
        self, nodes: Sequence[ast.stmt], where: Body
    ) -> tuple[tuple[ir.Statement, ...], bool]:
        """Statements, and whether what follows them is never reached."""
        found: list[ir.Statement] = []
        for number, node in enumerate(nodes):
            self.scope.statements += 1
            if self.scope.statements == MAX_STATEMENTS:
                text = "this function is too large once its loops over `a + b` are written out"
                self.scope.error("E001", node, text, "split it")
            if self.scope.statements >= MAX_STATEMENTS:
                return tuple(found), True
            statements, leaves = self.statement(node, where)
            found.extend(statements)
            if leaves:
                if number < len(nodes) - 1:
                    self.scope.error(
                        "E117", nodes[number + 1], "this is never reached", "leave it out"
                    )
                return tuple(found), True
        return tuple(found), False

    def statement(self, node: ast.stmt, where: Body) -> tuple[list[ir.Statement], bool]:
        """One statement, and whether what follows it is never reached."""
        match node:
            case ast.Assign():
                return self._let(node), False
            case ast.If():
                return self._if(node, where)
            case ast.For() if where != "helper":
                return self._for(node), False
            case ast.Expr(value=ast.Yield() as found) if where != "helper":
                return self._yield(found), False
            case ast.Continue() if where == "loop":
                return [ir.Leave(self.scope.span(node))], True
            case ast.Return(value=None) if where == "rule":
                return [ir.Leave(self.scope.span(node))], True
            case ast.Return(value=ast.expr() as value) if where == "helper":
                return self._return(node, value), True
        self._refused(node, where)
        return [], isinstance(node, ast.Return | ast.Continue | ast.Raise | ast.Break)

    def _refused(self, node: ast.stmt, where: Body) -> None:
        error = self.scope.error
        match node:
            case ast.Return() if where == "loop":
                text = "`return` in a loop makes the result depend on order"
                error("E118", node, text, "use any(...) before the loop, or `continue`")
            case ast.Return() if where == "rule":
                error("E118", node, "a rule returns nothing", "`yield` what it finds")
            case ast.Return():
                error("E144", node, "a helper returns a value", "return an expression")
            case ast.Continue():
                error("E118", node, "there is no loop to continue", "use `return`")
            case ast.For():
                error("E119", node, "a helper has no loops", "use a comprehension, any() or all()")
            case ast.Expr(value=ast.Yield() | ast.YieldFrom()) if where == "helper":
                error(
                    "E119", node, "a helper yields nothing", "return a value, and yield in the rule"
                )
            case ast.Expr(value=ast.YieldFrom() | ast.Await() as value):
                self.expressions.value(value)
            case _:
                code, message, help_ = STATEMENTS.get(
                    type(node), ("E115", "this statement is not part of the rule language", "")
                )
                error(code, node, message, help_)

    def _let(self, node: ast.Assign) -> list[ir.Statement]:
        value = self.expressions.value(node.value)
        target = node.targets[0]
        if len(node.targets) != 1 or not isinstance(target, ast.Name):
            text = "a value is given to one name"
            self.scope.error("E132", target, text, "write one assignment for each name")
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    self.scope.names[name.id] = self.scope.variable(name.id, UNKNOWN)
            return []
        type_ = value.type
        if type_ in (Basic.MESH, NOTHING) or isinstance(type_, Transition):
            self.scope.error(
                "E145", node.value, f"{describe(type_)} needs no name", "use it directly"
            )
            type_, value = UNKNOWN, unknown()
        variable = self.scope.variable(target.id, type_, place_of(value), value)
        self.scope.bind(target, variable)
        return [ir.Let(variable, value, self.scope.span(node))]

    def _if(self, node: ast.If, where: Body) -> tuple[list[ir.Statement], bool]:
        truth = self.expressions.truth(node.test)
        with self.scope.inner(truth.if_true):
            then, then_leaves = self.block(node.body, where)
        with self.scope.inner(truth.if_false):
            otherwise, otherwise_leaves = self.block(node.orelse, where)
        if then_leaves:
            self.scope.known |= truth.if_false
        if otherwise_leaves:
            self.scope.known |= truth.if_true
        if where == "helper" and not then_leaves:
            text = "an `if` of a helper ends with `return`"
            self.scope.error("E144", node, text, "or use `a if condition else b`")
        span = self.scope.span(node.test)
        statement = ir.If(truth.expression, then, otherwise, span)
        return [statement], then_leaves and otherwise_leaves

    def _for(self, node: ast.For) -> list[ir.Statement]:
        if node.orelse:
            text = "`else` of a loop is not part of the rule language"
            self.scope.error("E109", node.orelse[0], text, "use any(...)")
        found: list[ir.Statement] = []
        for source in loops.sources(self.expressions, node.iter):
            with self.scope.inner():
                each, place = loops.enter(self.expressions, node.target, node.iter, source)
                if place is not None:
                    self.scope.places.append(place)
                body, _ = self.block(node.body, "loop")
            found.append(ir.For(each, body, self.scope.span(node)))
        return found

    def _return(self, node: ast.Return, returned: ast.expr) -> list[ir.Statement]:
        value = self.expressions.value(returned)
        if value.type is Basic.MATCH:
            value = ir.Negation(ir.Negation(value))
        known = UNKNOWN not in (self.result, value.type)
        if self.result is not None and known and joined(self.result, value.type) != self.result:
            text = (
                f"this helper returns {describe(self.result)}, and this is {describe(value.type)}"
            )
            self.scope.error("E144", node, text)
        return [ir.Return(value, self.scope.span(node))]

    def _yield(self, node: ast.Yield) -> list[ir.Statement]:
        span = self.scope.span(node)
        place = self.scope.places[-1]
        fix: ir.Expression | None = None
        value = node.value
        if value is None:
            self.scope.error("E128", node, "a finding needs a message", 'yield f"..."')
            return []
        if (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Name)
            and value.func.id == "at"
        ):
            if "at" not in self.scope.globals.words:
                help_ = "from meshplan.policy import at"
                self.scope.error("E163", value, "`at` is not imported", help_)
            return self._at(value)
        message = self._message(value)
        return [ir.Yield(message, place, fix, span)]

    def _message(self, node: ast.expr) -> ir.Expression:
        found = self.expressions.value(node)
        if found.type in (TEXT, UNKNOWN):
            return found
        if may_be_none(found.type):
            return self.expressions.of_type(node, TEXT, "yielding it")
        text = f"a finding is a message, and this is {describe(found.type)}"
        self.scope.error("E128", node, text, 'yield f"...", or at(place, f"...")')
        return unknown()

    def _at(self, node: ast.Call) -> list[ir.Statement]:
        fixes = [k.value for k in node.keywords if k.arg == "fix"]
        if len(node.args) != 2 or len(fixes) != len(node.keywords):
            text = "at() takes a place and a message, and perhaps fix="
            self.scope.error("E182", node, text, 'at(port.name, f"...", fix="http")')
            return []
        found = self.expressions.value(node.args[0])
        place = place_of(found)
        if place is None:
            if found.type is not UNKNOWN:
                subject = next(iter(self.scope.names), "the subject")
                self.scope.error(
                    "E127",
                    node.args[0],
                    "this value is not a place in the checked object",
                    f"use a field of `{subject}` or of a loop variable over it",
                )
            place = self.scope.places[-1]
        message = self._message(node.args[1])
        fix = self._fix(fixes[0], found.type) if fixes else None
        return [ir.Yield(message, place, fix, self.scope.span(node))]

    def _fix(self, node: ast.expr, at: Type) -> ir.Expression | None:
        found = self.expressions.present(node, "a fix")
        fits = found.type in (TEXT, WHOLE, TRUTH) and joined(at, found.type) is not None
        if not fits and UNKNOWN not in (found.type, at) and not may_be_none(found.type):
            wanted = describe(at)
            text = f"the place holds {wanted}, and the fix is {describe(found.type)}"
            if isinstance(at, Message) or found.type not in (TEXT, WHOLE, TRUTH):
                text = "a fix is the value of a field: a text, a whole number or a truth"
            self.scope.error("E129", node, text)
            return None
        return found
