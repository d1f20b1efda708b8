"""The cases of rules as documents for OPA, and as tests that `opa test` runs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from meshplan.policy import program
from meshplan.policy.evaluate import CompiledRule, Hit
from meshplan.policy.parameters import given
from meshplan.policy.rego.body import rule as written_rule
from meshplan.policy.rego.bundle import inventory
from meshplan.policy.rego.module import package_of
from meshplan.run.policy.cases import Case
from meshplan.run.policy.shown import Stage

_TESTS = """\
package meshplan_tests.{name}

agrees(number) if {{
	case := data.meshplan_cases.{name}[number]
	inventory := case.inventory
	facts := case.facts
	every subject in case.subjects {{
		asked := subject.input
		found := data.{package}.violation with input as asked with data.inventory as inventory with data.facts as facts
		found == {{one | some one in subject.findings}}
	}}
}}
"""


def document(stage: Stage) -> dict[str, Any]:
    """A case as OPA is asked about it; what the model was asked up to now are its facts."""
    # All parameters: those that a compiled rule has may be those of the settings.
    parameters = given(stage.case.rule, stage.case.parameters)
    subjects = []
    for old, new in stage.subjects:
        objects = {"object": old if new is None else new, "oldObject": old}
        review: dict[str, Any] = {k: r.manifest for k, r in objects.items() if r is not None}
        review["operation"] = "CREATE" if old is None else "DELETE" if new is None else "UPDATE"
        subjects.append({"input": {"review": review, "parameters": parameters}})
    return {
        "rule": stage.case.rule.id,
        "subjects": subjects,
        "inventory": inventory([r.manifest for r in stage.mesh.snapshot.values()]),
        "facts": stage.world.facts.to_json(),
    }


def told(hit: Hit) -> dict[str, Any]:
    """A finding as compiled rules give it."""
    details: dict[str, Any] = {"path": [*(["@old"] if hit.old else []), *hit.steps]}
    return {"msg": hit.message, "details": details | ({} if hit.fix is None else {"fix": hit.fix})}


def rego_tests(rules: Sequence[program.Rule], cases: Iterable[Case]) -> dict[str, str]:
    """Modules for `opa test` with their data: each file by its name.

    A test holds where a compiled rule finds what the rule finds natively. Raises BudgetError.
    """
    by_rule: dict[str, list[Case]] = {rule.id: [] for rule in rules}
    for case in cases:
        by_rule.get(case.rule.id, []).append(case)
    files: dict[str, str] = {}
    documents: dict[str, Any] = {}
    for rule in rules:
        name = package_of(rule).removeprefix("meshplan.")
        if by_rule[rule.id]:
            documents[name] = [_with_findings(case) for case in by_rule[rule.id]]
            tests = _tests(by_rule[rule.id])
            head = _TESTS.format(name=name, package=package_of(rule))
            files[f"meshplan_tests/{name}_test.rego"] = "\n".join((head, *tests))
    if documents:
        text = json.dumps(documents, sort_keys=True, indent=1, ensure_ascii=False)
        files["meshplan_cases/data.json"] = text + "\n"
    return files


def _with_findings(case: Case) -> dict[str, Any]:
    stage = Stage(case)
    # First the findings: meanwhile the model is asked.
    found = stage.hits(CompiledRule(case.rule))
    answer = document(stage)
    for subject, hits in zip(answer["subjects"], found, strict=True):
        subject["findings"] = [told(hit) for hit in hits]
    return answer


def _tests(cases: Sequence[Case]) -> Iterator[str]:
    for number, case in enumerate(cases):
        words = "".join(c if c.isascii() and c.isalnum() else " " for c in case.name.lower())
        name = "_".join(("test", str(number + 1), *words.split()))
        comment = f"# {case.path}:{case.line}\n" if case.path.isprintable() else ""
        yield comment + written_rule(name, [f"agrees({number})"])
