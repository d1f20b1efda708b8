"""What Gatekeeper and conftest get, and why they do not get the rest."""

from pathlib import Path

import pytest

from meshplan.policy import program
from meshplan.policy.library import Pack
from meshplan.policy.rego import library, rule_module
from meshplan.policy.rego.targets import constraint, constraint_template, targets

CONSTRUCTS = Path(__file__).parents[2] / "cases" / "policy" / "constructs.py"
RULES = {r.id: r for r in Pack.of({"constructs.py": CONSTRUCTS.read_text("utf-8")}).rules}


@pytest.mark.parametrize(
    ("id_", "closed"),
    [
        ("ALL-001", {}),
        ("ALL-004", {}),
        ("ALL-005", {"conftest": "it compares two revisions, and conftest sees one"}),
        (
            "ALL-007",
            {
                "conftest": "it asks the model of the mesh",
                "gatekeeper": "it asks the model of the mesh",
            },
        ),
    ],
)
def test_where_a_rule_cannot_run_the_reason_is_told(id_: str, closed: dict[str, str]) -> None:
    found = targets(RULES[id_], rule_module(RULES[id_]))
    assert {engine: why for engine, why in found.items() if why} == closed
    assert set(found) == {"native", "opa", "conftest", "gatekeeper"}


def template(rule: program.Rule) -> dict[str, object]:
    found = constraint_template(rule, rule_module(rule), library()["runtime.rego"])
    spec = found["spec"]
    assert isinstance(spec, dict)
    return spec


def test_a_template_has_the_parameters_of_its_rule() -> None:
    spec = template(RULES["ALL-003"])
    assert spec["crd"] == {
        "spec": {
            "names": {"kind": "MeshplanAll003"},
            "validation": {
                "openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "low": {"type": "integer", "default": 1},
                        "high": {"type": "integer", "default": 1024},
                        "odd": {"type": "boolean", "default": False},
                        "extra": {
                            "type": "array",
                            "items": {"type": "integer"},
                            "default": [8080],
                        },
                    },
                }
            },
        }
    }


def test_a_template_reads_only_what_gatekeeper_has() -> None:
    for rule in RULES.values():
        if not targets(rule, rule_module(rule))["gatekeeper"]:
            text = str(template(rule))
            assert "data.facts" not in text
            assert "inventory_before" not in text


def test_a_constraint_is_about_the_kinds_of_its_rule() -> None:
    found = constraint(RULES["ALL-002"])
    assert found["kind"] == "MeshplanAll002"
    assert found["spec"] == {
        "enforcementAction": "deny",
        "match": {"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment", "StatefulSet"]}]},
        "parameters": {},
    }
    anything = constraint(RULES["ALL-006"])["spec"]["match"]
    assert anything == {"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}
