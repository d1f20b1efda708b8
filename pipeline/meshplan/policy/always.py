"""Rules that have to hold in every state of a plan, and not at its end alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from meshplan.finding import Finding, Status
from meshplan.plan import Plan
from meshplan.planner.standing import moments
from meshplan.resource import Snapshot

#: What rules find in a state.
Judge = Callable[[Snapshot], Sequence[Finding]]


def broken_on_the_way(
    plan: Plan, base: Snapshot, head: Snapshot, judge: Judge
) -> Iterator[Finding]:
    """The findings of states on the way that neither end has, each with its first wave.

    `judge` runs the rules that hold always. A finding that the base has, or that the head has, is
    told of these; here only what is true before and after, and not in between.
    """
    told = {found.fingerprint for end in (base, head) for found in judge(end)}
    for moment in moments(plan, base):
        when = "after" if moment.complete else "in the midst of"
        for found in judge(moment.state):
            if found.fingerprint not in told:
                told.add(found.fingerprint)
                yield found.with_(
                    status=Status.NEW,
                    wave=moment.wave,
                    message=f"true before, true after, false {when} wave {moment.wave + 1}: "
                    f"{found.message}",
                    key=found.key or found.message,
                )


def held(judge: Judge, state: Snapshot) -> Mapping[str, str]:
    """What does not hold in a state, as the planner asks for it."""
    return {found.fingerprint: f"{found.message} [{found.rule}]" for found in judge(state)}
