"""What the suites of the rules that come with meshplan want, and how much of the rules they try."""

import pytest
import yaml

from meshplan.data import data_path
from meshplan.run.policy import tests as runner
from meshplan.run.policy.rules import choose
from meshplan.run.request import Request

#: Of these rules each branch is taken by some case, and each mistake noticed by one.
WHOLE = ("BIND", "EGR", "GW", "HOST", "LIFE")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[runner.Tested, ...]:
    """The tests of all rules, run by meshplan itself."""
    nowhere = Request(tmp_path_factory.mktemp("nowhere"), "2026-11-20")
    return runner.run_tests(choose(nowhere, suites=True), lambda _: None, ask_opa=False).rules


def test_each_case_holds(rules: tuple[runner.Tested, ...]) -> None:
    failed = {f"{one.case.path}: {one.case.name}": one.why for of in rules for one in of.failed}
    assert failed == {}
    assert [one.rule.id for one in rules if one.vacuous] == []


def test_each_suite_of_the_pack_is_run(rules: tuple[runner.Tested, ...]) -> None:
    folder = data_path("policies") / "tests"
    written = sum(
        len(yaml.safe_load(path.read_text("utf-8"))["cases"]) for path in folder.glob("*.yaml")
    )
    examples = sum(len(one.rule.page.good) + len(one.rule.page.bad) for one in rules)
    assert sum(one.cases for one in rules) == written + examples > 2 * len(rules)


def test_of_some_families_nothing_is_left_untried(rules: tuple[runner.Tested, ...]) -> None:
    chosen = [one for one in rules if one.rule.id.startswith(WHOLE)]
    assert len(chosen) == 26
    untried = [f"{one.rule.id}: {left}" for one in chosen for left in (*one.missed, *one.unnoticed)]
    assert untried == []
