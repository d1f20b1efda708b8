"""Which branches of a rule are taken while it runs.

A branch is a condition that holds or does not, for each part of `and` and `or`, and a finding that
is given. The rule is run as a copy that tells what becomes of each: it asks its world, as it would
ask the model of the mesh, and the world notes the answer down.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.policy import ir, program
from meshplan.policy.evaluate import World
from meshplan.policy.suite.rewrite import Rewriter, Spot
from meshplan.policy.suite.words import sketch
from meshplan.policy.types import WHOLE

_FACT = "meshplan:branch"


@dataclass(frozen=True, slots=True, order=True)
class Branch:
    """One way on at a place in a rule."""

    spot: Spot
    #: What the condition is; "" for a finding.
    what: str
    #: Whether it holds; True for a finding.
    holds: bool

    def __str__(self) -> str:
        if not self.what:
            return "this finding is never given"
        return f"`{self.what}` is never {'true' if self.holds else 'false'}"


class Watched:
    """A rule that tells which branches it takes."""

    def __init__(self, rule: program.Rule):
        marker = _Marker(rule.path)
        self.rule = marker.rule(rule)
        #: What is watched, by its number.
        self._places = marker.places

    @property
    def branches(self) -> Iterator[Branch]:
        """All branches of the rule."""
        for spot, what in self._places:
            yield Branch(spot, what, True)
            if what:
                yield Branch(spot, what, False)

    def taken(self, seen: set[tuple[int, bool]]) -> Iterator[Branch]:
        """The branches that a `Listener` has seen."""
        for number, holds in seen:
            yield Branch(*self._places[number], holds)


class Listener:
    """A world that notes down which branches are taken in it."""

    def __init__(self, world: World):
        self._world = world
        self.seen: set[tuple[int, bool]] = set()

    def objects(self, group: str, kind: str) -> Sequence[Any]:
        """Those of the world."""
        return self._world.objects(group, kind)

    def ask(self, fact: str, arguments: Sequence[Any]) -> Any:
        """What the world says."""
        if fact != _FACT:
            return self._world.ask(fact, arguments)
        number, value = arguments
        # A text is the message of a finding, which is given in any case.
        self.seen.add((number, True if isinstance(value, str) else bool(value)))
        return value


class _Marker(Rewriter):
    def __init__(self, path: str):
        super().__init__(path)
        self.places: list[tuple[Spot, str]] = []
        self._known: dict[tuple[Spot, str], int] = {}

    def statement(self, node: ir.Statement) -> tuple[ir.Statement, ...]:
        if isinstance(node, ir.Yield):
            number = self._noted(self.here(), "")
            copy = ir.Yield(
                _asking(number, self.expression(node.message)),
                node.place,
                None if node.fix is None else self.expression(node.fix),
                node.span,
            )
            return (copy,)
        return super().statement(node)

    def decision(self, node: ir.Expression) -> ir.Expression:
        if isinstance(node, ir.Both | ir.Either | ir.Negation):
            return self.inside(node)
        if isinstance(node, ir.Constant):
            return node
        number = self._noted(self.spot(), sketch(node))
        return _asking(number, self.inside(node))

    def _noted(self, spot: Spot, what: str) -> int:
        if (spot, what) not in self._known:
            self._known[spot, what] = len(self.places)
            self.places.append((spot, what))
        return self._known[spot, what]


def _asking(number: int, node: ir.Expression) -> ir.Ask:
    return ir.Ask(_FACT, (ir.Constant(number, WHOLE), node), node.type)
