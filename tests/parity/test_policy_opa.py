"""Rules mean in OPA what they mean natively, down to each place and message."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from meshplan.data import data_path
from meshplan.kinds import home_group
from meshplan.kinds.scopes import HOMES
from meshplan.policy.automaton import Automaton
from meshplan.policy.library import Pack
from meshplan.policy.operations import NATIVE
from meshplan.policy.regex import PatternError, parse, re2
from meshplan.policy.rego import inventory_entry, library, rule_module
from meshplan.policy.values import number, quantity, whole
from support.opa import by_opa, evaluate, in_order, natively, write_rules
from support.policy_cases import Case, Cases
from support.random_patterns import patterns, texts

CONSTRUCTS = Path(__file__).parents[1] / "cases" / "policy" / "constructs.py"
RECORDED = CONSTRUCTS.with_name("opa-answers.json")

TORTURE = Pack.of({"constructs.py": CONSTRUCTS.read_text("utf-8")})
PACK = Pack.of({path.name: path.read_text("utf-8") for path in data_path("policies").glob("*.py")})

#: Subjects in the mesh of a case.
SUBJECTS = 20


def cases_of(pack: Pack, count: int, seed: int) -> list[Case]:
    found = []
    for rule in pack.rules:
        made = Cases(rule, seed)
        found += [made.case(SUBJECTS) for _ in range(count)]
    return found


def differences(pack: Pack, folder: Path, cases: Sequence[Case]) -> tuple[int, int, list[Any]]:
    """How many evaluations, how many with findings, and what engines disagree about."""
    compiled = {rule.rule.id: rule for rule in pack.compiled}
    # First: what the model is asked natively is shipped to OPA.
    here = [natively(case, compiled[case.rule.id]) for case in cases]
    there = by_opa(folder, cases)
    pairs = [
        (case.rule.id, subject, one, other)
        for case, ones, others in zip(cases, here, there, strict=True)
        for subject, one, other in zip(case.subjects, ones, others, strict=True)
    ]
    different = [pair for pair in pairs if pair[2] != pair[3]]
    return len(pairs), sum(bool(one) for _, _, one, _ in pairs), different


@pytest.mark.tool("opa")
@pytest.mark.parametrize(("pack", "count"), [(PACK, 10), (TORTURE, 72)], ids=["pack", "constructs"])
def test_opa_finds_the_same(pack: Pack, count: int, tmp_path: Path) -> None:
    write_rules(tmp_path, pack.rules)
    total, found, different = differences(pack, tmp_path, cases_of(pack, count, seed=1))
    assert different == []
    assert total >= 9_600
    assert found > total / 12


def test_recorded_answers_of_opa_are_found_natively() -> None:
    recorded = json.loads(RECORDED.read_text("utf-8"))
    compiled = {rule.rule.id: rule for rule in TORTURE.compiled}
    assert {entry["rule"] for entry in recorded} == set(compiled)
    for entry in recorded:
        rule = compiled[entry["rule"]]
        objects = {tuple(key.split("|")): value for key, value in entry["objects"].items()}
        pairs = [(s["old"], s["new"]) for s in entry["subjects"]]
        case = Case(rule.rule, pairs, objects, entry["parameters"], entry["seed"], entry["words"])  # type: ignore[arg-type]
        assert natively(case, rule) == entry["answers"]


@pytest.mark.tool("opa")
@pytest.mark.parametrize("pack", [PACK, TORTURE], ids=["pack", "constructs"])
def test_the_modules_are_clean_and_formatted(pack: Pack, tmp_path: Path) -> None:
    for name, text in library().items():
        (tmp_path / name).write_text(text, "utf-8")
    for rule in pack.rules:
        (tmp_path / f"{rule.id}.rego").write_text(rule_module(rule).text, "utf-8")
        (tmp_path / f"{rule.id}_inventory.rego").write_text(inventory_entry(rule), "utf-8")
    for command in (["check", "--strict"], ["fmt", "--list"]):
        done = subprocess.run(
            ["opa", *command, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), command


@pytest.mark.tool("opa")
def test_both_entries_of_a_module_find_what_the_rule_finds(tmp_path: Path) -> None:
    write_rules(tmp_path, TORTURE.rules)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ports": [{"port": 9000}, {"port": 9000}]},
    }
    inventory = {"namespace": {"shop": {"v1": {"Service": {"web": service}}}}}
    (tmp_path / "inventory.json").write_text(json.dumps({"inventory": inventory}), "utf-8")
    rule = next(r for r in TORTURE.compiled if r.rule.id == "ALL-003")
    case = Case(rule.rule, [(None, service)], {("", "Service"): [service]}, {"high": 5}, 0, {})
    (want,) = natively(case, rule)
    assert want
    asked: dict[str, Any] = {"parameters": {"high": 5}}
    for operation, expected in (("CREATE", want), ("DELETE", [])):
        asked["review"] = {"operation": operation, "object": service, "oldObject": service}
        found = evaluate(
            tmp_path, f"data.meshplan.all_003.violation with input as {json.dumps(asked)}"
        )
        assert in_order(found) == in_order(expected)
    given = json.dumps({"rules": {"ALL-003": {"high": 5}}})
    everything = evaluate(tmp_path, f"data.meshplan.all_003.inventory with input as {given}")
    assert {f["object"]["name"] for f in everything} == {"web"}
    assert in_order(f["violation"] for f in everything) == in_order(want)


def test_gatekeeper_gets_modules_that_read_what_it_has() -> None:
    runtime = library()["runtime.rego"]
    modules = [rule_module(rule) for rule in (*PACK.rules, *TORTURE.rules)]
    assert "data.facts" not in runtime
    assert "inventory_before" not in runtime
    assert all("inventory_before" not in module.text for module in modules)
    plain = [module for module in modules if not module.uses_facts]
    assert plain
    assert all("meshplan_facts" not in module.text for module in plain)


@pytest.mark.tool("opa")
def test_old_groups_of_kinds_are_known(tmp_path: Path) -> None:
    """A Deployment of `extensions` is one of `apps`, in OPA as well."""
    write_rules(tmp_path, ())
    assert evaluate(tmp_path, "data.lib.meshplan.homes") == {
        group: {kind: home for (old, kind), home in HOMES.items() if old == group}
        for group in {group for group, _ in HOMES}
    }
    asked = [("apps/v1", "Deployment"), ("extensions/v1beta1", "Deployment"), ("v1", "Pod")]
    asked += [("extensions/v1beta1", "Ingress"), ("extensions/v1beta1", "Other"), ("", "")]
    for version, kind in asked:
        found = evaluate(tmp_path, f'data.lib.meshplan.group_of("{version}", "{kind}")')
        group = version.partition("/")[0] if "/" in version else ""
        assert found == home_group(group, kind)


# One target for each function that is written twice, in Python and in Rego.

TEXTS = sorted(set(texts(4000, seed=7)))
TARGETS = {
    "lower": (1, "mp.lower(a[0])"),
    "upper": (1, "mp.upper(a[0])"),
    "fqdn": (2, "mp.fqdn(a[0], a[1])"),
    "host_matches": (2, "[x | some x in [true]; mp.host_matches(a[0], a[1])] == [true]"),
    "image_ref": (1, "mp.image_ref(a[0])"),
    "strip": (2, "trim(a[0], a[1])"),
    "lstrip": (2, "trim_left(a[0], a[1])"),
    "rstrip": (2, "trim_right(a[0], a[1])"),
    "remove_prefix": (2, "trim_prefix(a[0], a[1])"),
    "remove_suffix": (2, "trim_suffix(a[0], a[1])"),
    "split": (2, "split(a[0], a[1])"),
    "replace": (3, "replace(a[0], a[1], a[2])"),
    "len": (1, "count(a[0])"),
    "contains": (2, "contains(a[1], a[0])"),
}


@pytest.mark.tool("opa")
def test_functions_with_two_sources_agree(tmp_path: Path) -> None:
    arguments: dict[str, list[list[str]]] = {}
    rules = ["package targets", "", "import data.lib.meshplan as mp", ""]
    for name, (count, term) in TARGETS.items():
        shifted = [TEXTS[shift:] + TEXTS[:shift] for shift in (0, 1, 2)][:count]
        found = [list(pair) for pair in zip(*shifted, strict=True)]
        # A separator and a text to look for are literals, and never empty.
        kept = name not in ("split", "strip", "lstrip", "rstrip", "replace")
        arguments[name] = [pair for pair in found if kept or pair[1]]
        rules.append(f't_{name} := [v | some a in data.arguments["{name}"]; v := {term}]')
    write_rules(tmp_path, ())
    (tmp_path / "targets.rego").write_text("\n".join(rules) + "\n", "utf-8")
    (tmp_path / "arguments.json").write_text(json.dumps({"arguments": arguments}), "utf-8")
    answers = evaluate(tmp_path, "data.targets")
    for name, pairs in arguments.items():
        mine = [NATIVE[name](*pair) for pair in pairs]
        assert answers[f"t_{name}"] == mine, name


@pytest.mark.tool("opa")
def test_numbers_are_read_alike(tmp_path: Path) -> None:
    values: list[Any] = [
        0,
        1,
        -1,
        80.0,
        -80.0,
        0.5,
        -0.5,
        33.3,
        1e-4,
        9.9e-5,
        1e15,
        123456.789,
        True,
    ]
    values += [2**53 - 1, 2**53, -(2**53), 2**64, 1e300, "1", None, [], {}, 1.0000000000000002]
    names = {"whole": whole, "number": number, "quantity": quantity}
    rules = ["package targets", "", "import data.lib.meshplan as mp", ""]
    rules += [f"{n} := [x | some v in data.values; x := mp.as_{n}(v)]" for n in names]
    write_rules(tmp_path, ())
    (tmp_path / "targets.rego").write_text("\n".join(rules) + "\n", "utf-8")
    (tmp_path / "values.json").write_text(json.dumps({"values": values}), "utf-8")
    answers = evaluate(tmp_path, "data.targets")
    for name, read in names.items():
        assert answers[name] == [read(value) for value in values], name


@pytest.mark.tool("opa")
def test_patterns_match_alike(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []
    mine: list[bool] = []
    for number_, pattern in enumerate(patterns(1500, seed=3)):
        try:
            tree = parse(pattern)
        except PatternError:
            continue
        for mode in ("search", "match", "fullmatch"):
            automaton = Automaton(tree, mode)
            given = texts(4, seed=number_)
            asked.append({"p": re2(tree, mode), "t": given})
            mine += [automaton.matches(text) for text in given]
    rule = "found := [m | some a in data.asked; some t in a.t; m := regex.match(a.p, t)]"
    (tmp_path / "targets.rego").write_text(f"package targets\n\n{rule}\n", "utf-8")
    (tmp_path / "asked.json").write_text(json.dumps({"asked": asked}), "utf-8")
    assert evaluate(tmp_path, "data.targets.found") == mine
    assert 0.1 < sum(mine) / len(mine) < 0.9
