"""The words for a value that its schema forbids; the schemas here are written for the tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshplan.schema import documents
from meshplan.schema.documents import SchemaProblem, validate

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "failOn": {"enum": ["error", "warning", "info"]},
        "paths": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string", "pattern": "^[^/]"}},
            ]
        },
        "render": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"timeoutSeconds": {"type": "number", "minimum": 0}},
        },
    },
}

Check = Callable[[Any], tuple[SchemaProblem, ...]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    (tmp_path / "sample.schema.json").write_text(json.dumps(SCHEMA))
    monkeypatch.setattr(documents, "data_path", lambda _name: tmp_path)
    documents._schema.cache_clear()
    documents._validator.cache_clear()
    return lambda value: validate("sample", value)


def test_a_value_that_fits_has_no_problems(check: Check) -> None:
    assert check({"name": "x", "failOn": "info", "paths": ["a"]}) == ()


@pytest.mark.parametrize(
    ("value", "pointer", "message"),
    [
        ({"name": "x", "fail-on": 1}, "/fail-on", 'unknown key "fail-on"; did you mean "failOn"?'),
        ({"name": "x", "a/b": 1}, "/a~1b", 'unknown key "a/b"'),
        (
            {"name": "x", "failOn": "eror"},
            "/failOn",
            '"eror" is not one of "error", "warning", "info"; did you mean "error"?',
        ),
        ({"failOn": "info"}, "", 'missing: "name"'),
        ({"name": 3}, "/name", "3, expected a string"),
        ({"name": ""}, "/name", "is empty"),
        ([], "", "a list, expected a mapping"),
        ({"name": "x", "paths": 3}, "/paths", "3, expected a string or a list"),
        ({"name": "x", "paths": ["/a"]}, "/paths/0", '"/a" does not match ^[^/]'),
        (
            {"name": "x", "render": {"timeout": 3}},
            "/render/timeout",
            'unknown key "timeout"; did you mean "timeoutSeconds"?',
        ),
        (
            {"name": "x", "render": {"timeoutSeconds": -1}},
            "/render/timeoutSeconds",
            "-1 is less than the minimum of 0",
        ),
    ],
)
def test_each_problem_names_the_place_and_the_next_step(
    check: Check, value: Any, pointer: str, message: str
) -> None:
    assert check(value) == (SchemaProblem(pointer, message),)


def test_all_problems_are_reported(check: Check) -> None:
    found = check({"nme": "x", "failOn": "no"})
    assert {problem.pointer for problem in found} == {"/nme", "/failOn", ""}


def test_a_value_of_any_size_gives_a_short_message(check: Check) -> None:
    (problem,) = check({"name": "x", "failOn": "e" * 100_000})
    assert len(problem.message) < 200
