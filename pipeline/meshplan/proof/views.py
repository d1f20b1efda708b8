"""Every view of a wave for the requests of one case, and what it breaks."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property, partial
from math import prod
from typing import cast

from meshplan.dataclass import dataclass
from meshplan.proof.assumptions import NOTHING, Assumptions, OpenQuestionError
from meshplan.proof.cases import Case
from meshplan.proof.invariants import Ends, Interval, broken, ends_of, policy_changes
from meshplan.proof.outcomes import Triple
from meshplan.proof.scope import State, between, normal
from meshplan.proof.types import Budget, BudgetError, CrowdError, Invariant
from meshplan.traffic.outcome import Outcome, Unknown
from meshplan.traffic.request import Request

#: Ways to answer open questions that are tried for one class.
_MAX_ANSWERS = 16
#: So many views or states that are known are one unit of work.
_CHEAP = 16


@dataclass(frozen=True, slots=True)
class WaveStates:
    """A wave in a scope: the states around it, and the positions that move."""

    number: int
    before: State
    after: State
    #: Positions that move, each with the versions that it may come to have.
    moves: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def moving(self) -> tuple[int, ...]:
        """The positions that move."""
        return tuple(position for position, _ in self.moves)

    @property
    def spans(self) -> tuple[frozenset[int], ...]:
        """The versions that each position may have, before, within and after the wave."""
        moves = dict(self.moves)
        return tuple(
            frozenset((old, new, *moves.get(position, ())))
            for position, (old, new) in enumerate(zip(self.before, self.after, strict=True))
        )


@dataclass(frozen=True, slots=True)
class Violation:
    """A view that breaks an invariant, or that nothing can be said about."""

    wave: int
    #: None where the outcome is unknown.
    invariant: Invariant | None
    request: Request
    before: Outcome
    during: Outcome
    after: Outcome
    #: Positions that are visible to each stage, and those that make any difference.
    seen: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    matter: tuple[int, ...]
    assumed: tuple[str, ...] = ()
    why: str = ""
    #: Whether there are such requests for sure.
    certain: bool = True


@dataclass(slots=True)
class Tally:
    """What has been looked at."""

    classes: int = 0
    views: int = 0
    violations: list[Violation] = field(default_factory=list)
    warnings: list[Violation] = field(default_factory=list)
    lost: list[tuple[Request, Outcome, Outcome]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """The distinct results of one stage in a wave: for each one the first state that has it."""

    states: tuple[State, ...]
    seen: tuple[tuple[int, ...], ...]
    #: Positions of which the result depends.
    matter: tuple[int, ...]
    #: Each state and the number of its result.
    results: Mapping[State, int]

    @property
    def likeness(self) -> Hashable:
        """All of it."""
        return self.states, self.seen, self.matter, tuple(self.results.items())


class Examination:
    """The waves of a plan, or a single one, in the eyes of one case."""

    def __init__(
        self, case: Case, base: State, head: State, waves: Sequence[WaveStates], budget: Budget
    ):
        self._case = case
        self._budget = budget
        self._stages = case.stages
        self._base = self._triple(base)
        self._head = self._triple(head)
        everything = case.stages.everything
        self._waves = [wave for wave in waves if everything.intersection(wave.moving)]

    def run(self, tally: Tally, *, lost: bool) -> None:
        """Look at all classes and views; raises BudgetError.

        `lost` asks for the requests that the head does not serve any more.
        """
        parts, every = self.looked_up
        if not parts and not lost:
            return
        classes = self._case.classes(every[0], every[1], every[2], self._budget)
        tally.classes += len(classes)
        if self._case.is_blind(every[0], every[1], every[2]):
            raise BudgetError("a match on the header `:path`, which is not modelled")
        for request in classes:
            self._look(request, parts, tally, lost=lost)

    @cached_property
    def looked_up(
        self,
    ) -> tuple[list[tuple[Part, Part, Part]], tuple[tuple[State, ...], ...]]:
        """The parts of each wave, and the states of each stage that views are made of."""
        parts = [self.parts(wave) for wave in self._waves]
        every: list[tuple[State, ...]] = []
        for stage in range(3):
            states = {self._base_of(stage), self._head_of(stage)}
            for found in parts:
                states.update(found[stage].states)
            every.append(tuple(sorted(states)))
        return parts, tuple(every)

    @cached_property
    def likeness(self) -> Hashable:
        """All that outcomes depend on; what two clients have in common need be looked at once.

        Raises BudgetError.
        """
        parts, every = self.looked_up
        moves = tuple(
            (wave.number, tuple(part.likeness for part in found))
            for wave, found in zip(self._waves, parts, strict=True)
        )
        return moves, every, self._case.likeness(every[0], every[1], every[2])

    def _look(
        self,
        request: Request,
        parts: Sequence[tuple[Part, Part, Part]],
        tally: Tally,
        *,
        lost: bool,
    ) -> None:
        """One class, under all ways to answer what is open about it."""
        pending = [NOTHING]
        tried = 0
        while pending:
            assumptions = pending.pop()
            found = Tally()
            try:
                self._under(request, assumptions, parts, found, lost=lost)
            except OpenQuestionError as question:
                tried += 1
                if tried > _MAX_ANSWERS:
                    raise BudgetError(f"more than {_MAX_ANSWERS} open questions") from None
                pending += assumptions.with_answers(question)
                continue
            tally.views += found.views
            tally.warnings += found.warnings
            tally.lost += found.lost
            tally.violations += found.violations

    def _under(
        self,
        request: Request,
        assumptions: Assumptions,
        parts: Sequence[tuple[Part, Part, Part]],
        tally: Tally,
        *,
        lost: bool,
    ) -> None:
        outcome = self._case.outcomes.asked(request, assumptions)
        before, after = outcome(self._base), outcome(self._head)
        first, last = ends_of(before, request), ends_of(after, request)
        if lost and first and last and first.served and not (first.passed or last.served):
            tally.lost.append((request, before, after))
        for wave, part in zip(self._waves, parts, strict=True):
            start, end = outcome(self._triple(wave.before)), outcome(self._triple(wave.after))
            around = (before, after, start, end)
            for violation in self._views(wave, part, request, around, outcome, tally):
                filled = replace(
                    violation, assumed=assumptions.words, certain=assumptions.plausible
                )
                (
                    tally.warnings if filled.invariant is Invariant.POLICY else tally.violations
                ).append(filled)

    def _views(
        self,
        wave: WaveStates,
        part: tuple[Part, Part, Part],
        request: Request,
        around: tuple[Outcome, Outcome, Outcome, Outcome],
        outcome: Callable[[Triple], Outcome],
        tally: Tally,
    ) -> Iterator[Violation]:
        """At most one violation of each invariant for a class in a wave."""
        before, after, start, end = around
        routes, clusters, servers = part
        seen: set[object] = set()
        matter = tuple(sorted({*routes.matter, *clusters.matter, *servers.matter}))
        unknowns = [found for found in around if isinstance(found, Unknown)]
        views = len(routes.states) * len(clusters.states) * len(servers.states)
        self._case.scope.meter.spend(1 + views // _CHEAP)
        for r, route_state in enumerate(routes.states):
            for c, cluster_state in enumerate(clusters.states):
                for s, server_state in enumerate(servers.states):
                    tally.views += 1
                    during = outcome(Triple(route_state, cluster_state, server_state))
                    visible = (routes.seen[r], clusters.seen[c], servers.seen[s])
                    if unknowns or isinstance(during, Unknown):
                        why = _unknown((*around, during), request)
                        if why and "unknown" not in seen:
                            seen.add("unknown")
                            yield Violation(
                                wave.number,
                                None,
                                request,
                                before,
                                during,
                                after,
                                visible,
                                matter,
                                why=why,
                            )
                        continue
                    at_one = partial(
                        self._is_at_one, wave, (route_state, cluster_state, server_state), part
                    )
                    found = (before, during, after, start, end)
                    for invariant, text in _judged(found, request, at_one):
                        if invariant not in seen:
                            seen.add(invariant)
                            yield Violation(
                                wave.number,
                                invariant,
                                request,
                                before,
                                during,
                                after,
                                visible,
                                matter,
                                why=text,
                            )

    def _is_at_one(
        self, wave: WaveStates, states: tuple[State, State, State], part: tuple[Part, Part, Part]
    ) -> bool:
        """Whether some state of the wave looks like this to all three stages."""
        kept = (self._stages.routes, self._stages.clusters, self._stages.servers)
        wanted = [found.results[state] for found, state in zip(part, states, strict=True)]
        return any(
            all(
                found.results[normal(state, positions)] == result
                for found, positions, result in zip(part, kept, wanted, strict=True)
            )
            for state, _ in self._subsets(wave, wave.before, wave.moves)
        )

    def parts(self, wave: WaveStates) -> tuple[Part, Part, Part]:
        """The distinct results of the three stages in a wave."""
        fronts = self._part(wave, self._stages.routes, self._case.front_number)
        names = self._case.names(fronts.states)
        clusters = self._part(
            wave, self._stages.clusters, lambda s: self._case.cluster_number(s, names)
        )
        reached = self._case.servers(clusters.states, names)
        servers = self._part(
            wave, self._stages.servers, lambda s: self._case.server_number(s, reached)
        )
        return fronts, clusters, servers

    def _part(
        self, wave: WaveStates, kept: tuple[int, ...], number: Callable[[State], int]
    ) -> Part:
        moves = [(position, versions) for position, versions in wave.moves if position in kept]
        before = normal(wave.before, kept)
        first: dict[int, tuple[State, tuple[int, ...]]] = {}
        results: dict[State, int] = {}
        for state, seen in self._subsets(wave, before, moves):
            result = results[state] = number(state)
            first.setdefault(result, (state, seen))
        self._case.scope.meter.spend(1 + len(results) // _CHEAP)
        return Part(
            tuple(state for state, _ in first.values()),
            tuple(seen for _, seen in first.values()),
            tuple(position for position, _ in moves if _matters(position, before, results)),
            results,
        )

    def _subsets(
        self, wave: WaveStates, before: State, moves: Sequence[tuple[int, tuple[int, ...]]]
    ) -> Iterator[tuple[State, tuple[int, ...]]]:
        if prod(len(versions) + 1 for _, versions in moves) > self._budget.states:
            raise CrowdError(wave.number, moves)
        return between(before, moves)

    def _triple(self, state: State) -> Triple:
        return Triple(*(self._of(stage, state) for stage in range(3)))

    def _of(self, stage: int, state: State) -> State:
        kept = (self._stages.routes, self._stages.clusters, self._stages.servers)[stage]
        return normal(state, kept)

    def _base_of(self, stage: int) -> State:
        return (self._base.routes, self._base.clusters, self._base.servers)[stage]

    def _head_of(self, stage: int) -> State:
        return (self._head.routes, self._head.clusters, self._head.servers)[stage]


def _matters(position: int, before: State, results: Mapping[State, int]) -> bool:
    """Whether any result changes if one position stays as it was."""
    return any(
        results[(*state[:position], before[position], *state[position + 1 :])] != result
        for state, result in results.items()
    )


def _judged(
    outcomes: tuple[Outcome, Outcome, Outcome, Outcome, Outcome],
    request: Request,
    at_one: Callable[[], bool],
) -> Iterator[tuple[Invariant, str]]:
    """What a view breaks; whether its stages are at one is only asked where it counts.

    The outcomes are those before, during and after the change, and around the wave.
    """
    # Unknown outcomes, which have no ends, are dealt with before.
    first, now, last, begun, done = (cast("Ends", ends_of(found, request)) for found in outcomes)
    declared = first.passed != last.passed
    found = broken(first, now, last, Interval(begun, done, not declared or at_one()))
    if found is not None:
        yield found, ""
    elif first.served and last.served and not now.served:
        yield Invariant.POLICY, "while the host becomes one of the mesh, or ceases to be one"
    for text in policy_changes(*outcomes[:3]):
        yield Invariant.POLICY, text


def _unknown(outcomes: Sequence[Outcome], request: Request) -> str:
    """Why some outcomes are not known, unless nothing that is not modelled meets a change."""
    unknown = [found for found in outcomes if isinstance(found, Unknown)]
    likely = [found.otherwise for found in unknown if found.otherwise is not None]
    ends = {ends_of(found, request) for found in likely}
    opaque = {found.opaque for found in unknown}
    if len(likely) == len(outcomes) and len(opaque) == len(ends) == 1:
        return ""
    return unknown[0].reason
