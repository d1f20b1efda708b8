"""What Kubernetes itself says about its kinds: the schema by which client-go merges objects.

It is in the module cache of whoever has built a Kubernetes tool with Go, and is read from there.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from meshplan.source.yaml import Limits, parse

_SCHEMA = "applyconfigurations/internal/internal.go"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a field: its default, the keys of its items, or that it is a quantity."""

    what: str
    path: str
    value: Any


def schema_file() -> Path | None:
    """The newest schema in Go's module cache."""
    home = Path(os.environ.get("GOPATH") or Path.home() / "go")
    modules = Path(os.environ.get("GOMODCACHE") or home / "pkg" / "mod")
    found = sorted((modules / "k8s.io").glob(f"client-go@v0.*/{_SCHEMA}"))
    return found[-1] if found else None


def facts(path: Path, group: str, version: str, kind: str) -> Iterator[Fact]:
    """The facts about a kind; none where client-go does not know it."""
    types = _types(path)
    short = group.partition(".")[0] or "core"
    for name, found in types.items():
        if name.endswith(f".{short}.{version}.{kind}"):
            yield from _Walk(types).map(found["map"], "", (name,))


def scalars(path: Path, group: str, version: str, kind: str) -> Iterator[tuple[str, str]]:
    """The fields of a kind that hold no object: path, and string, numeric, boolean or untyped."""
    types = _types(path)
    short = group.partition(".")[0] or "core"
    for name, found in types.items():
        if name.endswith(f".{short}.{version}.{kind}"):
            yield from _scalars(types, found, "", (name,))


def _scalars(
    types: Mapping[str, Any], found: Mapping[str, Any], path: str, seen: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    name = found.get("namedType", "")
    if name in seen:
        return
    if name:
        found, seen = types[name], (*seen, name)
    if "scalar" in found:
        yield path, found["scalar"]
    elif "list" in found:
        yield from _scalars(types, found["list"]["elementType"], path, seen)
    elif "map" in found:
        for field in found["map"].get("fields") or ():
            below = f"{path}.{field['name']}".removeprefix(".")
            yield from _scalars(types, field["type"], below, seen)
        # Where fields are listed, what else may be there is of no known type.
        if "elementType" in found["map"] and "fields" not in found["map"]:
            yield from _scalars(types, found["map"]["elementType"], f"{path}.*", seen)


@cache
def _types(path: Path) -> Mapping[str, Any]:
    text = path.read_text("utf-8")
    begin, end = text.index("`types:") + 1, text.rindex("`")
    limits = Limits(document_bytes=1 << 26, nodes=1 << 22)
    (document,) = parse(text[begin:end].encode(), "internal.go", limits).documents
    return {found["name"]: found for found in document.value["types"]}


@dataclass(frozen=True, slots=True)
class _Walk:
    types: Mapping[str, Any]

    def map(self, found: Mapping[str, Any], path: str, seen: tuple[str, ...]) -> Iterator[Fact]:
        for field in found.get("fields") or ():
            below = f"{path}.{field['name']}".removeprefix(".")
            if "default" in field:
                yield Fact("default", below, field["default"])
            yield from self.type(field["type"], below, seen)
        if "elementType" in found:
            yield from self.type(found["elementType"], f"{path}.*", seen)

    def list(self, found: Mapping[str, Any], path: str, seen: tuple[str, ...]) -> Iterator[Fact]:
        if found["elementRelationship"] == "associative":
            yield Fact("keys", path, tuple(found.get("keys") or ()))
        yield from self.type(found["elementType"], path, seen)

    def type(self, found: Mapping[str, Any], path: str, seen: tuple[str, ...]) -> Iterator[Fact]:
        name = found.get("namedType", "")
        if name.endswith(".Quantity"):
            yield Fact("quantity", path, None)
        if name and name not in seen:
            found, seen = self.types[name], (*seen, name)
        if "list" in found:
            yield from self.list(found["list"], path, seen)
        if "map" in found:
            yield from self.map(found["map"], path, seen)
