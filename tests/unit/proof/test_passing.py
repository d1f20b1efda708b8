"""Other networks ask a gateway for Services by the names of their clusters (SNI-DNAT)."""

from itertools import product

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import gateway
from meshplan.plan import wave_to_json
from meshplan.proof.index import Index
from meshplan.proof.passing import Passing, host_of, hosts_of_servers, passes_on
from meshplan.proof.versions import Versions
from meshplan.settings import World
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Served
from meshplan.verify import verify
from support.proofs import Change, change, plan
from support.snapshots import snapshot

HOST = "reviews.shop.svc.cluster.local"
APP = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}, {name: tcp-db, port: 9000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: c}]}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: eastwest, namespace: istio-system}
spec:
  selector: {istio: eastwest}
  servers:
    - {port: {number: 15443, name: tls, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: [%s]}
"""
RULE = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: %s, namespace: shop}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}]}
"""
LOCAL = APP % "'*.local'"


def renamed(hosts: str = "'*.local'") -> Change:
    """A rule with a subset that only other networks ask for: nothing of ours is routed there."""
    return change(APP % hosts + RULE % "a", APP % hosts + RULE % "b")


def names(text: str, host: str = HOST) -> set[str]:
    versions = Versions(snapshot(text), snapshot(text))
    found = list(Passing(Index(versions, "cluster.local"), versions).names(host))
    assert len(found) == len(set(found))
    return set(found)


def cluster(port: int, subset: str = "") -> str:
    """As istiod names it (`BuildDNSSrvSubsetKey`)."""
    return f"outbound_.{port}_.{subset}_.{HOST}"


def test_each_port_and_subset_has_a_name() -> None:
    plain = {cluster(80), cluster(9000)}
    assert names(LOCAL) == plain
    assert names(LOCAL + RULE % "a") == plain | {cluster(80, "v1"), cluster(9000, "v1")}
    assert names(APP % HOST) == plain
    assert names(APP % f"shop/{HOST.upper()}") == plain
    assert names(LOCAL, "other.shop.svc.cluster.local") == set()
    assert names(LOCAL, "*.shop.svc.cluster.local") == set()
    assert names(APP % "'*.org'") == set()
    assert names(LOCAL.replace("AUTO_PASSTHROUGH", "PASSTHROUGH")) == set()


@pytest.mark.parametrize("host", ["db.mesh.local", "*.mesh.local"])
def test_hosts_of_service_entries_have_names_too(host: str) -> None:
    """Except for wildcards: nobody asks for a star in the middle of a name."""
    entry = f"""
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: db, namespace: shop}}
spec: {{hosts: ['{host}'], location: MESH_INTERNAL, ports: [{{number: 81, name: tcp}}]}}
"""
    expected = set() if "*" in host else {f"outbound_.81_._.{host}"}
    assert names(LOCAL + entry, host) == expected


@pytest.mark.parametrize(
    ("spec", "hosts"),
    [
        ("{listeners: [{hostname: 'A.local'}, {hostname: '*.b.local'}]}", ["a.local", "*.b.local"]),
        ("{listeners: [{}]}", ["*"]),
        ("{servers: [{hosts: [shop/A.local, './*']}, {hosts: ['*.b']}]}", ["a.local", "*", "*.b"]),
    ],
)
def test_the_hosts_of_a_gateway(spec: str, hosts: list[str]) -> None:
    group = "gateway.networking.k8s.io" if "listeners" in spec else "networking.istio.io"
    text = f"apiVersion: {group}/v1\nkind: Gateway\nmetadata: {{name: a}}\nspec: {spec}"
    (one,) = snapshot(text).values()
    assert list(hosts_of_servers(one)) == hosts


@pytest.mark.parametrize(
    ("name", "host"),
    [
        (cluster(80), HOST),
        (cluster(80, "v1"), HOST),
        (HOST, ""),
        ("outbound_.80_.v1", ""),
        # The first three parts are cut off, whatever follows (`ParseSubsetKey`).
        ("outbound_.80_.v1_.a_.b.local", "a_.b.local"),
        (f"inbound_.80_.v1_.{HOST}", ""),
    ],
)
def test_the_host_in_a_name(name: str, host: str) -> None:
    assert host_of(name) == host


def test_gateways_of_the_gateway_api_pass_on_too() -> None:
    def made(listener: str, labels: str = "{}") -> bool:
        text = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gw, namespace: edge, labels: {labels}}}
spec: {{gatewayClassName: istio, listeners: [{{name: tls, port: 15443, protocol: TLS, {listener}}}]}}
"""
        (one,) = snapshot(text).values()
        return passes_on(one)

    option = "options: {gateway.istio.io/listener-protocol: auto-passthrough}"
    assert made(f"tls: {{mode: Passthrough, {option}}}")
    assert made(f"tls: {{mode: Passthrough, {option}}}}}, {{name: other, port: 80")
    assert not made("tls: {mode: Passthrough}")
    assert made("tls: {mode: Passthrough}", "{topology.istio.io/network: one}")


@pytest.mark.parametrize("hosts", ["'*.local'", HOST, "'*'"])
def test_a_subset_that_other_networks_ask_for_stays_there(hosts: str) -> None:
    made = renamed(hosts)
    new, old = "DestinationRule b", "-DestinationRule a"
    assert made.one_by_one(new, old).is_safe
    for proof in (made.one_by_one(old, new), made.together()):
        asked = {one.request.request.host for one in proof.counterexamples}
        assert asked == {cluster(80, "v1"), cluster(9000, "v1")}


def test_so_says_the_model() -> None:
    """Each state of the two rules, asked by itself: without either there is no such chain."""
    for one, other in product((False, True), repeat=2):
        text = LOCAL + RULE % "a" * one + RULE % "b" * other
        mesh = Mesh.of(snapshot(text), MeshConfig(), World.OPEN)
        client = gateway("istio-system", {"istio": "eastwest"})
        for subset in ("", "v1"):
            request = Request(cluster(80, subset), port=15443, scheme="tls")
            served = isinstance(route(mesh, request, client), Served)
            assert served == (one or other or not subset)


def test_without_such_a_gateway_nobody_asks() -> None:
    made = change(
        *(LOCAL.replace("AUTO_PASSTHROUGH", "PASSTHROUGH") + RULE % name for name in "ab")
    )
    assert made.together().is_safe


def test_a_gateway_that_changes_serves_all_that_it_served() -> None:
    """Its hosts go from one Gateway to another."""
    moved = LOCAL.replace("name: eastwest, ", "name: other, ")
    made = change(LOCAL + RULE % "a", moved + RULE % "a")
    assert made.one_by_one("Gateway other", "-Gateway eastwest").is_safe
    proof = made.one_by_one("-Gateway eastwest", "Gateway other")
    asked = {one.request.request.host for one in proof.counterexamples}
    assert {cluster(80), cluster(80, "v1"), cluster(9000), cluster(9000, "v1")} <= asked


@pytest.mark.parametrize(
    ("order", "refuted"),
    [
        (["DestinationRule b", "-DestinationRule a"], False),
        (["-DestinationRule a", "DestinationRule b"], True),
    ],
)
def test_the_checker_asks_by_these_names_as_well(order: list[str], refuted: bool) -> None:
    made = renamed()
    meshes = [Mesh.of(side, MeshConfig(), World.OPEN) for side in (made.base, made.head)]
    waves = plan([[step] for step in made.named(*order)])
    written = [wave_to_json(wave) for wave in waves.waves]
    found = verify({"waves": written, "digest": waves.digest}, *meshes)
    assert bool(found.refutations) == refuted
    assert all(
        cluster(80, "v1") in said or cluster(9000, "v1") in said for said in found.refutations
    )
