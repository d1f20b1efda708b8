"""The independent checker: it confirms the plans of the scenarios and refutes corrupted ones."""

import copy
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import wave_to_json
from meshplan.planner import order
from meshplan.settings import World
from meshplan.verify import Limits, verify
from support.scenarios import SCENARIOS, scenario_snapshots

ORDERED = [s.name for s in SCENARIOS if s.expect == "order"]


def meshes(name: str) -> tuple[Mesh, Mesh]:
    base, head = scenario_snapshots(name)
    mesh = Mesh.of(base, MeshConfig(), World.CLOSED)
    return mesh, mesh.at(head)


def plan_of(name: str) -> dict[str, Any]:
    base, head = meshes(name)
    changes = diff(base.snapshot, head.snapshot)
    plan = order(changes, dependency_graph(changes, base, head), base, head)
    return {"digest": plan.digest, "waves": [wave_to_json(wave) for wave in plan.waves]}


def signed(plan: dict[str, Any]) -> dict[str, Any]:
    """With the digest that its waves have, so that the digest gives nothing away."""
    text = json.dumps(plan["waves"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return plan | {"digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest()}


@pytest.mark.parametrize("name", [s.name for s in SCENARIOS if s.expect in ("order", "any")])
def test_a_plan_in_a_safe_order_is_confirmed(name: str) -> None:
    found = verify(plan_of(name), *meshes(name))
    assert (found.verdict, found.refutations, found.gaps) == ("confirmed", (), ())
    assert found.requests
    assert found.views


@pytest.mark.parametrize(
    "name", [s.name for s in SCENARIOS if s.expect in ("bridge", "impossible")]
)
def test_no_order_of_the_two_revisions_is_confirmed_where_there_is_none(name: str) -> None:
    found = verify(plan_of(name), *meshes(name))
    assert found.verdict == "refuted"


def test_what_meets_an_object_that_is_not_modelled_is_not_confirmed() -> None:
    name = "envoyfilter-meets-change"
    assert verify(plan_of(name), *meshes(name)).verdict == "unknown"


def corruptions(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Plans that are wrong, each in one way."""
    plan = plan_of(name)
    places = [(w, s) for w, found in enumerate(plan["waves"]) for s in range(len(found["steps"]))]
    for number, step in places:
        dropped = copy.deepcopy(plan)
        del dropped["waves"][number]["steps"][step]
        yield f"step {number}.{step} dropped", signed(dropped)
        doubled = copy.deepcopy(plan)
        doubled["waves"][-1]["steps"].append(doubled["waves"][number]["steps"][step])
        yield f"step {number}.{step} doubled", signed(doubled)
        other = copy.deepcopy(plan)
        other["waves"][number]["steps"][step]["id"]["name"] += "-2"
        yield f"step {number}.{step} about another object", signed(other)
    turned = copy.deepcopy(plan)
    steps = [wave["steps"] for wave in plan["waves"]]
    for wave, found in zip(turned["waves"], reversed(steps), strict=True):
        wave["steps"] = found
    yield "waves turned round", signed(turned)
    ungated = copy.deepcopy(plan)
    for wave in ungated["waves"]:
        wave["gate"]["kind"] = "none"
    yield "gates removed", signed(ungated)
    joined = copy.deepcopy(plan)
    joined["waves"] = [joined["waves"][-1] | {"steps": [s for wave in steps for s in wave]}]
    yield "everything at once", signed(joined)
    yield "an old digest", joined | {"digest": plan["digest"]}


def test_corrupted_plans_are_refuted() -> None:
    kept = []
    count = 0
    for name in ORDERED:
        ends = meshes(name)
        for what, plan in corruptions(name):
            count += 1
            if verify(plan, *ends).verdict != "refuted":
                kept.append(f"{name}: {what}")
    assert not kept
    assert count >= 100


def test_a_bridge_that_is_left_over_is_refuted() -> None:
    plan = plan_of("subset-renamed")
    for wave in plan["waves"]:
        wave["steps"] = [s for s in wave["steps"] if s["id"]["kind"] != "VirtualService"]
    found = verify(signed(plan), *meshes("subset-renamed"))
    # The last version of an unwritten object may differ in form only; this one differs in sense.
    assert found.verdict == "refuted"


def test_too_many_requests_are_a_gap_and_no_confirmation() -> None:
    found = verify(plan_of("subset-added"), *meshes("subset-added"), Limits(requests=0))
    assert found.verdict == "unknown"
