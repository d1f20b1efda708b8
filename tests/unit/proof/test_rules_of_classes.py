"""From routes, policies and tokens to classes: each way to fare has a request."""

import ipaddress
from collections.abc import Iterable

import pytest
import yaml

from meshplan.mesh import MeshConfig
from meshplan.proof.conditions import (
    asks_for_whole_path,
    of_filters,
    of_places,
    of_routes,
    shift_of,
    undecidable,
)
from meshplan.proof.space import RuleList, Space
from meshplan.traffic.authorization import Filter, filters
from meshplan.traffic.condition import (
    ClaimCondition,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Present,
    QueryCondition,
    SeparatedPrefix,
    TextMatch,
    TokenPlace,
    path_of,
)
from meshplan.traffic.request import Request
from meshplan.traffic.table import (
    CATCH_ALL,
    Forward,
    Rewrite,
    Route,
    SendElsewhere,
    VirtualHost,
)
from support.snapshots import resource

HOST = Request("h", port=80)


def requests(lists: Iterable[RuleList]) -> list[Request]:
    return Space(lists, "BASE", 10_000).requests(HOST)


def policy(rules: str, action: str = "ALLOW") -> tuple[Filter, ...]:
    """The filters of one policy with some rules."""
    value = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"action": action, "rules": yaml.safe_load(rules)},
    }
    return tuple(filters([resource(value)], MeshConfig(), ()))


def of_policy(rules: str, shift: tuple[int, str] | None = (0, "")) -> list[Request]:
    return requests(of_filters(policy(rules), [shift]))


@pytest.mark.parametrize(
    "network", ["10.1.0.0/16", "10.1.2.3", "0.0.0.0/1", "255.0.0.0/8", "2001:db8::/32", "::/1"]
)
def test_addresses_in_a_network_and_out_of_it(network: str) -> None:
    found = of_policy(f"[{{from: [{{source: {{ipBlocks: ['{network}']}}}}]}}]")
    within = ipaddress.ip_network(network)
    addresses = [ipaddress.ip_address(one.client_ip or "") for one in found]
    assert {one in within for one in addresses} == {True, False}


def test_addresses_of_networks_in_each_other() -> None:
    rules = "[{from: [{source: {ipBlocks: [10.0.0.0/8], notIpBlocks: [10.1.0.0/16]}}]}]"
    addresses = [ipaddress.ip_address(one.client_ip or "") for one in of_policy(rules)]
    big, small = ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("10.1.0.0/16")
    assert {a in big and a not in small for a in addresses} == {True, False}


def test_addresses_of_those_who_came_first() -> None:
    found = of_policy("[{from: [{source: {remoteIpBlocks: [10.1.0.0/16]}}]}]")
    assert {(one.client_ip or "").startswith("10.1.") for one in found} == {True, False}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("[{to: [{operation: {paths: [/a]}}]}]", lambda r: r.path == "/a"),
        ("[{to: [{operation: {notPaths: [/a]}}]}]", lambda r: r.path == "/a"),
        ("[{to: [{operation: {methods: [PUT]}}]}]", lambda r: r.method == "PUT"),
        ("[{when: [{key: 'request.headers[x]', values: ['1']}]}]", lambda r: r.headers.get("x") == "1"),
        ("[{when: [{key: 'request.headers[x]', notValues: ['1']}]}]", lambda r: r.headers.get("x") == "1"),
        ("[{to: [{operation: {paths: ['/{*}/b']}}]}]", lambda r: r.path.endswith("/b")),
        # What is asked for together with something that no request has in it.
        (
            "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]}]",
            lambda r: r.path == "/a",
        ),
        ("[{to: [{operation: {paths: [/a], ports: ['80']}}]}]", lambda r: r.path == "/a"),
        # What is undecided does not end a walk.
        (
            "[{to: [{operation: {ports: ['80']}}]}, {to: [{operation: {paths: [/a]}}]}]",
            lambda r: r.path == "/a",
        ),
        (
            "[{to: [{operation: {notPorts: ['80']}}]}, {to: [{operation: {paths: [/a]}}]}]",
            lambda r: r.path == "/a",
        ),
        ("[{when: [{key: destination.ip, values: [10.0.0.1]}], to: [{operation: {paths: [/a]}}]}]",
         lambda r: r.path == "/a"),
    ],
)  # fmt: skip
def test_what_a_policy_asks_for_is_met_and_missed(rules: str, told: object) -> None:
    assert callable(told)
    for action in ("ALLOW", "DENY"):
        built = policy(rules, action)
        found = requests(of_filters(built, [(0, "")]))
        assert {bool(told(one)) for one in found} == {True, False}


def test_where_a_request_goes_says_nothing_of_whom_it_is_from() -> None:
    for key in ("destination.ip", "source.ip", "remote.ip"):
        found = of_policy(f"[{{when: [{{key: {key}, values: [10.0.0.1]}}]}}]")
        assert ({one.client_ip for one in found} == {None}) is (key == "destination.ip")


def test_paths_are_looked_at_as_servers_see_them() -> None:
    """`/old/x` arrives as `/new/x` where a route replaces its first four characters."""
    for cut, new in ((4, "/new"), (4, "/newer"), (1, ""), (5, "/new")):
        found = of_policy(f"[{{to: [{{operation: {{paths: [{new}/x]}}}}]}}]", (cut, new))
        assert {(new + one.path[cut:]) == f"{new}/x" for one in found} == {True, False}


def test_of_paths_that_change_in_unknown_ways_nothing_is_known() -> None:
    [request] = of_policy("[{to: [{operation: {paths: [/a]}}]}]", None)
    assert path_of(request.path) == "/"


def test_the_first_rule_of_allow_ends_a_walk_and_custom_does_not() -> None:
    rules = "[{to: [{operation: {paths: [/a*]}}]}, {to: [{operation: {methods: [PUT]}}]}]"
    found = {
        action: [(one.path.startswith("/a"), one.method == "PUT") for one in requests(
            of_filters(policy(rules, action), [(0, "")]))]
        for action in ("ALLOW", "DENY", "CUSTOM")
    }  # fmt: skip
    assert len(found["ALLOW"]) == len(found["DENY"]) == 3
    assert set(found["CUSTOM"]) == {(a, b) for a in (True, False) for b in (True, False)}


# Tokens and preflights


@pytest.mark.parametrize(
    "place",
    [
        TokenPlace("header", "Authorization", "Bearer "),
        TokenPlace("header", "x-token"),
        TokenPlace("param", "token"),
        TokenPlace("cookie", "session.id"),
        TokenPlace("cookie", "a+b"),
    ],
)
def test_with_a_token_and_without(place: TokenPlace) -> None:
    found = requests([of_places([place])])
    assert {place.holds_token(one) for one in found} == {True, False}
    claim = ClaimCondition("sub", Exact("me"), places=(place,))
    host = VirtualHost("h", (Route((*CATCH_ALL, claim), Forward(()), None),))
    assert {place.holds_token(one) for one in requests(of_routes(host))} == {True, False}


def test_tokens_in_several_places() -> None:
    places = [TokenPlace("header", "a"), TokenPlace("param", "b")]
    found = requests([of_places(places)])
    assert {tuple(p.holds_token(one) for p in places) for one in found} == {
        (a, b) for a in (True, False) for b in (True, False)
    }


def test_claims_of_a_policy_make_tokens_count() -> None:
    built = policy("[{when: [{key: 'request.auth.claims[sub]', values: [me]}]}]")
    asked = [
        atom
        for one in built
        for rule in one.rules
        for alternative in (*rule.permissions, *rule.principals)
        for test in alternative
        for atom in (*test.any_of, *test.none_of)
    ]
    assert any(isinstance(atom, ClaimCondition) for atom in asked)
    place = TokenPlace("header", "authorization", "Bearer ")
    rules = "[{when: [{key: 'request.auth.claims[sub]', values: [me]}]}]"
    value = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"rules": yaml.safe_load(rules)},
    }
    with_places = tuple(filters([resource(value)], MeshConfig(), (place,)))
    found = requests(of_filters(with_places, [(0, "")]))
    assert {place.holds_token(one) for one in found} == {True, False}


def test_claims_make_tokens_count_in_each_place() -> None:
    places = (TokenPlace("header", "a"), TokenPlace("param", "b"))
    for name in ("allow", "deny"):
        rules = [{"when": [{"key": "request.auth.claims[sub]", "values": ["me"]}]}]
        value = {
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"action": name.upper(), "rules": rules},
        }
        built = filters([resource(value)], MeshConfig(), places)
        found = requests(of_filters(built, [(0, "")]))
        assert len({tuple(p.holds_token(one) for p in places) for one in found}) == 4


@pytest.mark.parametrize(
    "unsure",
    [
        ClaimCondition("sub", Exact("me")),
        HeaderCondition(":authority", Exact("h")),
        HeaderCondition(":path", Exact("/")),
    ],
)
def test_a_route_that_may_match_does_not_hide_what_follows(unsure: Condition) -> None:
    conditions = (unsure, PathCondition(Prefix("/a")))
    routes = tuple(Route((one,), Forward(()), None) for one in conditions)
    routes = (Route(CATCH_ALL, SendElsewhere(301), None), *routes)
    found = requests(of_routes(VirtualHost("h", routes[1:])))
    assert {one.path.startswith("/a") for one in found} == {True, False}
    # Behind what surely matches nothing is looked at.
    assert len(requests(of_routes(VirtualHost("h", routes)))) == 1


def preflight(one: Request) -> bool:
    return one.method == "OPTIONS" and "access-control-request-method" in one.headers


@pytest.mark.parametrize(
    "cors",
    [
        {"allowOrigins": [{"exact": "https://a.example"}]},
        {"allowOrigins": [{"prefix": "https://a.example"}]},
        {"allowOrigin": ["https://a.example"]},
    ],
)
def test_preflights_by_their_origin(cors: dict[str, object]) -> None:
    route = Route(CATCH_ALL, Forward((), cors=cors), None)
    found = requests(of_routes(VirtualHost("h", (route,))))
    ways = {(preflight(one), one.headers.get("origin")) for one in found}
    assert (True, "https://a.example") in ways
    # Without an origin the proxy does not answer: as any other request.
    assert any(is_one and origin not in ("https://a.example", None) for is_one, origin in ways)
    assert any(not is_one for is_one, _ in ways)
    plain = Route(CATCH_ALL, Forward(()), None)
    assert len(requests(of_routes(VirtualHost("h", (plain,))))) == 1


# What a rewrite does


def route(*conditions: TextMatch) -> Route:
    return Route(tuple(PathCondition(text) for text in conditions), Forward(()), None)


@pytest.mark.parametrize(
    ("rewrite", "matched", "expected"),
    [
        (Rewrite(), route(Prefix("/a")), (0, "")),
        (Rewrite(regex=("a", "b")), route(Prefix("/a")), None),
        (Rewrite(prefix="/x"), route(Prefix("/abc")), (4, "/x")),
        (Rewrite(prefix="/x"), route(SeparatedPrefix("/ab")), (3, "/x")),
        (Rewrite(prefix="/x"), route(Exact("/abc")), (-1, "/x")),
        (Rewrite(prefix="/x"), route(), (-1, "/x")),
    ],
)
def test_how_much_of_a_path_is_replaced(
    rewrite: Rewrite, matched: Route, expected: tuple[int, str] | None
) -> None:
    assert shift_of(rewrite, matched) == expected


def test_the_condition_on_the_path_counts() -> None:
    header = HeaderCondition("x", Exact("1"))
    matched = Route((header, PathCondition(Prefix("/abc"))), Forward(()), None)
    assert shift_of(Rewrite(prefix="/x"), matched) == (4, "/x")


def test_the_path_with_its_query_is_not_told_apart() -> None:
    rules = "[{when: [{key: 'request.headers[:path]', %s: [/a]}]}]"
    assert undecidable(policy(rules % "values"))
    assert undecidable(policy(rules % "notValues"))
    of_route = [PathCondition(Prefix("/")), HeaderCondition(":path", Exact("/a"))]
    for some, expected in ((of_route, True), (of_route[::-1], True), (of_route[:1], False)):
        assert asks_for_whole_path(some) is expected
    both = "{key: 'request.headers[%s]', values: [/a]}, {key: 'request.headers[%s]', values: [/a]}"
    for names in ((":path", "x"), ("x", ":path")):
        assert undecidable(policy(f"[{{when: [{both % names}]}}]"))
        rules = ", ".join(f"{{when: [{{key: 'request.headers[{name}]', values: [/a]}}]}}" for name in names)  # fmt: skip
        assert undecidable(policy(f"[{rules}]"))
    assert not undecidable(policy("[{when: [{key: 'request.headers[x]', values: [/a]}]}]"))
    assert not undecidable(policy("[{to: [{operation: {paths: [/a]}}]}]"))


def test_conditions_on_parameters() -> None:
    conditions = (QueryCondition("q", Exact("1")), QueryCondition("r", Present()))
    host = VirtualHost("h", tuple(Route((one,), Forward(()), None) for one in conditions))
    paths = {one.path for one in requests(of_routes(host))}
    assert len(paths) == 3
    assert "/?q=1" in paths


def test_what_is_decided_makes_two_classes() -> None:
    """Which of two paths it is makes no difference to a policy that takes both."""
    for rules in (
        "[{to: [{operation: {paths: [/a, /b]}}]}]",
        "[{to: [{operation: {methods: [PUT, POST], notMethods: [PATCH]}}]}]",
    ):
        assert len(of_policy(rules)) == 2
