"""Runs the tests of rules, and tells how much they test."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.policy import program
from meshplan.policy.evaluate import BudgetError, CompiledRule
from meshplan.policy.suite.branches import Branch, Listener, Watched
from meshplan.policy.suite.mutants import Mistake, mistakes, mutant
from meshplan.run.policy import opa
from meshplan.run.policy.cases import Case, cases_of
from meshplan.run.policy.rules import Chosen
from meshplan.run.policy.shown import Stage, differs, problem
from meshplan.run.request import Progress


@dataclass(frozen=True, slots=True)
class Failed:
    """A case that does not hold."""

    case: Case
    why: str


@dataclass(slots=True)
class Tested:
    """What became of the tests of a rule."""

    rule: program.Rule
    cases: int = 0
    failed: list[Failed] = field(default_factory=list)
    #: Cases in which OPA finds something else.
    different: list[Failed] = field(default_factory=list)
    #: Why the tests would say nothing of a rule that finds everything, or nothing.
    vacuous: str = ""
    branches: int = 0
    missed: tuple[Branch, ...] = ()
    mistakes: int = 0
    #: Mistakes that no case notices; they are not looked for where cases fail.
    unnoticed: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Tests:
    """What became of all tests."""

    rules: tuple[Tested, ...]
    #: Whether OPA was asked as well, and if not, why.
    opa: str = ""

    @property
    def branches(self) -> tuple[int, int]:
        """Those that some case takes, of how many."""
        total = sum(one.branches for one in self.rules)
        return total - sum(len(one.missed) for one in self.rules), total

    @property
    def mistakes(self) -> tuple[int, int]:
        """Those that some case notices, of how many."""
        total = sum(one.mistakes for one in self.rules)
        return total - sum(len(one.unnoticed) for one in self.rules), total

    @property
    def holds(self) -> bool:
        """Whether all cases hold, here and in OPA, and say something of each rule."""
        return not any(one.failed or one.different or one.vacuous for one in self.rules)


def run_tests(
    chosen: Chosen, progress: Progress, *, mutate: bool = True, ask_opa: bool | None = None
) -> Tests:
    """Run all tests of rules. `ask_opa` is None for: where it is on PATH.

    Raises SettingsError for cases that cannot be read, UsageError without the OPA that is wanted.
    """
    engine = None if ask_opa is False else opa.find(required=bool(ask_opa))
    stages: dict[str, list[Stage]] = {rule.id: [] for rule in chosen.rules}
    progress("reading the cases")
    for case in cases_of(chosen):
        stages[case.rule.id].append(Stage(case))
    tested = []
    seen: set[Branch] = set()
    for rule in chosen.rules:
        if chosen.suites_alone and not stages[rule.id]:
            continue
        progress(f"testing {rule.id}")
        one, taken = _tested(rule, stages[rule.id])
        seen |= taken
        if mutate and not one.failed:
            _make_mistakes(one, stages[rule.id])
        tested.append(one)
    _tell_branches(tested, seen)
    if engine is not None:
        progress("asking OPA")
        _compare(tested, stages, engine)
    why = "" if engine else "opa is not on PATH" if ask_opa is None else "not asked for"
    return Tests(tuple(tested), why)


def _tested(rule: program.Rule, stages: Sequence[Stage]) -> tuple[Tested, set[Branch]]:
    one = Tested(rule, cases=len(stages))
    plain, watched = CompiledRule(rule), Watched(rule)
    telling = CompiledRule(watched.rule)
    fires = quiet = False
    taken: set[Branch] = set()
    for stage in stages:
        listener = Listener(stage.world)
        try:
            hits = stage.hits(plain)
            stage.hits(telling, listener)
        except BudgetError:
            one.failed.append(Failed(stage.case, "it takes too many steps"))
            continue
        taken |= set(watched.taken(listener.seen))
        fires = fires or any(hits)
        quiet = quiet or not all(hits) or not (hits or stage.subjects)
        why = differs(stage.case, stage.found(hits))
        if why:
            one.failed.append(Failed(stage.case, why))
    one.vacuous = _vacuous(rule, stages, fires=fires, quiet=quiet)
    return one, taken


def _vacuous(rule: program.Rule, stages: Sequence[Stage], *, fires: bool, quiet: bool) -> str:
    if not stages:
        return "nothing tests it: write `Good:` and `Bad:` into its docstring, or a suite"
    if not fires:
        return "in no test does it find anything"
    if not quiet or not any(stage.subjects for stage in stages):
        return f"in no test does it let {'a change' if rule.is_change else 'an object'} pass"
    return ""


def _make_mistakes(one: Tested, stages: Sequence[Stage]) -> None:
    found = mistakes(one.rule)
    one.mistakes = len(found)
    one.unnoticed = tuple(m for m in found if not _notices(mutant(one.rule, m), stages))


def _notices(rule: program.Rule, stages: Iterable[Stage]) -> bool:
    compiled = CompiledRule(rule)
    try:
        return any(problem(stage, compiled) for stage in stages)
    except Exception:  # noqa: BLE001 - without its guard, a rule may do what no rule can: fail
        return True


def _tell_branches(tested: Sequence[Tested], seen: set[Branch]) -> None:
    """The branches that no test takes; a helper's are those of the first rule that calls it."""
    told: set[Branch] = set()
    for one in tested:
        branches = set(Watched(one.rule).branches) - told
        told |= branches
        one.branches = len(branches)
        one.missed = tuple(sorted(branches - seen))


def _compare(
    tested: Sequence[Tested], stages: dict[str, list[Stage]], engine: Callable[..., Any]
) -> None:
    shown = [(one, stage) for one in tested for stage in stages[one.rule.id]]
    answers = engine([one.rule for one in tested], [stage for _, stage in shown])
    for (one, stage), why in zip(shown, answers, strict=True):
        if why:
            one.different.append(Failed(stage.case, why))
