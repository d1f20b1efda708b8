"""The proof: every request class in the footprint of a change, in every view of every wave."""

from collections.abc import Iterable, Mapping, Sequence

from meshplan.identity import ResourceId
from meshplan.mesh.model import Mesh
from meshplan.plan import Plan, Step
from meshplan.proof.types import (
    DEFAULT_BUDGET,
    Budget,
    Counterexample,
    Lost,
    Proof,
    StatePredicate,
    Undecided,
)
from meshplan.resource import Resource


class Prover:
    """Answers questions about plans for one change; what it works out is kept for the next."""

    def __init__(
        self,
        base: Mesh,
        head: Mesh,
        *,
        extra_versions: Iterable[Resource] = (),
        budget: Budget = DEFAULT_BUDGET,
    ):
        self.base = base
        self.head = head
        self.budget = budget
        self.extra_versions = tuple(extra_versions)

    def check(self, plan: Plan, *, predicates: Sequence[StatePredicate] = ()) -> Proof:
        """Whether all waves of a plan are safe, every view of each.

        The plan may write versions that are in neither revision.
        """
        raise NotImplementedError

    def transition(
        self,
        before: Mapping[ResourceId, Resource | None],
        steps: Sequence[Step],
        *,
        wave: int = 0,
    ) -> tuple[tuple[Counterexample, ...], tuple[Undecided, ...]]:
        """What one wave may break; nothing found means that it is safe.

        `before` tells the changed objects as they are when the wave begins (None for one that is
        not there); those it leaves out are as in the base. Only the request classes in the
        footprint of `steps` are looked at.
        """
        raise NotImplementedError

    def lost(self) -> tuple[Lost, ...]:
        """Requests that the base serves and the head does not."""
        raise NotImplementedError


def prove(
    plan: Plan,
    base: Mesh,
    head: Mesh,
    *,
    budget: Budget = DEFAULT_BUDGET,
    predicates: Sequence[StatePredicate] = (),
) -> Proof:
    """Whether a plan from `base` to `head` keeps the invariants in every view of every wave."""
    return Prover(base, head, budget=budget).check(plan, predicates=predicates)
