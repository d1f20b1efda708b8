"""Manifests hold anything anywhere: what is read of them, and what is passed over."""

import pytest

from meshplan.mesh.read import at, labels, mapping, mappings, number, text, texts


@pytest.mark.parametrize("value", [None, "x", 5, True, ["a"], [{"a": 1}]])
def test_only_a_mapping_is_one(value: object) -> None:
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping(value) == {}
    assert labels(value) == {}


@pytest.mark.parametrize("value", [None, "abc", 5, {"a": "b"}, {"a": {}}])
def test_only_a_list_has_entries(value: object) -> None:
    assert (mappings(value), texts(value)) == ((), ())


def test_entries_of_another_kind_are_passed_over() -> None:
    mixed = [{"a": 1}, "x", None, 5, ["y"], "", {}]
    assert mappings(mixed) == ({"a": 1}, {})
    assert texts(mixed) == ("x", "")
    assert mappings(tuple(mixed)) == ({"a": 1}, {})
    assert texts(tuple(mixed)) == ("x", "")


@pytest.mark.parametrize(
    ("value", "expected"), [("x", "x"), ("", ""), (None, ""), (5, ""), (True, ""), (["x"], "")]
)
def test_only_a_string_is_a_text(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (-1, -1),
        (8080, 8080),
        ("8080", 8080),
        ("-1", 0),
        ("1.0", 0),
        ("", 0),
        (8.0, 8),
        (8.5, 0),
        (False, 0),
        (True, 0),
        ([], 0),
        ("1" * 19, int("1" * 19)),
        ("1" * 20, 0),
    ],
)
def test_numbers_may_be_written_as_strings(value: object, expected: int) -> None:
    assert number(value) == expected


def test_labels_are_strings_as_yaml_would_read_them_back() -> None:
    stated = {"a": "x", "b": True, "c": False, "d": 1, "e": 1.5, "f": None, "g": ["x"], 5: "y"}
    expected = {"a": "x", "b": "true", "c": "false", "d": "1", "e": "1.5", "f": "", "g": ""}
    assert labels(stated) == {**expected, "5": "y"}


def test_a_path_ends_early_where_there_is_no_mapping() -> None:
    value = {"a": {"b": {"c": 1}}, "x": [{"b": 2}]}
    assert at(value, "a", "b", "c") == 1
    assert at(value, "a", "b") == {"c": 1}
    assert at(value) is value
    assert [at(value, *path) for path in (("a", "x", "c"), ("x", "b"), ("z",))] == [None] * 3
