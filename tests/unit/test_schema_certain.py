"""What is taken to fit a schema fits it for jsonschema too, and settings as people write them do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from meshplan.schema.certain import fits

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    name: json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    for name in ("settings", "result")
}
#: Values that are near what schemas ask for, and mostly wrong.
STRAY: Any = st.one_of(
    st.sampled_from([None, True, False, 0, 1, -1, 0.5, "", "a", "/a", "error", "1.29", [], {}]),
    st.sampled_from([["a"], ["a", "a"], {"a": 1}, [1, True], [[]], {"mesh": {}}, ["a", 1]]),
)


def near(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Any:
    """Values that a schema allows, or nearly."""
    if isinstance(schema, bool) or depth > 8:
        return STRAY
    if "$ref" in schema:
        found = root
        for step in schema["$ref"].split("/")[1:]:
            found = found[step]
        return near(found, root, depth + 1)
    if "anyOf" in schema:
        return st.one_of(STRAY, *(near(one, root, depth + 1) for one in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "other"])
    kinds = {"array": _lists, "object": _objects}
    kind = str(schema.get("type"))
    return st.one_of(kinds[kind](schema, root, depth) if kind in kinds else _scalars(kind), STRAY)


def _scalars(kind: object) -> Any:
    if kind == "string":
        return st.sampled_from(["", "a", "a/b", "/a", "1.29.1", "kubectl", "x" * 300])
    return st.one_of(st.integers(-2, 40), st.sampled_from([0.5, 1.5]), st.booleans())


def _lists(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    return st.lists(near(schema.get("items", True), root, depth + 1), max_size=3)


def _objects(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    fields = schema.get("properties", {})
    known = {
        name: st.deferred(lambda b=below: near(b, root, depth + 1))
        for name, below in fields.items()
    }
    required = {name: known[name] for name in schema.get("required", ()) if name in known}
    optional = {name: found for name, found in known.items() if name not in required}
    return st.one_of(
        st.fixed_dictionaries(required, optional=optional),
        st.dictionaries(st.sampled_from(["a", *fields]), STRAY, max_size=2),
    )


@given(st.data())
@pytest.mark.parametrize("name", SCHEMAS)
def test_what_fits_is_valid(name: str, data: st.DataObject) -> None:
    schema = SCHEMAS[name]
    value = data.draw(near(schema, schema))
    if fits(value, schema, schema):
        assert Draft202012Validator(schema).is_valid(value)


@given(st.data())
def test_each_part_of_the_settings(data: st.DataObject) -> None:
    schema = SCHEMAS["settings"]
    part = data.draw(st.sampled_from([*schema["properties"].values(), *schema["$defs"].values()]))
    value = data.draw(near(part, schema))
    whole = {**part, "$defs": schema["$defs"]}
    # The schemas say nothing that it does not know: it is not only careful, but exact.
    assert fits(value, part, schema) is Draft202012Validator(whole).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": [1]}, True),
        ({"type": "integer"}, True),
        ({"type": "number"}, False),
        ({"uniqueItems": True}, ["a", "a"]),
        ({"items": {"type": "string"}}, ["a", 1]),
        ({"required": ["a"]}, {}),
        ({"additionalProperties": False}, {"a": 1}),
        ({"properties": {"a": False}}, {"a": 1}),
        ({"pattern": "^b"}, "ab"),
        ({"minItems": 1}, []),
        ({"maxLength": 1}, "ab"),
        ({"exclusiveMinimum": 0}, 0),
        ({"maximum": 1}, 2),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, 1),
        ({"type": ["string", "null"]}, 1),
    ],
)
def test_what_is_forbidden_does_not_fit(schema: Any, value: Any) -> None:
    assert not Draft202012Validator(schema).is_valid(value)
    assert not fits(value, schema, schema)


@pytest.mark.parametrize(
    "schema", [{"oneOf": [True]}, {"const": 1}, {"$ref": "#/$defs/none"}, {"$ref": "other.json"}]
)
def test_what_is_not_known_is_left_to_others(schema: Any) -> None:
    assert not fits(1, schema, schema)
