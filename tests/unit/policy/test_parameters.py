"""Parameters of rules have a schema, and the settings are checked against it."""

from typing import Any

import pytest

from meshplan.errors import SettingsError
from meshplan.policy.library import Pack
from meshplan.policy.parameters import given, schema

TEXT = '''
from meshplan.policy import Findings, warn
from meshplan.policy.k8s import Service


@warn("R-001", severity="low")
def rule(
    svc: Service, *, allowed: list[str] = ["a", "b"], most: int = 3, strict: bool = False
) -> Findings:
    """T.

    Good:
        kind: Service

    Bad:
        kind: Service
    """
    if len(svc.spec.ports) > most and strict and svc.metadata.name not in allowed:
        yield "too many"
'''
PACK = Pack.of({"r.py": TEXT})
(RULE,) = PACK.rules


def test_parameters_have_a_schema_with_their_defaults() -> None:
    assert PACK.errors == ()
    assert schema(RULE) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "allowed": {"type": "array", "items": {"type": "string"}, "default": ["a", "b"]},
            "most": {"type": "integer", "default": 3},
            "strict": {"type": "boolean", "default": False},
        },
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alowed": []}, "R-001 has no parameter alowed"),
        ({"most": "3"}, "parameter most of R-001 is int"),
        ({"most": True}, "parameter most of R-001 is int"),
        ({"allowed": ["a", 1]}, r"parameter allowed of R-001 is list\[str\]"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        given(RULE, values)


def test_values_of_the_settings_take_the_place_of_defaults() -> None:
    assert given(RULE, {"most": 5}) == {"allowed": ["a", "b"], "most": 5, "strict": False}
