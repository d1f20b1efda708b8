"""The prover against brute force: random revisions, random plans, random requests, every view."""

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Plan, simulate
from meshplan.proof import Counterexample, Invariant, Proof, Prover
from meshplan.settings import World
from meshplan.traffic import View, admit
from meshplan.traffic.outcome import (
    Transport,
)
from support.random_meshes import Sent, pair, plan, requests
from support.truth import Truth, breaks

SEEDS = range(60)
REQUESTS = 60


def violations(truth: Truth, steps: Plan, sent: Sent, random: Random) -> Iterator[tuple[int, View]]:
    """The views of a plan that break an invariant for a request."""
    before = truth.outcome(View(truth.base, truth.base, truth.base), sent)
    after = truth.outcome(View(truth.head, truth.head, truth.head), sent)
    for number in range(len(steps.waves)):
        states = truth.states(steps, number)
        views = [View(*chosen) for chosen in product(states, repeat=3)]
        if len(views) > 64:
            views = random.sample(views, 64)
        for view in views:
            at_one = view.routes is view.clusters is view.servers
            if breaks(before, truth.outcome(view, sent), after, sent.request, at_one=at_one):
                yield number, view


def shown(steps: Plan, proof: Proof) -> str:
    lines = [
        f"{n}: {[type(s).__name__ + ' ' + str(s.id) for s in w.steps]}"
        for n, w in enumerate(steps.waves)
    ]
    lines += [f"{c.wave} {c.sentence}" for c in proof.counterexamples]
    lines += [f"? {u.wave} {u.why} {u.request}" for u in proof.unknowns]
    return "\n".join(lines)


def confirmed(truth: Truth, steps: Plan, found: Counterexample) -> bool:
    """Whether the request of a counterexample fares in the whole mesh as it says."""
    rest = truth.rests[found.wave]
    wave = steps.waves[found.wave]

    def state(stage: str) -> Mesh:
        seen = found.stages[stage]
        return truth.base.at(simulate([s for s in wave.steps if s.id in seen], rest))

    client = found.request.client
    if client.proxy is None:
        assert found.request.server is not None
        outcomes = [
            admit(mesh, found.request.request, found.request.server, transport)
            for mesh in (truth.base, state("servers"), truth.head)
            for transport in (
                Transport.MTLS if found.request.request.principal else Transport.PLAINTEXT,
            )
        ]
        before, during, after = outcomes
    else:
        sent = Sent(client.proxy, found.request.request)
        view = View(state("routes"), state("clusters"), state("servers"))
        before = truth.outcome(View(truth.base, truth.base, truth.base), sent)
        during = truth.outcome(view, sent)
        after = truth.outcome(View(truth.head, truth.head, truth.head), sent)
    assert (before, during, after) == (found.before, found.during, found.after), found.sentence
    return found.invariant is Invariant.NO_FLAPPING or breaks(
        before, during, after, found.request.request, at_one=True
    )


def compare(seed: int, changes: int) -> str:
    """One random plan; what the prover says of it."""
    random = Random(seed)
    found = pair(random, changes)
    steps = plan(random, found.steps)
    base = Mesh.of(found.base, MeshConfig(), World.OPEN)
    head = Mesh.of(found.head, MeshConfig(), World.OPEN)
    proof = Prover(base, head).check(steps)
    truth = Truth(found, steps)
    for counterexample in proof.counterexamples:
        assert confirmed(truth, steps, counterexample), counterexample.sentence
    broken = [c.wave for c in proof.counterexamples]
    broken += [u.wave or 0 for u in proof.unknowns]
    # What a wave leaves behind may still be broken while others follow.
    first = min(broken, default=len(steps.waves))
    if first == 0:
        return proof.verdict
    for sent in requests(random, found, REQUESTS):
        for number, view in violations(truth, steps, sent, random):
            if number >= first:
                continue
            before = truth.outcome(View(truth.base, truth.base, truth.base), sent)
            after = truth.outcome(View(truth.head, truth.head, truth.head), sent)
            raise AssertionError(
                f"seed {seed}: wave {number}\n{sent}\n{before}\n{truth.outcome(view, sent)}\n{after}\n"
                + shown(steps, proof)
            )
    return proof.verdict


@pytest.mark.parametrize("changes", [1, 2, 3, 4])
def test_nothing_that_is_proven_fails(changes: int) -> None:
    verdicts = [compare(seed * 10 + changes, changes) for seed in SEEDS]
    assert {"safe", "unsafe"} <= set(verdicts)
