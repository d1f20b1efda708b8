"""A rule may hold before a change and after it, and not in between."""

from collections.abc import Sequence

from meshplan.finding import Finding, Severity
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Wave
from meshplan.policy.always import broken_on_the_way
from meshplan.resource import Resource, Snapshot
from support.snapshots import snapshot

RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec: {host: reviews, subsets: [{name: SUBSET}]}
"""
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: SUBSET}}]}]}
"""
BASE = snapshot(f"{RULE}---{ROUTE}".replace("SUBSET", "v1"))
HEAD = snapshot(f"{RULE}---{ROUTE}".replace("SUBSET", "v2"))
GATE = Gate(GateKind.PROXIES, "")


def judge(state: Snapshot) -> Sequence[Finding]:
    """The subset of the route is one of the rule."""
    defined = [
        s["name"]
        for r in state.of_kind("networking.istio.io", "DestinationRule")
        for s in r.spec["subsets"]
    ]
    found = []
    for route in state.of_kind("networking.istio.io", "VirtualService"):
        subset = route.spec["http"][0]["route"][0]["destination"]["subset"]
        if subset not in defined:
            found.append(Finding("REF-001", Severity.ERROR, f"no subset {subset}", id=route.id))
    return found


def resource(kind: str) -> Resource:
    return HEAD[ResourceId("networking.istio.io", kind, "shop", "reviews")]


def in_waves(*kinds: str) -> Plan:
    return Plan(tuple(Wave((Apply(resource(kind), ""),), GATE) for kind in kinds))


def test_a_rule_that_breaks_on_the_way_is_told_with_its_wave() -> None:
    plan = in_waves("DestinationRule", "VirtualService")
    (found,) = broken_on_the_way(plan, BASE, HEAD, judge)
    assert found.message == "true before, true after, false after wave 1: no subset v1"
    assert found.wave == 0


def test_steps_of_one_wave_may_be_seen_one_by_one() -> None:
    both = Wave(
        (Apply(resource("DestinationRule"), ""), Apply(resource("VirtualService"), "")), GATE
    )
    assert [f.message for f in broken_on_the_way(Plan((both,)), BASE, HEAD, judge)] == [
        "true before, true after, false in the midst of wave 1: no subset v1",
        "true before, true after, false in the midst of wave 1: no subset v2",
    ]


def test_what_an_end_breaks_is_told_there() -> None:
    gone = Remove(resource("DestinationRule").id, "networking.istio.io/v1", "")
    plan = Plan((Wave((gone,), GATE), Wave((Apply(resource("VirtualService"), ""),), GATE)))
    head = HEAD.without(gone.id)
    assert [f.message for f in broken_on_the_way(plan, BASE, head, judge)] == [
        "true before, true after, false after wave 1: no subset v1"
    ]
    (end,) = judge(head)
    assert end.message == "no subset v2"
