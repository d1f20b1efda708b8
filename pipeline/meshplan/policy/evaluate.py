"""Runs rules natively over one object at a time.

`CompiledRule(rule).run(new, old, world, parameters, invariants)` gives hits. A rule that needs more
rounds than its budget, or makes a text or a number grow too large, raises BudgetError.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from meshplan.policy import ir, program
from meshplan.policy.closures import BudgetError, Compiler
from meshplan.policy.operations import TooLargeError
from meshplan.policy.values import Hit, faults

#: Rounds of loops and calls of helpers that one rule may take for one object.
BUDGET = 2_000_000

__all__ = ["BUDGET", "BudgetError", "CompiledRule", "Hit", "World", "in_order"]


class World(Protocol):
    """What rules may look at besides their subject."""

    def objects(self, group: str, kind: str) -> Sequence[Any]:
        """All objects of a kind; of all kinds where both are empty."""

    def ask(self, fact: str, arguments: Sequence[str | int]) -> Any:
        """What the model of the mesh says."""


class State:
    """One run: slot 0 of its frame."""

    __slots__ = ("hits", "invariants", "left", "new", "old", "op", "world")

    def __init__(self, world: World, invariants: dict[ir.Variable, Any], budget: int):
        self.world = world
        self.invariants = invariants
        self.left = budget
        self.hits: set[Hit] = set()
        self.new: Any = None
        self.old: Any = None
        self.op = "CREATE"


class CompiledRule:
    """A rule as closures."""

    def __init__(self, rule: program.Rule):
        self.rule = rule
        compiler = Compiler()
        self._action = compiler.block(rule.body)
        self._parameters = [(p.variable.slot, p.name, p.default) for p in rule.parameters]

    def run(
        self,
        new: Any,
        old: Any,
        world: World,
        parameters: Mapping[str, Any],
        invariants: dict[ir.Variable, Any],
        budget: int = BUDGET,
    ) -> list[Hit]:
        """What the rule finds, sorted by place and message.

        `old` counts for rules about changes alone. `invariants` is filled, and may be given again
        for the same world and parameters. Raises BudgetError.
        """
        wrong = [Hit(text, steps) for steps, text in faults(new, self.rule.new)]
        if self.rule.is_change:
            wrong += [Hit(text, steps, True) for steps, text in faults(old, self.rule.old)]
        if wrong:
            return in_order(wrong)
        return self.prepared(world, parameters, invariants, budget)(new, old)

    def prepared(
        self,
        world: World,
        parameters: Mapping[str, Any],
        invariants: dict[ir.Variable, Any],
        budget: int = BUDGET,
    ) -> Callable[[Any, Any], list[Hit]]:
        """What `run` does for one object after another, new and old.

        All that the rule reads has to be known to have the types that it expects.
        """
        state = State(world, invariants, budget)
        fresh: list[Any] = [None] * self.rule.slots
        fresh[0] = state
        for slot, name, default in self._parameters:
            fresh[slot] = parameters.get(name, default)
        action = self._action

        def run(new: Any, old: Any) -> list[Hit]:
            state.new, state.old, state.left = new, old, budget
            state.op = "CREATE" if old is None else "DELETE" if new is None else "UPDATE"
            try:
                action(fresh.copy())
            except TooLargeError as error:
                raise BudgetError from error
            finally:
                hits, state.hits = state.hits, set()
            return in_order(hits) if hits else []

        return run


def in_order(hits: Iterable[Hit]) -> list[Hit]:
    """Hits by place, numbers before names, and then by message."""

    def key(hit: Hit) -> tuple[object, ...]:
        steps = tuple(
            (isinstance(s, str), 0 if isinstance(s, str) else s, str(s)) for s in hit.steps
        )
        return (hit.old, steps, hit.message, str(hit.fix))

    return sorted(hits, key=key)
