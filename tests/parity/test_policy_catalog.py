"""The catalog of rules says what the APIs say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meshplan.kinds import KINDS
from meshplan.policy.catalog import FieldType, Leaf, ListOf, MapOf, Part, Scalar, catalog
from support.clientgo import scalars, schema_file
from support.crds import NEWEST, Definition, definitions

_SCALARS = {
    "string": Scalar.TEXT,
    "integer": Scalar.INTEGER,
    "number": Scalar.NUMBER,
    "boolean": Scalar.BOOLEAN,
}


def test_each_kind_has_a_type_and_a_collection_of_its_own() -> None:
    found = catalog()
    assert {(k.group, k.name) for k in found.kinds.values()} == {(k.group, k.kind) for k in KINDS}
    assert len(found.collections) == len(KINDS)


def test_each_type_can_be_read_and_leads_to_types() -> None:
    found = catalog()
    for name in found.types:
        message = found.message(name)
        assert message is not None
        for field in message.fields.values():
            for part in _parts(field.type):
                assert found.message(part.type), (name, field.name)


def _parts(kind: FieldType) -> Iterator[Part]:
    if isinstance(kind, Part):
        yield kind
    elif isinstance(kind, ListOf):
        yield from _parts(kind.item)
    elif isinstance(kind, MapOf):
        yield from _parts(kind.value)


@pytest.mark.corpus
def test_custom_kinds_have_the_fields_of_their_definitions(corpora: Path) -> None:
    known = {(kind.group, kind.name): kind for kind in catalog().kinds.values()}
    checked = 0
    for definition in definitions(corpora, *NEWEST):
        kind = known.get((definition.group, definition.kind))
        if kind is not None:
            for schema in _specs(definition):
                message = catalog().message(kind.type)
                assert message is not None
                checked += _agree(message.fields["spec"].type, schema, kind.name)
    assert checked > 1500


def _specs(definition: Definition) -> Iterator[Mapping[str, Any]]:
    for _, schema in definition.versions():
        if "spec" in schema["properties"]:
            yield schema["properties"]["spec"]


def _agree(kind: FieldType, schema: Mapping[str, Any], path: str) -> int:
    """Compare a type with a schema and all that is in it; the number of fields."""
    match kind:
        case Leaf(Scalar.INT_OR_TEXT):
            assert schema.get("x-kubernetes-int-or-string"), path
        case Leaf(Scalar.ANYTHING):
            assert not schema.get("properties"), path
        case Leaf(scalar, _, values):
            assert _SCALARS[schema["type"]] is scalar, path
            assert set(schema.get("enum", ())) <= set(values) or not values, path
        case ListOf(item):
            return _agree(item, schema["items"], path)
        case MapOf(value):
            return _agree(value, schema["additionalProperties"], path)
        case Part(name):
            message = catalog().message(name)
            assert message is not None
            known = {field.json_name: field.type for field in message.fields.values()}
            assert set(schema["properties"]) <= set(known), path
            return sum(
                _agree(known[field], part, f"{path}.{field}")
                for field, part in schema["properties"].items()
            )
    return 1


@pytest.fixture(scope="module")
def schema() -> Path:
    found = schema_file()
    if found is None:
        pytest.skip("client-go is not in Go's module cache")
    return found


def test_kinds_of_kubernetes_have_the_fields_that_client_go_knows(schema: Path) -> None:
    # A point in time is of no type to client-go; a quantity, or a number or name, is text.
    names = {"string": "sqx", "numeric": "in", "boolean": "b", "untyped": "*sqx"}
    wrong, checked = [], 0
    for entry in KINDS:
        if f"k8s.{entry.kind}" not in catalog().kinds or entry.group == "argoproj.io":
            continue
        for path, what in scalars(schema, entry.group, entry.versions[0], entry.kind):
            words = path.split(".")
            if {"status", "managedFields", "ownerReferences", "apiVersion", "kind"} & set(words):
                continue
            if words[0] not in ("spec", "metadata") or "selfLink" in words:
                continue
            checked += 1
            found = _leaf(f"k8s.{entry.kind}", words)
            if found is None or found.value not in names[what]:
                wrong.append((entry.kind, path, what, found))
    assert checked > 3000
    assert not wrong[:20]


def _leaf(name: str, path: list[str]) -> Scalar | None:
    """The type of a field; None where the catalog has no such field."""
    kind: FieldType = Part(name)
    for word in path:
        while isinstance(kind, ListOf):
            kind = kind.item
        if word == "*":
            kind = kind.value if isinstance(kind, MapOf) else kind
            continue
        message = catalog().message(kind.type) if isinstance(kind, Part) else None
        found = message and next((f for f in message.fields.values() if f.json_name == word), None)
        if not found:
            return None
        kind = found.type
    while isinstance(kind, ListOf | MapOf):
        kind = kind.item if isinstance(kind, ListOf) else kind.value
    return kind.scalar if isinstance(kind, Leaf) else None
