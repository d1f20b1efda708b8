"""Every scenario in every order of its writes: what its author expects is what the prover says."""

from itertools import permutations

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.proof import Prover
from meshplan.settings import World
from support.proofs import plan, steps_of
from support.scenarios import BEYOND_THE_PROOF, SCENARIOS, Scenario, scenario_snapshots


@pytest.mark.parametrize("world", World)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_orders(scenario: Scenario, world: World) -> None:
    base, head = scenario_snapshots(scenario.name)
    config = MeshConfig()
    prover = Prover(Mesh.of(base, config, world), Mesh.of(head, config, world))
    steps = list(steps_of(base, head))
    verdicts = {
        prover.check(plan([[step] for step in order])).verdict for order in permutations(steps)
    }
    match scenario.expect:
        case "any":
            assert verdicts == {"safe"}
            assert prover.check(plan([steps])).is_safe
        case "bridge" if scenario.name in BEYOND_THE_PROOF:
            assert verdicts == {"safe"}
        case "order":
            assert verdicts == {"safe", "unsafe"}
        case "unknown":
            assert verdicts == {"unknown"}
        case _:
            assert verdicts == {"unsafe"}
