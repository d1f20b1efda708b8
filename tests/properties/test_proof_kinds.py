"""Plans for changes of several kinds at once, and corrupted ones, against brute force.

What the prover or the independent checker lets pass loses, misleads and lets in nothing in any view
of any wave, whoever asks: by the whole mesh of each state, with pods in the tree or elsewhere.
"""

from collections.abc import Iterator
from itertools import combinations, permutations, product
from random import Random

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Plan, Wave, simulate, wave_to_json
from meshplan.planner.solve import Solution, solve
from meshplan.proof import Proof, Prover
from meshplan.settings import World
from meshplan.traffic import View, admit
from meshplan.traffic.outcome import Outcome, Transport, Unknown
from meshplan.verify import verify
from support.proofs import SETTLED, plan, steps_of
from support.random_kinds import Asking, anybody, pair_of_kinds
from support.random_meshes import Pair, Sent
from support.random_meshes import plan as random_plan
from support.truth import Truth, breaks

REQUESTS = 60
VIEWS = 27


def outcome(truth: Truth, view: View, asked: Asking) -> Outcome:
    if asked.proxy is not None:
        return truth.outcome(view, Sent(asked.proxy, asked.request))
    assert asked.server is not None
    transport = Transport.MTLS if asked.request.principal else Transport.PLAINTEXT
    return admit(view.servers, asked.request, asked.server, transport)


def broken(found: Pair, steps: Plan, asked: list[Asking], random: Random) -> Iterator[int]:
    """The waves with a view that breaks an invariant for some request."""
    truth = Truth(found, steps)
    ends = [View(*[side] * 3) for side in (truth.base, truth.head)]
    known = [(one, *(outcome(truth, end, one) for end in ends)) for one in asked]
    known = [one for one in known if not any(isinstance(end, Unknown) for end in one[1:])]
    for number in range(len(steps.waves)):
        views = [View(*chosen) for chosen in product(truth.states(steps, number), repeat=3)]
        for one, before, after in known:
            for view in random.sample(views, min(len(views), VIEWS)):
                at_one = view.routes is view.clusters is view.servers
                during = outcome(truth, view, one)
                if not isinstance(during, Unknown) and breaks(
                    before, during, after, one.request, at_one=at_one
                ):
                    yield number
                    break


def solved(found: Pair) -> tuple[Prover, Solution]:
    base = Mesh.of(found.base, MeshConfig(), World.OPEN)
    head, changes = base.at(found.head), diff(found.base, found.head)
    graph = dependency_graph(changes, base, head)
    return Prover(base, head), solve(changes, graph, base, head)


def first_doubt(steps: Plan, proof: Proof) -> int:
    """The first wave of which the prover does not say that it is safe."""
    doubts = [c.wave for c in proof.counterexamples] + [u.wave or 0 for u in proof.unknowns]
    return min(doubts, default=len(steps.waves))


@pytest.mark.parametrize("first", range(0, 45, 15))
def test_nothing_that_is_proven_fails(first: int) -> None:
    verdicts = set()
    for seed in range(first, first + 15):
        random = Random(seed)
        found = pair_of_kinds(random)
        prover, solution = solved(found)
        verdicts.add(solution.proof.verdict)
        steps = random_plan(random, list(steps_of(found.base, found.head)))
        asked = anybody(random, found, REQUESTS)
        for one, proof in ((solution.plan, solution.proof), (steps, prover.check(steps))):
            wrong = list(broken(found, one, asked, random))
            assert all(number >= first_doubt(one, proof) for number in wrong), seed
    assert "safe" in verdicts


@pytest.mark.parametrize("first", range(100, 160, 20))
def test_no_order_is_safe_where_none_is_said_to_be(first: int) -> None:
    for seed in range(first, first + 20):
        random = Random(seed)
        found = pair_of_kinds(random)
        prover, solution = solved(found)
        if solution.impossible is None and not solution.tried:
            continue
        for order in permutations(steps_of(found.base, found.head)):
            assert not prover.check(plan([[step] for step in order])).is_safe, seed


def corrupted(random: Random, steps: Plan) -> Iterator[Plan]:
    """A step moved, left out or made twice; two waves as one; the waves in another order."""
    waves = [list(wave.steps) for wave in steps.waves]
    place = random.randrange(len(waves))
    rest = [wave[:] for wave in waves]
    step = rest[place].pop(random.randrange(len(rest[place])))
    yield _plan(rest)
    yield _plan([*rest, [step]])
    yield _plan([[step], *rest])
    yield _plan([*waves, [step]])
    yield _plan(waves[::-1])
    for one, other in list(combinations(range(len(waves)), 2))[:2]:
        both = [*waves[one], *waves[other]]
        yield _plan([*waves[:one], both, *waves[one + 1 : other], *waves[other + 1 :]])


def _plan(waves: list[list[object]]) -> Plan:
    made = tuple(Wave(tuple(wave), SETTLED) for wave in waves if wave)  # type: ignore[arg-type]
    return Plan(made)


@pytest.mark.parametrize("first", range(200, 220, 10))
def test_no_corrupted_plan_is_confirmed_that_fails(first: int) -> None:
    verdicts = set()
    for seed in range(first, first + 10):
        random = Random(seed)
        found = pair_of_kinds(random)
        prover, solution = solved(found)
        if not solution.proof.is_safe or not solution.plan.waves:
            continue
        asked = anybody(random, found, REQUESTS // 2)
        for one in random.sample(list(corrupted(random, solution.plan)), 2):
            waves = [wave_to_json(wave) for wave in one.waves]
            told = verify({"digest": one.digest, "waves": waves}, prover.base, prover.head)
            verdicts.add(told.verdict)
            if told.verdict == "confirmed":
                end = simulate(one.steps, found.base)
                assert {i: r.manifest for i, r in end.items()} == {
                    i: r.manifest for i, r in found.head.items()
                }
                assert not list(broken(found, one, asked, random)), seed
    assert {"confirmed", "refuted"} <= verdicts
