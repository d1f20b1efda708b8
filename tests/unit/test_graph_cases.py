"""The edges of small changes, one file a row of what can go wrong: `tests/cases/order/*.yaml`.

`edges` are all edges of the change as first, then, failure; where it is left out they are not
compared. `cycles` are the groups that wait for each other. `why` is the reason of some edge.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshplan.mesh import MeshConfig
from support.plans import Planned, planned, snapshot

CASES = sorted((Path(__file__).parents[1] / "cases" / "order").glob("*.yaml"))


def _planned(case: dict[str, Any]) -> Planned:
    providers = case.get("config") or {"base": [], "head": []}
    configs = [MeshConfig(extension_providers=tuple(providers[s])) for s in ("base", "head")]
    return planned(snapshot(case["base"]), snapshot(case["head"]), *configs)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_change_has_the_edges_of_its_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    found = _planned(case)
    edges = [[str(e.first), str(e.then), e.failure] for e in found.graph.edges]
    if "edges" in case:
        # One pair may have several reasons: a subset each.
        assert {*map(tuple, edges)} == {*map(tuple, case["edges"])}
    cycles = [[str(member) for member in cycle.ids] for cycle in found.graph.cycles]
    assert cycles == case.get("cycles", [])
    if "why" in case:
        assert case["why"] in {edge.why for edge in found.graph.edges}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_plan_keeps_the_edges_of_its_graph(path: Path) -> None:
    found = _planned(yaml.safe_load(path.read_text()))
    places = {s.id: number for number, wave in enumerate(found.plan.waves) for s in wave.steps}
    together = {frozenset((a, b)) for c in found.graph.cycles for a in c.ids for b in c.ids}
    for edge in found.graph.edges:
        if frozenset((edge.first, edge.then)) not in together:
            assert places[edge.first] < places[edge.then]
