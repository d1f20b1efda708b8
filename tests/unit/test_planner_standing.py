"""Among safe orders the one is taken in which rules hold all the time; against all orders, tried."""

from collections.abc import Callable, Mapping
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Plan
from meshplan.planner.solve import solve
from meshplan.planner.standing import Predicate, moments
from meshplan.resource import Snapshot
from meshplan.settings import World
from support.snapshots import snapshot

COUNT = 4
NAMES = range(COUNT)


def maps(text: str) -> Snapshot:
    return snapshot(
        "---\n".join(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}, namespace: shop}}\n"
            f"data: {{is: {text}}}\n"
            for n in NAMES
        )
    )


BASE, HEAD = maps("old"), maps("new")


def is_new(state: Snapshot, number: int) -> bool:
    there = state.get(ResourceId("", "ConfigMap", "shop", f"c{number}"))
    return there is not None and there.manifest["data"]["is"] == "new"


def needing(pairs: frozenset[tuple[int, int]]) -> Predicate:
    """The second of a pair may be new only where the first is."""

    def holding(state: Snapshot) -> Mapping[str, str]:
        return {
            f"{first}-{then}": f"c{then} needs c{first}"
            for first, then in pairs
            if is_new(state, then) and not is_new(state, first)
        }

    return holding


def solved(holding: Predicate | None, base: Snapshot = BASE, head: Snapshot = HEAD) -> Plan:
    before, after = (Mesh.of(side, MeshConfig(), World.OPEN) for side in (base, head))
    changes = diff(base, head)
    graph = dependency_graph(changes, before, after)
    return solve(changes, graph, before, after, holding=holding).plan


def breaks(plan: Plan, holding: Predicate, base: Snapshot = BASE) -> bool:
    return any(holding(moment.state) for moment in moments(plan, base))


def possible(holds: Callable[[frozenset[int]], bool]) -> bool:
    """Whether one of all orders passes through good states alone."""
    return any(
        all(holds(frozenset(order[:length])) for length in range(COUNT + 1))
        for order in permutations(NAMES)
    )


@settings(max_examples=60, deadline=None)
@given(st.frozensets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=5))
def test_an_order_is_found_where_one_of_all_does(pairs: frozenset[tuple[int, int]]) -> None:
    pairs = frozenset((first, then) for first, then in pairs if first != then)
    holding = needing(pairs)
    exists = possible(lambda new: not any(t in new and f not in new for f, t in pairs))
    assert breaks(solved(holding), holding) is not exists


def test_without_a_rule_all_is_written_at_once() -> None:
    assert [len(wave.steps) for wave in solved(None).waves] == [COUNT]


def test_the_plan_says_why() -> None:
    plan = solved(needing(frozenset({(2, 1)})))
    assert [sorted(step.id.name for step in wave.steps) for wave in plan.waves] == [
        ["c0", "c2", "c3"],
        ["c1"],
    ]
    (step,) = plan.waves[1].steps
    assert "a rule has to hold in every state" in step.why
    assert "c1 needs c2" in step.why


@pytest.mark.parametrize("first", ["subsets", "route"])
def test_no_rule_makes_a_plan_unsafe(first: str) -> None:
    """A rule that asks for the wrong order of a route and its subset is not heeded."""
    text = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec: {host: reviews, subsets: [{name: v1, labels: {v: "1"}}SUBSET]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: TO}}]}]}
"""
    base = snapshot(text.replace("SUBSET", "").replace("TO", "v1"))
    more = ", {name: v2, labels: {v: '2'}}"
    head = snapshot(text.replace("SUBSET", more).replace("TO", "v2"))
    rule, route = (
        ResourceId("networking.istio.io", kind, "shop", "reviews")
        for kind in ("DestinationRule", "VirtualService")
    )
    early, late = (rule, route) if first == "subsets" else (route, rule)

    def holding(state: Snapshot) -> Mapping[str, str]:
        new = {i for i in (early, late) if state[i].manifest == head[i].manifest}
        return {"order": "no"} if new == {late} else {}

    plan = solved(holding, base, head)
    assert [step.id for step in plan.steps] == [rule, route]
    assert breaks(plan, holding, base) is (first == "route")
