"""From routes, policies and tokens to classes: each way to fare has a request."""

import ipaddress
import string
from collections.abc import Iterable

import pytest
import yaml

from meshplan.mesh import MeshConfig
from meshplan.proof.conditions import (
    left_open,
    of_filters,
    of_places,
    of_routes,
    shift_of,
    undecidable,
)
from meshplan.proof.space import RuleList, Space
from meshplan.proof.texts import TextKind, cells, quoted
from meshplan.traffic.authorization import Filter, filters
from meshplan.traffic.condition import (
    ClaimCondition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Present,
    QueryCondition,
    Regex,
    SeparatedPrefix,
    TextMatch,
    TokenPlace,
    path_of,
)
from meshplan.traffic.request import Request
from meshplan.traffic.table import CATCH_ALL, Forward, Rewrite, Route, VirtualHost
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


def test_paths_are_looked_at_as_servers_see_them() -> None:
    """`/old/x` arrives as `/new/x` where a route replaces its first four characters."""
    found = of_policy("[{to: [{operation: {paths: [/new/x]}}]}]", (4, "/new"))
    assert {("/new" + one.path[4:]) == "/new/x" for one in found} == {True, False}


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


# Clients that policies take for the same

ONE, TWO, OTHER = (f"cluster.local/ns/{name}" for name in ("web/sa/one", "web/sa/two", "x/sa/y"))


@pytest.mark.parametrize(
    ("rules", "alike"),
    [
        ("[{from: [{source: {principals: [cluster.local/ns/web/sa/one]}}]}]", {(TWO, OTHER)}),
        ("[{from: [{source: {namespaces: [web]}}]}]", {(ONE, TWO)}),
        ("[{from: [{source: {notNamespaces: [web]}}]}]", {(ONE, TWO)}),
        ("[{from: [{source: {namespaces: [y]}}]}]", {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)}),
        (
            "[{from: [{source: {namespaces: [web]}}, {source: {namespaces: [x]}}]}]",
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
        (
            "[{from: [{source: {namespaces: [web], notPrincipals: [cluster.local/ns/web/sa/two]}}]}]",
            {(TWO, OTHER)},
        ),
        (
            (
                "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]},"
                " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/b]}}]}]"
            ),
            {(ONE, TWO)},
        ),
        (
            (
                "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]},"
                " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/a]}}]}]"
            ),
            {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)},
        ),
        # Which of several rules lets a request in makes no difference.
        (
            (
                "[{from: [{source: {principals: [cluster.local/ns/web/sa/one]}}], to: [{operation: {paths: [/a]}}]},"
                " {to: [{operation: {paths: [/b]}}]},"
                " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/a]}}]}]"
            ),
            {(ONE, OTHER)},
        ),
    ],
)
def test_what_policies_leave_open_about_clients(rules: str, alike: set[tuple[str, str]]) -> None:
    built = policy(rules)
    pairs = {(ONE, TWO), (ONE, OTHER), (TWO, OTHER)}
    found = {(a, b) for a, b in pairs if left_open(built, a) == left_open(built, b)}
    assert found == alike
    assert left_open(policy("[]"), ONE) != left_open(policy("[{}]"), ONE)


def test_which_rule_denies_is_told() -> None:
    """The log names it, where that of an ALLOW says nothing."""
    rules = (
        "[{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/a]}}]},"
        " {from: [{source: {namespaces: [x]}}], to: [{operation: {paths: [/a]}}]}]"
    )
    built = policy(rules, "DENY")
    assert left_open(built, ONE) != left_open(built, OTHER)
    assert left_open(built, ONE) == left_open(built, TWO)


def test_the_path_with_its_query_is_not_told_apart() -> None:
    rules = "[{when: [{key: 'request.headers[:path]', %s: [/a]}]}]"
    assert undecidable(policy(rules % "values"))
    assert undecidable(policy(rules % "notValues"))
    assert not undecidable(policy("[{when: [{key: 'request.headers[x]', values: [/a]}]}]"))
    assert not undecidable(policy("[{to: [{operation: {paths: [/a]}}]}]"))


# Alphabets: what may be in each part of a request


@pytest.mark.parametrize(
    ("kind", "pattern", "exists"),
    [
        (TextKind.HEADER, "[ -~]", True),
        (TextKind.HEADER, "a b", True),
        (TextKind.HEADER, " a", False),
        (TextKind.HEADER, "a ", False),
        (TextKind.HEADER, "é", True),
        (TextKind.HEADER, "\t", False),
        (TextKind.HEADER, "", True),
        (TextKind.METHOD, "", False),
        (TextKind.METHOD, "[A-Z]+", True),
        (TextKind.METHOD, "[a-z]+", True),
        (TextKind.METHOD, "[0-9]+", True),
        (TextKind.METHOD, "M-SEARCH", True),
        (TextKind.METHOD, "a_b", True),
        (TextKind.METHOD, "[ /:@]", False),
        (TextKind.QUERY, "", True),
        (TextKind.QUERY, "a=b", True),
        (TextKind.QUERY, "[!-%]", True),
        (TextKind.QUERY, "%26", True),
        (TextKind.QUERY, "[&#]", False),
        (TextKind.QUERY, "é", True),
        (TextKind.PATH, "/[?#]", False),
        (TextKind.PATH, "/ ", False),
        (TextKind.PATH, "/[!-%]", True),
        (TextKind.PATH, "/@", True),
        (TextKind.PATH, "/>", True),
        (TextKind.PATH, "/é", True),
        (TextKind.PATH, "a", False),
        (TextKind.HOST, "a-b.example:80", True),
        (TextKind.HOST, "A_b", True),
        (TextKind.HOST, "[ /]", False),
        (TextKind.HOST, "", False),
    ],
)
def test_which_texts_there_are(kind: TextKind, pattern: str, exists: bool) -> None:
    test = Regex(f"^{pattern}$")
    assert cells([test], kind).opaque == frozenset()
    assert any(cell.truths[0] for cell in cells([test], kind).cells) == exists


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


LETTERS = set(string.ascii_letters + string.digits)
VISIBLE = {chr(code) for code in range(0x21, 0x7F)}
BEYOND = {"\u00a1", "\u4e2d", "\ud7ff"}


@pytest.mark.parametrize(
    ("kind", "around", "allowed"),
    [
        (TextKind.HEADER, ("a", "a"), VISIBLE | BEYOND | {" "}),
        (TextKind.PATH, ("/a", "a"), (VISIBLE | BEYOND) - set("?#")),
        (TextKind.QUERY, ("a", "a"), (VISIBLE | BEYOND) - set("&#")),
        (TextKind.METHOD, ("", ""), LETTERS | set("-_")),
        (TextKind.HOST, ("", ""), LETTERS | set("-_.:")),
    ],
)
def test_which_characters_there_are(
    kind: TextKind, around: tuple[str, str], allowed: set[str]
) -> None:
    others = {chr(code) for code in (0x00, 0x1F, 0x7F, 0xA0, 0xD800)}
    for char in VISIBLE | BEYOND | others | {" "}:
        test = Exact(char.join(around))
        pattern = Regex(f"^{around[0]}{quoted(char)}{around[1]}$")
        for one in (pattern, (test, pattern)):
            tests = one if isinstance(one, tuple) else (one,)
            found = cells(tests, kind, normalization="NONE").cells
            # The short way asks no alphabet: the text of a condition is taken as it is.
            assert any(all(cell.truths) for cell in found) == (char in allowed), (kind, char)
