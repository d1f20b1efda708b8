"""Types loops and comprehensions: what goes round, under which names, and where it was read."""

import ast
from typing import TYPE_CHECKING

from meshplan.policy import ir
from meshplan.policy.scope import Scope, place_of, unknown
from meshplan.policy.types import (
    TEXT,
    UNKNOWN,
    WHOLE,
    Basic,
    Items,
    Row,
    Set,
    Table,
    Type,
    describe,
    is_scalar,
)

if TYPE_CHECKING:
    from meshplan.policy.expressions import Expressions

#: Loops within loops.
MAX_LOOPS = 5


def sources(of: "Expressions", node: ast.expr) -> list[ir.Expression]:
    """What a statement loops over: each part of `a + b` on its own, so that items keep a place."""
    found = of.value(_inside(node))
    return _operands(found) if _is_placed(found) else [found]


def _inside(node: ast.expr) -> ast.expr:
    """The list behind `enumerate(…)`."""
    match node:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]):
            return inner
        case _:
            return node


def _is_placed(found: ir.Expression) -> bool:
    return (
        isinstance(found, ir.Call)
        and found.operation == "chain"
        and any(place_of(part) is not None for part in _operands(found))
    )


def _operands(found: ir.Expression) -> list[ir.Expression]:
    if isinstance(found, ir.Call) and found.operation == "chain":
        return [part for argument in found.arguments for part in _operands(argument)]
    return [found]


def each(
    of: "Expressions", target: ast.expr, node: ast.expr, source: ir.Expression
) -> tuple[ir.Each, ir.Place | None]:
    """One loop: binds the names of its target, and tells the place of what goes round."""
    scope = of.scope
    numbered = _inside(node) is not node
    views = isinstance(source, ir.Call) and source.operation in ("items", "keys", "values")
    if isinstance(source, ir.Call) and views and not numbered:
        return _table(of, target, source.arguments[0], source.operation)
    match source.type:
        case Table():
            return _table(of, target, source, "keys")
        case Items(item, ordered):
            if numbered and not ordered:
                text = "the objects of a mesh have no order, so they have no numbers"
                scope.error("E186", node, text)
            return _list(of, target, source, item, numbered=numbered)
        case Set(item) if not numbered:
            variable, row = _bind(scope, target, item, None)
            return ir.Each(source, "set", None, variable, row), None
        case Basic.UNKNOWN:
            _bind_unknown(scope, target)
            return ir.Each(source, "set"), None
        case Basic.TEXT:
            scope.error("E131", node, "a text is not looped over", "use split(...), or re.search")
        case _:
            text = f"{describe(source.type)} is not looped over"
            help_ = "a set has no order: sorted(...)" if isinstance(source.type, Set) else ""
            scope.error("E131", node, text, help_)
    _bind_unknown(scope, target)
    return ir.Each(unknown(), "set"), None


def _list(
    of: "Expressions", target: ast.expr, source: ir.Expression, item: Type, *, numbered: bool
) -> tuple[ir.Each, ir.Place | None]:
    scope = of.scope
    place = place_of(source)
    name = "i"
    rest = target
    if numbered:
        if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
            scope.error(
                "E132", target, "enumerate() gives two values", "for i, x in enumerate(xs):"
            )
            _bind_unknown(scope, target)
            return ir.Each(source, "list"), None
        first, rest = target.elts
        name = first.id if isinstance(first, ast.Name) else "i"
    key = scope.variable(name, WHOLE) if numbered or place is not None else None
    inner = place.below(key) if place is not None and key is not None else None
    if numbered and key is not None and isinstance(target, ast.Tuple):
        _bind_name(scope, target.elts[0], key)
    variable, row = _bind(scope, rest, item, inner)
    return ir.Each(source, "list", key, variable, row), inner


def _table(
    of: "Expressions", target: ast.expr, source: ir.Expression, part: str
) -> tuple[ir.Each, ir.Place | None]:
    scope = of.scope
    place = place_of(source)
    value = source.type.value if isinstance(source.type, Table) else UNKNOWN
    key_node = value_node = None
    if part == "items":
        if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
            scope.error("E132", target, "items() gives two values", "for key, value in m.items():")
            _bind_unknown(scope, target)
            return ir.Each(source, "table"), None
        key_node, value_node = target.elts
    elif part == "keys":
        key_node = target
    else:
        value_node = target
    key_name = key_node.id if isinstance(key_node, ast.Name) else "key"
    key = scope.variable(key_name, TEXT, keys_of=place)
    inner = place.below(key) if place is not None else None
    item = None
    if value_node is not None:
        item, _ = _bind(scope, value_node, value, inner)
    if key_node is not None:
        _bind_name(scope, key_node, key)
    return ir.Each(source, "table", key, item), inner


def _bind(
    scope: Scope, target: ast.expr, item: Type, place: ir.Place | None
) -> tuple[ir.Variable | None, tuple[ir.Variable | None, ...]]:
    """The variables of a target: one for the item, or one for each part of a row."""
    if isinstance(target, ast.Name):
        variable = scope.variable(target.id, item, place)
        _bind_name(scope, target, variable)
        return variable, ()
    if isinstance(target, ast.Tuple) and isinstance(item, Row):
        if len(target.elts) == len(item.items):
            row = []
            for part, type_ in zip(target.elts, item.items, strict=True):
                found = scope.variable(part.id if isinstance(part, ast.Name) else "x", type_)
                _bind_name(scope, part, found)
                used = not (isinstance(part, ast.Name) and part.id == "_")
                row.append(found if used else None)
            return None, tuple(row)
        count = len(item.items)
        scope.error("E132", target, f"there are {count} values here, and {len(target.elts)} names")
    else:
        scope.error("E132", target, f"{describe(item)} is not taken apart", "give it one name")
    _bind_unknown(scope, target)
    return None, ()


def _bind_name(scope: Scope, target: ast.expr, variable: ir.Variable) -> None:
    if not isinstance(target, ast.Name):
        scope.error("E132", target, "a loop gives names to values", "for x in xs:")
    elif target.id != "_":
        scope.bind(target, variable)


def _bind_unknown(scope: Scope, target: ast.expr) -> None:
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            scope.names[node.id] = scope.variable(node.id, UNKNOWN)


# Comprehensions


def comprehension(
    of: "Expressions", node: ast.ListComp | ast.SetComp | ast.DictComp
) -> ir.Expression:
    """A list, set or dict comprehension."""
    if isinstance(node, ast.DictComp):
        return _dict(of, node)
    with of.scope.inner():
        loops, ordered = _generators(of, node)
        element = of.value(node.elt)
    if isinstance(node, ast.ListComp):
        return ir.Comprehension("list", loops, element, Items(element.type, ordered))
    if not is_scalar(element.type):
        text = f"a set does not hold {describe(element.type)}"
        return of.wrong("E134", node.elt, text, "take a field of each")
    return ir.Comprehension("set", loops, element, Set(element.type))


def generated(of: "Expressions", node: ast.GeneratorExp) -> ir.Expression:
    """A generator as the list of what it gives."""
    with of.scope.inner():
        loops, ordered = _generators(of, node)
        element = of.value(node.elt)
    return ir.Comprehension("list", loops, element, Items(element.type, ordered))


def exists(of: "Expressions", node: ast.GeneratorExp, *, every: bool) -> ir.Expression:
    """`any(…)`, or `all(…)`: none for which it is not so."""
    with of.scope.inner():
        loops, _ = _generators(of, node)
        element = of.truth(node.elt).expression
    if every:
        return ir.Negation(ir.Exists(loops, ir.Negation(element)))
    return ir.Exists(loops, element)


def _dict(of: "Expressions", node: ast.DictComp) -> ir.Expression:
    with of.scope.inner():
        loops, _ = _generators(of, node)
        key = of.value(node.key)
        element = of.value(node.value)
    kept = (
        len(loops) == 1
        and loops[0].form == "table"
        and isinstance(key, ir.Name)
        and key.variable is loops[0].key
    )
    if not kept:
        text = "two values for one key: engines differ about it"
        return of.wrong(
            "E208", node, text, "keep the keys: {k: ... for k, v in m.items()}; or a set of tuples"
        )
    return ir.Comprehension("table", loops, element, Table(element.type), key)


def _generators(
    of: "Expressions", node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
) -> tuple[tuple[ir.Each, ...], bool]:
    scope = of.scope
    scope.shadowing = True
    found = []
    ordered = True
    for generator in node.generators:
        if generator.is_async:
            scope.error("E110", node, "rules do not wait: there is no `async`", "write `for`")
        source = of.value(_inside(generator.iter))
        loop, _ = enter(of, generator.target, generator.iter, source)
        if isinstance(source.type, Set) or (
            isinstance(source.type, Items) and not source.type.ordered
        ):
            ordered = False
        conditions = []
        for test in generator.ifs:
            truth = of.truth(test)
            conditions.append(truth.expression)
            scope.known |= truth.if_true
        found.append(
            ir.Each(loop.source, loop.form, loop.key, loop.item, loop.row, tuple(conditions))
        )
    return tuple(found), ordered


def enter(
    of: "Expressions", target: ast.expr, node: ast.expr, source: ir.Expression
) -> tuple[ir.Each, ir.Place | None]:
    """A loop within those around it; `scope.loops` counts them until the caller is done."""
    of.scope.loops += 1
    if of.scope.loops > MAX_LOOPS:
        text = f"loops are nested more than {MAX_LOOPS} levels deep"
        of.scope.error("E150", node, text, "give a part of it a name")
    return each(of, target, node, source)
