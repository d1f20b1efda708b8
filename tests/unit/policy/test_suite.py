"""`meshplan policy test`: what fails, what is not tested, and that both are told."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main
from meshplan.errors import MeshplanError
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.library import Pack
from meshplan.policy.suite.branches import Listener, Watched
from meshplan.policy.suite.mutants import mistakes, mutant
from meshplan.policy.suite.rewrite import Rewriter
from meshplan.run.policy.cases import Expected, cases_of
from meshplan.run.policy.rules import Chosen, builtin
from meshplan.run.policy.shown import Stage, differs
from meshplan.settings import Settings
from meshplan.testing import RuleCase, RuleTests, load_rules

RULE = '''\
from meshplan.policy import Findings, at, deny
from meshplan.policy.k8s import Service


def is_odd(name: str) -> bool:
    if name == "odd":
        return True
    return name.endswith("-odd")


@deny("TEAM-001")
def ports(svc: Service, *, most: int = 2) -> Findings:
    """Ports are few, and named.

    Good:
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {ports: [{name: http, port: 80}]}

    Bad:
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {ports: [{port: 80}]}
    """
    if len(svc.spec.ports) > most:
        yield at(svc.spec.ports, f"more than {most} ports")
    for port in svc.spec.ports:
        if port.name is None or is_odd(port.name):
            yield at(port, f"port {port.port or 0} has no good name")
'''
#: With these cases each branch is taken and each mistake noticed.
SUITE = """\
rule: TEAM-001
cases:
  - name: two ports are few
    given:
      - {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{name: a, port: 1}, {name: b, port: 2}]}}
    expect: []
  - name: three are not
    given: |
      apiVersion: v1
      kind: Service
      metadata: {name: a, namespace: shop}
      spec: {ports: [{name: a, port: 1}, {name: b, port: 2}, {name: c, port: 3}]}
    expect: [{resource: Service/shop/a, path: spec.ports, message: more than * ports}]
  - name: odd names
    parameters: {most: 9}
    given:
      - {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{name: odd, port: 1}, {name: so-odd, port: 2}, {port: 3}, {name: x}]}}
    expect:
      - {path: "spec.ports[0]", message: port 1 has no good name}
      - {path: "spec.ports[name=so-odd,port=2]"}
      - {message: port 3 has no good name}
  - name: no number
    given: [{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{name: odd}]}}]
    expect: [{message: port 0 has no good name}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies" / "tests").mkdir(parents=True)
    (tmp_path / "policies" / "ports.py").write_text(RULE, "utf-8")
    return tmp_path


Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, Any]:
        capfd.readouterr()
        status = main(["policy", "test", "policies", "--no-opa", "-o", "json", *arguments])
        out, err = capfd.readouterr()
        return status, json.loads(out) if out else err

    return call


def suite(folder: Path, text: str = SUITE) -> None:
    (folder / "policies" / "tests" / "ports.yaml").write_text(text, "utf-8")


# Coverage and mistakes


def test_branches_that_no_example_takes_are_told_with_their_line(run: Run) -> None:
    status, told = run()
    assert status == 0
    (rule,) = told["rules"]
    lines = RULE.splitlines()
    missed = {(lines[b["line"] - 1].strip(), b["why"]) for b in rule["branches"]["missed"]}
    assert missed == {
        ('if name == "odd":', "`name == 'odd'` is never true"),
        ("if len(svc.spec.ports) > most:", "`len(spec.ports) > most` is never true"),
        ('yield at(svc.spec.ports, f"more than {most} ports")', "this finding is never given"),
        (
            "if port.name is None or is_odd(port.name):",
            "`is_odd(…)` is never true",
        ),
    }
    assert rule["branches"]["tested"] + len(missed) == rule["branches"]["all"]


def test_cases_that_test_everything_leave_nothing_untested(run: Run, folder: Path) -> None:
    suite(folder)
    status, told = run("--min-branches", "100", "--min-mistakes", "100")
    (rule,) = told["rules"]
    assert rule["failed"] == []
    assert rule["branches"]["missed"] == []
    assert rule["mistakes"]["unnoticed"] == []
    assert rule["mistakes"]["all"] >= 8
    assert status == 0


def test_too_little_tested_fails_where_that_is_asked_for(run: Run) -> None:
    assert run()[0] == 0
    assert run("--min-branches", "99")[0] == 1
    assert run("--min-mistakes", "99")[0] == 1
    assert run("--min-mistakes", "99", "--no-mistakes")[0] == 0


PACK = Pack.of(builtin())
CHOSEN = Chosen(PACK, Settings(), builtin(), {})
STAGES = [Stage(case) for case in cases_of(CHOSEN)]


def test_copies_of_rules_find_what_the_rules_find() -> None:
    """Neither watching a rule nor copying it changes it; what is seen depends on the example."""
    seen_by = {}
    for stage in STAGES:
        rule = stage.case.rule
        watched, listener = Watched(rule), Listener(stage.world)
        want = stage.hits(CompiledRule(rule))
        assert stage.hits(CompiledRule(Rewriter(rule.path).rule(rule))) == want
        assert stage.hits(CompiledRule(watched.rule), listener) == want
        taken = set(watched.taken(listener.seen))
        assert taken <= set(watched.branches)
        findings = {branch for branch in taken if not branch.what}
        assert bool(findings) == any(want)
        seen_by[stage.case.place] = taken
    assert len(set(map(frozenset, seen_by.values()))) > 60


def test_each_mistake_is_one_and_none_is_made_where_none_is_wanted() -> None:
    for rule in PACK.rules:
        found = mistakes(rule)
        assert len(found) == len(set(found)) > 0
        for mistake in found:
            changed = mutant(rule, mistake)
            assert changed.body != rule.body, mistake
            # The copy has that mistake no more.
            assert mistake not in mistakes(changed) or "with `" in mistake.what, mistake


def test_a_loop_over_two_lists_is_one_loop() -> None:
    text = RULE.replace(
        "for port in svc.spec.ports:", "for port in svc.spec.ports + svc.spec.ports:"
    )
    ((once,), (twice,)) = (Pack.of({"x.py": t}).rules for t in (RULE, text))
    assert len(mistakes(once)) == len(mistakes(twice))
    assert len(list(Watched(once).branches)) == len(list(Watched(twice).branches))


# What fails


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("expect: []\n", "expect: [{message: x}]\n", 'it does not find "x"'),
        ("more than * ports", "more than x ports", 'it finds Service/shop/a spec.ports "more than'),
        ("path: spec.ports,", "path: spec,", "it does not find Service/shop/a spec "),
        ("Service/shop/a", "Service/default/a", "it does not find Service/default/a"),
        ("- {message: port 3 has no good name}", "", "it finds Service/default/a spec.ports[2]"),
        ("{most: 9}", "{most: 3}", "more than 3 ports"),
    ],
)
def test_what_is_found_and_not_wanted_is_told(
    old: str, new: str, why: str, run: Run, folder: Path
) -> None:
    assert SUITE.count(old) == 1
    suite(folder, SUITE.replace(old, new))
    status, told = run()
    assert status == 1
    (failed,) = told["rules"][0]["failed"]
    assert why in failed["why"]
    assert failed["path"] == "policies/tests/ports.yaml"
    # Where cases fail, no mistakes are made: they would all be noticed.
    assert told["rules"][0]["mistakes"]["all"] == 0


def test_examples_that_are_the_wrong_way_round_fail_at_their_line(run: Run, folder: Path) -> None:
    text = RULE.replace("{port: 80}", "{name: fine, port: 80}")
    (folder / "policies" / "ports.py").write_text(text, "utf-8")
    status, told = run()
    (failed,) = told["rules"][0]["failed"]
    assert (status, failed["why"]) == (1, "it finds nothing")
    assert RULE.splitlines()[failed["line"] - 2].strip() == "Bad:"


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        (("Good:", "Bad:"), "nothing tests it"),
        (("Bad:",), "in no test does it find anything"),
        (("Good:",), "in no test does it let an object pass"),
    ],
)
def test_a_rule_that_is_not_really_tested_fails(
    gone: tuple[str, ...], why: str, run: Run, folder: Path
) -> None:
    text = RULE
    for word in gone:
        text = text.replace(f"    {word}\n", f"    Not {word}\n")
    head, _, tail = text.partition("    Not ")
    text = head + (tail.partition('    """\n')[1] + tail.partition('    """\n')[2] if tail else "")
    if gone == ("Good:",):
        bad = RULE[RULE.index("    Bad:") : RULE.index('    """\n    if')]
        text = head + bad + RULE[RULE.index('    """\n    if') :]
    (folder / "policies" / "ports.py").write_text(text, "utf-8")
    status, told = run()
    assert status == 1
    assert why in told["rules"][0]["vacuous"]


def test_a_finding_with_many_words_does_not_take_the_place_of_another() -> None:
    stage = next(s for s in STAGES if s.case.rule.id == "PORT-001" and s.case.expected is True)
    (found, *_) = stage.found(stage.hits(CompiledRule(stage.case.rule)))
    case = replace(stage.case, expected=(Expected(), Expected(message=found.message)))
    other = replace(found, message="another")
    assert differs(case, [found, other]) == ""
    assert differs(case, [other, found]) == ""
    assert differs(case, [other, other]) != ""


# Mistakes in tests


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("cases: []\n", ":1: ", "cases"),
        ("rule: X\n", ":1: ", "cases"),
        (SUITE.replace("name: no number", "nam: no number"), ":22: ", "nam"),
        (
            SUITE.replace("TEAM-001", "TEAM-01"),
            ":3: ",
            'no rule "TEAM-01"; did you mean "TEAM-001"',
        ),
        (SUITE.replace("{most: 9}", "{mist: 9}"), ":14: ", "no parameter mist"),
        (SUITE.replace("rule: TEAM-001\n", ""), ":2: ", "does not say which rule"),
        (SUITE.replace("      kind: Service\n", ""), "ports.yaml:", "kind"),
        (SUITE + "    mesh: {autoMtls: maybe}\n", "ports.yaml:", "autoMtls"),
        ("a: [\n", ":", "error"),
    ],
)
def test_mistakes_in_a_suite_have_a_place(
    text: str, place: str, said: str, run: Run, folder: Path
) -> None:
    suite(folder, text)
    status, error = run()
    assert status == 2
    assert said in error
    assert place in error.partition("\n")[0]
    assert "Traceback" not in error


def test_mistakes_in_an_example_have_a_place(run: Run, folder: Path) -> None:
    line = RULE.splitlines().index("        spec: {ports: [{port: 80}]}") + 1
    for broken in ("        spec: {ports: [{port: 80}]", "        spec: [x"):
        text = RULE.replace("        spec: {ports: [{port: 80}]}", broken)
        (folder / "policies" / "ports.py").write_text(text, "utf-8")
        status, error = run()
        assert status == 2
        assert error.startswith("error: policies/ports.py:")
        assert abs(int(error.split(":")[2]) - line) <= 2


# OPA


def fake_opa(folder: Path, answer: str) -> None:
    """An `opa` that gives one answer."""
    (folder / "bin").mkdir()
    script = folder / "bin" / "opa"
    script.write_text(f"#!/bin/sh\ncat <<'EOF'\n{answer}\nEOF\n", "utf-8")
    script.chmod(0o755)


def test_other_answers_of_opa_fail(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = {"team_001": {"answers": {"0": [[]], "1": [[]]}}}
    fake_opa(folder, json.dumps({"result": [{"expressions": [{"value": answers}]}]}))
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert main(["policy", "test", "policies"]) == 1
    assert "bad example: OPA does not find" in capfd.readouterr().out


@pytest.mark.parametrize("answer", ["{}", '{"result": []}'])
def test_no_answer_of_opa_fails(
    answer: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_opa(folder, answer)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert main(["policy", "test", "policies"]) == 1


def test_without_opa_that_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert main(["policy", "test", "policies"]) == 0
    assert "OPA was not asked: opa is not on PATH" in capfd.readouterr().out
    assert main(["policy", "test", "policies", "--opa"]) == 2
    assert "opa is not on PATH" in capfd.readouterr().err


@pytest.mark.tool("opa")
def test_opa_agrees_about_the_pack_and_about_suites(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    suite(folder)
    assert main(["policy", "test", "policies", "--opa", "--no-mistakes"]) == 0
    assert "OPA asked as well" in capfd.readouterr().out
    # Made in the docstrings and in policies/tests: what is not tested there is not tested at all.
    assert main(["policy", "test", "--opa", "--min-branches", "80", "--min-mistakes", "70"]) == 0
    assert "OPA asked as well" in capfd.readouterr().out


def test_an_opa_that_fails_is_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_opa(folder, "no")
    (folder / "bin" / "opa").write_text("#!/bin/sh\necho rego_parse_error >&2; exit 2\n", "utf-8")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert main(["policy", "test", "policies"]) == 3
    assert capfd.readouterr().err == (
        "error: opa failed: rego_parse_error\n"
        "hint: it has to be OPA 1.0 or newer; --no-opa leaves it out\n"
    )


@pytest.mark.parametrize("command", ["test", "compile --to rego -o out"])
def test_no_rules_are_nothing_to_work_with(
    command: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / ".meshplan.yaml").write_text("rules: {builtin: false}\n", "utf-8")
    assert main(["policy", *command.split()]) == 2
    assert "no rules are in force here" in capfd.readouterr().err
    assert main(["policy", "list"]) == 0
    assert capfd.readouterr().out == "no rules are in force\n"


def test_the_settings_say_which_rules_are_tested(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own where a repository has some; the parameters of the settings are not those of tests."""
    suite(folder)
    (folder / ".meshplan.yaml").write_text(
        "rules: {paths: [policies], parameters: {TEAM-001: {most: 0}}}\n", "utf-8"
    )
    assert main(["policy", "test", "--no-opa"]) == 0
    assert "1 rule, 6 cases;" in capfd.readouterr().out
    assert main(["policy", "test", "--no-opa", "policies/tests/ports.yaml"]) == 0
    assert "1 rule, 4 cases;" in capfd.readouterr().out


def test_rules_may_have_the_file_names_of_those_of_meshplan(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "policies" / "ports.py").rename(folder / "policies" / "subset_exists.py")
    (folder / ".meshplan.yaml").write_text("rules: {paths: [policies]}\n", "utf-8")
    assert main(["policy", "list", "-o", "json"]) == 0
    listed = {rule["id"]: rule["path"] for rule in json.loads(capfd.readouterr().out)}
    assert listed["TEAM-001"] == "policies/subset_exists.py"
    assert listed["REF-001"] == "meshplan/policies/subset_exists.py"


def test_a_folder_without_settings_is_not_gone_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may be the root of a disk."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr("meshplan.run.policy.rules.open_alone")
    assert main(["policy", "list"]) == 0
    assert "REF-001" in capfd.readouterr().out


# From pytest


def test_rules_are_tested_from_python(folder: Path) -> None:
    suite(folder)
    rules = load_rules("policies")
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"}}
    (found,) = rules["TEAM-001"].check([{**service, "spec": {"ports": [{"port": 7}]}}])
    assert (found.resource, found.path) == ("Service/b/a", "spec.ports[0]")
    assert found.message == "port 7 has no good name"
    given = [{**service, "spec": {"ports": [{"name": "x", "port": 7}]}}]
    assert rules["team-001"].check(given) == []
    assert [f.message for f in rules["TEAM-001"].check(given, most=0)] == ["more than 0 ports"]
    assert [str(case) for case in rules.cases][:2] == [
        "TEAM-001 good example",
        "TEAM-001 bad example",
    ]
    assert len(rules.cases) == 6
    for case in rules.cases:
        case.check()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda rules: rules["TEAM-2"], "no rule"),
        (lambda rules: rules["TEAM-001"].check([], mist=1), "no parameter mist"),
        (lambda rules: rules["TEAM-001"].check("a: ["), "given"),
        (lambda rules: rules["TEAM-001"].check([{"kind": "Service"}]), "apiVersion"),
        (lambda rules: rules["TEAM-001"].check([], mesh={"x": 1}), "x"),
    ],
)
def test_mistakes_in_python_are_sentences(
    call: Callable[[RuleTests], object], said: str, folder: Path
) -> None:
    with pytest.raises(MeshplanError, match=said):
        call(load_rules("policies"))


def test_a_case_that_fails_says_where(folder: Path) -> None:
    suite(folder, SUITE.replace("expect: []", "expect: [{message: x}]"))
    failing = [case for case in load_rules("policies").cases if "few" in str(case)]
    with pytest.raises(AssertionError, match=r"policies/tests/ports.yaml:3: TEAM-001: two ports"):
        failing[0].check()


@pytest.mark.parametrize(
    "case", load_rules(directory=Path(__file__).parents[3] / "examples").cases, ids=str
)
def test_the_cases_of_the_pack_hold(case: RuleCase) -> None:
    case.check()
