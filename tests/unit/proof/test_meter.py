"""The budget of a proof: counted, so that it ends at the same place everywhere."""

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.planner.solve import solve
from meshplan.proof import Budget, Prover, WorkSpentError
from meshplan.proof.types import Topic, TopicKind
from meshplan.settings import World
from support.scenarios import SCENARIOS, scenario_snapshots

NAMES = [scenario.name for scenario in SCENARIOS][::5]


def work_for(name: str, limit: int) -> int:
    """The work of a solution; raises WorkSpentError."""
    sides = scenario_snapshots(name)
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in sides)
    changes = diff(*sides)
    found: list[Prover] = []
    made = Prover.__init__

    def init(self: Prover, *args: object, **named: object) -> None:
        made(self, *args, **named)  # type: ignore[arg-type]
        found.append(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Prover, "__init__", init)
        graph = dependency_graph(changes, base, head)
        solve(changes, graph, base, head, budget=Budget(work=limit))
    meters = {id(prover.meter): prover.meter for prover in found}
    assert len(meters) == 1, "all provers of one solution spend of one budget"
    return found[0].meter.spent


@pytest.mark.parametrize("name", NAMES)
def test_work_is_the_same_each_time(name: str) -> None:
    spent = work_for(name, 10**9)
    assert spent == work_for(name, 10**9)
    assert spent == work_for(name, spent)
    with pytest.raises(WorkSpentError, match=f"more than {spent - 1} steps of work"):
        work_for(name, spent - 1)


def test_a_refilled_budget_is_whole() -> None:
    sides = scenario_snapshots("subset-swap")
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in sides)
    prover = Prover(base, head, budget=Budget(work=10))
    with pytest.raises(WorkSpentError):
        prover.lost()
    prover.meter.refill()
    assert prover.meter.spent == 0


def test_to_find_what_has_a_say_is_work() -> None:
    """Also where nothing is asked after that."""
    sides = scenario_snapshots("subset-swap")
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in sides)
    prover = Prover(base, head, budget=Budget(work=9))
    topics = [Topic(TopicKind.MESH, host) for host in ("a.example.com", "b.example.com")]
    prover.cases_of(topics[0])
    assert prover.cases_of(topics[0]).topic == topics[0]
    with pytest.raises(WorkSpentError):
        prover.cases_of(topics[1])
