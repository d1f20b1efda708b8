"""What a judge remembers of one end of a change holds for the other end, or is not used."""

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.policy.judge import Judge
from meshplan.policy.library import Pack
from meshplan.run.rules import _builtin
from meshplan.settings import RuleSettings, World
from support.scenarios import SCENARIOS, scenario_snapshots


@pytest.fixture(scope="module")
def pack() -> Pack:
    return Pack.of({text.path: text.content.decode() for text in _builtin()})


@pytest.mark.parametrize("name", [found.name for found in SCENARIOS][::3])
@pytest.mark.parametrize("world", World)
def test_both_ends_are_judged_as_if_each_were_alone(pack: Pack, name: str, world: World) -> None:
    meshes = [Mesh.of(side, MeshConfig(), world) for side in scenario_snapshots(name)]
    together = Judge(pack.compiled, RuleSettings())
    found = [together.state(mesh, "t") for mesh in (*meshes, meshes[0])]
    alone = [Judge(pack.compiled, RuleSettings()).state(mesh, "t") for mesh in meshes]
    assert found == [*alone, alone[0]]
