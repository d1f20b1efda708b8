"""Goes through expressions and statements, in the order in which they stand."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from meshplan.policy import ir


def parts(node: ir.Expression) -> tuple[ir.Expression, ...]:  # noqa: PLR0911 - one case each
    """The expressions right within an expression."""
    match node:
        case ir.Constant() | ir.Name() | ir.Subject() | ir.Operation() | ir.Collection():
            return ()
        case ir.Read(base):
            return (base,)
        case ir.Ask(_, arguments) | ir.Call(_, arguments) | ir.Apply(_, arguments):
            return arguments
        case ir.Search(text=text):
            return (text,)
        case ir.Both(inner) | ir.Either(inner) | ir.Build(items=inner):
            return inner
        case ir.Negation(part) | ir.IsTrue(part) | ir.IsNone(part):
            return (part,)
        case ir.Compare(_, left, right) | ir.Fallback(left, right):
            return (left, right)
        case ir.Choice(condition, then, otherwise):
            return (condition, then, otherwise)
        case ir.Format(texts):
            return tuple(part for part in texts if not isinstance(part, str))
        case ir.Comprehension(_, loops, element, _, key):
            return (*_of_loops(loops), *([key] if key is not None else []), element)
        case ir.Exists(loops, element):
            return (*_of_loops(loops), element)
        case _:
            assert_never(node)


def _of_loops(loops: Iterable[ir.Each]) -> Iterator[ir.Expression]:
    for loop in loops:
        yield loop.source
        yield from loop.conditions


def expressions(node: ir.Expression) -> Iterator[ir.Expression]:
    """An expression and all that are within it."""
    yield node
    for part in parts(node):
        yield from expressions(part)


def roots(statements: Iterable[ir.Statement]) -> Iterator[ir.Expression]:
    """The expressions of statements, and of those within them."""
    for statement in statements:
        match statement:
            case ir.Let(value=value) | ir.Return(value):
                yield value
            case ir.If(condition, then, otherwise):
                yield condition
                yield from roots(then)
                yield from roots(otherwise)
            case ir.For(each, body):
                yield from _of_loops([each])
                yield from roots(body)
            case ir.Yield(message, _, fix):
                yield message
                if fix is not None:
                    yield fix
            case ir.Leave():
                pass
            case _:
                assert_never(statement)


def loops(statements: Iterable[ir.Statement]) -> Iterator[ir.Each]:
    """All loops of statements and of their expressions, without those of helpers."""
    for statement in statements:
        match statement:
            case ir.For(each, body):
                yield each
                yield from loops(body)
            case ir.If(_, then, otherwise):
                yield from loops(then)
                yield from loops(otherwise)
            case _:
                pass
    for node in within(statements):
        if isinstance(node, ir.Comprehension | ir.Exists):
            yield from node.loops


def within(statements: Iterable[ir.Statement]) -> Iterator[ir.Expression]:
    """All expressions of statements."""
    for root in roots(statements):
        yield from expressions(root)


def lets(statements: Iterable[ir.Statement]) -> Iterator[ir.Let]:
    """All assignments of statements."""
    for statement in statements:
        match statement:
            case ir.Let():
                yield statement
            case ir.If(_, then, otherwise):
                yield from lets(then)
                yield from lets(otherwise)
            case ir.For(_, body):
                yield from lets(body)
            case _:
                pass


def bound(loops: Iterable[ir.Each]) -> Iterator[ir.Variable]:
    """The variables that loops give values to."""
    for loop in loops:
        yield from (v for v in (loop.key, loop.item, *loop.row) if v is not None)


def free(node: ir.Expression) -> Iterator[ir.Variable]:
    """The variables that an expression takes from around it, in order, perhaps several times."""
    match node:
        case ir.Name(variable):
            yield variable
        case ir.Comprehension(loops=loops) | ir.Exists(loops=loops):
            inner = set(bound(loops))
            yield from (v for part in parts(node) for v in free(part) if v not in inner)
        case _:
            for part in parts(node):
                yield from free(part)


def steps(places: Iterable[ir.Place]) -> Iterator[ir.Variable]:
    """The variables in places."""
    return (step for place in places for step in place.steps if isinstance(step, ir.Variable))


def places(statements: Iterable[ir.Statement]) -> Iterator[ir.Place]:
    """The places of the findings of statements."""
    for statement in statements:
        match statement:
            case ir.Yield(_, place):
                yield place
            case ir.If(_, then, otherwise):
                yield from places(then)
                yield from places(otherwise)
            case ir.For(_, body):
                yield from places(body)
            case _:
                pass


def everything(statements: Iterable[ir.Statement]) -> Iterator[ir.Expression]:
    """All expressions of statements, and those of the helpers that they call."""
    waiting = [tuple(statements)]
    seen: set[ir.Helper] = set()
    while waiting:
        for node in within(waiting.pop()):
            yield node
            if isinstance(node, ir.Apply) and node.helper not in seen:
                seen.add(node.helper)
                waiting.append(node.helper.body)
