"""The independent checker: it confirms the plans of the scenarios and refutes corrupted ones."""

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import permutations
from random import Random
from typing import Any

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Gate, GateKind, Plan, Step, Wave, hash_of, wave_to_json
from meshplan.planner import order
from meshplan.planner.solve import solve
from meshplan.proof import Prover
from meshplan.settings import World
from meshplan.verify import Limits, verify
from meshplan.verify.replay import read_write, replayed
from meshplan.verify.views import step_of
from support.random_meshes import pair
from support.random_meshes import plan as random_plan
from support.scenarios import (
    BEYOND_THE_CHECKER,
    BEYOND_THE_PROOF,
    SCENARIOS,
    scenario_snapshots,
)

ORDERED = [s.name for s in SCENARIOS if s.expect == "order"]
BRIDGED = [s.name for s in SCENARIOS if s.expect == "bridge"]


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
    found = verify(solved(name), *meshes(name))
    if name in BEYOND_THE_CHECKER:
        assert (found.verdict, found.refutations) == ("unknown", ())
        assert found.gaps
        return
    assert (found.verdict, found.refutations, found.gaps) == ("confirmed", (), ())
    assert found.requests
    assert found.views


@pytest.mark.parametrize(
    "name", [s.name for s in SCENARIOS if s.expect in ("bridge", "impossible")]
)
def test_no_order_of_the_two_revisions_is_confirmed_where_there_is_none(name: str) -> None:
    found = verify(plan_of(name), *meshes(name))
    assert found.verdict == ("confirmed" if name in BEYOND_THE_PROOF else "refuted")


def test_what_meets_an_object_that_is_not_modelled_is_not_confirmed() -> None:
    name = "envoyfilter-meets-change"
    assert verify(plan_of(name), *meshes(name)).verdict == "unknown"


def solved(name: str) -> dict[str, Any]:
    """The plan with bridges that the planner finds."""
    base, head = meshes(name)
    changes = diff(base.snapshot, head.snapshot)
    plan = solve(changes, dependency_graph(changes, base, head), base, head).plan
    return {"digest": plan.digest, "waves": [wave_to_json(wave) for wave in plan.waves]}


def malformed(plan: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Plans that do not lead to the head, or are not what they say, each wrong in one way."""
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
        manifest = other["waves"][number]["steps"][step]["manifest"]
        if manifest is not None:
            edited = copy.deepcopy(plan)
            edited["waves"][number]["steps"][step]["manifest"]["spec"] = {}
            yield f"step {number}.{step} with another manifest", signed(edited)
    joined = copy.deepcopy(plan)
    joined["waves"] = list(reversed(joined["waves"]))
    yield "an old digest", joined | {"digest": plan["digest"]}


def reordered(plan: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Plans of the same steps in other waves, or with fewer gates."""
    count = len(plan["waves"])
    steps = [wave["steps"] for wave in plan["waves"]]
    turned = copy.deepcopy(plan)
    for wave, found in zip(turned["waves"], reversed(steps), strict=True):
        wave["steps"] = found
    yield "waves turned round", signed(turned)
    for first in range(count - 1):
        ungated = copy.deepcopy(plan)
        ungated["waves"][first]["gate"]["kind"] = "none"
        yield f"no gate after wave {first}", signed(ungated)
        if plan["waves"][first]["gate"]["kind"] != "established":
            weaker = copy.deepcopy(plan)
            weaker["waves"][first]["gate"]["kind"] = "established"
            yield f"a gate after wave {first} that proxies know nothing of", signed(weaker)
        swapped = copy.deepcopy(plan)
        swapped["waves"][first]["steps"] = steps[first + 1]
        swapped["waves"][first + 1]["steps"] = steps[first]
        yield f"waves {first} and {first + 1} swapped", signed(swapped)
    for first, second in permutations(range(count), 2):
        for number, step in enumerate(steps[first]):
            moved = copy.deepcopy(plan)
            del moved["waves"][first]["steps"][number]
            moved["waves"][second]["steps"].append(step)
            yield f"step {first}.{number} moved to wave {second}", signed(moved)


def weakened(plan: dict[str, Any], ends: tuple[Mesh, Mesh]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Plans whose bridges are the old or the new version, or hold less than they have to."""
    for number, wave in enumerate(plan["waves"]):
        for place, step in enumerate(wave["steps"]):
            if not step["bridge"] or step["manifest"] is None:
                continue
            found = ResourceId.from_json(step["id"])
            weaker = [mesh.snapshot[found].manifest for mesh in ends if found in mesh.snapshot]
            for version in (*weaker, *smaller(step["manifest"])):
                changed = copy.deepcopy(plan)
                changed["waves"][number]["steps"][place] |= {
                    "manifest": version,
                    "hash": hash_of(version),
                }
                yield f"step {number}.{place} weakened", signed(changed)


def smaller(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Versions of an object in which one item of a list of its spec is missing."""
    for key, value in manifest.get("spec", {}).items():
        for index in range(len(value) if isinstance(value, list) else 0):
            version = copy.deepcopy(dict(manifest))
            del version["spec"][key][index]
            yield version


def _step(step: dict[str, Any], head: Mesh) -> Step:
    write, fault = read_write(step, head.snapshot)
    assert write is not None, fault
    return step_of(write)


def well_formed(plan: dict[str, Any], ends: tuple[Mesh, Mesh]) -> Plan | None:
    """A plan of the document, for the prover to judge; None where a step has no effect."""
    if replayed(plan, ends[0].snapshot, ends[1].snapshot).faults:
        return None
    return Plan(
        tuple(
            Wave(
                tuple(_step(step, ends[1]) for step in wave["steps"]),
                Gate(GateKind(wave["gate"]["kind"]), "", ()),
            )
            for wave in plan["waves"]
        )
    )


def test_plans_that_are_not_what_they_say_are_refuted() -> None:
    kept, count = [], 0
    for name in (*ORDERED[::3], *BRIDGED[::3]):
        ends = meshes(name)
        for what, plan in malformed(solved(name)):
            count += 1
            if verify(plan, *ends).verdict != "refuted":
                kept.append(f"{name}: {what}")
    assert not kept
    assert count >= 150


def test_corrupted_plans_are_refuted_unless_they_are_still_safe() -> None:
    """The prover, which shares no code with the checker, says which of them are."""
    wrong, refuted, harmless = [], 0, 0
    for name in (*ORDERED, *BRIDGED):
        ends = meshes(name)
        right = solved(name)
        prover = Prover(*ends)
        for what, plan in (*reordered(right), *weakened(right, ends)):
            judged = well_formed(plan, ends)
            is_safe = judged is not None and prover.check(judged).verdict == "safe"
            found = verify(plan, *ends)
            if (found.verdict == "confirmed") != is_safe:
                wrong.append(f"{name}: {what}: {found.verdict}, {found.refutations[:1]}")
            refuted += found.verdict == "refuted"
            harmless += is_safe
    assert not wrong
    assert refuted >= 200
    assert harmless


@pytest.mark.parametrize("small", [Limits().small, 0])
def test_the_checker_and_the_prover_agree_on_random_plans(small: int) -> None:
    verdicts = Counter[tuple[str, str]]()
    for seed in range(80):
        random = Random(f"agree {seed}")
        found = pair(random, 1 + seed % 4)
        steps = random_plan(random, found.steps)
        base = Mesh.of(found.base, MeshConfig(), list(World)[seed % 2])
        head = base.at(found.head)
        proof = Prover(base, head).check(steps)
        document = {"digest": steps.digest, "waves": [wave_to_json(w) for w in steps.waves]}
        verdicts[proof.verdict, verify(document, base, head, Limits(small=small)).verdict] += 1
    # Where it cannot look at everything it says so; it never says the opposite.
    assert set(verdicts) <= {
        ("safe", "confirmed"),
        ("safe", "unknown"),
        ("unsafe", "refuted"),
        ("unsafe", "unknown"),
        ("unknown", "unknown"),
    }
    assert verdicts["safe", "confirmed"] > verdicts["safe", "unknown"]
    assert verdicts["unsafe", "refuted"] > verdicts["unsafe", "unknown"]


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
