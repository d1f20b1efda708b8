"""The plan of one target, with its proof where that is wanted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.diff import ChangeSet
from meshplan.graph import DependencyGraph
from meshplan.mesh import Mesh
from meshplan.plan import Plan
from meshplan.planner import order
from meshplan.result import TargetResult
from meshplan.settings import Settings

if TYPE_CHECKING:
    from meshplan.planner.standing import Predicate


@dataclass(frozen=True, slots=True)
class Difference:
    """One target at both revisions, and what depends on what."""

    changes: ChangeSet
    graph: DependencyGraph
    base: Mesh
    head: Mesh


def ordered(difference: Difference) -> Plan:
    """The plan as the graph has it."""
    return order(difference.changes, difference.graph, difference.base, difference.head)


def with_plan(
    target: TargetResult,
    difference: Difference,
    settings: Settings,
    asked: Sequence[str] = (),
    holding: "Predicate | None" = None,
) -> TargetResult:
    """The target with its plan, what is proven of that, and what deployers would do.

    `asked` names deployers besides those that the settings name; `holding` is what the plan is to
    keep in every state. Without proof the verdict is unknown.
    """
    found = replace(
        target,
        changes=difference.changes,
        edges=difference.graph.edges,
        cycles=difference.graph.cycles,
    )
    if not settings.proof.enabled:
        return replace(found, plan=ordered(difference))
    # Late: an order alone needs no prover, which takes 30 ms to import.
    from meshplan.run.prove import judged  # noqa: PLC0415

    return judged(found, difference, settings, asked, holding)
