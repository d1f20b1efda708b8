"""The JSON report, against its own schema and the promises of the design."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from meshplan.report import View
from meshplan.report import json as report
from support.results import example, hostile, result, target


@pytest.fixture(scope="module")
def validator(root: Path) -> Draft202012Validator:
    schema = json.loads((root / "schemas" / "result.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def rendered(made: Any) -> Any:
    return json.loads(report.render(made, View()).encode("utf-8"))


@pytest.mark.parametrize("made", [example(), result(), result(target(), base=None)])
def test_results_satisfy_the_schema(made: Any, validator: Draft202012Validator) -> None:
    validator.validate(rendered(made))


@pytest.mark.parametrize("text", ["x", "\udcff", "\ud800!", "\x00", "é😀", '"\\'])
def test_any_text_is_valid_json(text: str, validator: Draft202012Validator) -> None:
    value = rendered(hostile(f"n{text}"))
    validator.validate(value)
    assert value["findings"][0]["message"]


def test_a_field_that_is_not_there_has_no_key() -> None:
    [field] = rendered(example())["targets"][0]["changes"][0]["fields"]
    assert field == {"path": "spec.subsets[name=v2]", "after": {"name": "v2"}}


def test_every_key_is_in_the_schema(root: Path) -> None:
    """Consumers may see more than the schema says; we describe all that we write."""
    schema = json.loads((root / "schemas" / "result.schema.json").read_text("utf-8"))
    _known(rendered(example()), schema, schema, "")


def _known(value: Any, schema: Any, whole: Any, where: str) -> None:
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    for branch in schema.get("anyOf", ()):
        if "$ref" in branch and value is not None:
            _known(value, branch, whole, where)
    if isinstance(value, list):
        for item in value:
            _known(item, schema.get("items", {}), whole, f"{where}[]")
    if isinstance(value, dict) and "properties" in schema:
        assert value.keys() <= schema["properties"].keys(), where
        for key, item in value.items():
            _known(item, schema["properties"][key], whole, f"{where}.{key}")
