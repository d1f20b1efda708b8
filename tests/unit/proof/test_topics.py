"""What is asked about one topic: hosts that are known, names, ports, and the peers of a workload."""

import pytest

from meshplan.proof.topics import TopicCases
from meshplan.proof.types import Topic, TopicKind
from meshplan.settings import World
from support.asking import GATEWAY, HOST, OTHER, SERVICE, changed, doc, of, pod, sidecar

# Names


def names(found: TopicCases) -> dict[str, set[str]]:
    asked: dict[str, set[str]] = {}
    for case in found.cases(reverse=False):
        proxy = case.client.proxy
        asked.setdefault(proxy.namespace if proxy else "", set()).add(case.base.host)
    return asked


def routed(hosts: str, namespace: str = "web", match: str = "{uri: {prefix: /}}") -> str:
    http = f"[{{match: [{match}], redirect: {{uri: /x}}}}]"
    return doc("VirtualService", "r", namespace, f"{{hosts: [{hosts}], http: {http}}}")


NEAR, FAR = {HOST, "a.shop", "a.shop.svc", "a"}, {HOST, "a.shop", "a.shop.svc"}


@pytest.mark.parametrize(
    ("more", "near", "far"),
    [
        ("", {HOST}, {HOST}),
        # Routes for a form of the name, and Services that have it for their own.
        (routed("a.shop"), {HOST, "a.shop"}, {HOST, "a.shop"}),
        (routed("a.shop.svc"), {HOST, "a.shop.svc"}, {HOST, "a.shop.svc"}),
        (routed("'*.svc'"), {HOST, "a.shop.svc"}, {HOST, "a.shop.svc"}),
        (routed("'*.shop'"), {HOST, "a.shop"}, {HOST, "a.shop"}),
        (
            doc("ServiceEntry", "e", "web", "{hosts: [a.shop], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"),
            {HOST, "a.shop"},
            {HOST, "a.shop"},
        ),
        (routed(HOST, match="{authority: {exact: a}}"), {HOST, "a"}, {HOST}),
        (routed(HOST, match="{authority: {prefix: a.shop.svc}}"), {HOST, "a", "a.shop"}, {HOST, "a.shop"}),
        (routed(HOST, match="{authority: {regex: '.*local'}}"), NEAR, FAR),
        (routed(HOST, match="{authority: {prefix: a}}"), {HOST}, {HOST}),
    ],
)  # fmt: skip
def test_names_in_short(more: str, near: set[str], far: set[str]) -> None:
    """Those that some object may take for another, in the namespace of the Service and elsewhere.

    Ways to write each of them, with a port or in capitals, are left out here.
    """
    found = names(of(changed(SERVICE + more)))
    plain = {
        where: {name for name in asked if ":" not in name and name == name.lower()}
        for where, asked in found.items()
    }
    assert plain.pop("shop") == near
    assert plain.pop("elsewhere") == far
    assert all(asked == far for asked in plain.values())


def test_a_service_that_comes_may_be_asked_for_in_short() -> None:
    found = changed(SERVICE, SERVICE.replace("port: 80", "port: 81"))
    assert names(of(found)) == {"shop": NEAR, "elsewhere": FAR}
    # Hosts that are no Services have no short names, and no gateway knows them.
    entry = doc("ServiceEntry", "a", "shop", "{hosts: [a.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}")  # fmt: skip
    made = of(changed(OTHER, OTHER + entry), host="a.example.com")
    assert names(made) == {one: {"a.example.com"} for one in ("shop", "elsewhere")}
    gateway = doc("Gateway", "gw", "edge", "{selector: {istio: x}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*']}]}")  # fmt: skip
    at_gateway = of(changed(gateway, f"{gateway}---{SERVICE}"), GATEWAY)
    assert names(at_gateway) == {"edge": {HOST}, "istio-system": {HOST}}


def test_short_names_are_those_of_services() -> None:
    """Whatever routes there are; and each name is asked once."""
    entry = doc("ServiceEntry", "a", "shop", "{hosts: [a.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}")  # fmt: skip
    assert names(of(changed(entry + routed("'*'")), host="a.example.com")) == {
        one: {"a.example.com"} for one in ("shop", "web", "elsewhere")
    }
    found = of(
        changed(SERVICE + routed("'*.shop'"), SERVICE.replace("80", "81") + routed("'*.shop'"))
    )
    asked = [(str(one.client), str(one.base)) for one in found.cases(reverse=False)]
    assert len(asked) == len(set(asked))
    assert names(found)["shop"] == NEAR


def test_names_are_read_in_requests_alone() -> None:
    """With the port as well, where that makes a difference; connections have no such name."""
    ports = "[{name: http, port: 80}, {name: tcp, port: 90}, {name: tls, port: 443}]"
    service = SERVICE.replace("[{name: http, port: 80}]", ports)
    pattern = "{authority: {regex: '.*:[0-9]+'}}"
    found = of(changed(service + routed(HOST, match=pattern)))
    assert {(one.base.scheme, one.base.host) for one in found.cases(reverse=False)} == {
        ("http", HOST),
        ("http", f"{HOST}:80"),
        ("http", f"{HOST}:90"),
        ("tcp", HOST),
        ("tls", HOST),
    }
    servers = "[{port: {number: 443, name: s, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}, {port: {number: 444, name: t, protocol: TLS}, hosts: ['*'], tls: {mode: PASSTHROUGH}}]"
    gateway = doc("Gateway", "gw", "web", f"{{selector: {{istio: x}}, servers: {servers}}}")
    route = routed("x.example.com", match=pattern).replace("http:", "gateways: [gw], http:")
    found = of(changed(gateway + route), GATEWAY, "x.example.com")
    assert {(one.base.scheme, one.base.host) for one in found.cases(reverse=False)} == {
        ("https", "x.example.com"),
        ("https", "x.example.com:443"),
        ("tls", "x.example.com"),
    }


def test_a_name_that_nobody_else_has() -> None:
    found = of(changed(routed("'*.example.com'")), host="*.example.com")
    assert {name for asked in names(found).values() for name in asked} == {"unmatched.example.com"}
    found = of(changed(routed("'*'")), host="*")
    assert {name for asked in names(found).values() for name in asked} == {"unmatched.example"}


def test_names_that_are_too_many_are_told() -> None:
    pattern = "(a|b)*a" + "(a|b)" * 20
    route = routed("'*.example.com'", match=f"{{authority: {{regex: '{pattern}'}}}}")
    found = of(changed(route), host="*.example.com")
    assert names(found)
    assert "too large" in found.undecided
    simple = of(changed(routed("'*.example.com'")), host="*.example.com")
    assert names(simple)
    assert simple.undecided == ""


# Ports


def ports(found: TopicCases) -> set[tuple[str, int]]:
    return {(case.base.scheme, case.base.port) for case in found.cases(reverse=False)}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (routed(f"'*', {HOST}"), {("http", 81), ("http", 80)}),
        (routed("'*.cluster.local'"), {("http", 81), ("http", 80)}),
        (routed("A.shop.svc.cluster.local"), {("http", 81), ("http", 80)}),
        (routed("b"), {("http", 81)}),
        (routed("'*.web.svc.cluster.local'"), {("http", 81)}),
        (routed(HOST, match="{port: 8080}"), {("http", 81), ("http", 80), ("http", 8080)}),
        (routed(f"b, {HOST}"), {("http", 81), ("http", 80)}),
        # Also of rules for connections, and of delegates.
        (
            doc("VirtualService", "r", "web", f"{{hosts: [{HOST}], http: [{{delegate: {{name: d}}}}]}}")
            + doc("VirtualService", "d", "web", "{http: [{match: [{port: 8080}], redirect: {uri: /}}]}"),
            {("http", 81), ("http", 80), ("http", 8080)},
        ),
        (
            doc("VirtualService", "r", "web", f"{{hosts: [{HOST}], tcp: [{{match: [{{port: 9090}}], route: []}}]}}"),
            {("http", 81), ("http", 80), ("http", 9090)},
        ),
    ],
)  # fmt: skip
def test_ports_that_routes_name(more: str, expected: set[tuple[str, int]]) -> None:
    service = SERVICE.replace("port: 80", "port: 81")
    assert ports(of(changed(service + more))) == expected


def test_ports_of_what_a_service_stands_for() -> None:
    """They are not those of the Service itself."""
    alias = doc(
        "Service",
        "b",
        "shop",
        "{type: ExternalName, externalName: x.example.com, ports: [{name: http, port: 80}]}",
    )
    entry = doc(
        "ServiceEntry",
        "e",
        "web",
        "{hosts: ['*.example.com'], resolution: NONE, ports: [{number: 82, name: http, protocol: HTTP}]}",
    )
    found = of(changed(alias + entry), host="b.shop.svc.cluster.local")
    assert ports(found) == {("http", 80)}
    delegate = doc(
        "VirtualService",
        "r",
        "web",
        "{hosts: [b.shop.svc.cluster.local], http: [{delegate: {name: d}}]}",
    )
    found = of(changed(alias.replace("80", "81") + delegate), host="b.shop.svc.cluster.local")
    assert ports(found) == {("http", 80), ("http", 81)}


def test_ports_of_who_sends_to_a_host_are_its_own() -> None:
    sends = doc(
        "VirtualService",
        "s",
        "far",
        f"{{hosts: [x.example.com], http: [{{match: [{{port: 9999}}], route: [{{destination: {{host: {HOST}}}}}]}}]}}",
    )
    found = of(changed(SERVICE + sends, default_service_export_to=(".",)))  # type: ignore[arg-type]
    assert ports(found) == {("http", 80)}
    assert "far" in {one.id.namespace for one in found._around.resources()}


def test_ports_of_an_address() -> None:
    """It has those of the Service that it belongs to."""
    service = SERVICE.replace("port: 80", "port: 81").replace(
        "{selector", "{clusterIP: 10.9.0.1, selector"
    )
    assert ports(of(changed(service), host="10.9.0.1")) == {("http", 81)}
    assert ports(of(changed(service), host="10.9.0.2")) == {("http", 80)}


def test_ports_of_a_name_that_nobody_has() -> None:
    """Services under a wildcard have names; entries for a wildcard have none."""
    service = SERVICE.replace("port: 80", "port: 81")
    found = of(changed(service + routed("'*.cluster.local'")), host="*.cluster.local")
    assert ports(found) == {("http", 80)}
    entry = "{hosts: ['*.Example.com'], resolution: NONE, ports: [{number: 82, name: tcp, protocol: TCP}]}"
    found = of(changed(OTHER + doc("ServiceEntry", "e", "web", entry)), host="*.a.example.com")
    assert ports(found) == {("http", 82), ("tcp", 82)}
    # Of those under a narrower wildcard some may be meant, of others none.
    found = of(changed(OTHER + doc("ServiceEntry", "e", "web", entry)), host="*.com")
    assert ports(found) == {("http", 82), ("tcp", 82)}
    found = of(changed(OTHER + doc("ServiceEntry", "e", "web", entry)), host="*.example.org")
    assert ports(found) == {("http", 80)}
    # Of hosts that nobody declares and nobody routes the usual one is asked.
    assert ports(of(changed(OTHER), host="nobody.example.com")) == {("http", 80)}


# Workloads


def peers(text: str, **labels: str) -> list[tuple[int, str, str, str]]:
    topic = Topic(TopicKind.SERVER, "", "shop", tuple(sorted(labels.items())))
    found = changed(text).prover.cases_of(topic).cases(reverse=False)
    return [
        (case.server.port, str(case.transport), case.base.principal, case.base.host)
        for case in found
        if case.server
    ]


STRICT = doc("PeerAuthentication", "x", "shop", "{mtls: {mode: STRICT}}")


@pytest.mark.parametrize(
    ("labels", "host"),
    [
        ({"app": "a", "v": "w"}, "a.shop"),
        ({"v": "w", "z": "b"}, "v=w,z=b.shop"),
        ({}, "any workload.shop"),
    ],
)
def test_how_a_workload_is_called(labels: dict[str, str], host: str) -> None:
    assert {one for *_, one in peers(STRICT, **labels)} == {host}


def test_names_of_hosts_that_policies_ask_for() -> None:
    rules = "{action: DENY, rules: [{to: [{operation: {hosts: [admin.example.com]}}]}]}"
    found = peers(STRICT + doc("AuthorizationPolicy", "p", "shop", rules), app="a")
    assert {host for *_, host in found} == {"a.shop", "admin.example.com"}


def test_ports_of_a_workload_that_something_is_said_about() -> None:
    more = (
        doc("Service", "a", "shop", "{selector: {app: a}, ports: [{name: http, port: 80, targetPort: 8081}, {name: tcp, port: 82}, {name: named, port: 83, targetPort: web}]}"),
        doc("PeerAuthentication", "ports", "shop", "{selector: {matchLabels: {app: a}}, portLevelMtls: {'7000': {mode: STRICT}}}"),
        sidecar("shop", "'*/*'", labels="app: a").replace("{workloadSelector", "{ingress: [{port: {number: 7001, protocol: HTTP, name: h}}], workloadSelector"),
        doc("AuthorizationPolicy", "p", "shop", "{rules: [{to: [{operation: {ports: ['7002']}}]}]}"),
        pod("shop", "app: a").replace("{name: c}", "{name: c, ports: [{name: web, containerPort: 7003}]}"),
    )  # fmt: skip
    found = [port for port, *_ in peers(STRICT + "".join(more), app="a")]
    assert list(dict.fromkeys(found)) == [82, 7000, 7001, 7002, 7003, 8081]
    assert {port for port, *_ in peers(STRICT, app="a")} == {8080}


def test_who_comes_is_asked_in_order() -> None:
    rules = "{rules: [{from: [{source: {principals: [cluster.local/ns/job/sa/two, cluster.local/ns/job/sa/one]}}]}]}"
    found = peers(doc("AuthorizationPolicy", "p", "shop", rules) + STRICT, app="a")
    principals = [f"cluster.local/ns/{one}" for one in ("elsewhere/sa/default", "job/sa/default", "job/sa/one", "job/sa/two")]  # fmt: skip
    assert [(transport, who) for _, transport, who, _ in found] == [
        ("plaintext", ""),
        *(("mtls", who) for who in principals),
    ]


# Scopes


def test_in_a_closed_world_everything_has_a_say() -> None:
    far = doc("Service", "far", "far", "{ports: [{name: http, port: 80}]}")
    before, after = SERVICE + far, SERVICE.replace("port: 80", "port: 81") + OTHER
    open_, closed = (of(changed(before, after, world=world)) for world in World)
    if open_.scope.ids != tuple(id_ for id_ in open_.scope.ids if id_.name == "a"):
        open_, closed = closed, open_
    assert [id_.name for id_ in open_.scope.ids] == ["a"]
    assert sorted(id_.name for id_ in closed.scope.ids) == ["a", "far", "z"]
    assert closed.scope is closed.scope_of(reverse=False)
    assert closed.scope is not closed.scope_of(reverse=True)


def test_gateways_of_a_closed_world_are_looked_at_together() -> None:
    gateways = "".join(
        doc("Gateway", f"gw{n}", "edge", f"{{selector: {{istio: x{n}}}, servers: [{{port: {{number: 80, name: h, protocol: HTTP}}, hosts: ['*']}}]}}")
        for n in (1, 2)
    )  # fmt: skip
    both = doc("VirtualService", "r", "edge", "{hosts: [x.example.com], gateways: [gw1, gw2], http: [{redirect: {uri: /}}]}")  # fmt: skip
    for world in World:
        found = changed(gateways, gateways + both, world=world)
        topics = found.prover.topics_of(step.id for step in found.steps)
        of_one = {topic.is_of_one_gateway for topic in topics}
        assert of_one == {world is World.OPEN}
