"""Copies of a rule with one mistake each: tests that notice none of them test little."""

from collections.abc import Iterator
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.policy import ir, program
from meshplan.policy.suite.rewrite import Rewriter, Spot
from meshplan.policy.suite.words import sketch
from meshplan.policy.types import TRUTH

_TRUE, _FALSE = ir.Constant(True, TRUTH), ir.Constant(False, TRUTH)

#: The comparison one off.
_OFF_BY_ONE: dict[str, ir.Comparison] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong in a copy."""

    spot: Spot
    what: str


def mistakes(rule: program.Rule) -> tuple[Mistake, ...]:
    """All mistakes that could be made in a rule, one at a time, in the order of its text."""
    reader = _Mutator(rule.path, None)
    reader.rule(rule)
    return tuple(sorted(set(reader.found)))


def mutant(rule: program.Rule, mistake: Mistake) -> program.Rule:
    """The rule with a mistake."""
    return _Mutator(rule.path, mistake).rule(rule)


class _Mutator(Rewriter):
    def __init__(self, path: str, wanted: Mistake | None):
        super().__init__(path)
        self._wanted = wanted
        self.found: list[Mistake] = []

    def statement(self, node: ir.Statement) -> tuple[ir.Statement, ...]:
        if isinstance(node, ir.Yield):
            if self._is(Mistake(self.here(), "without this finding")):
                return ()
            # What a message says is for suites to test, which compare it.
            return (node,)
        return super().statement(node)

    def decision(self, node: ir.Expression) -> ir.Expression:
        if isinstance(node, ir.Both | ir.Either | ir.Negation | ir.Constant):
            return self.inside(node)
        spot, what = self.spot(), sketch(node)
        for value, name in ((_TRUE, "true"), (_FALSE, "false")):
            if self._is(Mistake(spot, f"in which `{what}` is always {name}")):
                return value
        return self.expression(node)

    def part(self, node: ir.Expression, whole: ir.Both | ir.Either) -> ir.Expression:
        if isinstance(node, ir.Both | ir.Either):
            return self.inside(node)
        word = "and" if isinstance(whole, ir.Both) else "or"
        mistake = Mistake(self.spot(), f"without `{word} {sketch(node)}`")
        if self._is(mistake):
            return _TRUE if isinstance(whole, ir.Both) else _FALSE
        if isinstance(node, ir.Negation) and not isinstance(node.part, ir.Both | ir.Either):
            # That `x` is always false is the same mistake as being without `not x`.
            return replace(node, part=self.expression(node.part))
        return self.expression(node)

    def expression(self, node: ir.Expression) -> ir.Expression:
        for what, other in _others(node):
            if self._is(Mistake(self.spot(), what)):
                return other
        return self.inside(node)

    def _is(self, mistake: Mistake) -> bool:
        self.found.append(mistake)
        return mistake == self._wanted


def _others(node: ir.Expression) -> Iterator[tuple[str, ir.Expression]]:
    match node:
        case ir.Compare(operator) if operator in _OFF_BY_ONE:
            other = _OFF_BY_ONE[operator]
            yield f"with `{other}` in `{sketch(node)}`", replace(node, operator=other)
        case ir.Fallback(first, second):
            yield f"without `{sketch(first)} or`", second
        case _:
            pass
