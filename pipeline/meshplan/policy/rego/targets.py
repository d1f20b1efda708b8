"""Where a compiled rule can run, and the templates with which Gatekeeper takes it."""

from typing import Any

from meshplan.policy import program
from meshplan.policy.parameters import schema
from meshplan.policy.rego.module import Written, package_of


def targets(rule: program.Rule, written: Written) -> dict[str, str]:
    """Why a rule cannot run somewhere, by the name of the engine; "" where it can."""
    model = "it asks the model of the mesh" if written.uses_facts else ""
    change = "it compares two revisions, and conftest sees one" if rule.is_change else ""
    return {
        "native": "",
        "opa": "",
        "gatekeeper": model,
        "conftest": model or change,
    }


def template_kind(rule: program.Rule) -> str:
    """The kind of the constraints of a rule."""
    return "Meshplan" + "".join(c for c in rule.id.title() if c.isalnum())


def constraint_template(rule: program.Rule, written: Written, runtime: str) -> dict[str, Any]:
    """The ConstraintTemplate of a rule that asks the model nothing.

    `runtime` is the run-time library. Objects that the rule looks at besides its subject have to be
    synchronised into Gatekeeper's inventory.
    """
    kind = template_kind(rule)
    parameters = schema(rule)
    # The API server drops what a structural schema does not name.
    parameters.pop("additionalProperties")
    source = {"version": "v1", "rego": written.text, "libs": [runtime]}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {
            "name": kind.lower(),
            "annotations": {
                "metadata.gatekeeper.sh/title": rule.page.title or rule.name,
                "description": rule.page.why,
                "meshplan.dev/package": package_of(rule),
            },
        },
        "spec": {
            "crd": {
                "spec": {
                    "names": {"kind": kind},
                    "validation": {"openAPIV3Schema": parameters},
                }
            },
            "targets": [
                {
                    "target": "admission.k8s.gatekeeper.sh",
                    "code": [{"engine": "Rego", "source": source}],
                }
            ],
        },
    }


def constraint(rule: program.Rule) -> dict[str, Any]:
    """A constraint with the parameters as the rule has them."""
    actions = {"deny": "deny", "warn": "warn", "info": "dryrun"}
    groups: dict[str, list[str]] = {}
    for kind in rule.kinds:
        groups.setdefault(kind.group, []).append(kind.name)
    kinds = [{"apiGroups": [group], "kinds": names} for group, names in sorted(groups.items())]
    match = {"kinds": kinds or [{"apiGroups": ["*"], "kinds": ["*"]}]}
    defaults = {name: p["default"] for name, p in schema(rule)["properties"].items()}
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": template_kind(rule),
        "metadata": {"name": template_kind(rule).lower()},
        "spec": {
            "enforcementAction": actions[rule.level],
            "match": match,
            "parameters": defaults,
        },
    }
