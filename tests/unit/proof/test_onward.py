"""Sidecars that send requests on to a gateway, against both proxies asked one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, permutations, product
from random import Random

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.plan import Plan, simulate
from meshplan.planner.solve import solve
from meshplan.proof.fields import authorities_of
from meshplan.proof.types import Invariant
from meshplan.settings import World
from meshplan.traffic import View, route_in
from meshplan.traffic.outcome import Passthrough, Served
from meshplan.traffic.request import Request
from support.proofs import Change, change, plan
from support.snapshots import snapshot

THERE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ext, namespace: shop}
spec: {hosts: [ext.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: v1
kind: Service
metadata: {name: egress, namespace: edge}
spec: {selector: {istio: egress}, ports: [{name: http2, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: egress, namespace: edge}
spec:
  selector: {matchLabels: {istio: egress}}
  template: {metadata: {labels: {istio: egress}}, spec: {containers: [{name: c}]}}
"""
GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress, namespace: edge}
spec:
  selector: {istio: egress}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [ext.example.com]}]
"""
VIRTUAL = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s, namespace: shop}
spec: {hosts: [ext.example.com], gateways: [%s], http: [%s]}
"""
TO_GATEWAY = "route: [{destination: {host: egress.edge.svc.cluster.local, port: {number: 80}}}]"
TO_HOST = "route: [{destination: {host: ext.example.com, port: {number: 80}}}]"
NEAR = VIRTUAL % ("near", "mesh", f"{{{TO_GATEWAY}}}")
FAR = VIRTUAL % ("far", "edge/egress", f"{{{TO_HOST}}}")
DIRECT = VIRTUAL % ("near", "mesh", f"{{timeout: 3s, {TO_HOST}}}")
BOTH = VIRTUAL % (
    "both",
    "mesh, edge/egress",
    f"{{match: [{{gateways: [mesh]}}], {TO_GATEWAY}}}, {{match: [{{gateways: [edge/egress]}}], {TO_HOST}}}",
)
CLIENT, PODS = sidecar("web", {}), gateway("edge", {"istio": "egress"})
ASKED = Request("ext.example.com", port=80)
#: The gateway is asked by another host than the sidecar, which a route or a destination writes.
INNER = "inner.example.com"
RENAMED = NEAR.replace("http: [{", f"http: [{{rewrite: {{authority: {INNER}}}, ")
BY_HEADER = NEAR.replace(
    "{number: 80}}}", f"{{number: 80}}}}, headers: {{request: {{set: {{Host: {INNER}}}}}}}}}"
)
FAR_INNER = FAR.replace("hosts: [ext.example.com]", f"hosts: [{INNER}]")
GATEWAY_FOR_BOTH = GATEWAY.replace("hosts: [ext.example.com]", "hosts: ['*.example.com']")


def arrives(views: Sequence[Mesh]) -> bool:
    """Whether a request arrives: by the routes and clusters of the sidecar, then of the gateway."""
    near_routes, near_clusters, far_routes, far_clusters = views
    first = route_in(View(near_routes, near_clusters, near_clusters), ASKED, CLIENT)
    if isinstance(first, Served) and all(b.kind == "served" for b in first.backends):
        (backend,) = first.backends
        if not backend.endpoint.startswith("Deployment edge/egress:"):
            return True
        again = replace(ASKED, host=backend.authority)
        second = route_in(View(far_routes, far_clusters, far_clusters), again, PODS)
        return isinstance(second, Served) and all(b.kind == "served" for b in second.backends)
    return isinstance(first, Passthrough)


def lost(made: Change, steps: Plan, random: Random) -> bool:
    """Whether some view of some wave loses requests that are served before and after."""
    whole = Mesh.of(made.base, MeshConfig(), World.OPEN)
    if not (arrives([whole] * 4) and arrives([whole.at(made.head)] * 4)):
        return False
    rest = made.base
    for wave in steps.waves:
        states = [
            whole.at(simulate(chosen, rest))
            for count in range(len(wave.steps) + 1)
            for chosen in combinations(wave.steps, count)
        ]
        views = list(product(states, repeat=4))
        if not all(map(arrives, random.sample(views, min(len(views), 400)))):
            return True
        rest = simulate(wave.steps, rest)
    return False


def claims_to_lose(made: Change, steps: Plan) -> bool:
    proof = made.prover.check(steps)
    assert not proof.unknowns
    return any(
        one.invariant is Invariant.AVAILABILITY and not one.request.client.is_gateway
        for one in proof.counterexamples
    )


def sides(*parts: str) -> Iterator[str]:
    for count in range(len(parts) + 1):
        for chosen in combinations(parts, count):
            yield THERE + "".join(chosen)


assert NEAR not in (RENAMED, BY_HEADER)
PAIRS = [
    *permutations(sides(GATEWAY, NEAR, FAR), 2),
    *permutations(sides(GATEWAY, BOTH), 2),
    *permutations((THERE + GATEWAY + FAR + DIRECT, THERE + GATEWAY + FAR + NEAR), 2),
    *permutations((THERE + DIRECT, THERE + GATEWAY + FAR + NEAR), 2),
    *permutations(sides(GATEWAY_FOR_BOTH, RENAMED, FAR_INNER), 2),
    *permutations((THERE + DIRECT, THERE + GATEWAY_FOR_BOTH + FAR_INNER + BY_HEADER), 2),
    *permutations(
        (
            THERE + GATEWAY_FOR_BOTH + FAR + NEAR,
            THERE + GATEWAY_FOR_BOTH + FAR_INNER + RENAMED,
        ),
        2,
    ),
]


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_every_order_against_both_proxies(number: int) -> None:
    made, random = change(*PAIRS[number]), Random(number)
    orders = [plan([[step] for step in order]) for order in permutations(made.steps)]
    for steps in (*orders, plan([made.steps])):
        assert claims_to_lose(made, steps) == lost(made, steps, random), steps.waves


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_the_planner_finds_a_way_by_which_all_arrive(number: int) -> None:
    before, after = (snapshot(text) for text in PAIRS[number])
    base, head = (Mesh.of(side, MeshConfig(), World.OPEN) for side in (before, after))
    changes = diff(before, after)
    found = solve(changes, dependency_graph(changes, base, head), base, head)
    assert found.proof.is_safe
    assert simulate(found.plan.steps, before).items() == after.items()
    assert not lost(change(*PAIRS[number]), found.plan, Random(number))


def test_a_gateway_installed_by_other_means() -> None:
    """Neither its Service nor its pods are in the tree; the namespace is the usual one."""
    there = THERE[: THERE.index("---")]
    near = NEAR.replace("egress.edge", "istio-egressgateway.istio-system")
    made = change(there, there + GATEWAY + FAR + near)
    assert not made.together().is_safe
    assert made.one_by_one("Gateway egress", "VirtualService far", "VirtualService near").is_safe
    assert not made.one_by_one(
        "VirtualService near", "Gateway egress", "VirtualService far"
    ).is_safe


def test_what_is_sent_elsewhere_does_not_wait_for_the_gateway() -> None:
    """The host is open at a gateway as well, but sidecars go another way."""
    near = NEAR.replace("egress.edge", "other.shop")
    service = """
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {selector: {app: other}, ports: [{name: http, port: 80}]}
"""
    made = change(THERE + service, THERE + service + GATEWAY + FAR + near)
    assert made.together().is_safe


def test_it_is_told_where_it_fails() -> None:
    made = change(THERE, THERE + GATEWAY + FAR + NEAR)
    proof = made.one_by_one("VirtualService near", "Gateway egress", "VirtualService far")
    found = [one for one in proof.counterexamples if one.wave == 0]
    assert {one.sentence.partition(" → ")[2] for one in found} == {
        "connection refused: nothing listens on port 8080, at gateway edge/istio=egress"
    }
    assert {tuple(id_.name for id_ in one.visible) for one in found} == {("near",)}
    assert {id_.name for one in found for id_ in one.culprits} == {"near", "far", "egress"}


def test_one_path_alone_is_held_as_well() -> None:
    """The usual request has no route at either end."""
    only = "match: [{uri: {prefix: /api}}], "
    direct, near = (one.replace("route:", f"{only}route:") for one in (DIRECT, NEAR))
    made = change(THERE + direct, THERE + GATEWAY + FAR + near)
    assert not made.together().is_safe
    assert made.one_by_one("Gateway egress", "VirtualService far", "VirtualService near").is_safe


@pytest.mark.parametrize(
    ("kind", "spec", "hosts"),
    [
        (
            "VirtualService",
            "{http: [{rewrite: {authority: 'A.example.com:80'}}]}",
            ["a.example.com"],
        ),
        ("VirtualService", "{http: [{headers: {request: {add: {':authority': b.c}}}}]}", ["b.c"]),
        (
            "VirtualService",
            "{http: [{route: [{headers: {request: {set: {HOST: b.c}}}}]}]}",
            ["b.c"],
        ),
        ("VirtualService", "{http: [{route: [{headers: {response: {set: {host: b.c}}}}]}]}", []),
        ("VirtualService", "{http: [{headers: {request: {remove: [Host]}}}]}", []),
        ("VirtualService", "{http: [{redirect: {authority: b.c}}]}", []),
        (
            "HTTPRoute",
            "{rules: [{filters: [{type: URLRewrite, urlRewrite: {hostname: b.c}}]}]}",
            ["b.c"],
        ),
        (
            "HTTPRoute",
            (
                "{rules: [{backendRefs: [{name: a, filters: [{type: RequestHeaderModifier, "
                "requestHeaderModifier: {set: [{name: host, value: b.c}]}}]}]}]}"
            ),
            ["b.c"],
        ),
    ],
)
def test_hosts_that_a_route_writes(kind: str, spec: str, hosts: list[str]) -> None:
    group = "networking.istio.io" if kind == "VirtualService" else "gateway.networking.k8s.io"
    text = (
        f"apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\nspec: {spec}"
    )
    (found,) = snapshot(text).values()
    assert list(authorities_of(found)) == hosts
