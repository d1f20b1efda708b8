"""Rules that have to hold in every state of a plan, and not at its end alone."""

from collections.abc import Callable, Iterator, Sequence

from meshplan.finding import Finding, Status
from meshplan.plan import Plan, simulate
from meshplan.resource import Snapshot

#: What rules find in a state.
Judge = Callable[[Snapshot], Sequence[Finding]]


def broken_on_the_way(plan: Plan, base: Snapshot, judge: Judge) -> Iterator[Finding]:
    """The findings of states between the waves that neither end has, each with its first wave.

    `judge` runs the rules that hold always. A finding that the base has, or that the head has, is
    told of these; here only what is true before and after, and not in between.
    """
    if len(plan.waves) < 2:
        return
    states = [base]
    for wave in plan.waves:
        states.append(simulate(wave.steps, states[-1]))
    told = {found.fingerprint for end in (states[0], states[-1]) for found in judge(end)}
    for number, state in enumerate(states[1:-1]):
        for found in judge(state):
            if found.fingerprint not in told:
                told.add(found.fingerprint)
                yield found.with_(
                    status=Status.NEW,
                    wave=number,
                    message=f"true before, true after, false after wave {number + 1}: "
                    f"{found.message}",
                    key=found.key or found.message,
                )


def first_breach(judge: Judge, base: Snapshot, head: Snapshot) -> Callable[[Snapshot], str | None]:
    """A predicate for the planner: why a state breaks rules that hold at both ends, or None."""
    told = {found.fingerprint for end in (base, head) for found in judge(end)}

    def breach(state: Snapshot) -> str | None:
        return next(
            (f"{f.message} [{f.rule}]" for f in judge(state) if f.fingerprint not in told), None
        )

    return breach
