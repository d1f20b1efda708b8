"""Counterexamples name what is seen by whom, and no object that has nothing to do with it."""

from random import Random

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Remove
from meshplan.proof import Invariant, Proof, Prover
from meshplan.settings import World
from support.meshes import with_versions
from support.proofs import Change, change, plan, steps_of
from support.scenarios import SCENARIOS, scenario_snapshots

SERVICES = """
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: b, namespace: shop}
spec: {selector: {app: b}, ports: [{name: http, port: 80}]}
---
"""
ROUTE = """
kind: VirtualService
metadata: {name: a, namespace: shop}
spec: {hosts: [a], http: [{%sroute: [{destination: {host: a, subset: %s}}]}]}
---
"""
RULE = """
kind: DestinationRule
metadata: {name: %s, namespace: shop}
spec: {host: %s, subsets: [{name: %s, labels: {version: v1}}]}
"""


def text(subset: str, other: str, extra: str = "") -> str:
    found = SERVICES + ROUTE % (extra, subset) + RULE % ("a", "a", subset)
    return with_versions((found + "---" + RULE % ("b", "b", other)).strip())


def changed() -> Change:
    """A subset and its route are renamed, and so is a subset that nobody uses."""
    return change(text("one", "x"), text("two", "y"))


def ids(found: tuple[ResourceId, ...]) -> list[str]:
    return [f"{id_.kind} {id_.name}" for id_ in found]


def test_what_is_seen_by_each_stage() -> None:
    proof = changed().together()
    assert {one.invariant for one in proof.counterexamples} == {Invariant.AVAILABILITY}
    for found in proof.counterexamples:
        assert ids(found.culprits) == ["DestinationRule a", "VirtualService a"]
        stages = {stage: ids(seen) for stage, seen in found.stages.items()}
        # Either the route is there before the clusters, or they are gone before it.
        assert (ids(found.visible), stages) in (
            (["VirtualService a"], {"routes": ["VirtualService a"], "clusters": [], "servers": []}),
            (
                ["DestinationRule a"],
                {"routes": [], "clusters": ["DestinationRule a"], "servers": []},
            ),
        )
        assert (found.wave, getattr(found.during, "status", 0)) == (0, 503)


def test_waves_are_counted_from_the_first_of_the_plan() -> None:
    proof = changed().one_by_one("DestinationRule b", "DestinationRule a", "VirtualService a")
    # The subset is gone with the second write; when the route comes it is well again.
    culprits = {one.wave: ids(one.culprits) for one in proof.counterexamples}
    assert culprits == {1: ["DestinationRule a"], 2: ["VirtualService a"]}


def test_steps_that_make_no_difference_are_allowed() -> None:
    found = changed()
    other, rule, route = found.named("DestinationRule b", "DestinationRule a", "VirtualService a")
    assert found.prover.allows({}, [other])
    assert not found.prover.allows({}, [rule])
    assert not found.prover.allows({}, [route])
    assert not found.prover.allows({}, [rule, route])
    # What is broken already is not the fault of another step.
    assert found.prover.allows({rule.id: found.head[rule.id]}, [other])
    # With the new rule in its place the route does no harm, nor does what leads there.
    assert found.prover.allows({rule.id: found.head[rule.id]}, [route])


def test_who_has_a_say() -> None:
    found = changed()
    other, rule, route = (
        s.id for s in found.named("DestinationRule b", "DestinationRule a", "VirtualService a")
    )
    assert found.prover.having_a_say([rule]) == {rule, route}
    assert found.prover.having_a_say([route]) == {rule, route}
    assert found.prover.having_a_say([other]) == {other}


def test_timeouts_that_are_a_blend_are_warned_of() -> None:
    """Two waves of one route: the one in between is neither the old nor the new."""
    before, between, after = (text("one", "x", f"timeout: {n}s, ") for n in (1, 2, 3))
    found = change(before, after)
    step = change(before, between).steps
    proof = found.prover.check(plan([step, found.steps]))
    assert proof.counterexamples == ()
    assert {one.invariant for one in proof.warnings} == {Invariant.POLICY}
    assert {one.wave for one in proof.warnings} == {0, 1}
    assert all(
        one.sentence.endswith("timeouts, retries or headers are a blend of old and new ones")
        for one in proof.warnings
    )
    assert found.together().warnings == ()


FILTER = """
kind: EnvoyFilter
metadata: {name: x, namespace: %s}
spec: {configPatches: [{applyTo: HTTP_FILTER}]}
---
"""


@pytest.mark.parametrize(("where", "kept"), [("shop", True), ("far", False)])
def test_what_is_not_modelled_is_the_same_throughout(where: str, kept: bool) -> None:
    """Where a filter sits that stays, a change behind it is told as unknown."""

    def with_filter(one: str) -> str:
        return f"{with_versions((FILTER % where).strip().removesuffix('---').strip())}\n---\n{one}"

    moved = SERVICES + ROUTE % ("", "one") + RULE % ("a", "a", "one")
    head = moved.replace("host: a, subset: one", "host: b")
    before, after = (with_filter(with_versions(one.strip())) for one in (moved, head))
    proof = change(before, after).together()
    assert (proof.verdict == "unknown") == kept
    named = {id_.kind for one in proof.unknowns for id_ in one.ids}
    assert named == ({"EnvoyFilter"} if kept else set())
    if kept:
        told = {ids(one.culprits)[0] for one in proof.unknowns if one.culprits}
        assert told == {"VirtualService a"}
    # What does not change behind it is safe.
    assert (
        change(before, before + "\n---\n" + with_versions((RULE % ("b", "b", "x")).strip()))
        .together()
        .is_safe
    )


def shapes(proof: Proof, steps: set[ResourceId]) -> None:
    for found in (*proof.counterexamples, *proof.warnings):
        seen = {id_ for stage in found.stages.values() for id_ in stage}
        assert list(found.visible) == sorted(seen)
        assert list(found.culprits) == sorted(set(found.culprits))
        assert {*found.visible, *found.culprits} <= steps
        assert set(found.stages) == {"routes", "clusters", "servers"}
    assert proof.views >= proof.classes >= 0
    keys = [(one.wave, str(one.invariant), one.sentence) for one in proof.counterexamples]
    assert keys == sorted(keys)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_objects_are_told_in_order(scenario: object) -> None:
    name = scenario.name  # type: ignore[attr-defined]
    base, head = scenario_snapshots(name)
    before, after = (Mesh.of(side, MeshConfig(), World.OPEN) for side in (base, head))
    steps = list(steps_of(base, head))
    prover = Prover(before, after)
    together = prover.check(plan([steps]))
    shapes(together, {step.id for step in steps})
    assert together.lost == prover.lost()
    Random(name).shuffle(steps)
    # Of one object only one is written at a time; what is deleted may be written again.
    ordered = sorted(steps, key=lambda s: isinstance(s, Remove))
    shapes(prover.check(plan([[one] for one in ordered])), {step.id for step in steps})
