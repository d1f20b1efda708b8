"""What is worked out once for all subjects, and a warning about what is not."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshplan.policy import ir
from meshplan.policy.errors import Diagnostics
from meshplan.policy.types import Items, Set, Table
from meshplan.policy.walk import everything, expressions, free, loops, places, steps, within


def hoisted(
    body: tuple[ir.Statement, ...], known: Iterable[ir.Variable]
) -> tuple[ir.Statement, ...]:
    """The body without assignments that nothing uses, and with those marked that do not vary.

    Only assignments at the top of the body are worked out once: those in loops seldom can be.
    """
    used = {v for node in within(body) if isinstance(node, ir.Name) for v in [node.variable]}
    used |= set(steps(places(body)))
    invariant = set(known)
    found: list[ir.Statement] = []
    for statement in _used(body, used):
        if isinstance(statement, ir.Let) and _is_invariant(statement.value, invariant):
            invariant.add(statement.variable)
            found.append(replace(statement, invariant=True))
        else:
            found.append(statement)
    return tuple(found)


def _used(body: tuple[ir.Statement, ...], used: set[ir.Variable]) -> Iterator[ir.Statement]:
    for statement in body:
        match statement:
            case ir.Let(variable) if variable not in used:
                continue
            case ir.If(_, then, otherwise):
                inner = tuple(_used(then, used)), tuple(_used(otherwise, used))
                yield replace(statement, then=inner[0], otherwise=inner[1])
            case ir.For(_, inside):
                yield replace(statement, body=tuple(_used(inside, used)))
            case _:
                yield statement


def _is_invariant(value: ir.Expression, known: set[ir.Variable]) -> bool:
    varies = (ir.Subject, ir.Operation)
    return all(v in known for v in free(value)) and not any(
        isinstance(node, varies) for node in expressions(value)
    )


def warn(body: tuple[ir.Statement, ...], diagnostics: Diagnostics) -> None:
    """Warn of loops over the whole mesh that every subject starts anew.

    They are over the objects of a kind, in the rule itself or in a helper, or over something that
    was made of all of them beforehand: what was made is to be looked things up in.
    """
    made: set[ir.Variable] = set()
    for statement in body:
        if isinstance(statement, ir.Let) and statement.invariant:
            grows = any(isinstance(n, ir.Collection) for n in everything([statement]))
            grows = grows or any(v in made for v in free(statement.value))
            if grows and isinstance(statement.value.type, Items | Set | Table):
                made.add(statement.variable)
    for statement in body:
        if isinstance(statement, ir.Let) and statement.invariant:
            continue
        walked = {n.kind for n in everything([statement]) if isinstance(n, ir.Collection)}
        for kind in sorted(walked):
            diagnostics.report(
                "W301",
                statement.span,
                f"this walks all {kind or 'object'}s of the mesh for every object",
                "build a set of what is needed first, in an assignment at the top of the rule",
            )
        for variable in _walked(statement):
            if variable in made:
                name = variable.name
                diagnostics.report(
                    "W301",
                    statement.span,
                    f"this walks `{name}`, which grows with the mesh, for every object",
                    f"ask whether something is in it: `x in {name}`, with what makes the difference "
                    "in `x`",
                )


def _walked(statement: ir.Statement) -> Iterator[ir.Variable]:
    """The variables that a statement goes through, itself or in a helper that it calls."""
    for each in loops([statement]):
        if isinstance(each.source, ir.Name):
            yield each.source.variable
    for node in within([statement]):
        if isinstance(node, ir.Apply):
            inside = {v for part in node.helper.body for v in _walked(part)}
            pairs = zip(node.helper.parameters, node.arguments, strict=True)
            yield from (
                given.variable
                for parameter, given in pairs
                if parameter in inside and isinstance(given, ir.Name)
            )
