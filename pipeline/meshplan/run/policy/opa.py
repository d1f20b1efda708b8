"""Asks the OPA that is installed about the cases of rules, and compares its answers with ours."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from meshplan.errors import SourceError, UsageError
from meshplan.policy import program
from meshplan.policy.evaluate import BudgetError, CompiledRule
from meshplan.policy.rego.body import rule as written_rule
from meshplan.policy.rego.bundle import modules
from meshplan.policy.rego.module import package_of
from meshplan.policy.rego.names import text
from meshplan.run.policy.rego_tests import document, told
from meshplan.run.policy.shown import Stage

_SECONDS = 300
#: What is written is Rego v1.
_HINT = "it has to be OPA 1.0 or newer; --no-opa leaves it out"

#: For each case, how OPA's answer differs; "" where it does not.
Engine = Callable[[Sequence[program.Rule], Sequence[Stage]], list[str]]


def find(*, required: bool) -> Engine | None:
    """The OPA on PATH; raises UsageError where there has to be one."""
    path = shutil.which("opa")
    if path is None and required:
        raise UsageError(
            "opa is not on PATH", hint="https://www.openpolicyagent.org/docs/#running-opa"
        )
    return None if path is None else lambda rules, stages: _differences(path, rules, stages)


def _differences(path: str, rules: Sequence[program.Rule], stages: Sequence[Stage]) -> list[str]:
    compiled = {rule.id: CompiledRule(rule) for rule in rules}
    # First ours: what the model is asked meanwhile is what OPA is told.
    ours = [_ours(stage, compiled[stage.case.rule.id]) for stage in stages]
    theirs = _theirs(path, rules, stages)
    return [_difference(one, other) for one, other in zip(ours, theirs, strict=True)]


def _ours(stage: Stage, rule: CompiledRule) -> list[set[str]]:
    try:
        return [{_key(told(hit)) for hit in hits} for hits in stage.hits(rule)]
    except BudgetError:
        return []


def _theirs(
    path: str, rules: Sequence[program.Rule], stages: Sequence[Stage]
) -> list[list[set[str]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in {**modules(rules), **dict(_harness(rules))}.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(content, "utf-8")
        cases = json.dumps({"cases": [document(stage) for stage in stages]})
        (folder / "cases.json").write_text(cases, "utf-8")
        answers = _evaluate(path, folder)
    found: dict[int, list[set[str]]] = {}
    for package in answers.values():
        for number, subjects in package["answers"].items():
            found[int(number)] = [{_key(one) for one in hits} for hits in subjects]
    return [found.get(number, []) for number in range(len(stages))]


def _evaluate(path: str, folder: Path) -> dict[str, Any]:
    query = "data.meshplan_tests"
    command = [path, "eval", "--format", "json", "--data", str(folder), query]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"opa gave no answer: {error}", hint=_HINT) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SourceError(f"opa failed: {' '.join(said[:3])[:300]}", hint=_HINT)
    result = json.loads(done.stdout).get("result")
    value: dict[str, Any] = result[0]["expressions"][0]["value"] if result else {}
    return value


def _harness(rules: Iterable[program.Rule]) -> Iterable[tuple[str, str]]:
    """A module for each rule that answers for the cases that are about it."""
    for rule in rules:
        package = package_of(rule)
        name = package.removeprefix("meshplan.")
        world = "with data.inventory as inventory with data.facts as facts"
        query = f"data.{package}.violation with input as asked {world}"
        lines = [
            "some number, case in data.cases",
            f"case.rule == {text(rule.id)}",
            "inventory := case.inventory",
            "facts := case.facts",
            f"found := [hits |\n\tsome subject in case.subjects\n\tasked := subject.input\n\thits := {query}\n]",
        ]
        body = written_rule("answers[number] := found", lines)
        yield f"tests/{name}.rego", f"package meshplan_tests.{name}\n\n{body}"


def _key(found: Any) -> str:
    return json.dumps(found, sort_keys=True)


def _difference(ours: Sequence[set[str]], theirs: Sequence[set[str]]) -> str:
    if list(ours) == list(theirs):
        return ""
    mine, other = (set().union(*side) for side in (ours, theirs))
    parts = [f"OPA finds {one}" for one in sorted(other - mine)]
    parts += [f"OPA does not find {one}" for one in sorted(mine - other)]
    return "; ".join(parts) or "OPA finds the same in other objects"
