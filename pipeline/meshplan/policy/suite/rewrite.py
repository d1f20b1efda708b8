"""Copies of rules in which something is different.

A place in a rule is the statement it is in and its number there, counted in the order of the copy.
Where a loop over two lists was unrolled into two, both bodies have the same places.
"""

from collections.abc import Iterable
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.policy import ir, program
from meshplan.policy.errors import Span


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in the text of a rule."""

    path: str
    span: Span
    #: Of the expressions of the statement, from 0; -1 for the statement itself.
    number: int = -1


class Rewriter:
    """Copies a rule; what a subclass does not change stays as it is."""

    def __init__(self, path: str):
        self._path = path
        self._span = Span(0, 0, 0, 0)
        self._number = 0
        self._helpers: dict[ir.Helper, ir.Helper] = {}

    def rule(self, rule: program.Rule) -> program.Rule:
        """The copy of a rule."""
        return replace(rule, body=self.block(rule.body))

    def block(self, statements: Iterable[ir.Statement]) -> tuple[ir.Statement, ...]:
        """The copies of statements."""
        return tuple(copy for s in statements for copy in self._statement(s))

    def _statement(self, node: ir.Statement) -> tuple[ir.Statement, ...]:
        self._span, self._number = node.span, 0
        return self.statement(node)

    # What subclasses change

    def statement(self, node: ir.Statement) -> tuple[ir.Statement, ...]:
        """What stands in the place of a statement."""
        return (self._copy(node),)

    def decision(self, node: ir.Expression) -> ir.Expression:
        """What stands in the place of something that is true or not and that the rest depends on."""
        return self.expression(node)

    def part(self, node: ir.Expression, whole: ir.Both | ir.Either) -> ir.Expression:  # noqa: ARG002
        """What stands in the place of a part of `and` or `or`."""
        return self.decision(node)

    def expression(self, node: ir.Expression) -> ir.Expression:
        """What stands in the place of an expression."""
        return self.inside(node)

    def spot(self) -> Spot:
        """The place of the expression at hand; each call goes on to the next."""
        self._number += 1
        return Spot(self._path, self._span, self._number - 1)

    def here(self) -> Spot:
        """The place of the statement at hand."""
        return Spot(self._path, self._span)

    # Copies

    def _copy(self, node: ir.Statement) -> ir.Statement:
        match node:
            case ir.Let(value=value):
                return replace(node, value=self.expression(value))
            case ir.Return(value):
                return replace(node, value=self.expression(value))
            case ir.If(condition, then, otherwise):
                test = self.decision(condition)
                return replace(
                    node, condition=test, then=self.block(then), otherwise=self.block(otherwise)
                )
            case ir.For(each, body):
                return replace(node, each=self._each(each), body=self.block(body))
            case ir.Yield(message, _, fix):
                fixed = None if fix is None else self.expression(fix)
                return replace(node, message=self.expression(message), fix=fixed)
            case _:
                return node

    def inside(self, node: ir.Expression) -> ir.Expression:  # noqa: PLR0911 - one case each
        """A copy of an expression with its parts changed."""
        go = self.expression
        match node:
            case ir.Read(base):
                return replace(node, base=go(base))
            case ir.Ask(_, arguments) | ir.Call(_, arguments):
                return replace(node, arguments=tuple(map(go, arguments)))
            case ir.Apply(helper, arguments):
                copies = tuple(map(go, arguments))
                return replace(node, helper=self._helper(helper), arguments=copies)
            case ir.Search(text=text):
                return replace(node, text=go(text))
            case ir.Both(parts) | ir.Either(parts):
                return replace(node, parts=tuple(self.part(p, node) for p in parts))
            case ir.Negation(part):
                return replace(node, part=self.decision(part))
            case ir.IsTrue(part) | ir.IsNone(part):
                return replace(node, part=go(part))
            case ir.Compare(_, left, right):
                return replace(node, left=go(left), right=go(right))
            case ir.Fallback(first, second):
                return replace(node, first=go(first), second=go(second))
            case ir.Choice(condition, then, otherwise):
                test = self.decision(condition)
                return replace(node, condition=test, then=go(then), otherwise=go(otherwise))
            case ir.Format(parts):
                return replace(node, parts=tuple(p if isinstance(p, str) else go(p) for p in parts))
            case ir.Build(items=items):
                return replace(node, items=tuple(map(go, items)))
            case ir.Comprehension(loops=loops, element=element, key=key):
                copies_ = tuple(map(self._each, loops))
                named = None if key is None else go(key)
                return replace(node, loops=copies_, element=go(element), key=named)
            case ir.Exists(loops, element):
                rounds = tuple(map(self._each, loops))
                return replace(node, loops=rounds, element=self.decision(element))
            case _:
                return node

    def _each(self, each: ir.Each) -> ir.Each:
        source = self.expression(each.source)
        return replace(
            each, source=source, conditions=tuple(self.decision(c) for c in each.conditions)
        )

    def _helper(self, helper: ir.Helper) -> ir.Helper:
        known = self._helpers.get(helper)
        if known is None:
            place = self._span, self._number
            known = self._helpers[helper] = replace(helper, body=self.block(helper.body))
            self._span, self._number = place
        return known
