"""Of which objects it counts which is older: those of one kind about one thing, without a time."""

import pytest

from meshplan.proof.types import Topic, TopicKind
from meshplan.settings import World
from support.meshes import with_versions
from support.proofs import change

ISTIO = "kind: %s\nmetadata: {name: %s, namespace: %s%s}\nspec: %s"
SERVICE = ISTIO % (
    "Service",
    "a",
    "shop",
    "",
    "{selector: {app: a}, ports: [{name: http, port: 80}]}",
)
HOST = "a.shop.svc.cluster.local"


def rivals(objects: list[str], kind: str = "mesh", host: str = HOST, **named: object) -> set[str]:
    """Names of the objects of which the ages matter for a topic, when something else changes."""
    text = with_versions("\n---\n".join(objects))
    other = ISTIO % ("DestinationRule", "z", "shop", "", "{host: other.example.com}")
    found = change(text, f"{text}\n---\n{with_versions(other)}", **named)  # type: ignore[arg-type]
    labels = named.get("labels")
    topic = Topic(TopicKind(kind), host) if labels is None else labels
    assert isinstance(topic, Topic)
    return {id_.name for id_ in found.prover.cases_of(topic).rivals}


def two(
    kind: str, spec: str, other: str = "", namespace: str = "shop", time: str = ""
) -> list[str]:
    """Two objects of a kind, `one` and `two`, the second with another spec or in another namespace."""
    when = f', creationTimestamp: "{time}"' if time else ""
    return [
        ISTIO % (kind, "one", "shop", when, spec),
        ISTIO % (kind, "two", namespace, when, other or spec),
    ]


BOTH = {"one", "two"}
ROUTE = "{hosts: [%s], http: [{route: [{destination: {host: a.shop.svc.cluster.local}}]}]}"
ENTRY = "{hosts: [%s], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"
SERVER = "{selector: {istio: x}, servers: [{port: {number: %s, name: p, protocol: HTTP}, hosts: [x.example.com]}]}"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (two("VirtualService", ROUTE % HOST), BOTH),
        (two("VirtualService", ROUTE % HOST, ROUTE % "a", "shop"), BOTH),
        (two("VirtualService", ROUTE % HOST, ROUTE % "a", "web"), set()),
        (two("VirtualService", ROUTE % HOST, ROUTE % HOST, "web"), BOTH),
        (two("VirtualService", ROUTE % HOST, time="2020-01-01T00:00:00Z"), set()),
        (two("VirtualService", ROUTE % HOST)[:1], set()),
        (two("VirtualService", ROUTE % HOST, ROUTE % "'*.shop.svc.cluster.local'"), set()),
        (two("DestinationRule", "{host: a}"), BOTH),
        (two("DestinationRule", "{host: a}", f"{{host: {HOST}}}"), BOTH),
        (two("DestinationRule", f"{{host: {HOST}}}", "", "web"), set()),
        (two("Sidecar", "{egress: [{hosts: ['*/*']}]}"), BOTH),
        (two("Sidecar", "{egress: [{hosts: ['*/*']}]}", "", "web"), set()),
        (two("PeerAuthentication", "{selector: {matchLabels: {app: a}}}"), BOTH),
        (
            two("PeerAuthentication", "{selector: {matchLabels: {app: a}}}", "{mtls: {mode: STRICT}}"),
            set(),
        ),
        (two("AuthorizationPolicy", "{selector: {matchLabels: {app: a}}}"), set()),
    ],
)  # fmt: skip
def test_for_a_service(objects: list[str], expected: set[str]) -> None:
    assert rivals([SERVICE, *objects]) == expected


def test_entries_for_one_host() -> None:
    objects = two("ServiceEntry", ENTRY % "x.example.com", ENTRY % "X.example.com", "web")
    assert rivals(objects, host="x.example.com") == BOTH
    other = two("ServiceEntry", ENTRY % "x.example.com", ENTRY % "'*.example.com'", "web")
    assert rivals(other, host="x.example.com") == set()


def test_in_a_closed_world_names_decide() -> None:
    objects = [SERVICE, *two("VirtualService", ROUTE % HOST)]
    assert rivals(objects, world=World.CLOSED) == set()


@pytest.mark.parametrize(("port", "expected"), [("80", BOTH), ("81", set())])
def test_gateways_with_a_server_on_one_port(port: str, expected: set[str]) -> None:
    objects = two("Gateway", SERVER % "80", SERVER % port)
    assert rivals(objects, "gateway", "x.example.com") == expected


API = """apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: edge}
spec: {gatewayClassName: istio, listeners: [{name: l, port: %s, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}"""


def attached(kind: str, name: str, parent: str, hosts: str = "") -> str:
    named = f"hostnames: [{hosts}], " if hosts else ""
    return (
        f"kind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{parentRefs: [{parent}], {named}rules: [{{backendRefs: [{{name: a, port: 80}}]}}]}}"
    )


EDGE = "{name: gw, namespace: edge}"


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"])
def test_routes_of_one_gateway_for_one_host(kind: str) -> None:
    def found(*hosts: str) -> set[str]:
        routes = [attached(kind, n, EDGE, h) for n, h in zip(("one", "two"), hosts, strict=True)]
        return rivals([SERVICE, API % ("gw", 80), *routes], "gateway", "x.example.com")

    assert found("x.example.com", "x.example.com") == BOTH
    assert found("x.example.com", "'*.example.com'") == set()
    assert found("", "") == BOTH
    assert found("x.example.com, y.example.com", "z.example.com, x.example.com") == BOTH


def test_routes_of_one_service() -> None:
    def found(*parents: str) -> set[str]:
        routes = [
            attached("HTTPRoute", n, f'{{group: "", kind: Service, {p}}}', "x.example.com")
            for n, p in zip(("one", "two"), parents, strict=True)
        ]
        other = SERVICE.replace("name: a,", "name: b,")
        return rivals([SERVICE, other, *routes])

    assert found("name: a", "name: a") == BOTH
    assert found("name: a", "name: a, namespace: shop") == BOTH
    assert found("name: a", "name: b") == set()


def test_gateways_of_the_gateway_api_on_one_port() -> None:
    routes = [
        attached("HTTPRoute", "r", "{name: one, namespace: edge}, {name: two, namespace: edge}")
    ]
    assert rivals([SERVICE, API % ("one", 80), API % ("two", 80), *routes], "gateway", "*") == BOTH
    assert rivals([SERVICE, API % ("one", 80), API % ("two", 81), *routes], "gateway", "*") == set()


def test_what_depends_on_ages_is_unknown() -> None:
    """A subset is renamed that only one of two routes uses, and nobody knows which of them is in force."""
    other = SERVICE.replace("name: a,", "name: b,").replace("app: a", "app: b")
    to_subset = ROUTE.replace("cluster.local}}", "cluster.local, subset: v1}}") % HOST
    elsewhere = ROUTE.replace("host: a.shop", "host: b.shop") % HOST
    rule = ISTIO % ("DestinationRule", "a", "shop", "", "{host: a, subsets: [%s]}")

    def verdict(*routes: str) -> tuple[str, set[str]]:
        common = "\n---\n".join([SERVICE, other, *routes])
        sides = (rule % "{name: v1, labels: {v: x}}", rule % "{name: v2, labels: {v: x}}")
        before, after = (with_versions(f"{common}\n---\n{one}") for one in sides)
        head = (
            after.replace("subset: v1", "subset: v2")
            + "\n---\n"
            + with_versions(ISTIO % ("DestinationRule", "b", "web", "", "{host: z}"))
        )
        proof = change(before, head).together()
        return proof.verdict, {one.why for one in proof.unknowns}

    one, two_ = (
        ISTIO % ("VirtualService", n, w, "", "%s") for n, w in (("one", "shop"), ("two", "web"))
    )
    told = "it depends on which is older of VirtualService shop/one and VirtualService web/two, which Git does not tell"
    assert verdict(one % to_subset, two_ % elsewhere) == ("unknown", {told})
    assert verdict(one % elsewhere, two_ % elsewhere) == ("safe", set())
