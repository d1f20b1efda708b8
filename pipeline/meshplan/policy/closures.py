"""Rules as closures: each expression and statement is one over its parts.

Nothing of a rule's text is handed to Python. Rounds of loops and calls of helpers are counted.
"""

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from meshplan.policy import ir
from meshplan.policy.automaton import automaton
from meshplan.policy.catalog import ListOf, MapOf
from meshplan.policy.combinators import (
    COLLECT,
    COMPARE,
    STOP,
    Action,
    Closure,
    Frame,
    Pairs,
    below,
    below_slot,
    both,
    built,
    called,
    composed,
    constant,
    either,
    in_turn,
    listed,
    new_subject,
    old_subject,
    read_as,
    tabled,
)
from meshplan.policy.operations import NATIVE, text_within
from meshplan.policy.types import Items, Message
from meshplan.policy.values import Hit, default_of, reader


class BudgetError(Exception):
    """A rule takes more rounds than it may."""


class Compiler:
    """Makes closures of the parts of one rule; slot 0 of their frame is the state of the run."""

    def __init__(self) -> None:
        self.helpers: dict[ir.Helper, Closure] = {}

    # Statements

    def block(self, statements: Sequence[ir.Statement]) -> Action:
        return in_turn([self.statement(s) for s in statements])

    def statement(self, node: ir.Statement) -> Action:
        match node:
            case ir.Let():
                return self._let(node)
            case ir.If(condition, then, otherwise):
                return self._if(self.expression(condition), self.block(then), self.block(otherwise))
            case ir.For(each, body):
                return self._for(each, body)
            case ir.Leave():
                return lambda _: True
            case ir.Yield():
                return self._yield(node)
            case ir.Return():
                raise AssertionError(node)
            case _:
                assert_never(node)

    def _let(self, node: ir.Let) -> Action:
        slot = node.variable.slot
        value = self.expression(node.value)
        variable = node.variable
        if not node.invariant:

            def assign(frame: Frame) -> bool:
                frame[slot] = value(frame)
                return False

            return assign

        def once(frame: Frame) -> bool:
            known = frame[0].invariants
            if variable not in known:
                known[variable] = value(frame)
            frame[slot] = known[variable]
            return False

        return once

    def _if(self, condition: Closure, then: Action, otherwise: Action) -> Action:
        return lambda frame: then(frame) if condition(frame) else otherwise(frame)

    def _for(self, each: ir.Each, body: Sequence[ir.Statement]) -> Action:
        rounds = self._rounds((each,))
        action = self.block(body)

        def run(frame: Frame) -> bool:
            rounds(frame, action)
            return False

        return run

    def _yield(self, node: ir.Yield) -> Action:
        message = self.expression(node.message)
        fix = self.expression(node.fix) if node.fix is not None else None
        old = node.place.root is ir.Root.OLD
        steps = tuple(s.slot if isinstance(s, ir.Variable) else s for s in node.place.steps)

        def run(frame: Frame) -> bool:
            place = tuple(frame[s] if isinstance(s, int) else s for s in steps)
            value = fix(frame) if fix is not None else None
            frame[0].hits.add(Hit(message(frame), place, old, value))
            return False

        return run

    # Loops

    def _rounds(self, loops: Sequence[ir.Each]) -> Callable[[Frame, Action], bool]:
        """Calls an action for each round, until it gives true; gives whether it did."""
        loop, rest = loops[0], loops[1:]
        pairs = self._pairs(loop)
        key = loop.key.slot if loop.key is not None else 0
        item = loop.item.slot if loop.item is not None else 0
        row = [(n, v.slot) for n, v in enumerate(loop.row) if v is not None]
        conditions = tuple(self.expression(c) for c in loop.conditions)
        inner = self._rounds(rest) if rest else None

        def run(frame: Frame, action: Action) -> bool:
            state = frame[0]
            for name, value in pairs(frame):
                state.left -= 1
                if state.left < 0:
                    raise BudgetError
                if key:
                    frame[key] = name
                if item:
                    frame[item] = value
                for number, slot in row:
                    frame[slot] = value[number]
                for condition in conditions:
                    if not condition(frame):
                        break
                else:
                    found = action(frame) if inner is None else inner(frame, action)
                    if found is STOP:
                        return True
            return False

        return run

    def _pairs(self, loop: ir.Each) -> Pairs:
        source = loop.source
        if isinstance(source, ir.Read):
            raw = self._raw(source)
            match source.kind:
                case ListOf(item):
                    return listed(raw, reader(item))
                case MapOf(item):
                    return tabled(raw, reader(item))
                case _:
                    pass
        value = self.expression(source)
        if loop.form == "table":
            return lambda frame: [(k, v) for k, v in sorted(value(frame).items())]
        return lambda frame: enumerate(value(frame))

    def _raw(self, node: ir.Read) -> Closure:
        if isinstance(node.base, ir.Name):
            return below_slot(node.base.variable.slot, node.path)
        return below(self.expression(node.base), node.path)

    # Expressions

    def expression(self, node: ir.Expression) -> Closure:  # noqa: C901, PLR0911, PLR0912 - one case each
        match node:
            case ir.Constant(value):
                return lambda _: value
            case ir.Name(variable):
                slot = variable.slot
                return lambda frame: frame[slot]
            case ir.Subject(root):
                return new_subject if root is ir.Root.NEW else old_subject
            case ir.Operation():
                return lambda frame: frame[0].op
            case ir.Read():
                return self._read(node)
            case ir.Collection(group, kind):
                return lambda frame: frame[0].world.objects(group, kind)
            case ir.Ask(fact, arguments):
                return self._ask(fact, [self.expression(a) for a in arguments])
            case ir.Call(operation, arguments):
                return called(NATIVE[operation], [self.expression(a) for a in arguments])
            case ir.Search(pattern, mode, text):
                return composed(automaton(pattern, mode).matches, self.expression(text))
            case ir.Apply(helper, arguments):
                return self._apply(helper, [self.expression(a) for a in arguments])
            case ir.Both(parts):
                return both([self.expression(p) for p in parts])
            case ir.Either(parts):
                return either([self.expression(p) for p in parts])
            case ir.Negation(part):
                value = self.expression(part)
                return lambda frame: not value(frame)
            case ir.IsTrue(part):
                return self._is_true(part)
            case ir.IsNone(part):
                inner = self.expression(part)
                return lambda frame: inner(frame) is None
            case ir.Compare():
                return self._compare(node)
            case ir.Fallback(first, second):
                return self._fallback(first, second)
            case ir.Choice(condition, then, otherwise):
                return self._choice(condition, then, otherwise)
            case ir.Format(parts):
                return self._format(parts)
            case ir.Build(form, items):
                return built(form, [self.expression(i) for i in items])
            case ir.Comprehension():
                return self._comprehension(node)
            case ir.Exists(loops, element):
                return self._exists(loops, self.expression(element))
            case _:
                assert_never(node)

    def _read(self, node: ir.Read) -> Closure:
        return read_as(self._raw(node), reader(node.kind), default_of(node.kind))

    def _ask(self, fact: str, arguments: Sequence[Closure]) -> Closure:
        return lambda frame: frame[0].world.ask(fact, [a(frame) for a in arguments])

    def _apply(self, helper: ir.Helper, arguments: Sequence[Closure]) -> Closure:
        body = self._helper(helper)
        pairs = list(zip([p.slot for p in helper.parameters], arguments, strict=True))
        slots = helper.slots

        def run(frame: Frame) -> Any:
            state = frame[0]
            state.left -= 1
            if state.left < 0:
                raise BudgetError
            inner: Frame = [None] * slots
            inner[0] = state
            for slot, argument in pairs:
                inner[slot] = argument(frame)
            return body(inner)

        return run

    def _helper(self, helper: ir.Helper) -> Closure:
        if helper not in self.helpers:
            self.helpers[helper] = self._returning(helper.body)
        return self.helpers[helper]

    def _returning(self, statements: Sequence[ir.Statement]) -> Closure:
        """The value of the first `return` that is reached."""
        parts = [self._return(s) for s in statements]

        def run(frame: Frame) -> Any:
            found: Any = STOP
            for part in parts:
                found = part(frame)
                if found is not STOP:
                    break
            return found

        return run

    def _return(self, node: ir.Statement) -> Closure:
        match node:
            case ir.Return(value):
                return self.expression(value)
            case ir.If(condition, then, otherwise):
                test = self.expression(condition)
                yes, no = self._returning(then), self._returning(otherwise)
                return lambda frame: yes(frame) if test(frame) else no(frame)
            case _:
                action = self.statement(node)
                return lambda frame: (action(frame), STOP)[1]

    def _is_true(self, part: ir.Expression) -> Closure:
        value = self.expression(part)
        if isinstance(part.type, Message):
            return lambda frame: isinstance(value(frame), dict)
        return lambda frame: bool(value(frame))

    def _compare(self, node: ir.Compare) -> Closure:
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(node.left.type, Items) and node.operator in ("==", "!="):
            # A list that was written in the rule is a tuple.
            left, right = composed(list, left), composed(list, right)
        return COMPARE[node.operator](left, right)

    def _fallback(self, first: ir.Expression, second: ir.Expression) -> Closure:
        one, two = self.expression(first), self.expression(second)
        if isinstance(first.type, Message):
            # An object without fields is there.
            return lambda frame: found if isinstance(found := one(frame), dict) else two(frame)
        return lambda frame: one(frame) or two(frame)

    def _choice(
        self, condition: ir.Expression, then: ir.Expression, otherwise: ir.Expression
    ) -> Closure:
        test, yes, no = map(self.expression, (condition, then, otherwise))
        return lambda frame: yes(frame) if test(frame) else no(frame)

    def _format(self, parts: Sequence[str | ir.Expression]) -> Closure:
        closures = [constant(p) if isinstance(p, str) else self.expression(p) for p in parts]
        return lambda frame: text_within("".join([str(c(frame)) for c in closures]))

    def _comprehension(self, node: ir.Comprehension) -> Closure:
        rounds = self._rounds(node.loops)
        element = self.expression(node.element)
        key = self.expression(node.key) if node.key is not None else None

        def run(frame: Frame) -> Any:
            found: list[Any] = []

            def keep(inner: Frame) -> bool:
                found.append(element(inner) if key is None else (key(inner), element(inner)))
                return False

            rounds(frame, keep)
            return COLLECT[node.form](found)

        return run

    def _exists(self, loops: Sequence[ir.Each], element: Closure) -> Closure:
        rounds = self._rounds(loops)
        return lambda frame: rounds(frame, lambda inner: STOP if element(inner) else False)
