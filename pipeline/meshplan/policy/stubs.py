"""Writes what editors and type checkers read of the modules that rules import from.

A rule is text that is compiled and never run: these modules hold nothing at run time. Their `.pyi`
files are written from the catalog, so that an editor knows what the compiler knows.

    python -m meshplan.policy.stubs
"""

from collections.abc import Iterator
from pathlib import Path

from meshplan.policy.catalog import (
    MODULES,
    Catalog,
    FieldType,
    Leaf,
    ListOf,
    MapOf,
    Part,
    Scalar,
    catalog,
    python_name,
)
from meshplan.policy.facts.declared import FACTS, RECORDS, Fact

HERE = Path(__file__).parent

_NOTE = "# Written by meshplan/policy/stubs.py from the catalog of fields: change those instead.\n"

#: The length of a line, as the formatter has it.
_WIDTH = 100

#: Numbers and texts that may stand for each other are read as text.
_SCALARS = {
    Scalar.TEXT: "str",
    Scalar.INTEGER: "int",
    Scalar.NUMBER: "float",
    Scalar.BOOLEAN: "bool",
    Scalar.QUANTITY: "str",
    Scalar.INT_OR_TEXT: "str",
}


def stubs() -> dict[str, str]:
    """The text of each file, by name."""
    found = catalog()
    written = {f"{module}.pyi": module_stub(found, module) for module in MODULES}
    return {"__init__.pyi": language_stub(found), **written}


def module_stub(found: Catalog, module: str) -> str:
    """The types of one module."""
    classes = list(_classes(found, module))
    others = sorted({other for _, parts in classes for other in parts if other != module})
    names = ", ".join(["Message", "Resource", *others])
    head = f"{_NOTE}\nfrom meshplan.policy import {names}\n\n"
    return head + "\n".join(text for text, _ in classes)


def _classes(found: Catalog, module: str) -> Iterator[tuple[str, set[str]]]:
    """Each class with the modules that it mentions."""
    for name in found.names(module):
        message = found.message(f"{module}.{name}")
        if message is not None:
            kind = found.kinds.get(f"{module}.{name}")
            lines = [f"class {name}({'Resource' if kind else 'Message'}):"]
            types = {field.name: field.type for field in message.fields.values()}
            lines += [f"    {n}: {annotation(t, module)}" for n, t in types.items()]
            if not types:
                lines = [f"class {name}(Message): ..."]
            yield "\n".join(lines) + "\n", {m for t in types.values() for m in _modules(t)}


def _modules(kind: FieldType) -> Iterator[str]:
    match kind:
        case Part(type_):
            yield type_.partition(".")[0]
        case ListOf(inner) | MapOf(inner):
            yield from _modules(inner)
        case Leaf():
            return


def annotation(kind: FieldType, module: str = "") -> str:
    """A type as Python writes it, within a module."""
    match kind:
        case Leaf(Scalar.ANYTHING):
            return "Resource"
        case Leaf(scalar, default):
            return _SCALARS[scalar] + ("" if default is not None else " | None")
        case ListOf(item):
            return f"list[{_inner(item, module)}]"
        case MapOf(value):
            return f"dict[str, {_inner(value, module)}]"
        case Part(type_):
            home, _, name = type_.partition(".")
            return name if home in (module, "facts") else type_


def _inner(kind: FieldType, module: str) -> str:
    """The type of an item: one that is there."""
    return annotation(kind, module).removesuffix(" | None")


def language_stub(found: Catalog) -> str:
    """The names of the language, and the mesh with its collections and facts."""
    collections = [
        f"    {collection}: list[{kind.type}]"
        for collection, kind in sorted(found.collections.items())
    ]
    facts = [line for fact in FACTS for line in _fact(fact)]
    mesh = ["class Mesh:", '    """All objects of the target, and what the model says."""', ""]
    records = [_record(name, fields) for name, fields in RECORDS.items()]
    lines = [_NOTE + LANGUAGE, *records, *mesh, *collections, "", *facts]
    return "\n".join(lines).rstrip() + "\n"


def _record(name: str, fields: dict[str, str]) -> str:
    lines = [f"class {name.partition('.')[2]}(Message):"]
    lines += [f"    {python_name(field)}: {_plain(text)}" for field, text in fields.items()]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A type in the notation of the catalog, of a field that always has a value."""
    if text.startswith("["):
        return f"list[{_plain(text[1:-1])}]"
    if text.startswith("facts."):
        return text.partition(".")[2]
    return _SCALARS[Scalar(text[0])]


def _fact(fact: Fact) -> Iterator[str]:
    given = [f"{p.name}: {annotation(p.type).removesuffix(' | None')}" for p in fact.parameters]
    names = ", ".join(["self", *given])
    result = annotation(fact.result).removesuffix(" | None")
    line = f"    def {fact.name}({names}) -> {result}:"
    fits = len(line) <= _WIDTH
    yield line if fits else f"    def {fact.name}(\n        {names}\n    ) -> {result}:"
    yield f'        """{fact.sentence}"""'
    yield ""


LANGUAGE = '''
from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeAlias, TypeVar

from meshplan.policy import gateway_api, istio, k8s

_Rule = TypeVar("_Rule", bound=Callable[..., Iterator[str | Finding]])
_Kind = TypeVar("_Kind", bound=Resource)
_Severity: TypeAlias = Literal["critical", "high", "medium", "low"]

class Message:
    """An object in a manifest: where it is absent it is empty, false, and all its fields absent."""

    def __bool__(self) -> bool: ...

class Resource(Message):
    """Any object, read by path; what is absent or of another type is None or empty."""

    def text(self, *path: str) -> str | None: ...
    def integer(self, *path: str) -> int | None: ...
    def boolean(self, *path: str) -> bool | None: ...
    def texts(self, *path: str) -> list[str]: ...
    def items(self, *path: str) -> list[Resource]: ...
    def entry(self, *path: str) -> Resource: ...

class Change(Generic[_Kind]):
    """An object before and after: `old` is empty where it comes, `new` where it goes."""

    old: _Kind
    new: _Kind
    op: Literal["CREATE", "UPDATE", "DELETE"]

class Finding:
    """A message with its place."""

Findings: TypeAlias = Iterator[str | Finding]

def deny(
    id: str,
    *,
    severity: _Severity = ...,
    refs: tuple[str, ...] = ...,
    holds: Literal["finally", "always"] = ...,
) -> Callable[[_Rule], _Rule]:
    """A rule whose findings are errors, unless the settings say otherwise."""

def warn(
    id: str,
    *,
    severity: _Severity = ...,
    refs: tuple[str, ...] = ...,
    holds: Literal["finally", "always"] = ...,
) -> Callable[[_Rule], _Rule]:
    """A rule whose findings are warnings, unless the settings say otherwise."""

def info(
    id: str,
    *,
    severity: _Severity = ...,
    refs: tuple[str, ...] = ...,
    holds: Literal["finally", "always"] = ...,
) -> Callable[[_Rule], _Rule]:
    """A rule whose findings are worth knowing, unless the settings say otherwise."""

def at(place: object, message: str, *, fix: str | int | bool | None = None) -> Finding:
    """A finding at a field that the rule has read; `fix` is the value that belongs there."""

def fqdn(host: str, namespace: str) -> str:
    """A host in full, as an object of a namespace means it."""

def host_matches(pattern: str, host: str) -> bool:
    """Whether a host is one of those that a pattern such as `*.example.com` means."""

class ImageRef(Message):
    """The parts of the name of an image."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

def image_ref(image: str) -> ImageRef:
    """The parts of the name of an image."""
'''


if __name__ == "__main__":
    for name, text in stubs().items():
        (HERE / name).write_text(text, "utf-8")
