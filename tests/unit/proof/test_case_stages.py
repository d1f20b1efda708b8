"""What one case asks of each stage: tokens, paths at gateways, connections, and what it cannot see."""

import pytest

from meshplan.proof.cases import Case
from meshplan.proof.scope import State
from meshplan.proof.types import Budget, Topic, TopicKind
from meshplan.traffic.inbound import Server
from meshplan.traffic.request import Request
from support.asking import HOST, doc, pod
from support.meshes import with_versions
from support.proofs import change

SERVICE = doc("Service", "a", "shop", "{selector: {app: a}, ports: [{name: http, port: 80}]}")
RAW = SERVICE.replace("name: http, port: 80", "name: tcp, port: 90")
PODS = pod("shop", "app: a, sidecar.istio.io/inject: 'true'")
GATEWAY = doc(
    "Gateway",
    "gw",
    "edge",
    "{selector: {istio: x}, servers: [{port: {number: 8080, name: h, protocol: HTTP}, hosts: ['*']}]}",
)
EDGE = doc(
    "VirtualService",
    "v",
    "shop",
    f"{{hosts: [x.example.com], gateways: [edge/gw], http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]}}",
)
AT_GATEWAY = Topic(TopicKind.GATEWAY, "x.example.com")
IN_MESH = Topic(TopicKind.MESH, HOST)
AT_SERVER = Topic(TopicKind.SERVER, "", "shop", (("app", "a"),))


def cases(before: str, after: str, topic: Topic = IN_MESH) -> list[Case]:
    found = change(*(with_versions(one.removeprefix("---\n")) for one in (before, after)))
    return found.prover.cases_of(topic).cases(reverse=False)


def states(found: Case) -> list[State]:
    return [found.scope.state({}), found.scope.state({}, 1)]


def classes(found: Case) -> list[Request]:
    every = states(found)
    return found.classes(every, every, every, Budget())


def policy(name: str, namespace: str, labels: str, rest: str) -> str:
    selector = f"{{matchLabels: {{{labels}}}}}"
    return doc("AuthorizationPolicy", name, namespace, f"{{selector: {selector}, {rest}}}")


OTHER = doc("DestinationRule", "z", "shop", f"{{host: {HOST}}}")


# Tokens


def test_gateways_ask_for_tokens_themselves() -> None:
    text = SERVICE + GATEWAY + EDGE
    for one in cases(text, text + OTHER, AT_GATEWAY):
        assert one.client.proxy is not None
        assert one.at_gateway == Server(one.client.proxy.namespace, {"istio": "x"}, 8080)
    for topic in (IN_MESH, AT_SERVER):
        assert {one.at_gateway for one in cases(text, text + OTHER, topic)} == {None}


def tokens(where: str, labels: str, issuer: str) -> str:
    rules = f"[{{issuer: {issuer}, jwks: '{{}}'}}]"
    spec = f"{{selector: {{matchLabels: {{{labels}}}}}, jwtRules: {rules}}}"
    return doc("RequestAuthentication", "t", where, spec)


@pytest.mark.parametrize(
    ("where", "labels", "topic"),
    [
        ("shop", "app: a", IN_MESH),
        ("shop", "app: a", AT_SERVER),
        ("edge", "istio: x", AT_GATEWAY),
        ("shop", "app: a", AT_GATEWAY),
    ],
)
def test_tokens_count_where_other_ones_become_good(where: str, labels: str, topic: Topic) -> None:
    """Requests with a token fare otherwise then; else they are like those without one."""
    text = SERVICE + PODS + GATEWAY + pod("edge", "istio: x") + EDGE
    one, two = (text + tokens(where, labels, issuer) for issuer in ("one", "two"))
    for after, counts in ((two, True), (one + OTHER, False)):
        (found, *_) = cases(one, after, topic)
        assert any("authorization" in asked.headers for asked in classes(found)) == counts
        assert any("access_token" in asked.path for asked in classes(found)) == counts


# Paths and connections


def test_paths_that_policies_of_a_gateway_name() -> None:
    """As they come: no route has changed them yet."""
    denied = policy(
        "p", "edge", "istio: x", "action: DENY, rules: [{to: [{operation: {paths: [/x/y]}}]}]"
    )
    to = f"[{{match: [{{uri: {{prefix: /x}}}}], rewrite: {{uri: /z}}, route: [{{destination: {{host: {HOST}}}}}]}}]"
    routed = EDGE.partition("http: ")[0] + f"http: {to}}}\n"
    text = SERVICE + GATEWAY + routed
    (found, *_) = cases(text, text + denied, AT_GATEWAY)
    paths = {asked.path.partition("?")[0] for asked in classes(found)}
    assert "/x/y" in paths
    assert any(path.startswith("/x") and path != "/x/y" for path in paths)
    assert any(not path.startswith("/x") for path in paths)


def test_paths_that_policies_of_servers_name() -> None:
    """As the route leaves them: `/x/y` becomes `/z/y`."""
    denied = policy(
        "p", "shop", "app: a", "action: DENY, rules: [{to: [{operation: {paths: [/z/y]}}]}]"
    )
    to = f"[{{match: [{{uri: {{prefix: /x}}}}], rewrite: {{uri: /z}}, route: [{{destination: {{host: {HOST}}}}}]}}]"
    routed = doc("VirtualService", "v", "shop", f"{{hosts: [{HOST}], http: {to}}}")
    text = SERVICE + PODS + routed
    (found, *_) = cases(text, text + denied)
    paths = {asked.path.partition("?")[0] for asked in classes(found)}
    assert "/x/y" in paths
    assert any(path.startswith("/x") and path != "/x/y" for path in paths)


def test_peers_of_other_names_are_not_alike() -> None:
    """Who goes to a workload itself is let in by name."""
    text = SERVICE + policy("p", "shop", "app: a", "rules: [{from: [{source: {namespaces: [one, two]}}]}]")  # fmt: skip
    likenesses = {}
    for found in cases(text, text + policy("q", "shop", "app: a", "action: DENY"), AT_SERVER):
        every = states(found)
        likenesses[found.base.principal] = found.likeness(every, every, every)
    one, two, other = (
        likenesses[f"cluster.local/ns/{name}/sa/default"] for name in ("one", "two", "elsewhere")
    )
    assert one == two != other


def test_connections_lead_to_clusters_as_well() -> None:
    rule = doc("DestinationRule", "d", "shop", f"{{host: {HOST}, subsets: [{{name: s}}]}}")
    routed = doc(
        "VirtualService",
        "v",
        "shop",
        f"{{hosts: [{HOST}], tcp: [{{route: [{{destination: {{host: {HOST}, subset: s}}}}]}}]}}",
    )
    found = next(
        one for one in cases(RAW + PODS, RAW + PODS + rule + routed) if one.base.is_connection
    )
    before, after = states(found)
    assert [(one.host, one.port, one.subset) for one in found.names([before])] == [(HOST, 90, "")]
    assert [(one.host, one.port, one.subset) for one in found.names([after])] == [(HOST, 90, "s")]
    assert [one.labels["app"] for one in found.servers([after], found.names([after]))] == ["a"]


def test_clients_whose_connections_fare_otherwise_are_not_alike() -> None:
    """Of HTTP the policy lets both in, by one rule or the other. One of the rules asks for a token
    of somebody else: of connections it lets in nobody.
    """
    one = "{from: [{source: {namespaces: [one]}}, {source: {namespaces: [x], requestPrincipals: [p]}}]}"
    text = RAW + PODS + policy("p", "shop", "app: a", f"rules: [{one}, {{from: [{{source: {{namespaces: [two, three]}}}}]}}]")  # fmt: skip
    likenesses = {}
    for found in cases(text, text + OTHER):
        every = states(found)
        if found.base.is_connection and found.client.proxy is not None:
            likenesses[found.client.proxy.namespace] = found.likeness(every, every, every)
    assert likenesses["two"] == likenesses["three"]
    assert likenesses["one"] != likenesses["two"]
    assert likenesses["x"] not in (likenesses["one"], likenesses["two"])


def test_what_is_on_the_way_to_a_service_makes_other_clusters() -> None:
    waypoint = SERVICE.replace("name: a,", "name: a, labels: {istio.io/use-waypoint: w},")
    found = next(iter(cases(SERVICE, waypoint)))
    before, after = states(found)
    names = found.names([before])
    assert found.clusters(before, names) == found.clusters(after, names)
    assert found.cluster_number(before, names) != found.cluster_number(after, names)


def test_gateways_look_no_host_up() -> None:
    """A client that dials its name does."""
    routed = EDGE.replace("x.example.com", HOST)
    before = GATEWAY + routed
    for topic in (IN_MESH, Topic(TopicKind.GATEWAY, HOST)):
        found = next(iter(cases(before, before + SERVICE, topic)))
        there, here = (found.scope.mesh(state) for state in states(found))
        assert found.is_nowhere(there) == (topic is IN_MESH)
        assert not found.is_nowhere(here)


# What classes do not tell apart

BLIND = "{when: [{key: 'request.headers[:path]', values: [/x]}]}"
ASKING = doc(
    "VirtualService",
    "r",
    "shop",
    f"{{hosts: [{HOST}], http: [{{match: [{{headers: {{':path': {{exact: /x}}}}}}], route: [{{destination: {{host: {HOST}}}}}]}}]}}",
)


@pytest.mark.parametrize(
    ("more", "topic", "stage"),
    [
        (ASKING, IN_MESH, 0),
        (policy("p", "edge", "istio: x", f"action: DENY, rules: [{BLIND}]"), AT_GATEWAY, 0),
        (policy("p", "shop", "app: a", f"action: DENY, rules: [{BLIND}]"), IN_MESH, 2),
        (policy("p", "shop", "app: a", f"action: DENY, rules: [{BLIND}]"), AT_GATEWAY, 2),
        (policy("p", "shop", "app: a", f"action: DENY, rules: [{BLIND}]"), AT_SERVER, 2),
    ],
)
def test_who_asks_for_the_whole_path(more: str, topic: Topic, stage: int) -> None:
    """In the states in which somebody does; a match on the path as such is told apart."""
    text = SERVICE + PODS + GATEWAY + pod("edge", "istio: x") + EDGE
    plain = more.replace("':path': {exact: /x}", "x: {exact: /x}").replace("[:path]", "[x]")
    (found, *_) = cases(text, text + more, topic)
    (clear, *_) = cases(text, text + plain, topic)
    before, after = states(found)
    for number in range(3):
        asked = [[before], [before], [before]]
        asked[number] = [before, after]
        assert found.is_blind(*asked) == (number == stage)
        assert not clear.is_blind(*asked)
