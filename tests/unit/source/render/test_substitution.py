"""Variables of Flux: the operations of its documentation, and what becomes of the types."""

from typing import Any

import pytest

from meshplan.source.render.substitution import Substitution

VALUES = {
    "name": "shop",
    "port": "8080",
    "yes": "true",
    "empty": "",
    "list": "[a, b]",
    "text": "a: b",
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${name}", "shop"),
        ("x-${name}-${port}", "x-shop-8080"),
        ("${port}", 8080),
        ("${yes}", True),
        ("${list}", ["a", "b"]),
        ("${empty}", None),
        ("${gone}", None),
        ("a${gone}b", "ab"),
        ("${gone:-other}", "other"),
        ("${gone:=other}", "other"),
        ("${empty:-other}", "other"),
        ("${empty-other}", None),
        ("${gone:-${name}}", "shop"),
        ("${name^^}", "SHOP"),
        ("${name,,}", "shop"),
        ("${name:1:2}", "ho"),
        ("${name/sh/c}", "cop"),
        ("$name", "$name"),
        ("$${name}", "${name}"),
        ("${1x}", "${1x}"),
        ("# ${port}", "# 8080"),
        ("line\n${port}\n", "line\n8080\n"),
        ("plain", "plain"),
    ],
)
def test_values_take_the_place_of_variables(written: str, expected: Any) -> None:
    found = Substitution(VALUES).apply({"spec": {"x": written}})
    assert found == {"spec": {"x": expected}}


def test_keys_are_substituted_too() -> None:
    assert Substitution(VALUES).apply({"a": {"${name}": ["${port}"]}}) == {"a": {"shop": [8080]}}


def test_names_whose_values_are_not_known_stay() -> None:
    found = Substitution({"name": "shop"}, complete=False).apply({"a": "${name}", "b": "${secret}"})
    assert found == {"a": "shop", "b": "${secret}"}


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_an_object_can_be_left_out(field: str) -> None:
    marks = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
    value = {"metadata": {field: marks}, "data": {"a": "${name}"}}
    assert Substitution(VALUES).apply(value) is value


def test_an_object_without_variables_is_the_same_object() -> None:
    value = {"spec": {"a": [1, {"b": "$x"}]}}
    assert Substitution(VALUES).apply(value) is value


def test_what_is_put_in_is_not_substituted_again() -> None:
    values = {"a": "${a}", "b": "x${c}", "c": "y"}
    found = Substitution(values).apply({"a": "${a}", "b": "${b}", "c": "${gone:-${b}}"})
    assert found == {"a": "${a}", "b": "x${c}", "c": "x${c}"}
