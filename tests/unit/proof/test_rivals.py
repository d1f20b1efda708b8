"""Of which objects it counts which is older: those of one kind about one thing, without a time."""

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import gateway
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.proof.index import Index
from meshplan.proof.rivals import rivals_among
from meshplan.proof.types import Topic, TopicKind
from meshplan.proof.versions import Versions
from meshplan.settings import World
from meshplan.traffic import Request, ages
from support.around import snapshot
from support.meshes import with_versions
from support.proofs import change, plan

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


TIME = "creationTimestamp: '2020-01-01T00:00:00Z'"
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


# Objects by themselves


def among(text: str, after: str = "") -> list[str]:
    """Names of the rivals among all objects of two revisions, as lines tell them."""
    base, head = (snapshot(one)[1] for one in (text, after or text))
    versions = Versions(base, head)
    found = rivals_among((*base, *head), versions, Index(versions, "cluster.local"))
    return [id_.name for id_ in found]


AT_GATEWAY = "both VirtualService edge/%s {hosts: [%s], gateways: [gw], http: [{redirect: {authority: %s.com}}]}\n"
AT_LISTENER = "both %s edge/%s {parentRefs: [{name: gw}], %srules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: %s.com}}]}]}\n"
X = "hostnames: [x.example.com], "


def virtual_services(server: str, *hosts: str) -> str:
    servers = f"[{{hosts: ['{server}'], port: {{number: 80, name: http, protocol: HTTP}}}}]"
    routes = (AT_GATEWAY % (n, h, n) for n, h in zip(("one", "two"), hosts, strict=True))
    return f"both Gateway edge/gw {{selector: {{istio: x}}, servers: {servers}}}\n{''.join(routes)}"


def http_routes(listener: str, *hosts: str, kind: str = "HTTPRoute") -> str:
    found = f"[{{name: h, port: 80, protocol: HTTP{listener and f', hostname: {listener}'}}}]"
    kinds = zip(("one", "two"), ("HTTPRoute", kind), hosts, strict=True)
    routes = (AT_LISTENER % (kind, name, hosts, name) for name, kind, hosts in kinds)
    return f"both API edge/gw {{gatewayClassName: istio, listeners: {found}}}\n{''.join(routes)}"


@pytest.mark.parametrize(
    "text",
    [
        virtual_services(server, one, two)
        for server in ("*", "*.example.com", "x.example.com", "edge/x.example.com")
        for one, two in (
            ("x.example.com", "x.example.com"),
            ("'*'", "x.example.com"),
            ("'*'", "'*.example.com'"),
            ("X.example.com", "'*.example.com'"),
            ("'*.com'", "'*.example.com'"),
        )
    ]
    + [
        http_routes(listener, one, two)
        for listener in ("", "'*.example.com'", "x.example.com")
        for one, two in ((X, X), ("", X), ("", ""), ("hostnames: ['*.example.com'], ", X))
    ],
)
def test_routes_that_meet_at_a_server(text: str) -> None:
    """What is left of their hosts where it is open for fewer; against the whole mesh."""
    mesh = Mesh.of(snapshot(text)[1], MeshConfig(), World.OPEN)
    labels = {"istio": "x"} if "istio: x" in text else {GATEWAY_NAME_LABEL: "gw"}
    found = ages.rivals(mesh, Request("x.example.com"), gateway("edge", labels))
    assert among(text) == [id_.name for group in found for id_ in group]


OLD = f"metadata: {{{TIME}}}, "
RULE = "both DestinationRule shop/%s {%shost: a}\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("one two", "", "one two"),
        ("one", "", ""),
        # One time alone does not tell an order.
        ("one OLD", "", ""),
        ("one two OLD", "", "one two"),
        ("one OLD two OLD", "", ""),
        # What is created is younger than all that was there, of several it is not known.
        ("one OLD", "one OLD two", ""),
        ("", "one two", "one two"),
        ("three OLD", "three OLD one two", "one three two"),
    ],
)
def test_which_times_are_known(before: str, after: str, expected: str) -> None:
    def rules(words: str) -> str:
        found = words.replace(" OLD", "-OLD").split()
        parted = (word.partition("-") for word in found)
        return "".join(RULE % (name, OLD if old else "") for name, _, old in parted)

    text = rules(before) or "both Namespace shop {}\n"
    assert among(text, rules(after)) == expected.split()


PEER = "both PeerAuthentication shop/%s {selector: {matchLabels: {%s}}}\n"
SIDECAR = "both Sidecar shop/%s {workloadSelector: {labels: {%s}}}\n"


@pytest.mark.parametrize("line", [PEER, SIDECAR])
@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ("app: a", "app: a", True),
        ("app: a", "app: b", False),
        # Pods may have the labels of both.
        ("app: a", "tier: x", True),
        ("app: a, tier: x", "tier: x", True),
        ("app: a, tier: x", "tier: y", False),
        ("app: a", "", False),
        ("", "", True),
    ],
)
def test_selectors_of_which_the_older_wins(line: str, one: str, two: str, meet: bool) -> None:
    text = line % ("one", one) + line % ("two", two)
    assert among(text) == ["one", "two"] * meet
    assert among(text.replace("shop/two", "web/two")) == []
    assert among(text.replace("shop/two {", f"shop/two {{{OLD}")) == ["one", "two"] * meet


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DestinationRule shop/one {host: a}|DestinationRule shop/two {host: b}", ""),
        ("Service shop/one {}|Service web/one {}", ""),
        ("ServiceEntry shop/one {hosts: [A.net, b.net]}|ServiceEntry web/two {hosts: [c.net, a.net]}", "one two"),
        ("ServiceEntry shop/one {hosts: [a]}|ServiceEntry shop/two {hosts: [a.shop.svc.cluster.local]}", ""),
        ("HTTPRoute shop/one {parentRefs: [{name: g}], hostnames: [A.net]}|HTTPRoute shop/two {parentRefs: [{kind: Gateway, name: h}], hostnames: [a.net]}", "one two"),
        ("HTTPRoute shop/one {parentRefs: [{kind: Service, name: g}], hostnames: [a.net]}|HTTPRoute shop/two {parentRefs: [{name: h}], hostnames: [a.net]}", ""),
        ("HTTPRoute shop/one {parentRefs: [{kind: Service, name: g, namespace: web}]}|HTTPRoute web/two {parentRefs: [{kind: Service, name: g}]}", "one two"),
        ("HTTPRoute shop/one {parentRefs: [{kind: Service, name: g}]}|HTTPRoute web/two {parentRefs: [{kind: Service, name: g}]}", ""),
        ("HTTPRoute shop/one {parentRefs: [{kind: Service, name: g}]}|HTTPRoute shop/two {parentRefs: [{kind: Service, name: h}]}", ""),
        ("Gateway shop/one {servers: [{port: {number: 80}}, {port: {number: 81}}]}|Gateway web/two {servers: [{port: {number: 81}}]}", "one two"),
        ("Gateway shop/one {servers: [{port: {number: 80}}]}|API web/two {listeners: [{port: 80}]}", "two one"),
        # In the order of their ids, whatever they share.
        ("DestinationRule shop/a {host: x}|DestinationRule shop/b {host: y}|DestinationRule shop/c {host: x}|DestinationRule shop/d {host: y}", "a b c d"),
        ("VirtualService shop/b {hosts: [x.net]}|VirtualService shop/a {hosts: [x.net]}|DestinationRule shop/c {host: y}|DestinationRule shop/d {host: y}", "c d a b"),
    ],
)  # fmt: skip
def test_what_objects_are_about(lines: str, expected: str) -> None:
    text = "\n".join(f"both {line}" for line in lines.split("|"))
    assert among(text) == expected.split()


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
    # The time of one of them does not tell it either.
    dated = one.replace("namespace: shop", f"namespace: shop, {TIME}")
    assert verdict(dated % to_subset, two_ % elsewhere) == ("unknown", {told})
    younger = two_.replace("namespace: web", f"namespace: web, {TIME.replace('2020', '2021')}")
    assert verdict(dated % elsewhere, younger % to_subset) == ("safe", set())
    assert verdict(one % elsewhere, two_ % elsewhere) == ("safe", set())


ROUTES = "{hosts: [%s], http: [{%sroute: [{destination: {host: a.shop.svc.cluster.local%s}}]}]}"


def routed(first: str, second: str, rule: str) -> str:
    """Two routes of the host, and a rule with one subset for it."""
    objects = two("VirtualService", first, second, "web")
    subsets = f"{{host: a, subsets: [{{name: {rule}, labels: {{v: x}}}}]}}"
    return with_versions(
        "\n---\n".join([SERVICE, *objects, ISTIO % ("DestinationRule", "a", "shop", "", subsets)])
    )


@pytest.mark.parametrize("turned", [False, True])
def test_a_request_for_which_the_ages_count_is_told(turned: bool) -> None:
    """Of one route the subset is gone for a while, whichever of the two it is."""
    plain = ROUTES % (HOST, "", "")
    sides = []
    for subset in ("v1", "v2"):
        both = [ROUTES % (HOST, "", f", subset: {subset}"), plain]
        sides.append(routed(*(both[::-1] if turned else both), subset))
    found = change(*sides)
    moved = next(one for one in found.steps if one.id.kind == "VirtualService").id
    rule = next(one for one in found.steps if one.id.kind == "DestinationRule")
    proof = found.prover.check(plan([[], [one for one in found.steps if one != rule], [rule]]))
    (unknown,) = {one.why: one for one in proof.unknowns}.values()
    assert unknown.why.startswith("it depends on which is older of VirtualService shop/one")
    assert unknown.request is not None
    assert unknown.request.request.host_name.startswith("a.shop")
    assert {id_.name for id_ in unknown.ids} == BOTH
    assert unknown.wave == 1
    assert set(unknown.culprits) == {moved}


@pytest.mark.parametrize("turned", [False, True])
def test_ages_may_decide_what_can_be_told(turned: bool) -> None:
    """One of two routes asks for what is not modelled; no request is known to be lost."""
    blind = ROUTES % (HOST, "match: [{headers: {':path': {exact: /x}}}], ", "")
    both = [blind, ROUTES % (HOST, "", "")]
    first, last = (routed(*(both[::-1] if turned else both), rule) for rule in ("v1", "v2"))
    proof = change(first, last).together()
    assert not proof.counterexamples
    (unknown,) = [one for one in proof.unknowns if one.why.startswith("it depends on which is")]
    assert (unknown.request, unknown.wave, unknown.culprits) == (None, None, ())
