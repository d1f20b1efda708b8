"""Made-up cases with results out of small tables, and what has to be found of them.

What is expected is found from all results that each stage has in any state of a wave, under every way
to answer what is open.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any, cast

from meshplan.identity import ResourceId
from meshplan.proof.assumptions import Assumptions
from meshplan.proof.invariants import Interval, broken, ends_of, policy_changes
from meshplan.proof.meter import Meter
from meshplan.proof.outcomes import Triple
from meshplan.proof.scope import Stages, State
from meshplan.proof.types import Budget, Invariant
from meshplan.proof.views import Examination, Tally, WaveStates
from meshplan.traffic.outcome import (
    Backend,
    Denied,
    Failed,
    Outcome,
    Passthrough,
    Served,
    Unknown,
)
from meshplan.traffic.request import Request

if TYPE_CHECKING:
    from meshplan.proof.cases import Case

HOST = "www.example.com"
FILTER, OTHER = (ResourceId("networking.istio.io", "EnvoyFilter", "shop", n) for n in ("f", "g"))


def served(endpoint: str, timeout: str = "1s") -> Served:
    return Served((Backend(endpoint, "h", "", 80, 0, "/", HOST),), {"timeout": timeout})


A, B = served("a:1"), served("b:1")
LOST, DENIED, PASSED = Failed(503, "NC"), Denied(403, "none"), Passthrough(HOST, 80)
KNOWN = (A, A, B, served("a:1", "2s"), served("a:1", "3s"), LOST, DENIED, PASSED)
UNKNOWN = (
    Unknown("one", (FILTER,), A),
    Unknown("one", (FILTER,), A),
    Unknown("one", (FILTER,), B),
    Unknown("two", (FILTER, OTHER), A),
    Unknown("three"),
)


@dataclass(frozen=True)
class Question:
    """An outcome that depends on something that nobody knows."""

    name: str
    if_so: Outcome
    if_not: Outcome


@dataclass
class Made:
    """A case with the results of each stage by the states of its positions, and outcomes of those."""

    stages: Stages
    numbers: tuple[dict[State, int], ...]
    outcomes_of: dict[tuple[str, int, int, int], Outcome | Question]
    requests: Sequence[Request]
    is_unmodelled: bool = False
    #: The results of the routes, and of the clusters, of which names and servers were asked for in
    #: each wave.
    named: list[set[int]] = field(default_factory=list)
    reached: list[set[int]] = field(default_factory=list)
    #: The states of each stage that requests were asked of, and that were compared with others.
    every: tuple[Sequence[State], ...] = ()
    compared: tuple[Sequence[State], ...] = ()
    meter: Meter = field(default_factory=lambda: Meter(10**9))

    @property
    def scope(self) -> "Made":
        return self

    @property
    def outcomes(self) -> "Made":
        return self

    def kept(self, stage: int) -> tuple[int, ...]:
        return (self.stages.routes, self.stages.clusters, self.stages.servers)[stage]

    def number(self, stage: int, state: State) -> int:
        return self.numbers[stage][tuple(state[p] for p in self.kept(stage))]

    def front_number(self, state: State) -> int:
        return self.number(0, state)

    def names(self, states: Any) -> tuple[str, ...]:
        self.named.append({self.number(0, one) for one in states})
        return tuple(sorted({str(self.number(0, one)) for one in states}))

    def cluster_number(self, state: State, names: tuple[str, ...]) -> int:
        assert names
        return self.number(1, state)

    def servers(self, states: Any, names: tuple[str, ...]) -> list[str]:
        self.reached.append({self.number(1, one) for one in states})
        return [f"{self.number(1, one)}" for one in sorted(states)]

    def server_number(self, state: State, servers: list[str]) -> int:
        assert servers
        return self.number(2, state)

    def classes(
        self,
        routes: Sequence[State],
        clusters: Sequence[State],
        servers: Sequence[State],
        _: Budget,
    ) -> Sequence[Request]:
        self.every = (routes, clusters, servers)
        return self.requests

    def is_blind(self, *every: Sequence[State]) -> bool:
        assert every == self.every
        return self.is_unmodelled

    def likeness(self, *every: Sequence[State]) -> Hashable:
        self.compared = every
        return every

    def outcome(self, request: Request, view: Sequence[State]) -> Outcome | Question:
        numbers = [self.number(stage, state) for stage, state in enumerate(view)]
        return self.outcomes_of[request.path, numbers[0], numbers[1], numbers[2]]

    def asked(self, request: Request, assumptions: Assumptions) -> Callable[[Triple], Outcome]:
        def outcome(triple: Triple) -> Outcome:
            for stage, state in enumerate((triple.routes, triple.clusters, triple.servers)):
                # Each stage is asked about what it looks at alone.
                assert all(not n for p, n in enumerate(state) if p not in self.kept(stage))
            found = self.outcome(request, (triple.routes, triple.clusters, triple.servers))
            if isinstance(found, Question):
                return (
                    found.if_so
                    if assumptions.ask((found.name, found.name), found.name)
                    else found.if_not
                )
            return found

        return outcome


POSITIONS, BASE, HEAD = range(3), (0, 0, 0), (1, 1, 1)


def made(random: Random, *, unknown: bool = False, questions: int = 0) -> Made:
    stages = Stages(*(tuple(p for p in POSITIONS if random.random() < 0.7) for _ in range(3)))
    numbers = tuple(
        {state: random.randrange(3) for state in product(range(3), repeat=len(kept))}
        for kept in (stages.routes, stages.clusters, stages.servers)
    )
    outcomes: tuple[Outcome, ...] = tuple(random.sample(KNOWN, 3))
    if unknown:
        outcomes = random.choice((outcomes, ())) + tuple(random.sample(UNKNOWN, 2))
    names = [f"q{number}" for number in range(questions)]
    table: dict[tuple[str, int, int, int], Outcome | Question] = {}
    for path, *key in product(("/x", "/y"), range(3), range(3), range(3)):
        one: Outcome | Question = random.choice(outcomes)
        if names and random.random() < 0.3:
            one = Question(random.choice(names), random.choice(outcomes), random.choice(outcomes))
        table[path, key[0], key[1], key[2]] = one
    return Made(
        stages, numbers, table, [Request(HOST, path=path, port=80) for path in ("/x", "/y")]
    )


def waves_of(random: Random) -> list[WaveStates]:
    """Waves from the base to the head, by way of a third version at times."""
    found, state = [], list(BASE)
    order = random.sample(POSITIONS, 3)
    for number, moving in enumerate(random.choice(([order], [order[:1], order[1:]], [order[:2], order[2:]]))):  # fmt: skip
        before = tuple(state)
        for position in moving:
            state[position] = 1
        moves = tuple((p, random.choice(((1,), (1,), (2, 1)))) for p in sorted(moving))
        found.append(WaveStates(number, before, tuple(state), moves))
    return found


# What is expected


def reachable(wave: WaveStates) -> Iterator[State]:
    """All states of a wave: each object as it was, or as it comes to be."""
    moves = dict(wave.moves)
    yield from product(*((old, *moves.get(p, ())) for p, old in enumerate(wave.before)))


def told(outcome: Outcome | Question, answers: dict[str, bool]) -> Outcome:
    if isinstance(outcome, Question):
        return outcome.if_so if answers[outcome.name] else outcome.if_not
    return outcome


def judged(
    around: Sequence[Outcome], during: Outcome, *, at_one: bool, request: Request
) -> set[Invariant | None]:
    five = (*around, during)
    unknown = [one for one in five if isinstance(one, Unknown)]
    if unknown:
        likely = [one.otherwise for one in unknown]
        alike = len(unknown) == 5 and len({one.opaque for one in unknown}) == 1
        known = [ends_of(one, request) for one in likely if one is not None]
        return set() if alike and len(known) == 5 and known.count(known[0]) == 5 else {None}
    first, last, begun, done, now = (ends_of(one, request) for one in five)
    assert first
    assert last
    assert begun
    assert done
    assert now
    found: set[Invariant | None] = set()
    one = broken(first, now, last, Interval(begun, done, at_one))
    if one is not None:
        found.add(one)
    elif first.passed != last.passed and first.served and last.served and not now.served:
        found.add(Invariant.POLICY)
    if list(policy_changes(around[0], during, around[1])):
        found.add(Invariant.POLICY)
    return found


def expected(case: Made, waves: Sequence[WaveStates], answers: dict[str, bool]) -> set[object]:
    found: set[object] = set()
    for request, wave in product(case.requests, waves):
        states = list(reachable(wave))
        whole = {tuple(case.number(stage, state) for stage in range(3)) for state in states}
        results = [{numbers[stage] for numbers in whole} for stage in range(3)]
        around = [
            told(case.outcome(request, [state] * 3), answers)
            for state in (BASE, HEAD, wave.before, wave.after)
        ]
        touched = case.stages.everything & set(wave.moving)
        for numbers in product(*results) if touched else ():
            during = told(case.outcomes_of[request.path, *numbers], answers)
            for one in judged(around, during, at_one=numbers in whole, request=request):
                found.add((request.path, wave.number, one))
    return found


def all_answers(names: Sequence[str]) -> Iterator[dict[str, bool]]:
    for given in product((True, False), repeat=len(names)):
        yield dict(zip(names, given, strict=True))


def examined(case: Made, waves: Sequence[WaveStates], *, lost: bool = False) -> Tally:
    tally = Tally()
    Examination(cast("Case", case), BASE, HEAD, waves, Budget()).run(tally, lost=lost)
    return tally
