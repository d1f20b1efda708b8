"""More waves where too many steps meet in one, against a prover that looks at all of them."""

from random import Random

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import gateway
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave, simulate
from meshplan.planner.gates import gate_for
from meshplan.planner.solve import Solution, solve
from meshplan.planner.spread import crowds, spread
from meshplan.proof import Budget, Proof, Prover, Undecided
from meshplan.resource import Snapshot
from meshplan.settings import World
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Served
from support.snapshots import snapshot

THERE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {istio: edge}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
"""
PODS = gateway("shop", {"istio": "edge"})


def routed(name: str, path: str) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: shop, creationTimestamp: '2024-01-01T00:00:00Z'}}
spec:
  hosts: ['*']
  gateways: [edge]
  http: [{{match: [{{uri: {{prefix: /{path}}}}}], route: [{{destination: {{host: web}}}}]}}]
"""


def solved(base: Snapshot, head: Snapshot, states: int) -> Solution:
    meshes = [Mesh.of(side, MeshConfig(), World.CLOSED) for side in (base, head)]
    changes = diff(base, head)
    graph = dependency_graph(changes, *meshes)
    return solve(changes, graph, *meshes, budget=Budget(states=states))


def checked(base: Snapshot, head: Snapshot, plan: Plan) -> Proof:
    return Prover(*(Mesh.of(side, MeshConfig(), World.CLOSED) for side in (base, head))).check(plan)


def test_what_is_too_much_at_once_is_proven_in_more_waves() -> None:
    base = snapshot(THERE)
    head = snapshot(THERE + "".join(routed(name, name) for name in "abcdef"))
    whole = solved(base, head, 1024)
    assert whole.proof.is_safe
    assert [len(wave.steps) for wave in whole.plan.waves] == [6]
    few = solved(base, head, 16)
    assert few.proof.is_safe
    assert [len(wave.steps) for wave in few.plan.waves] == [3, 3]
    assert simulate(few.plan.steps, base).items() == head.items()
    assert [wave.gate.kind for wave in few.plan.waves] == [GateKind.PROXIES, GateKind.NONE]
    assert "VirtualService shop/a" in few.plan.waves[0].gate.why
    assert checked(base, head, few.plan).is_safe
    assert not few.irreversible


def test_what_is_lost_on_the_way_is_found_and_mended() -> None:
    """A path moves from one VirtualService to another, among many others that change."""
    others = "".join(routed(name, name) for name in "bcdefg")
    base = snapshot(THERE + routed("z", "moved"))
    head = snapshot(THERE + routed("a", "moved") + others)
    found = solved(base, head, 16)
    assert found.proof.is_safe
    assert checked(base, head, found.plan).is_safe
    state = base
    for wave in found.plan.waves:
        for step in Random(0).sample(wave.steps, len(wave.steps)):
            state = simulate([step], state)
            mesh = Mesh.of(state, MeshConfig(), World.CLOSED)
            assert isinstance(route(mesh, Request("x", path="/moved", port=80), PODS), Served)
    assert state.items() == head.items()


def test_a_plan_that_stays_too_large_keeps_its_waves() -> None:
    base = snapshot(THERE)
    head = snapshot(THERE + "".join(routed(name, name) for name in "abcdef"))
    found = solved(base, head, 4)
    assert [len(wave.steps) for wave in found.plan.waves] == [6]
    assert {one.why for one in found.proof.unknowns} == {
        "6 steps of one wave meet, which makes 64 states"
    }


def write(name: str, kind: str = "VirtualService") -> Step:
    group = {"Deployment": "apps", "Secret": ""}.get(kind, "networking.istio.io")
    id_ = ResourceId(group, kind, "shop", name)
    text = (
        f"apiVersion: {group or 'v'}/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}"
    )
    (resource,) = snapshot(text.replace("v/v1", "v1")).values()
    assert resource.id == id_
    return Apply(resource, "")


def remove(name: str) -> Step:
    return Remove(write(name).id, "networking.istio.io/v1", "")


def plan(*waves: str) -> Plan:
    gate = Gate(GateKind.READY, "pods")
    return Plan(tuple(Wave(tuple(write(name) for name in wave), gate) for wave in waves))


def names(found: Plan) -> list[str]:
    return ["".join(step.id.name for step in wave.steps) for wave in found.waves]


def ids(of: str) -> frozenset[ResourceId]:
    return frozenset(write(name).id for name in of)


@pytest.mark.parametrize(
    ("waves", "met", "size", "expected"),
    [
        (["abcd"], [(0, "abcd")], 2, ["ab", "cd"]),
        (["abcd"], [(0, "abcd")], 3, ["abc", "d"]),
        (["abcd"], [(0, "abcd")], 4, ["abcd"]),
        # What meets nothing goes with the others.
        (["abcde"], [(0, "ace")], 2, ["abcd", "e"]),
        # Two crowds in one wave.
        (["abcdef"], [(0, "abc"), (0, "def")], 2, ["ab", "cde", "f"]),
        (["ab", "cde", "fg"], [(1, "cde")], 1, ["ab", "c", "d", "e", "fg"]),
        (["ab", "cd"], [], 1, ["ab", "cd"]),
    ],
)
def test_steps_keep_their_order(
    waves: list[str], met: list[tuple[int, str]], size: int, expected: list[str]
) -> None:
    found = spread(plan(*waves), [(number, ids(of)) for number, of in met], size)
    assert names(found) == expected


def test_gates_wait_for_what_met() -> None:
    found = spread(plan("abc", "de"), [(1, ids("cde"))], 1)
    assert names(found) == ["abc", "d", "e"]
    first, second, last = (wave.gate for wave in found.waves)
    # What the wave before has written may still be on its way to the proxies.
    assert (first.kind, first.ids) == (GateKind.PROXIES, (write("c").id,))
    assert first.why == ("pods; the proxies have to have taken over VirtualService shop/c")
    assert (second.kind, second.ids) == (GateKind.PROXIES, (write("d").id,))
    assert last == Gate(GateKind.READY, "pods")


def test_what_a_gate_waits_for() -> None:
    found = gate_for([write("a"), write("p", "Deployment"), remove("r")])
    assert found.kind is GateKind.DRAINED
    assert [id_.name for id_ in found.ids] == ["p", "a", "r"]
    for part in (
        "Deployment shop/p has to be rolled out and ready",
        "the proxies have to have taken over VirtualService shop/a",
        "VirtualService shop/r, and requests under way on the old routes to end",
    ):
        assert part in found.why
    assert gate_for([write("p", "Deployment")]).kind is GateKind.READY
    known = Gate(GateKind.DRAINED, "known", (write("a").id,))
    assert gate_for([write("a")], known) == known


def undecided(*, wave: int | None = 0, crowded: bool = True) -> Undecided:
    return Undecided("", wave=wave, culprits=tuple(ids("ab")), crowded=crowded)


def test_only_crowds_alone_are_worth_more_waves() -> None:
    assert crowds(Proof()) == ()
    assert crowds(Proof(unknowns=(undecided(), undecided(wave=2)))) == (
        (0, ids("ab")),
        (2, ids("ab")),
    )
    assert crowds(Proof(unknowns=(undecided(), undecided(crowded=False)))) == ()
    for count in (32, 33):
        many = tuple(ResourceId("", "Service", "shop", f"s{number}") for number in range(count))
        found = crowds(Proof(unknowns=(Undecided("", wave=0, culprits=many, crowded=True),)))
        assert bool(found) == (count == 32)
