"""Reads the heads of functions: decorators, parameters, and the types that they are given."""

import ast
from typing import Literal

from meshplan.dataclass import dataclass
from meshplan.policy import ir
from meshplan.policy.literals import literal
from meshplan.policy.scope import Globals, did_you_mean
from meshplan.policy.types import (
    NUMBER,
    TEXT,
    TRUTH,
    UNKNOWN,
    WHOLE,
    Basic,
    Items,
    Maybe,
    Message,
    Row,
    Set,
    Table,
    Transition,
    Type,
    is_scalar,
)

LEVELS = ("deny", "warn", "info")
SEVERITIES = ("critical", "high", "medium", "low")
#: What a rule is worth if it does not say so.
_USUAL = {"deny": "high", "warn": "medium", "info": "low"}
_PLAIN = {"str": TEXT, "int": WHOLE, "float": NUMBER, "bool": TRUTH}


@dataclass(frozen=True, slots=True)
class Head:
    """What the decorator of a rule says."""

    id: str
    level: str
    severity: str
    refs: tuple[str, ...]
    holds: Literal["finally", "always"]


def head(globals_: Globals, node: ast.FunctionDef) -> Head | None:
    """The decorator of a rule; None where there is none, or a wrong one."""
    report = globals_.diagnostics.report
    span = globals_.source.span
    for extra in node.decorator_list[1:]:
        report("E120", span(extra), "a rule has one decorator", "leave this one out")
    decorator = node.decorator_list[0]
    match decorator:
        case ast.Call(func=ast.Name(id=level)) if level in LEVELS and level in globals_.words:
            return _head(globals_, decorator, level)
        case ast.Name(id=level) | ast.Call(func=ast.Name(id=level)) if level in LEVELS:
            imported = level in globals_.words
            help_ = f'@{level}("ABC-001")' if imported else f"from meshplan.policy import {level}"
            report("E120", span(decorator), f"`@{level}` needs an id, and to be imported", help_)
        case _:
            text = "this decorator is not part of the rule language: rules are never run"
            report("E120", span(decorator), text, '@deny("ABC-001"), @warn(...) or @info(...)')
    return None


def _head(globals_: Globals, call: ast.Call, level: str) -> Head | None:
    report = globals_.diagnostics.report
    span = globals_.source.span
    id_ = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if not isinstance(id_, str) or not _is_id(id_) or len(call.args) != 1:
        text = "the first argument of the decorator is the id of the rule, a literal"
        report("E122", span(call), text, f'@{level}("ABC-001")')
        return None
    given: dict[str, object] = {}
    for keyword in call.keywords:
        if keyword.arg not in ("severity", "refs", "holds"):
            help_ = did_you_mean(str(keyword.arg), ("severity", "refs", "holds"))
            report("E123", span(keyword), f"a rule has no `{keyword.arg}`", help_)
            continue
        found = literal(globals_, keyword.value, "E121")
        if found is not None:
            given[keyword.arg] = found.value
            if not _is_known(keyword.arg, found.value):
                wanted = {"severity": " | ".join(SEVERITIES), "holds": "finally | always"}
                help_ = wanted.get(keyword.arg, 'refs=("IST0101",)')
                report("E123", span(keyword.value), f"this is no `{keyword.arg}`", help_)
                given.pop(keyword.arg)
    refs = given.get("refs", ())
    return Head(
        id_,
        level,
        str(given.get("severity", _USUAL[level])),
        tuple(map(str, refs)) if isinstance(refs, tuple) else (),
        "always" if given.get("holds") == "always" else "finally",
    )


def _is_id(text: str) -> bool:
    ascii_ = text.isascii() and 0 < len(text) <= 64 and text[0].isalpha()
    return ascii_ and all(char.isalnum() or char in "-_." for char in text)


def _is_known(name: str, value: object) -> bool:
    if name == "severity":
        return value in SEVERITIES
    if name == "holds":
        return value in ("finally", "always")
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def annotated(globals_: Globals, node: ast.expr | None, owner: ast.AST) -> Type:
    """The type that an annotation means; UNKNOWN, with the reason reported, for others."""
    report = globals_.diagnostics.report
    if node is None:
        help_ = "name: str, svc: Service, ..."
        report("E141", globals_.source.span(owner), "a parameter needs a type", help_)
        return UNKNOWN
    found = _annotated(globals_, node)
    if found is None:
        text = "this is not a type of the rule language"
        known = [*_PLAIN, *globals_.types, "Mesh", "Change"]
        name = node.id if isinstance(node, ast.Name) else ""
        help_ = "str, int, bool, list[...], set[...], dict[str, ...], and imported kinds"
        report("E140", globals_.source.span(node), text, did_you_mean(name, known, help_))
        return UNKNOWN
    return found


def _annotated(globals_: Globals, node: ast.expr) -> Type | None:
    match node:
        case ast.Name(id="Mesh") if "Mesh" in globals_.words:
            return Basic.MESH
        case ast.Name(id="Resource") if "Resource" in globals_.words:
            return Message(())
        case ast.Name(id=name):
            return globals_.types.get(name) or _PLAIN.get(name)
        case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
            inner = _annotated(globals_, left)
            return Maybe(inner) if isinstance(inner, Basic) and is_scalar(inner) else None
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            one, two = _annotated(globals_, left), _annotated(globals_, right)
            if isinstance(one, Message) and isinstance(two, Message) and one.types and two.types:
                return Message(tuple(dict.fromkeys([*one.types, *two.types])))
            return None
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return _generic(globals_, name, inner)
        case _:
            return None


def _generic(globals_: Globals, name: str, node: ast.expr) -> Type | None:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = [_annotated(globals_, part) for part in parts]
    types = [part for part in found if part is not None]
    if len(types) != len(found):
        return None
    match name, types:
        case "Change", [Message() as kind] if "Change" in globals_.words and kind.types:
            return Transition(kind)
        case "list", [item]:
            return Items(item)
        case "set" | "frozenset", [item] if is_scalar(item):
            return Set(item)
        case "dict", [Basic.TEXT, value]:
            return Table(value)
        case "tuple", [*items] if all(map(is_scalar, items)):
            return Row(tuple(items))
        case _:
            return None


def parameters(globals_: Globals, node: ast.FunctionDef) -> None:
    """Refuse what no function of the language has."""
    report = globals_.diagnostics.report
    span = globals_.source.span
    arguments = node.args
    for star in (arguments.vararg, arguments.kwarg):
        if star is not None:
            report("E125", span(star), "`*` takes whatever comes: name each parameter")
    if getattr(node, "type_params", None):
        report("E140", span(node), "functions have no type parameters")
    for argument in arguments.posonlyargs:
        report("E125", span(argument), "there are no positional-only parameters", "leave / out")


def is_findings(globals_: Globals, node: ast.expr | None) -> bool:
    """Whether a return annotation says what rules give."""
    return isinstance(node, ast.Name) and node.id == "Findings" and "Findings" in globals_.words


def default_of(
    globals_: Globals, argument: ast.arg, default: ast.expr | None, type_: Type
) -> ir.Value | None:
    """The default of a parameter of a rule: a literal of its type."""
    report = globals_.diagnostics.report
    if default is None:
        text = f"rule parameter `{argument.arg}` needs a default"
        report("E125", globals_.source.span(argument), text, f"`{argument.arg}: int = ...`")
        return None
    found = literal(globals_, default, "E125")
    if found is None:
        return None
    if not _holds(found.value, type_):
        text = f"the default of `{argument.arg}` is not of its type"
        report("E125", globals_.source.span(default), text)
        return None
    return found.value


def _holds(value: ir.Value, type_: Type) -> bool:
    match type_:
        case Basic.TEXT:
            return isinstance(value, str)
        case Basic.TRUTH:
            return isinstance(value, bool)
        case Basic.WHOLE:
            return isinstance(value, int) and not isinstance(value, bool)
        case Items(item):
            return isinstance(value, tuple) and all(_holds(v, item) for v in value)
        case Table(item):
            return isinstance(value, dict) and all(_holds(v, item) for v in value.values())
        case _:
            return type_ is UNKNOWN
