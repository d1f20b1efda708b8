"""Tests of rules in pytest, for those who would rather write Python than YAML.

    from meshplan.testing import load_rules

    RULES = load_rules("policies")

    def test_a_workload_without_team() -> None:
        [found] = RULES["TEAM-001"].check(MANIFESTS, label="team")
        assert (found.path, found.message) == ("", "web has no label team")

    @pytest.mark.parametrize("case", RULES.cases, ids=str)
    def test_examples_and_suites(case: RuleCase) -> None:
        case.check()

The rules are read and never imported.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from meshplan.policy import program
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.parameters import given as checked
from meshplan.run.policy.cases import Case, cases_of, mesh_settings, snapshot_of
from meshplan.run.policy.rules import Chosen, choose, rule_of
from meshplan.run.policy.shown import Found, Stage, problem
from meshplan.run.request import Request
from meshplan.settings import Settings, World

__all__ = ["Found", "RuleCase", "RuleTester", "RuleTests", "load_rules"]

#: Objects, or YAML as a text.
Manifests = str | Sequence[Mapping[str, Any]]


class RuleTester:
    """One rule, to be shown manifests."""

    def __init__(self, rule: program.Rule):
        self.rule = rule
        self._compiled = CompiledRule(rule)

    def check(
        self,
        given: Manifests,
        *,
        before: Manifests | None = None,
        world: str = "closed",
        mesh: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> list[Found]:
        """What the rule finds in manifests, sorted; `before` are those before a change.

        `world` is closed (what is not given does not exist) or open; `mesh` are facts as in the
        settings. Raises SettingsError for manifests, facts and parameters that are none.
        """
        checked(self.rule, parameters)
        case = Case(
            rule=self.rule,
            name="check",
            path=self.rule.path,
            line=self.rule.span.line,
            before=None if before is None else snapshot_of(before, "before"),
            given=snapshot_of(given, "given"),
            expected=(),
            parameters=parameters,
            settings=Settings(world=World(world), mesh=mesh_settings(mesh or {})),
        )
        stage = Stage(case)
        return stage.found(stage.hits(self._compiled))


class RuleCase:
    """An example of a docstring, or a case of a suite."""

    def __init__(self, case: Case):
        self.case = case

    def check(self) -> None:
        """Raise AssertionError, with the place and what is wrong, where the case does not hold."""
        why = problem(Stage(self.case), CompiledRule(self.case.rule))
        if why:
            raise AssertionError(f"{self.case.place}: {self.case.rule.id}: {self.case.name}: {why}")

    def __str__(self) -> str:
        return f"{self.case.rule.id} {self.case.name}"


class RuleTests:
    """Rules by id, and the tests that come with them."""

    def __init__(self, chosen: Chosen):
        self._chosen = chosen
        self._known: dict[str, RuleTester] = {}

    def __getitem__(self, id_: str) -> RuleTester:
        """The rule with an id; raises UsageError for none."""
        rule = rule_of(self._chosen.pack, id_)
        if rule.id not in self._known:
            self._known[rule.id] = RuleTester(rule)
        return self._known[rule.id]

    @cached_property
    def cases(self) -> list[RuleCase]:
        """The examples in docstrings, and the cases of suites in folders `tests`."""
        return [RuleCase(case) for case in cases_of(self._chosen)]


def load_rules(*paths: str | Path, directory: str | Path = ".") -> RuleTests:
    """The rules in files and folders; without any, those that the settings put in force.

    Raises UsageError, PolicyError and SettingsError, which say what is wrong and where.
    """
    request = Request(Path(directory), as_of="1970-01-01")
    return RuleTests(choose(request, [Path(path) for path in paths], suites=True, own=True))
