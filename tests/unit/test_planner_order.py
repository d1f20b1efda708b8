"""Waves, gates and reasons of plans."""

from itertools import pairwise

from meshplan.diff import ChangeSet, Create, Delete, diff
from meshplan.graph import Cycle, DependencyGraph, Edge
from meshplan.plan import Apply, GateKind, Plan, Remove
from meshplan.planner import order
from meshplan.resource import Resource, Snapshot
from support.plans import State, planned, resource, snapshot


def _config_map(name: str) -> Resource:
    return resource({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def _plan(created: str, deleted: str, edges: tuple[str, ...], cycle: str = "") -> Plan:
    """The plan of objects with names of one letter; an edge `ab` is a before b."""
    new = {name: _config_map(name) for name in created}
    old = {name: _config_map(name) for name in deleted}
    ids = {name: found.id for name, found in (new | old).items()}
    found = tuple(Edge(ids[first], ids[then], "why", "503") for first, then in edges)
    inside = tuple(e for e in found if {e.first.name, e.then.name} <= set(cycle))
    cycles = (Cycle(tuple(ids[name] for name in cycle), inside, ""),) if cycle else ()
    changes = ChangeSet((*map(Create, new.values()), *map(Delete, old.values())))
    base, head = State(Snapshot(old.values())), State(Snapshot(new.values()))
    return order(changes, DependencyGraph(found, cycles), base, head)


def _waves(plan: Plan) -> list[str]:
    return ["".join(step.id.name for step in wave.steps) for wave in plan.waves]


def test_no_change_is_no_wave() -> None:
    assert _plan("", "", ()).waves == ()


def test_what_nothing_orders_shares_a_wave() -> None:
    assert _waves(_plan("ab", "c", ())) == ["abc"]


def test_there_are_as_many_waves_as_the_longest_path_has_objects() -> None:
    assert _waves(_plan("abcd", "", ("ab", "bc", "ad"))) == ["a", "bd", "c"]


def test_deletions_move_to_the_end_and_stay_in_their_order() -> None:
    plan = _plan("abc", "xyz", ("ab", "bc", "xy"))
    assert _waves(plan) == ["a", "bx", "cyz"]


def test_a_deletion_that_others_wait_for_comes_as_late_as_they_allow() -> None:
    assert _waves(_plan("abc", "x", ("ab", "bc", "xc"))) == ["a", "bx", "c"]


def test_the_objects_of_a_cycle_share_a_wave_in_the_order_that_breaks_fewest_edges() -> None:
    plan = _plan("abc", "", ("ca", "ab", "bc", "ac"), cycle="abc")
    assert _waves(plan) in (["abc"], ["cab"], ["bca"])
    assert _waves(_plan("ab", "", ("ab", "ba"), cycle="ab")) == ["ab"]


def test_what_follows_a_cycle_waits_for_all_of_it() -> None:
    assert _waves(_plan("abcd", "", ("ab", "ba", "ac", "db"), cycle="ab")) == ["d", "ab", "c"]


_JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: c}
spec: {template: {spec: {serviceAccountName: c, containers: [{name: a, image: "a:%s"}]}}}
"""


def test_an_object_that_cannot_be_changed_is_gone_before_it_is_written_again() -> None:
    base, head = snapshot(_JOB % 1), snapshot(_JOB % 2)
    plan = planned(base, head).plan
    assert [type(step) for step in plan.steps] == [Remove, Apply]
    assert plan.waves[0].gate.kind is GateKind.GONE
    assert plan.waves[0].gate.ids == tuple(base)


def test_what_a_replaced_object_needs_is_there_before_it_goes() -> None:
    """Between deletion and creation nothing else has to happen."""
    account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: c}}"
    plan = planned(snapshot(_JOB % 1), snapshot(_JOB % 2, account)).plan
    assert [step.id.kind for step in plan.steps] == ["ServiceAccount", "Job", "Job"]
    assert [len(wave.steps) for wave in plan.waves] == [1, 1, 1]


_ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: c, namespace: shop}
spec: {hosts: [c], http: [{route: [{destination: {host: c, subset: %s}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: c, namespace: shop}
spec: {host: c, subsets: [%s]}
"""
_V1, _V2 = "{name: v1, labels: {version: v1}}", "{name: v2, labels: {version: v2}}"


def test_after_a_rule_that_grows_the_proxies_have_to_take_it_over() -> None:
    base, head = snapshot(_ROUTE % ("v1", _V1)), snapshot(_ROUTE % ("v2", f"{_V1}, {_V2}"))
    gate = planned(base, head).plan.waves[0].gate
    assert gate.kind is GateKind.PROXIES
    assert gate.why == "the proxies have to have taken over DestinationRule shop/c"


def test_before_a_rule_shrinks_requests_on_the_old_routes_have_to_end() -> None:
    base, head = snapshot(_ROUTE % ("v1", f"{_V1}, {_V2}")), snapshot(_ROUTE % ("v2", _V2))
    gate = planned(base, head).plan.waves[0].gate
    assert gate.kind is GateKind.DRAINED
    assert [str(found) for found in gate.ids] == ["VirtualService shop/c"]


def test_a_step_says_for_whom_it_comes_first() -> None:
    base, head = snapshot(_ROUTE % ("v1", _V1)), snapshot(_ROUTE % ("v2", f"{_V1}, {_V2}"))
    whys = {step.id.kind: step.why for step in planned(base, head).plan.steps}
    assert whys["DestinationRule"] == (
        "before VirtualService shop/c: "
        "http[0] sends requests to subset v2 of c.shop.svc.cluster.local"
    )
    assert whys["VirtualService"] == (
        "after DestinationRule shop/c: "
        "http[0] sends requests to subset v2 of c.shop.svc.cluster.local"
    )


_WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ws.x.io}
spec: {group: x.io, names: {kind: W}, versions: [{name: v1, served: true}]}
---
{apiVersion: x.io/v1, kind: W, metadata: {name: w}}
"""


def test_a_workload_has_to_be_ready_and_a_definition_served() -> None:
    (first, _) = planned(Snapshot(), snapshot(_WIDGETS)).plan.waves
    assert first.gate.kind is GateKind.ESTABLISHED
    pods = "spec: {selector: {matchLabels: {app: %s}}, template: {metadata: {labels: {app: %s}}}}"
    service = "{apiVersion: v1, kind: Service, metadata: {name: c}, spec: {selector: {app: %s}}}"
    old = f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, {pods % ('a', 'a')}}}"
    new = f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: b}}, {pods % ('b', 'b')}}}"
    base, head = snapshot(service % "a", old), snapshot(service % "b", old, new)
    (first, _) = planned(base, head).plan.waves
    assert first.gate.kind is GateKind.READY
    assert first.gate.why == "Deployment default/b has to be rolled out and ready"


def test_a_namespace_that_goes_takes_along_what_nobody_removed_by_itself() -> None:
    place = "{apiVersion: v1, kind: Namespace, metadata: {name: old}}"
    kept = "{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: old}}"
    gone = "{apiVersion: v1, kind: ConfigMap, metadata: {name: gone, namespace: old}}"
    plan = planned(snapshot(place, kept, gone), snapshot(kept)).plan
    assert [step.id.kind for step in plan.steps] == ["ConfigMap", "Namespace"]
    (*_, last) = plan.steps
    assert "attention: with it goes ConfigMap old/kept, which the head still has" in last.why


def test_waves_follow_the_change_that_they_are_of() -> None:
    """A route in the middle: what it needs before it, what it leaves after it."""
    base, head = snapshot(_ROUTE % ("v1", _V1)), snapshot(_ROUTE % ("v2", f"{_V1}, {_V2}"))
    there, back = planned(base, head), planned(head, base)
    assert len(diff(base, head)) == 2
    kinds = [[s.id.kind for s in w.steps] for w in there.plan.waves]
    assert kinds == [[s.id.kind for s in w.steps] for w in reversed(back.plan.waves)]
    assert all(one != other for one, other in pairwise(kinds))
