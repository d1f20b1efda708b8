"""Any plan leads from the base to exactly the head, whatever changes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.plan import Apply, GateKind, Remove, simulate
from meshplan.resource import Snapshot
from support.plans import planned, resource
from support.revisions_of_meshes import OBJECTS, shown

_NAMES = st.sampled_from(("a", "b", "c"))


@st.composite
def _others(draw: st.DrawFn) -> dict[str, Any]:
    """Objects of other kinds: some replaced where they change, some that hold others."""
    name = draw(_NAMES)
    value = draw(st.sampled_from(("1", "2")))
    kind = draw(st.sampled_from(("Namespace", "ConfigMap", "Service", "Job", "CRD", "CR", "AP")))
    metadata: dict[str, Any] = {"name": name}
    match kind:
        case "Namespace":
            return {
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {**metadata, "labels": {"v": value}},
            }
        case "ConfigMap":
            metadata["namespace"] = draw(_NAMES)
            return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": {"v": value}}
        case "Service":
            spec: dict[str, Any] = {"clusterIP": f"10.0.0.{value}", "ports": [{"port": 80}]}
            return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
        case "Job":
            pod = {"spec": {"containers": [{"name": "a", "image": f"a:{value}"}]}}
            spec = {"template": pod}
            return {"apiVersion": "batch/v1", "kind": kind, "metadata": metadata, "spec": spec}
        case "CRD":
            spec = {"group": f"{name}.example.com", "names": {"kind": "W", "plural": "ws"}}
            spec["versions"] = [{"name": "v1", "served": True}]
            found = {"name": f"ws.{name}.example.com"}
            api = "apiextensions.k8s.io/v1"
            return {
                "apiVersion": api,
                "kind": "CustomResourceDefinition",
                "metadata": found,
                "spec": spec,
            }
        case "CR":
            return {
                "apiVersion": f"{name}.example.com/v1",
                "kind": "W",
                "metadata": {"name": value},
            }
        case _:
            principal = f"cluster.local/ns/{name}/sa/{value}"
            rules = [{"from": [{"source": {"principals": [principal]}}]}]
            action = draw(st.sampled_from(("ALLOW", "DENY")))
            return {
                "apiVersion": "security.istio.io/v1",
                "kind": "AuthorizationPolicy",
                "metadata": metadata,
                "spec": {"action": action, "rules": rules},
            }


_SNAPSHOTS = st.lists(st.one_of(OBJECTS, _others(), _others()), max_size=14).map(
    lambda found: Snapshot(map(resource, found))
)


@settings(max_examples=200, deadline=None)
@given(_SNAPSHOTS, _SNAPSHOTS)
def test_a_plan_leads_from_the_base_to_exactly_the_head(base: Snapshot, head: Snapshot) -> None:
    found = planned(base, head)
    changed = {i for i in {*base, *head} if base.get(i) != head.get(i)}
    end = simulate(found.plan.steps, base)
    assert set(end) == set(head), shown(base, head)
    unplanned = changed - {step.id for step in found.plan.steps}
    for subject in end:
        # What meshplan takes for no change is left as it is in the base.
        expected = base if subject in unplanned or subject not in changed else head
        assert end[subject].manifest in (head[subject].manifest, expected[subject].manifest)
    for step in found.plan.steps:
        if isinstance(step, Apply):
            assert step.resource.manifest == head[step.id].manifest


@settings(max_examples=200, deadline=None)
@given(_SNAPSHOTS, _SNAPSHOTS)
def test_every_wave_has_steps_and_only_the_last_has_no_gate(base: Snapshot, head: Snapshot) -> None:
    plan = planned(base, head).plan
    assert all(wave.steps for wave in plan.waves)
    kinds = [wave.gate.kind for wave in plan.waves]
    assert [kind is GateKind.NONE for kind in kinds] == [False] * (len(kinds) - 1) + [True] * bool(
        kinds
    )
    for wave in plan.waves:
        assert set(wave.gate.ids) <= {step.id for step in wave.steps}


@settings(max_examples=100, deadline=None)
@given(_SNAPSHOTS, _SNAPSHOTS)
def test_an_object_is_written_once_or_removed_and_written_again(
    base: Snapshot, head: Snapshot
) -> None:
    seen: dict[object, list[type]] = {}
    for step in planned(base, head).plan.steps:
        seen.setdefault(step.id, []).append(type(step))
    assert all(steps in ([Apply], [Remove], [Remove, Apply]) for steps in seen.values())


@settings(max_examples=50, deadline=None)
@given(_SNAPSHOTS, _SNAPSHOTS)
def test_the_same_revisions_give_the_same_plan(base: Snapshot, head: Snapshot) -> None:
    other = Snapshot(reversed(list(base.values())))
    assert planned(base, head).plan.digest == planned(other, head).plan.digest
