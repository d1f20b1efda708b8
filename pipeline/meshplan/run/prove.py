"""What is proven of the plan of one target, and what deployers would do in its place."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from meshplan.deployers import DEPLOYERS, Deployer, Options
from meshplan.plan import Plan
from meshplan.planner.standing import Predicate
from meshplan.proof import Budget, Proof, Undecided, WorkSpentError
from meshplan.result import DeployerResult, TargetResult, Verdict
from meshplan.run.plan import Difference, ordered
from meshplan.settings import ProofSettings, Settings

if TYPE_CHECKING:
    from meshplan.planner.solve import Solution
    from meshplan.proof import Prover

_VERDICTS = {"safe": Verdict.SAFE, "unsafe": Verdict.UNSAFE, "unknown": Verdict.UNKNOWN}


def judged(
    found: TargetResult,
    difference: Difference,
    settings: Settings,
    asked: Sequence[str],
    holding: Predicate | None,
) -> TargetResult:
    """The target with a plan, what is proven of it, and what deployers would do.

    As `run.plan.with_plan` has it; a failure of the prover makes the verdict unknown, and never costs
    the plan.
    """
    solution = _solved(difference, settings.proof, holding)
    return replace(
        found,
        verdict=verdict_of(solution),
        plan=solution.plan,
        reversible=solution.proof.is_safe and not solution.irreversible,
        irreversible=solution.irreversible,
        proof=solution.proof,
        impossible=solution.impossible,
        tried=solution.tried,
        lost=solution.lost,
        deployers=tuple(_deployed(difference, settings, asked)),
    )


def proven(difference: Difference, plan: Plan, settings: Settings) -> Proof:
    """What is proven of a plan of somebody else's; whatever goes wrong makes it unknown."""
    return _checked(_prover(difference, settings.proof), plan, settings.proof.timeout_seconds)


def verdict_of(solution: "Solution") -> Verdict:
    """What a solution says about a change.

    Where the search ended without an answer there may be a safe plan, so that is unknown, even if
    the plan at hand is refuted.
    """
    if solution.impossible is not None:
        return Verdict.UNSAFE
    if solution.tried or not solution.proof.counterexamples:
        undecided = bool(solution.tried) or bool(solution.proof.unknowns)
        safe = Verdict.SAFE if len(solution.plan.waves) <= 1 else Verdict.SAFE_IN_ORDER
        return Verdict.UNKNOWN if undecided else safe
    return Verdict.UNSAFE


def _prover(difference: Difference, settings: ProofSettings) -> "Prover":
    from meshplan.proof.prove import Prover  # noqa: PLC0415 - an order alone needs none of it

    budget = Budget(work=settings.work)
    return Prover(difference.base, difference.head, budget=budget)


def _solved(
    difference: Difference, settings: ProofSettings, holding: Predicate | None
) -> "Solution":
    from meshplan.planner.solve import Solution, solve  # noqa: PLC0415 - as above

    changes, graph, base, head = (
        difference.changes,
        difference.graph,
        difference.base,
        difference.head,
    )
    try:
        with _no_longer_than(settings.timeout_seconds):
            budget = Budget(work=settings.work)
            return solve(changes, graph, base, head, holding=holding, budget=budget)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong there, the plan is not lost
        proof = Proof(unknowns=(Undecided(_why(error)),))
        return Solution(ordered(difference), proof, irreversible="the plan itself is not proven")


def _deployed(
    difference: Difference,
    settings: Settings,
    asked: Sequence[str],
) -> Iterator[DeployerResult]:
    """What each deployer would do, those in use first."""
    in_use = {entry.name: entry for entry in settings.deployers}
    known = {deployer.name: deployer for deployer in DEPLOYERS}
    prover: Prover | None = None
    for name in dict.fromkeys((*in_use, *asked)):
        deployer = known[name]
        prover = prover or _prover(difference, settings.proof)
        options = Options(prune_last=name in in_use and in_use[name].prune_last)
        plan = deployer.order(difference.changes, difference.base.snapshot, options)
        proof = _checked(prover, plan, settings.proof.timeout_seconds)
        yield _told(deployer, plan, proof, configured=name in in_use)


def _told(deployer: Deployer, plan: Plan, proof: Proof, *, configured: bool) -> DeployerResult:
    return DeployerResult(
        deployer.name,
        deployer.title,
        configured,
        _VERDICTS[proof.verdict],
        plan,
        proof.counterexamples,
        proof.unknowns,
    )


def _checked(prover: "Prover", plan: Plan, seconds: float) -> Proof:
    try:
        with _no_longer_than(seconds):
            prover.meter.refill()
            return prover.check(plan)
    except Exception as error:  # noqa: BLE001 - as above
        return Proof(unknowns=(Undecided(_why(error)),))


class _TooLongError(Exception):
    """The time is up."""


def _why(error: Exception) -> str:
    if os.environ.get("MESHPLAN_DEBUG"):
        import traceback  # noqa: PLC0415 - only on an error

        traceback.print_exception(error)
    if isinstance(error, _TooLongError | WorkSpentError):
        return str(error)
    # Not its text: that may hold what a manifest holds.
    kind = type(error).__name__
    return f"the prover itself failed ({kind}), which is a fault of meshplan, not of the manifests"


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """Raise _TooLongError inside the block when the time is up, where the system has such timers."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer"):
        yield
        return
    running = True

    def ring(_: int, __: FrameType | None) -> None:
        if running:
            raise _TooLongError(f"proving it takes longer than {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, ring)
    # Again and again: whoever is interrupted may take it for another error and go on.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
