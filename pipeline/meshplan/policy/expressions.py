"""Types expressions and lowers them to the IR; what is not of the language is reported."""

import ast

from meshplan.policy import calls, ir, loops, operators
from meshplan.policy.catalog import catalog
from meshplan.policy.conditions import Conditions, Truth
from meshplan.policy.facts.declared import BY_NAME
from meshplan.policy.scope import Scope, did_you_mean, unknown
from meshplan.policy.types import (
    NOTHING,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    WHOLE,
    Basic,
    Items,
    Message,
    Row,
    Set,
    Transition,
    Type,
    describe,
    field_of,
    fields_of,
    is_scalar,
    joined,
    may_be_none,
    present,
    type_of,
)
from meshplan.policy.unsupported import EXPRESSIONS

#: The whole numbers that every JSON engine agrees on.
LARGEST = 2**53 - 1


class Expressions:
    """Lowers the expressions of one function."""

    def __init__(self, scope: Scope):
        self.scope = scope
        self._conditions = Conditions(self)

    def truth(self, node: ast.expr) -> Truth:
        """An expression where only its truth counts."""
        return self._conditions.truth(node)

    # Values

    def value(self, node: ast.expr) -> ir.Expression:  # noqa: PLR0911 - one for each form
        """An expression where its value counts."""
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.JoinedStr():
                return self._format(node)
            case ast.BoolOp():
                return self._either_or_both(node)
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return self.truth(node).expression
            case ast.UnaryOp():
                return operators.sign(self, node)
            case ast.BinOp():
                return operators.binary(self, node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Call():
                return calls.call(self, node)
            case ast.List() | ast.Set() | ast.Tuple():
                return self._display(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return loops.comprehension(self, node)
            case ast.GeneratorExp():
                return self.wrong(
                    "E180",
                    node,
                    "a generator is used up by one function",
                    "write it inside any(...), all(...), sum(...), sorted(...) or set(...)",
                )
            case _:
                code, message, help_ = EXPRESSIONS.get(
                    type(node), ("E115", "this is not part of the rule language", "")
                )
                return self.wrong(code, node, message, help_)

    def wrong(self, code: str, node: ast.AST, message: str, help_: str = "") -> ir.Constant:
        """Report a mistake; the result fits everywhere, so that it is reported once."""
        self.scope.error(code, node, message, help_)
        return unknown()

    def present(self, node: ast.expr, what: str) -> ir.Expression:
        """A value that is not None; `what` says what it is needed for."""
        found = self.value(node)
        if may_be_none(found.type):
            text = self.scope.globals.source.segment(node)
            shown = f"`{text}`" if text else "this"
            simple = isinstance(node, ast.Name | ast.Attribute)
            guard = f"guard it: `if {text} is None: continue`, or " if simple and text else ""
            default = '""' if present(found.type) is TEXT else "0"
            self.scope.error(
                "E201",
                node,
                f"{shown} may be None here (it can be absent), so {what} is not defined",
                f"{guard}give a value: `{text or '...'} or {default}`",
            )
        return found

    def of_type(self, node: ast.expr, type_: Type, what: str) -> ir.Expression:
        """A value of one type, not None."""
        found = self.present(node, what)
        if present(found.type) not in (type_, UNKNOWN) and not may_be_none(found.type):
            self.scope.error(
                "E130", node, f"{what} needs {describe(type_)}, and this is {describe(found.type)}"
            )
            return unknown()
        return found

    def constant(self, node: ast.Constant) -> ir.Expression:
        """A literal."""
        value = node.value
        if value is None:
            return ir.Constant(None, NOTHING)
        if isinstance(value, bool):
            return ir.Constant(value, TRUTH)
        if isinstance(value, str):
            if any("\ud800" <= char <= "\udfff" for char in value):
                return self.wrong("E131", node, "half a surrogate pair is no character")
            return ir.Constant(value, TEXT)
        if isinstance(value, int):
            if abs(value) > LARGEST:
                return self.wrong(
                    "E131",
                    node,
                    "whole numbers are limited to ±(2^53-1): the range every JSON engine agrees on",
                )
            return ir.Constant(value, WHOLE)
        if isinstance(value, float) and abs(value) < 1e15:
            return ir.Constant(value, NUMBER)
        return self.wrong(
            "E131", node, "this literal is not part of the rule language", "use str, int or bool"
        )

    def _name(self, node: ast.Name) -> ir.Expression:
        scope = self.scope
        variable = scope.names.get(node.id)
        if variable is not None:
            type_ = variable.type
            if scope.key(node) in scope.known:
                type_ = present(type_)
            if isinstance(variable.value, ir.Subject | ir.Read) and not is_scalar(type_):
                # Another name for a part of an object: read it from there.
                return variable.value
            return ir.Name(variable, type_)
        constant = scope.globals.constants.get(node.id)
        if constant is not None:
            return constant
        if node.id in scope.globals.helpers or node.id in scope.globals.pending:
            return self.wrong("E160", node, f"`{node.id}` is a function: call it")
        known = [*scope.names, *scope.globals.constants]
        help_ = did_you_mean(node.id, known, "a name has a value from where it is assigned on")
        return self.wrong("E160", node, f"there is no name `{node.id}` here", help_)

    def _attribute(self, node: ast.Attribute) -> ir.Expression:
        base = self.value(node.value)
        match base.type:
            case Basic.MESH:
                return self._of_mesh(node)
            case Transition(subject):
                return self._of_change(node, subject)
            case Message():
                return self._field(node, base, base.type)
            case Basic.UNKNOWN:
                return unknown()
            case _:
                return self.wrong("E162", node, f"{describe(base.type)} has no field `{node.attr}`")

    def _of_mesh(self, node: ast.Attribute) -> ir.Expression:
        kind = catalog().collections.get(node.attr)
        if kind is None:
            if node.attr in BY_NAME:
                return self.wrong("E161", node, f"`mesh.{node.attr}` is a question: call it")
            help_ = did_you_mean(node.attr, catalog().collections)
            return self.wrong("E161", node, f"Mesh has no field `{node.attr}`", help_)
        return ir.Collection(kind.group, kind.name, Items(Message((kind.type,)), ordered=False))

    def _of_change(self, node: ast.Attribute, subject: Message) -> ir.Expression:
        match node.attr:
            case "old":
                return ir.Subject(ir.Root.OLD, subject)
            case "new":
                return ir.Subject(ir.Root.NEW, subject)
            case "op":
                return ir.Operation()
            case _:
                pass
        return self.wrong(
            "E161", node, f"Change has no field `{node.attr}`", "fields: old, new, op"
        )

    def _field(self, node: ast.Attribute, base: ir.Expression, message: Message) -> ir.Expression:
        found = field_of(message, node.attr)
        if found is None:
            return self._no_field(node, message)
        type_ = type_of(found.type)
        if self.scope.key(node) and self.scope.key(node) in self.scope.known:
            type_ = present(type_)
        if isinstance(base, ir.Read):
            return ir.Read(
                base.base, (*base.path, found.json_name), found.type, type_, base.checked
            )
        return ir.Read(base, (found.json_name,), found.type, type_)

    def _no_field(self, node: ast.Attribute, message: Message) -> ir.Expression:
        if not message.types:
            help_ = f'read it with text("{node.attr}"), integer, boolean, texts, items or entry'
            return self.wrong(
                "E161", node, f"of a Resource the field `{node.attr}` is unknown", help_
            )
        missing = [name for name in message.types if node.attr not in fields_of(name)]
        if len(message.types) > 1 and missing and len(missing) < len(message.types):
            short = missing[0].rpartition(".")[2]
            return self.wrong("E161", node, f"of {describe(message)}, {short} has no `{node.attr}`")
        if not missing:
            text = f"`{node.attr}` is not the same in {describe(message)}"
            return self.wrong("E135", node, text, "write a rule for each")
        known = fields_of(message.types[0])
        short = ", ".join(sorted(known)[:12]) + (", ..." if len(known) > 12 else "")
        help_ = did_you_mean(node.attr, known, f"fields: {short}")
        return self.wrong("E161", node, f"{describe(message)} has no field `{node.attr}`", help_)

    def _format(self, node: ast.JoinedStr) -> ir.Expression:
        parts: list[str | ir.Expression] = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
            elif isinstance(part, ast.FormattedValue):
                parts.append(self._formatted(part))
        return ir.Format(tuple(parts))

    def _formatted(self, node: ast.FormattedValue) -> ir.Expression:
        if node.conversion != -1:
            sign = chr(node.conversion)
            self.scope.error(
                "E137",
                node.value,
                f"`!{sign}` prints differently in every language",
                "put the quotes in the text: '{x}'",
            )
        if node.format_spec is not None:
            self.scope.error(
                "E137",
                node.value,
                "format specifications print differently in every language",
                "leave it out",
            )
        found = self.present(node.value, "putting it in a message")
        if present(found.type) not in (TEXT, WHOLE, UNKNOWN):
            return self.wrong(
                "E138",
                node.value,
                f"cannot put {describe(found.type)} in a message: it prints differently in every engine",
                'use ", ".join(sorted(...)), len(...), or `"yes" if x else "no"`',
            )
        return found

    def _choice(self, node: ast.IfExp) -> ir.Expression:
        condition = self.truth(node.test)
        with self.scope.inner(condition.if_true):
            then = self.value(node.body)
        with self.scope.inner(condition.if_false):
            otherwise = self.value(node.orelse)
        type_ = joined(then.type, otherwise.type)
        if type_ is None:
            return self.wrong(
                "E130", node, f"this is either {describe(then.type)} or {describe(otherwise.type)}"
            )
        return ir.Choice(condition.expression, then, otherwise, type_)

    def _display(self, node: ast.List | ast.Set | ast.Tuple) -> ir.Expression:
        items = tuple(self.value(item) for item in node.elts)
        if isinstance(node, ast.Tuple):
            if not items or not all(is_scalar(item.type) for item in items):
                return self.wrong("E132", node, "a tuple holds texts, numbers and truths")
            return ir.Build("row", items, Row(tuple(item.type for item in items)))
        inner: Type = UNKNOWN
        for number, item in enumerate(items):
            found = item.type if number == 0 else joined(inner, item.type)
            if found is None:
                return self.wrong("E130", node, "the items of a collection are of one type")
            inner = found
        if isinstance(node, ast.List):
            return ir.Build("list", items, Items(inner))
        if not is_scalar(inner):
            return self.wrong(
                "E134", node, "a set holds texts, numbers, truths and tuples of these"
            )
        return ir.Build("set", items, Set(inner))

    def _either_or_both(self, node: ast.BoolOp) -> ir.Expression:
        """`and` and `or` where their value counts."""
        if isinstance(node.op, ast.And):
            found = self.truth(node)
            plain = all(self._gives_truth(part) for part in node.values)
            if not plain:
                return self.wrong(
                    "E133",
                    node,
                    "the value of this `and` is one of its parts, of whatever type",
                    "use bool(...), or `a if condition else b`",
                )
            return found.expression
        if all(self._gives_truth(part) for part in node.values):
            return self.truth(node).expression
        return self._fallback(node, 0)

    def _gives_truth(self, node: ast.expr) -> bool:
        match node:
            case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=True | False):
                return True
            case ast.BoolOp(values=values):
                return all(map(self._gives_truth, values))
            case ast.Call() | ast.Name() | ast.Attribute() | ast.IfExp():
                return self._quietly(node) in (TRUTH, Basic.MATCH, UNKNOWN)
            case _:
                return False

    def _quietly(self, node: ast.expr) -> Type:
        """The type of an expression whose mistakes are reported elsewhere."""
        diagnostics = self.scope.globals.diagnostics
        slots = self.scope.slots
        with diagnostics.muted():
            found = self.value(node).type
        self.scope.slots = slots
        return found

    def _fallback(self, node: ast.BoolOp, at: int) -> ir.Expression:
        first = self.value(node.values[at])
        if at == len(node.values) - 1:
            return first
        second = self._fallback(node, at + 1)
        type_ = joined(present(first.type), second.type)
        if type_ is None:
            return self.wrong(
                "E130",
                node,
                f"this is either {describe(present(first.type))} or {describe(second.type)}",
            )
        return ir.Fallback(first, second, type_)
