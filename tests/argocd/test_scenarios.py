"""Every scenario as a Job and a sync: what they write together, by the independent checker."""

from pathlib import Path

import pytest
import yaml

from meshplan.argocd.assess import difference_of
from meshplan.argocd.order import sync_of
from meshplan.argocd.prelude import prelude
from meshplan.deployers import Options
from meshplan.plan import Plan, simulate, wave_to_json
from meshplan.settings import Settings
from meshplan.verify import verify
from support.scenarios import BEYOND_THE_PROOF
from support.snapshots import snapshot

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"
NAMES = sorted(path.parent.name for path in SCENARIOS.glob("*/scenario.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_job_and_sync_together_are_never_refuted(name: str) -> None:
    folder = SCENARIOS / name
    expected = yaml.safe_load((folder / "scenario.yaml").read_text("utf-8"))["expect"]
    base, head = (
        snapshot((folder / side / "mesh.yaml").read_text("utf-8")) for side in ("before", "after")
    )
    settings, options = Settings(), Options()
    difference = difference_of(base, head, settings)
    found = prelude(name, difference, options, settings, whole=False)
    if expected in ("impossible", "unknown"):
        assert found.refused
        return
    assert not found.refused
    assert bool(found.waves) == (expected != "any" and name not in BEYOND_THE_PROOF)
    there = simulate((step for wave in found.waves for step in wave.steps), base)
    left = difference_of(there, head, settings)
    rest = sync_of(left.changes, there, head, options).plan
    # Nothing in the sync waits, so it is one wave.
    assert len(rest.waves) <= 1
    plan = Plan((*found.waves, *rest.waves))
    assert simulate(plan.steps, base) == head
    written = {"waves": [wave_to_json(wave) for wave in plan.waves], "digest": plan.digest}
    said = verify(written, difference.base, difference.head)
    assert not said.refutations
    assert said.verdict == "confirmed" or said.gaps
