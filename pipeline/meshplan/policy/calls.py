"""Types calls: the functions of the language, the methods of values, helpers, and the mesh."""

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from meshplan.policy import ir, loops, methods
from meshplan.policy.arguments import arguments, sequence
from meshplan.policy.facts.declared import BY_NAME
from meshplan.policy.regex import PatternError, parse
from meshplan.policy.scope import did_you_mean, unknown
from meshplan.policy.types import (
    IMAGE,
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    WHOLE,
    Basic,
    Items,
    Message,
    Set,
    Table,
    Type,
    describe,
    is_scalar,
    joined,
    present,
    type_of,
)

if TYPE_CHECKING:
    from meshplan.policy.expressions import Expressions

#: Words that have to be imported from `meshplan.policy`.
IMPORTED = {"fqdn", "host_matches", "image_ref", "at"}


def call(of: "Expressions", node: ast.Call) -> ir.Expression:
    """A call of anything."""
    match node.func:
        case ast.Name(id=name):
            return _function(of, node, name)
        case ast.Attribute(value=ast.Name(id="re"), attr=name) if of.scope.globals.has_re and (
            "re" not in of.scope.names
        ):
            return _search(of, node, name)
        case ast.Attribute():
            return _method(of, node, node.func)
        case _:
            return of.wrong("E163", node, "only functions with a name are called", "")


def _function(of: "Expressions", node: ast.Call, name: str) -> ir.Expression:
    if name in of.scope.names:
        return of.wrong("E163", node, f"`{name}` is a value, not a function")
    globals_ = of.scope.globals
    if name in globals_.helpers:
        return _apply(of, node, globals_.helpers[name])
    if name in globals_.pending:
        return of.wrong(
            "E151",
            node,
            f"`{name}` calls itself, or is defined further down; recursion is not part of the rule language",
            "iterate over a finite collection; define helpers above what calls them",
        )
    function = _FUNCTIONS.get(name)
    if function is None:
        known = [*_FUNCTIONS, *globals_.helpers]
        return of.wrong(
            "E163",
            node,
            f"`{name}()` is not a function of the rule language: rules do no input or output and run no code",
            did_you_mean(name, known, f"known: {', '.join(sorted(known))}"),
        )
    if name in IMPORTED and name not in globals_.words:
        return of.wrong(
            "E163", node, f"`{name}` is not imported", f"from meshplan.policy import {name}"
        )
    return function(of, node)


def _apply(of: "Expressions", node: ast.Call, helper: ir.Helper) -> ir.Expression:
    given = [a for a in node.args if not _is_mesh(of, a)]
    if node.keywords or len(given) != len(helper.parameters):
        count = len(helper.parameters)
        return of.wrong("E182", node, f"`{helper.name}` takes {count} arguments, by position")
    values = []
    for argument, parameter in zip(given, helper.parameters, strict=True):
        value = of.value(argument)
        if not fits(value.type, parameter.type):
            text = f"`{parameter.name}` of `{helper.name}` is {describe(parameter.type)}, and this is {describe(value.type)}"
            return of.wrong("E183", argument, text)
        values.append(value)
    return ir.Apply(helper, tuple(values), helper.type)


def _is_mesh(of: "Expressions", node: ast.expr) -> bool:
    found = of.scope.names.get(node.id) if isinstance(node, ast.Name) else None
    return found is not None and found.type is Basic.MESH


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one type may stand where another is wanted."""
    if UNKNOWN in (given, wanted) or given == wanted:
        return True
    match given, wanted:
        case (Message(types), Message(others)):
            return not others or (bool(types) and set(types) <= set(others))
        case (Items(item, ordered), Items(other, needs)):
            return fits(item, other) and (ordered or not needs)
        case (Set(item), Set(other)) | (Table(item), Table(other)):
            return fits(item, other)
        case _:
            return joined(given, wanted) == wanted


def _search(of: "Expressions", node: ast.Call, name: str) -> ir.Expression:
    if name not in ("search", "match", "fullmatch"):
        return of.wrong(
            "E163",
            node,
            f"`re.{name}` is not part of the rule language",
            "search, match or fullmatch",
        )
    if not arguments(of, node, 2, 2):
        return unknown()
    pattern = node.args[0]
    value = of.value(pattern)
    if not isinstance(value, ir.Constant) or not isinstance(value.value, str):
        if value.type is UNKNOWN:
            return unknown()
        return of.wrong(
            "E170", pattern, "a pattern is a literal, so that it is checked before it runs"
        )
    text = of.of_type(node.args[1], TEXT, f"re.{name}")
    try:
        parse(value.value)
    except PatternError as error:
        return of.wrong(error.code, pattern, error.message, error.help)
    match name:
        case "search":
            return ir.Search(value.value, "search", text)
        case "match":
            return ir.Search(value.value, "match", text)
        case _:
            return ir.Search(value.value, "fullmatch", text)


def _method(of: "Expressions", node: ast.Call, func: ast.Attribute) -> ir.Expression:
    base = of.value(func.value)
    if base.type is Basic.MESH:
        return _ask(of, node, func)
    if base.type is UNKNOWN:
        for argument in node.args:
            of.value(argument)
        return unknown()
    if isinstance(base.type, Message):
        return methods.loose(of, node, func, base)
    return methods.method(of, node, func)


def _ask(of: "Expressions", node: ast.Call, func: ast.Attribute) -> ir.Expression:
    fact = BY_NAME.get(func.attr)
    if fact is None:
        help_ = did_you_mean(func.attr, BY_NAME, f"known: {', '.join(sorted(BY_NAME))}")
        return of.wrong("E164", node, f"Mesh has no method `{func.attr}`", help_)
    names = [parameter.name for parameter in fact.parameters]
    given = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg in names and keyword.arg not in given:
            given[str(keyword.arg)] = keyword.value
        else:
            return of.wrong(
                "E182", node, f"`mesh.{fact.name}` has no such argument", ", ".join(names)
            )
    if len(given) != len(names) or len(node.args) > len(names):
        wanted = ", ".join(names) or "no arguments"
        return of.wrong("E182", node, f"`mesh.{fact.name}` takes {wanted}")
    values = tuple(
        of.of_type(given[p.name], present(type_of(p.type)), f"`{p.name}`") for p in fact.parameters
    )
    return ir.Ask(fact.name, values, present(type_of(fact.result)))


# Functions


def _bool(of: "Expressions", node: ast.Call) -> ir.Expression:
    if not arguments(of, node, 1, 1):
        return unknown()
    found = of.truth(node.args[0]).expression
    return found if found.type is TRUTH else ir.Negation(ir.Negation(found))


def _exists(of: "Expressions", node: ast.Call, *, every: bool) -> ir.Expression:
    name = "all" if every else "any"
    if not arguments(of, node, 1, 1):
        return unknown()
    generator = node.args[0]
    if not isinstance(generator, ast.GeneratorExp):
        help_ = f"{name}(condition for x in xs)"
        return of.wrong("E180", node, f"{name}() takes a generator", help_)
    return loops.exists(of, generator, every=every)


def _item(found: ir.Expression) -> Type:
    return found.type.item if isinstance(found.type, Items | Set) else UNKNOWN


def _len(of: "Expressions", node: ast.Call) -> ir.Expression:
    if not arguments(of, node, 1, 1):
        return unknown()
    found = of.present(node.args[0], "len()")
    if not isinstance(found.type, Items | Set | Table) and found.type not in (TEXT, UNKNOWN):
        return of.wrong("E181", node, f"{describe(found.type)} has no length")
    return ir.Call("len", (found,), WHOLE)


def _sum(of: "Expressions", node: ast.Call) -> ir.Expression:
    if not arguments(of, node, 1, 1):
        return unknown()
    found = sequence(of, node.args[0], "sum()")
    item = _item(found)
    if item is NUMBER:
        return of.wrong("E205", node, "arithmetic on decimals differs between engines")
    if item not in (WHOLE, UNKNOWN):
        return of.wrong("E181", node, f"sum() takes whole numbers, not {describe(item)}")
    return ir.Call("sum", (found,), WHOLE)


def _extreme(of: "Expressions", node: ast.Call, name: str) -> ir.Expression:
    default = next((k.value for k in node.keywords if k.arg == "default"), None)
    if len(node.args) != 1 or default is None or len(node.keywords) != 1:
        help_ = f"{name}(..., default=0)"
        return of.wrong("E181", node, f"{name}() of nothing fails", help_)
    found = sequence(of, node.args[0], f"{name}()")
    otherwise = of.value(default)
    item = _item(found)
    if item not in (TEXT, WHOLE, UNKNOWN):
        return of.wrong(
            "E181", node, f"{name}() takes texts or whole numbers, not {describe(item)}"
        )
    type_ = joined(item, otherwise.type)
    if type_ is None:
        return of.wrong("E181", node, f"the default of {name}() is of another type")
    return ir.Call(name, (found, otherwise), type_)


def _sorted(of: "Expressions", node: ast.Call) -> ir.Expression:
    if not arguments(of, node, 1, 1):
        return unknown()
    found = sequence(of, node.args[0], "sorted()")
    item = _item(found)
    if item not in (TEXT, WHOLE, UNKNOWN):
        text = f"sorted() takes texts or whole numbers, not {describe(item)}"
        return of.wrong("E181", node, text, "sort one of their fields")
    return ir.Call("sorted", (found,), Items(item))


def _set(of: "Expressions", node: ast.Call) -> ir.Expression:
    if not node.args:
        return ir.Constant(frozenset(), Set(UNKNOWN))
    if not arguments(of, node, 1, 1):
        return unknown()
    found = sequence(of, node.args[0], "set()")
    item = _item(found)
    if not is_scalar(item):
        return of.wrong(
            "E134", node, f"a set does not hold {describe(item)}", "take a field of each"
        )
    return ir.Call("set", (found,), Set(item))


def _texts(
    operation: str, type_: Type, count: int
) -> Callable[["Expressions", ast.Call], ir.Expression]:
    def lower(of: "Expressions", node: ast.Call) -> ir.Expression:
        if not arguments(of, node, count, count):
            return unknown()
        values = tuple(of.of_type(a, TEXT, f"{operation}()") for a in node.args)
        return ir.Call(operation, values, type_)

    return lower


def _at(of: "Expressions", node: ast.Call) -> ir.Expression:
    return of.wrong("E128", node, "at() is what is yielded", "yield at(place, message)")


def _enumerate(of: "Expressions", node: ast.Call) -> ir.Expression:
    return of.wrong("E132", node, "enumerate() is for loops", "for i, x in enumerate(xs):")


_FUNCTIONS: Mapping[str, Callable[["Expressions", ast.Call], ir.Expression]] = {
    "bool": _bool,
    "any": lambda of, node: _exists(of, node, every=False),
    "all": lambda of, node: _exists(of, node, every=True),
    "len": _len,
    "sum": _sum,
    "max": lambda of, node: _extreme(of, node, "max"),
    "min": lambda of, node: _extreme(of, node, "min"),
    "sorted": _sorted,
    "set": _set,
    "frozenset": _set,
    "enumerate": _enumerate,
    "at": _at,
    "fqdn": _texts("fqdn", TEXT, 2),
    "host_matches": _texts("host_matches", TRUTH, 2),
    "image_ref": _texts("image_ref", Message((IMAGE,)), 1),
}
