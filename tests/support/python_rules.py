"""Rules run by Python itself: the truth about what a rule means.

The language is a part of Python, so Python says what a rule finds in manifests that are read as the
language reads them: null and absent are one, an object that is absent is empty. Only for tests, and
only for rules of this repository: meshplan itself never runs a rule.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.policy.catalog import (
    FieldType,
    Leaf,
    ListOf,
    MapOf,
    Part,
    Scalar,
    catalog,
    python_name,
    read_type,
)
from meshplan.policy.facts.answers import Facts
from meshplan.policy.facts.declared import BY_NAME, RECORDS
from meshplan.resource import Snapshot

_RECORDS = {
    name: {python_name(field): (field, read_type(text)) for field, text in fields.items()}
    for name, fields in RECORDS.items()
}


class WrongTypeError(Exception):
    """A field does not hold what the API gives it."""


class Text(str):
    """A text that knows where it was written."""

    path: tuple[str | int, ...]


class Number(int):
    """A number that knows where it was written."""

    path: tuple[str | int, ...]


class List(list[Any]):
    """A list that knows where it was written."""

    path: tuple[str | int, ...]


class Map(dict[str, Any]):
    """A mapping that knows where it was written."""

    path: tuple[str | int, ...]


class View:
    """An object, read by the fields of its type."""

    def __init__(self, value: Any, type_: str, path: tuple[str | int, ...], strict: bool = True):
        self._value = _typed(value, dict, path, strict)
        self._type = type_
        self.path = path
        #: Of the subject of a rule all types have to be right; in other objects a value of a wrong
        #: type is none.
        self._strict = strict

    def __bool__(self) -> bool:
        return self._value is not None

    def __getattr__(self, name: str) -> Any:
        if self._type.startswith("facts."):
            field, kind = _RECORDS[self._type][name]
        else:
            message = catalog().message(self._type)
            assert message is not None
            field, kind = message.fields[name].json_name, message.fields[name].type
        return read((self._value or {}).get(field), kind, (*self.path, field), self._strict)


def read(value: Any, kind: FieldType, path: tuple[str | int, ...], strict: bool = True) -> Any:
    """A value of a manifest as a rule sees it."""
    match kind:
        case Part(type_):
            return View(value, type_, path, strict)
        case ListOf(item):
            items = _typed(value, list, path, strict) or ()
            inside = ((i, read(v, item, (*path, i), strict)) for i, v in enumerate(items))
            found: Any = List(v for i, v in inside if _is_there(v, items[i]))
        case MapOf(inner):
            table = _typed(value, dict, path, strict) or {}
            keys = sorted(key for key in table if isinstance(key, str))
            values = ((k, read(table[k], inner, (*path, k), strict)) for k in keys)
            found = Map((Text(k), v) for k, v in values if _is_there(v, table[k]))
        case Leaf():
            found = _leaf(value, kind, path, strict)
            if found is None or isinstance(found, bool | float | dict):
                return found
    found.path = path
    return found


def _is_there(read_as: Any, value: Any) -> bool:
    """Whether an item counts: not where it is null, or of a wrong type."""
    return value is not None and read_as is not None and (read_as or not isinstance(read_as, View))


def _leaf(value: Any, kind: Leaf, path: tuple[str | int, ...], strict: bool) -> Any:
    python = _PYTHON.get(kind.scalar)
    found = value if python is None else _typed(value, python, path, strict)
    if kind.scalar is Scalar.INTEGER and found is not None and abs(found) >= 2**53:
        found = _typed(str(found), int, path, strict)
    if found is None:
        found = kind.default
    match found:
        case bool() | None:
            return found
        case str():
            return Text(found)
        case int():
            textual = kind.scalar in (Scalar.QUANTITY, Scalar.INT_OR_TEXT)
            return Text(found) if textual else Number(found)
        case _:
            return found


_PYTHON = {Scalar.TEXT: str, Scalar.INTEGER: int, Scalar.BOOLEAN: bool}


def _typed(value: Any, kind: type, path: tuple[str | int, ...], strict: bool) -> Any:
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if value is None or fits:
        return value
    if strict:
        raise WrongTypeError(path, kind.__name__)
    return None


class MeshView:
    """`mesh`, as rules see it."""

    def __init__(self, model: Mesh):
        self._snapshot = model.snapshot
        self._facts = Facts(model)
        self._known: dict[str, list[View]] = {}

    def __getattr__(self, name: str) -> Any:
        if name in BY_NAME:
            return partial(self._ask, name)
        if name not in self._known:
            kind = catalog().collections[name]
            found = self._snapshot.of_kind(kind.group, kind.name)
            self._known[name] = [View(r.manifest, kind.type, (), strict=False) for r in found]
        return self._known[name]

    def _ask(self, name: str, *arguments: str | int) -> Any:
        plain = [str(a) if isinstance(a, str) else int(a) for a in arguments]
        return read(self._facts.ask(name, *plain), BY_NAME[name].result, ())


class ChangeView:
    """An object before and after."""

    def __init__(self, type_: str, old: Any, new: Any):
        self.old = View(old, type_, ())
        self.new = View(new, type_, ())
        self.op = "CREATE" if old is None else "DELETE" if new is None else "UPDATE"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule has found, and where; `place` is None where the rule leaves it to the compiler."""

    id: ResourceId
    message: str
    place: tuple[str | int, ...] | None


@dataclass(frozen=True, slots=True)
class PythonRule:
    """A rule as a function."""

    id: str
    level: str
    kinds: tuple[str, ...]
    is_change: bool
    function: Callable[..., Iterator[Any]]
    docstring: str

    def run(self, head: Mesh, base: Snapshot | None = None) -> list[Hit]:
        """What the rule finds in a mesh, or in a change of it."""
        return [hit for _, hits in self.each(head, base or Snapshot()) for hit in hits()]

    def each(
        self, head: Mesh, base: Snapshot
    ) -> Iterator[tuple[ResourceId, Callable[[], list[Hit]]]]:
        """Each object that the rule is about, and what it finds in that when asked."""
        view = MeshView(head)
        takes_mesh = "mesh" in inspect.signature(self.function).parameters
        more = [view] if takes_mesh else []
        for id_, subject in self._subjects(head.snapshot, base):
            yield id_, partial(self._hits, id_, subject, more)

    def _hits(self, id_: ResourceId, subject: Any, more: list[MeshView]) -> list[Hit]:
        made = subject() if callable(subject) else subject
        return [_hit(id_, found) for found in self.function(made, *more)]

    def _subjects(self, head: Snapshot, base: Snapshot) -> Iterator[tuple[ResourceId, Any]]:
        for type_ in self.kinds:
            kind = catalog().kinds[type_]
            key = (kind.group, kind.name)
            if not self.is_change:
                for resource in head.of_kind(*key):
                    yield resource.id, partial(View, resource.manifest, type_, ())
                continue
            for id_ in sorted({r.id for r in (*head.of_kind(*key), *base.of_kind(*key))}):
                old, new = (s[id_].manifest if id_ in s else None for s in (base, head))
                if old != new:
                    yield id_, partial(ChangeView, type_, old, new)


def _hit(id_: ResourceId, found: Any) -> Hit:
    if isinstance(found, str):
        return Hit(id_, str(found), None)
    place, message = found
    return Hit(id_, message, getattr(place, "path", None))


@dataclass(frozen=True, slots=True)
class _Kinds:
    names: tuple[str, ...]

    def __or__(self, other: "_Kinds") -> "_Kinds":
        return _Kinds(self.names + other.names)


class _Change:
    def __class_getitem__(cls, kind: _Kinds) -> tuple[str, _Kinds]:
        return "change", kind


def python_rules(path: Path) -> list[PythonRule]:
    """The rules of a file of this repository."""
    tree = ast.parse(path.read_text("utf-8"))
    found: list[PythonRule] = []
    names: dict[str, Any] = {
        "re": re,
        "at": lambda place, message, fix=None: (place, message),
        "fqdn": _fqdn,
        "host_matches": _host_matches,
        "Change": _Change,
        "Findings": None,
        "Mesh": None,
        **{level: partial(_decorator, found, level) for level in ("deny", "warn", "info")},
    }
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("meshplan.policy."):
            module = (node.module or "").rpartition(".")[2]
            names |= {alias.name: _Kinds((f"{module}.{alias.name}",)) for alias in node.names}
    tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom)]
    exec(compile(tree, str(path), "exec"), names)
    return found


def _decorator(found: list[PythonRule], level: str, id_: str, **_: object) -> Callable[..., Any]:
    def decorate(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        subject = next(iter(inspect.signature(function).parameters.values())).annotation
        kinds = subject[1] if isinstance(subject, tuple) else subject
        docstring = function.__doc__ or ""
        rule = PythonRule(id_, level, kinds.names, isinstance(subject, tuple), function, docstring)
        found.append(rule)
        return function

    return decorate


def _fqdn(host: str, namespace: str) -> str:
    return host if "." in host or host.startswith("*") else f"{host}.{namespace}.svc.cluster.local"


def _host_matches(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*") and host.endswith(pattern[1:]))


def all_python_rules(folder: Path) -> Sequence[PythonRule]:
    """The rules of all files of a folder."""
    return [rule for path in sorted(folder.glob("*.py")) for rule in python_rules(path)]
