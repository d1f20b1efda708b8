"""Proxies that see different states at once, and objects whose age nobody knows."""

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import Request, View, route, route_at_any_age, route_in
from meshplan.traffic.ages import rivals, with_ages
from meshplan.traffic.outcome import Denied, Direct, Served, Unknown
from support.meshes import endpoints, failure, mesh

SHOP = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
kind: Deployment
metadata: {name: v1, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: a}]}}}
---
kind: Deployment
metadata: {name: v2, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v2}}, spec: {containers: [{name: a}]}}}
"""


def state(subset: str, *defined: str, denied: bool = False) -> Mesh:
    """Routes to one subset, subsets that exist, and whether clients are denied."""
    subsets = ", ".join(f"{{name: {name}, labels: {{version: {name}}}}}" for name in defined)
    return mesh(f"""{SHOP.strip()}
---
kind: VirtualService
metadata: {{name: reviews, namespace: shop}}
spec: {{hosts: [reviews], http: [{{route: [{{destination: {{host: reviews, subset: {subset}}}}}]}}]}}
---
kind: DestinationRule
metadata: {{name: reviews, namespace: shop}}
spec: {{host: reviews, subsets: [{subsets}]}}
---
kind: AuthorizationPolicy
metadata: {{name: p, namespace: shop}}
spec: {{action: DENY, rules: [{"{}" if denied else ""}]}}
""")


REQUEST, CLIENT = Request("reviews.shop"), sidecar("web")


def test_new_routes_over_old_clusters_fail() -> None:
    old, new = state("v1", "v1"), state("v2", "v2")
    assert failure(route_in(View(new, old, old), REQUEST, CLIENT)) == (503, "NC")
    assert failure(route_in(View(old, new, old), REQUEST, CLIENT)) == (503, "NC")


def test_both_subsets_in_between_lose_nothing() -> None:
    old, new, between = state("v1", "v1"), state("v2", "v2"), state("v1", "v1", "v2")
    for routes, clusters in ((old, between), (between, old), (new, between)):
        outcome = route_in(View(routes, clusters, clusters), REQUEST, CLIENT)
        assert isinstance(outcome, Served)
        assert outcome.wholly


def test_the_servers_policies_are_their_own_view() -> None:
    open_, closed = state("v1", "v1"), state("v1", "v1", denied=True)
    assert isinstance(route_in(View(open_, open_, closed), REQUEST, CLIENT), Denied)
    assert isinstance(route_in(View(closed, closed, open_), REQUEST, CLIENT), Served)


def test_one_mesh_is_a_view_of_itself() -> None:
    for found in (state("v1", "v1"), state("v2", "v1"), state("v1", "v1", denied=True)):
        view = View(found, found, found)
        assert route(found, REQUEST, CLIENT) == route_in(view, REQUEST, CLIENT)


def test_another_snapshot_is_read_where_it_differs() -> None:
    old, new = state("v1", "v1"), state("v2", "v2")
    again = old.at(new.snapshot)
    assert endpoints(route(again, REQUEST, CLIENT)) == endpoints(route(new, REQUEST, CLIENT))
    assert endpoints(route(old, REQUEST, CLIENT)) == ["Deployment shop/v1:80"]


# Ages.


def told(name: str, status: int, path: str = "/") -> str:
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec:
  hosts: [reviews.shop.svc.cluster.local]
  gateways: [mesh, gw]
  http: [{{match: [{{uri: {{prefix: {path}}}}}], directResponse: {{status: {status}}}}}]
"""


TWO = f"{SHOP}---{told('a', 201)}---{told('b', 202)}"
A = ResourceId("networking.istio.io", "VirtualService", "shop", "a")
B = ResourceId("networking.istio.io", "VirtualService", "shop", "b")


def test_which_of_two_rules_is_older_is_not_in_git() -> None:
    found = route_at_any_age(mesh(TWO, world=World.OPEN), REQUEST, CLIENT)
    assert isinstance(found, Unknown)
    assert str(A) in found.reason
    assert str(B) in found.reason
    assert found.otherwise == Direct(201)


def test_in_a_closed_world_names_break_the_tie() -> None:
    assert route_at_any_age(mesh(TWO), REQUEST, CLIENT) == Direct(201)


def test_times_that_are_known_decide() -> None:
    times = {A: "2024-02-01T00:00:00Z", B: "2024-01-01T00:00:00Z"}
    open_ = mesh(TWO, world=World.OPEN)
    known = open_.at(with_ages(open_.snapshot, times))
    assert route_at_any_age(known, REQUEST, CLIENT) == Direct(202)
    half = open_.at(with_ages(open_.snapshot, {A: times[A]}))
    assert isinstance(route_at_any_age(half, REQUEST, CLIENT), Unknown)


def test_rivals_that_agree_are_no_matter() -> None:
    same = mesh(f"{SHOP}---{told('a', 201)}---{told('b', 201)}", world=World.OPEN)
    assert route_at_any_age(same, REQUEST, CLIENT) == Direct(201)
    assert rivals(same, REQUEST, CLIENT) == ((A, B),)


@pytest.mark.parametrize(("path", "known"), [("/a", True), ("/b", True), ("/x", True)])
def test_at_a_gateway_only_rules_that_overlap_depend_on_ages(path: str, known: bool) -> None:
    gw = """
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
"""
    apart = mesh("---".join((gw, told("a", 201, "/a"), told("b", 202, "/b"))), world=World.OPEN)
    request = Request("reviews.shop.svc.cluster.local", path=path)
    outcome = route_at_any_age(apart, request, gateway("edge"))
    assert isinstance(outcome, Unknown) is not known


def test_the_subset_of_two_merged_rules_depends_on_ages() -> None:
    def rule(name: str, version: str) -> str:
        return f"""
kind: DestinationRule
metadata: {{name: {name}, namespace: shop}}
spec: {{host: reviews, subsets: [{{name: main, labels: {{version: {version}}}}}]}}
"""

    to_main = """
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: main}}]}]}
"""
    text = "---".join((SHOP, to_main, rule("a", "v1"), rule("b", "v2")))
    found = route_at_any_age(mesh(text, world=World.OPEN), REQUEST, CLIENT)
    assert isinstance(found, Unknown)
    assert "DestinationRule shop/a and DestinationRule shop/b" in found.reason
