"""Facts say what the model of the mesh knows, and nothing about what may live elsewhere."""

import json
from typing import Any

import pytest

from meshplan.mesh import Mesh
from meshplan.policy.catalog import Leaf, ListOf, Part
from meshplan.policy.facts.answers import Facts
from meshplan.policy.facts.declared import FACTS, RECORDS
from meshplan.policy.facts.urls import urls
from meshplan.settings import World
from support.meshes import mesh

SHOP = """
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080, targetPort: web}]}
---
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template:
    metadata: {labels: {app: reviews, version: v1}}
    spec: {containers: [{name: app, ports: [{name: web, containerPort: 8080}]}]}
---
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
"""


def facts(text: str, world: World = World.OPEN, **config: object) -> Facts:
    return Facts(mesh(text, world=world, **config))


def asked(found: Facts, name: str, *arguments: str | int) -> Any:
    return found.ask(name, *arguments)


@pytest.mark.parametrize("world", World)
def test_a_declared_host_is_known_with_its_ports_and_endpoints(world: World) -> None:
    found = asked(facts(SHOP, world), "host", "reviews", "shop")
    assert found["known"]
    assert not found["missing"]
    assert found["full"] == "reviews.shop.svc.cluster.local"
    assert found["ports"] == [{"name": "http", "number": 9080, "protocol": "HTTP", "target": "web"}]
    assert found["endpoints"] == 1


@pytest.mark.parametrize(("world", "missing"), [(World.OPEN, False), (World.CLOSED, True)])
def test_a_host_that_nobody_declares_is_missing_in_a_closed_world_alone(
    world: World, missing: bool
) -> None:
    found = asked(facts(SHOP, world), "host", "ratings", "shop")
    assert not found["known"]
    assert found["missing"] is missing
    assert asked(facts(SHOP, world), "gateway", "public", "shop")["missing"] is missing
    assert asked(facts(SHOP, world), "delegate", "", "leaf", "shop", "root")["missing"] is missing


def test_a_host_that_is_not_exported_is_missing_in_any_world() -> None:
    text = (
        SHOP
        + """---
kind: ServiceEntry
metadata: {name: bank, namespace: shop}
spec: {hosts: [bank.example.com], exportTo: [.], ports: [{number: 443, name: tls}]}
"""
    )
    found = asked(facts(text), "host", "bank.example.com", "web")
    assert (found["known"], found["hidden"], found["missing"]) == (False, True, True)


def test_a_subset_is_missing_where_the_rules_of_its_host_are_known() -> None:
    found = facts(SHOP)
    assert asked(found, "subset", "reviews", "v1", "shop") == {
        "known": True,
        "missing": False,
        "others": ["v1", "v2"],
        "rule": "shop/reviews",
        "endpoints": "yes",
    }
    assert asked(found, "subset", "reviews", "v2", "shop")["endpoints"] == "no"
    assert asked(found, "subset", "reviews", "v3", "shop")["missing"]
    # Nothing is known of a host that is not declared and has no rule here.
    assert not asked(found, "subset", "ratings", "v3", "shop")["missing"]


STRICT = """---
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""


@pytest.mark.parametrize(
    ("policy", "auto", "client", "works"),
    [
        ("", True, "ISTIO_MUTUAL", "yes"),
        ("", False, "PLAINTEXT", "no"),
        ("tls: {mode: DISABLE}", True, "PLAINTEXT", "no"),
        ("tls: {mode: ISTIO_MUTUAL}", False, "ISTIO_MUTUAL", "yes"),
        ("loadBalancer: {simple: RANDOM}", True, "ISTIO_MUTUAL", "yes"),
        ("tls: {mode: SIMPLE}", True, "TLS", "unknown"),
    ],
)
def test_a_connection_is_what_the_client_speaks_and_the_server_accepts(
    policy: str, auto: bool, client: str, works: str
) -> None:
    text = SHOP.replace("  host: reviews\n", f"  host: reviews\n  trafficPolicy: {{{policy}}}\n")
    found = facts(text + STRICT, enable_auto_mtls=auto)
    assert asked(found, "connection", "reviews", 0, "v1", "shop") == {
        "client": client,
        "policy": "istio-system/default",
        "rule": "shop/reviews",
        "server": "STRICT",
        "works": works,
    }


def test_a_port_of_a_workload_has_a_mode_of_its_own() -> None:
    text = (
        SHOP
        + STRICT
        + """---
kind: PeerAuthentication
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  portLevelMtls: {"8080": {mode: PERMISSIVE}}
"""
    )
    found = facts(text)
    one = asked(found, "peer_mode", "Deployment", "shop", "reviews-v1", "web")
    assert one == {"mode": "PERMISSIVE", "policy": "shop/reviews"}
    other = asked(found, "peer_mode", "Deployment", "shop", "reviews-v1", "9090")
    assert other == {"mode": "STRICT", "policy": "istio-system/default"}


def test_a_workload_has_a_sidecar_where_its_namespace_says_so() -> None:
    found = asked(facts(SHOP), "workload", "Deployment", "shop", "reviews-v1")
    assert found == {
        "gateway": False,
        "injected": "yes",
        "known": True,
        "services": ["reviews.shop.svc.cluster.local"],
    }
    elsewhere = facts(SHOP.partition("---")[2])
    assert asked(elsewhere, "workload", "Deployment", "shop", "reviews-v1")["injected"] == "unknown"


@pytest.mark.parametrize(
    ("templates", "is_gateway"), [("gateway", True), ("gateway,mine", True), ("sidecar", False)]
)
def test_a_pod_that_is_injected_as_a_gateway_is_one(templates: str, is_gateway: bool) -> None:
    text = f"""
kind: Deployment
metadata: {{name: edge, namespace: shop}}
spec:
  template:
    metadata: {{labels: {{app: edge}}, annotations: {{inject.istio.io/templates: "{templates}"}}}}
    spec: {{containers: [{{name: istio-proxy, image: auto}}]}}
"""
    found = asked(facts(text), "workload", "Deployment", "shop", "edge")
    assert found["gateway"] is is_gateway


@pytest.mark.parametrize(
    ("tracing", "expected"),
    [
        ("[{providers: [{name: zipkin}]}]", "on"),
        ("[{disableSpanReporting: true}]", "off"),
        ("[{disableSpanReporting: true}, {randomSamplingPercentage: 10}]", "on"),
    ],
)
def test_a_telemetry_of_the_mesh_turns_tracing_on_and_off(tracing: str, expected: str) -> None:
    text = f"""
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: mesh, namespace: istio-system}}
spec:
  tracing: {tracing}
"""
    assert asked(facts(text), "config")["tracing"] == expected
    chosen = text + "  selector: {matchLabels: {app: reviews}}\n"
    assert asked(facts(chosen), "config")["tracing"] == "unknown"


ROUTES = """
kind: VirtualService
metadata: {name: one, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}
---
kind: VirtualService
metadata: {name: two, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}
spec: {hosts: [reviews.shop.svc.cluster.local], http: [{route: [{destination: {host: reviews}}]}]}
---
kind: VirtualService
metadata: {name: three, namespace: other}
spec:
  hosts: [reviews.shop.svc.cluster.local]
  exportTo: [.]
  gateways: [mesh]
  http: [{route: [{destination: {host: reviews.shop.svc.cluster.local}}]}]
---
kind: VirtualService
metadata: {name: tls, namespace: shop}
spec:
  hosts: [reviews]
  tls: [{match: [{sniHosts: [reviews]}], route: [{destination: {host: reviews}}]}]
"""


def test_conflicts_are_hosts_that_some_proxies_see_twice() -> None:
    found = facts(ROUTES)
    host = "reviews.shop.svc.cluster.local"
    conflict = {"first": "unknown", "gateway": "mesh", "host": host, "merged": False}
    one = asked(found, "host_conflicts", "shop", "one")
    assert one == [conflict | {"other": "other/three"}, conflict | {"other": "shop/two"}]
    assert [c["other"] for c in asked(found, "host_conflicts", "other", "three")] == [
        "shop/one",
        "shop/two",
    ]


GATEWAY = """
kind: Gateway
metadata: {name: public, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["shop/*.example.com"]}
  - {port: {number: 8443, name: more, protocol: HTTPS}, hosts: ["*"]}
---
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  ports: [{name: https, port: 443, targetPort: 8443}]
---
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {istio: ingressgateway}}
    spec:
      securityContext: {runAsUser: 1337}
      containers: [{name: istio-proxy}]
"""


def test_a_port_of_a_gateway_is_exposed_by_the_services_in_front_of_its_pods() -> None:
    found = facts(GATEWAY)
    port = asked(found, "gateway_port", "edge", "public", 443)
    assert port == {
        "bindable": "yes",
        "exposed": "yes",
        "services": ["istio-system/istio-ingressgateway"],
        "target": 8443,
        "workloads": ["Deployment/istio-system/istio-ingressgateway"],
    }
    assert asked(found, "gateway_port", "edge", "public", 9443)["exposed"] == "no"


def test_a_gateway_without_root_cannot_bind_a_privileged_port() -> None:
    text = GATEWAY.replace("targetPort: 8443", "targetPort: 443")
    assert asked(facts(text), "gateway_port", "edge", "public", 443)["bindable"] == "no"
    control = (
        "securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '0'}]}"
    )
    text = text.replace("securityContext: {runAsUser: 1337}", control)
    assert asked(facts(text), "gateway_port", "edge", "public", 443)["bindable"] == "yes"


def test_nothing_is_known_of_the_ports_of_pods_that_are_elsewhere() -> None:
    found = asked(facts(GATEWAY.partition("---")[0]), "gateway_port", "edge", "public", 443)
    assert "exposed" not in found
    assert "bindable" not in found


def test_a_gateway_serves_hosts_to_the_namespaces_that_its_servers_name() -> None:
    found = facts(GATEWAY.replace('hosts: ["*"]', 'hosts: ["a.example.org"]'))
    assert asked(found, "gateway_serves", "edge/public", "shop", "x.example.com") == "yes"
    assert asked(found, "gateway_serves", "edge/public", "web", "x.example.com") == "no"
    assert asked(found, "gateway_serves", "edge/public", "web", "a.example.org") == "yes"
    assert asked(found, "gateway_serves", "edge/other", "web", "a.example.org") == "unknown"


DELEGATES = """
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [shop.example.com]
  http:
  - {match: [{uri: {prefix: /reviews}}], delegate: {name: leaf}}
---
kind: VirtualService
metadata: {name: leaf, namespace: shop}
spec:
  http:
  - {match: [{uri: {prefix: /reviews/v1}}], route: [{destination: {host: reviews}}]}
  - {match: [{uri: {prefix: /ratings}}], route: [{destination: {host: ratings}}]}
"""


def test_routes_of_a_delegate_outside_the_match_of_its_root_are_shadowed() -> None:
    found = asked(facts(DELEGATES), "delegate", "", "leaf", "shop", "root")
    assert found == {
        "chained": False,
        "exported": True,
        "hosts": False,
        "known": True,
        "missing": False,
        "shadowed": 1,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://reviews:9080/x", [("http", "reviews", 9080)]),
        ("HTTPS://User:pw@Bank.Example.COM", [("https", "bank.example.com", 0)]),
        ("-a=http://a.b,grpc://c.d:1", [("http", "a.b", 0), ("grpc", "c.d", 1)]),
        ("http://10.0.0.1:80 http://[::1]/ jdbc:mysql://db/x", []),
        ("http://$HOST:80 http://${HOST}/ http://a-${X}.example.com http://{{ .Host }}", []),
        ("://", []),
    ],
)
def test_urls_are_read_out_of_any_text(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert [(u.scheme, u.host, u.port) for u in urls(text)] == expected


def test_calls_resolve_names_as_pods_do() -> None:
    found = facts(SHOP, World.CLOSED)
    text = "http://reviews:9080 http://reviews.shop http://reviews.shop.svc https://api.example.com"
    assert [
        (c["host"], c["known"], c["missing"], c["port"])
        for c in asked(found, "calls", text, "shop")
    ] == [
        ("reviews", True, False, 9080),
        ("reviews.shop", True, False, 80),
        ("reviews.shop.svc", True, False, 80),
        ("api.example.com", False, True, 443),
    ]


@pytest.mark.parametrize(
    ("istio", "kubernetes", "stated", "expected"),
    [
        ("1.29.1", "1.33", "", "yes"),
        ("1.29.1", "1.32", "", "no"),
        ("1.29.1", "", "", "unknown"),
        ("1.26.0", "1.33", "", "no"),
        ("1.26.0", "1.30", "true", "yes"),
        ("1.29.1", "1.33", "false", "no"),
    ],
)
def test_sidecars_are_native_by_versions_and_settings(
    istio: str, kubernetes: str, stated: str, expected: str
) -> None:
    found = facts(SHOP, istio_version=istio, kubernetes_version=kubernetes, native_sidecars=stated)
    assert asked(found, "config")["nativeSidecars"] == expected


def test_what_was_asked_is_shipped_as_data() -> None:
    found = facts(SHOP)
    asked(found, "config")
    asked(found, "connection", "reviews", 9080, "", "shop")
    asked(found, "connection", "reviews", 9080, "v1", "shop")
    shipped = json.loads(json.dumps(found.to_json()))
    assert list(shipped) == ["config", "connection"]
    assert shipped["connection"]["reviews"]["9080"]["v1"]["shop"]["works"] == "yes"
    assert shipped["config"]["istioMinor"] == 29


def test_answers_have_the_types_that_are_declared(everything: Mesh) -> None:
    for fact in FACTS:
        arguments = ["shop" if p.type.scalar.value == "s" else 9080 for p in fact.parameters]
        _fits(Facts(everything).ask(fact.name, *arguments), fact.result)


@pytest.fixture
def everything() -> Mesh:
    return mesh(f"{SHOP}---{GATEWAY}---{ROUTES}---{DELEGATES}")


def _fits(value: object, kind: object) -> None:
    match kind:
        case Leaf(scalar):
            assert isinstance(value, {"s": str, "i": int, "b": bool}[scalar.value])
        case ListOf(item):
            assert isinstance(value, list)
            for entry in value:
                _fits(entry, item)
        case Part(name):
            assert isinstance(value, dict)
            assert set(value) <= set(RECORDS[name])
            for field, entry in value.items():
                written = RECORDS[name][field]
                python = {"s": str, "i": int, "b": bool, "[": list}[written[0]]
                assert type(entry) is python, (name, field)
