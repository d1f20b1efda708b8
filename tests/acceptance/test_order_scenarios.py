"""The planner on every scenario of `bench/order`, against what was written down by hand."""

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import simulate, wave_to_json
from meshplan.planner.solve import Solution, solve
from meshplan.settings import World
from meshplan.verify import verify
from support.bench import table
from support.scenarios import BEYOND_THE_CHECKER, SCENARIOS, Scenario, scenario_snapshots

#: Writes of the shortest plan, where the literature of the scenario names a number.
FEWEST_WRITES = {
    "subset-renamed": 3,
    "subset-swap": 3,
    "weights-and-subset": 3,
    "hosts-swapped": 3,
    "https-gateway-renamed": 4,
    "mtls-disable-to-strict": 3,
    "mtls-auto-strict": 4,
    "sidecar-flip": 3,
    "first-allow-in-two": 4,
    "allow-grants-swapped": 3,
    "service-port-renumbered": 3,
    "subset-labels-swapped": 5,
    "deployment-relabelled": 4,
    "egress-host-edited": 3,
    "principal-renamed": 3,
}


def solved(name: str) -> tuple[Mesh, Mesh, Solution]:
    base, head = scenario_snapshots(name)
    before = Mesh.of(base, MeshConfig(), World.CLOSED)
    after = before.at(head)
    changes = diff(base, head)
    graph = dependency_graph(changes, before, after)
    return before, after, solve(changes, graph, before, after)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_a_scenario_ends_as_expected(scenario: Scenario) -> None:
    base, head, found = solved(scenario.name)
    match scenario.expect:
        case "impossible":
            assert found.impossible is not None
            assert found.impossible.sentence
        case "unknown":
            assert found.proof.verdict == "unknown"
        case _:
            assert found.proof.verdict == "safe"
            assert (found.plan.bridges > 0) == (scenario.expect == "bridge")
            document = {
                "digest": found.plan.digest,
                "waves": [wave_to_json(wave) for wave in found.plan.waves],
            }
            checked = verify(document, base, head)
            expected = "unknown" if scenario.name in BEYOND_THE_CHECKER else "confirmed"
            assert (checked.verdict, checked.refutations) == (expected, ())
    end = simulate(found.plan.steps, base.snapshot)
    assert {r.id: r.manifest for r in end.values()}.keys() == head.snapshot.keys()


@pytest.mark.parametrize(("name", "writes"), FEWEST_WRITES.items())
def test_bridged_plans_have_the_fewest_writes(name: str, writes: int) -> None:
    _, _, found = solved(name)
    assert len(list(found.plan.steps)) == writes


def test_meshplan_breaks_none_of_them_and_every_deployer_breaks_some() -> None:
    rows = [table.row(scenario) for scenario in SCENARIOS]
    print("\n".join(table.table(rows)))
    *deployers, own = table.broken(rows)
    assert own == 0
    assert all(count >= len(rows) // 4 for count in deployers)
    hopeless = {row.scenario.name for row in rows if row.meshplan == "X"}
    assert hopeless == {s.name for s in SCENARIOS if s.expect == "impossible"}
    witnesses = [row.solution.impossible.sentence for row in rows if row.solution.impossible]
    assert len(witnesses) == len(hopeless)
    assert all(" → " in sentence for sentence in witnesses)
    undecided = {row.scenario.name for row in rows if row.meshplan == "?"}
    assert undecided == {s.name for s in SCENARIOS if s.expect == "unknown"}
