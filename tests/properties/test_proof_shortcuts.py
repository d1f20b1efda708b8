"""What the prover does not look at twice: with and without the shortcut it says the same."""

from random import Random

import pytest

from meshplan.bridge import bridges
from meshplan.diff import diff
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Plan
from meshplan.planner.reverse import reversed_plan
from meshplan.proof import Proof, Prover
from meshplan.settings import World
from support.proofs import steps_of
from support.random_meshes import pair, plan
from support.scenarios import SCENARIOS, Scenario, scenario_snapshots


def said(proof: Proof) -> object:
    """What a proof says, whatever it has counted."""
    return (
        [(c.wave, c.invariant, c.sentence) for c in proof.counterexamples],
        [(u.wave, u.why, str(u.request)) for u in proof.unknowns],
    )


def same_on_the_way_back(base: Mesh, head: Mesh, there: Plan) -> bool:
    """Whether the way back of a proven plan is judged alike with and without knowing the plan."""
    if not Prover(base, head).check(there).is_safe:
        return False
    back = reversed_plan(there, base.snapshot)
    full = Prover(head, base).check(back)
    short = Prover(head, base).check(back, proven=there)
    assert said(short) == said(full)
    assert short.views <= full.views
    return True


@pytest.mark.parametrize("first", range(0, 240, 40))
def test_the_way_back_of_random_plans(first: int) -> None:
    proven = 0
    for seed in range(first, first + 40):
        random = Random(seed)
        found = pair(random, 1 + seed % 4)
        steps = plan(random, found.steps)
        base = Mesh.of(found.base, MeshConfig(), World.OPEN)
        head = Mesh.of(found.head, MeshConfig(), World.OPEN)
        proven += same_on_the_way_back(base, head, steps)
    assert proven > 5


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_versions_in_between_change_nothing_elsewhere(scenario: Scenario) -> None:
    snapshots = scenario_snapshots(scenario.name)
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in snapshots)
    versions = [v for choice in bridges(diff(*snapshots), base, head) for v in choice.between]
    random = Random(scenario.name)
    for _ in range(3):
        found = plan(random, list(steps_of(*snapshots)))
        first = Prover(base, head)
        first.check(found)
        full = Prover(base, head, extra_versions=versions)
        assert said(first.with_versions(versions).check(found)) == said(full.check(found))
