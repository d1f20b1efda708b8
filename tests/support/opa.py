"""The real OPA over many cases in one run, and the same cases natively."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from meshplan.policy import program
from meshplan.policy.evaluate import CompiledRule, Hit
from meshplan.policy.rego import inventory_entry, library, rule_module
from support.policy_cases import Case, CaseWorld

Found = list[dict[str, Any]]


def write_rules(folder: Path, rules: Iterable[program.Rule]) -> None:
    """The modules of rules, with a rule `run` for each that answers for `data.case`."""
    for name, text in library().items():
        (folder / f"lib_{name}").write_text(text, "utf-8")
    for rule in rules:
        written = rule_module(rule)
        stem = written.package.replace(".", "_")
        (folder / f"{stem}.rego").write_text(written.text, "utf-8")
        (folder / f"{stem}_inventory.rego").write_text(inventory_entry(rule), "utf-8")
        (folder / f"{stem}_harness.rego").write_text(_harness(rule, written.package), "utf-8")


def _harness(rule: program.Rule, package: str) -> str:
    given = "s.new, s.old, s.op" if rule.is_change else "s.new"
    return f"""package harness.{package.removeprefix("meshplan.")}

run := [data.{package}.checked({given}) | some s in data.subjects]

answers[i] := found if {{
	some i, case in data.cases
	case.rule == "{rule.id}"
	subjects := case.subjects
	inventory := case.inventory
	facts := case.facts
	asked := {{"parameters": case.parameters}}
	found := run with input as asked with data.subjects as subjects with data.inventory as inventory with data.facts as facts
}}
"""


def by_opa(folder: Path, cases: Sequence[Case]) -> list[list[Found]]:
    """What OPA finds, for each subject of each case."""
    document = [
        {
            "rule": case.rule.id,
            "subjects": [_subject(old, new) for old, new in case.subjects],
            "inventory": case.inventory,
            "facts": case.facts,
            "parameters": case.parameters,
        }
        for case in cases
    ]
    (folder / "cases.json").write_text(json.dumps({"cases": document}), "utf-8")
    answers: dict[int, Any] = {}
    for package in evaluate(folder, "data.harness").values():
        answers |= {int(number): found for number, found in package["answers"].items()}
    return [[in_order(found) for found in answers[number]] for number in range(len(cases))]


def evaluate(folder: Path, query: str) -> Any:
    """The value of a query over a folder of modules and data."""
    command = ["opa", "eval", "--format", "json", "--data", str(folder), query]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["result"][0]["expressions"][0]["value"]


def _subject(old: Any, new: Any) -> dict[str, Any]:
    op = "CREATE" if old is None else "DELETE" if new is None else "UPDATE"
    return {"old": old, "new": new, "op": op}


def natively(case: Case, rule: CompiledRule) -> list[Found]:
    """What meshplan itself finds, for each subject."""
    world = CaseWorld(case)
    known: dict[Any, Any] = {}
    return [
        in_order(map(_hit, rule.run(new, old, world, case.parameters, known)))
        for old, new in case.subjects
    ]


def _hit(hit: Hit) -> dict[str, Any]:
    details: dict[str, Any] = {"path": [*(["@old"] if hit.old else []), *hit.steps]}
    if hit.fix is not None:
        details["fix"] = hit.fix
    return {"msg": hit.message, "details": details}


def in_order(found: Iterable[dict[str, Any]]) -> Found:
    """Findings in an order of their own."""
    return sorted(found, key=lambda f: json.dumps(f, sort_keys=True))
