"""Conditions as Envoy decides them."""

from dataclasses import replace

import pytest

from meshplan.mesh.virtual_service import MatchKind, StringMatch
from meshplan.traffic.condition import (
    ClaimCondition,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    PathTemplate,
    Prefix,
    Present,
    QueryCondition,
    Regex,
    SeparatedPrefix,
    Suffix,
    TextMatch,
    TokenPlace,
    all_hold,
    described,
    header_value,
    holds,
    path_of,
    query_value,
    text_holds,
    text_match,
)
from meshplan.traffic.request import Request, port_start, request_of


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        (Exact("/x"), "/x?q=1", True),
        (Exact("/x"), "/x#top", True),
        (Exact("/x"), "/X", False),
        (Exact("/x", ignore_case=True), "/X", True),
        (Prefix("/x"), "/xy", True),
        (SeparatedPrefix("/x"), "/xy", False),
        (SeparatedPrefix("/x"), "/x/y", True),
        (SeparatedPrefix("/x"), "/x?y", True),
        (Regex("/x/[0-9]+"), "/x/1?q=a", True),
        # A pattern is compared with the whole path.
        (Regex("/x"), "/x/1", False),
        (Regex("(?=x)"), "/x", None),
        (PathTemplate(("a", "*", "c")), "/a/b/c", True),
        (PathTemplate(("a", "*", "c")), "/a//c", False),
        (PathTemplate(("a", "*")), "/a/b/c", False),
        (PathTemplate(("b",)), "a/b", False),
        (PathTemplate(("a", "**")), "/a/b/c", True),
        (PathTemplate(("a", "**")), "/a/", True),
        (PathTemplate(("a", "**")), "/a", False),
        (PathTemplate(("a", "**", "c")), "/a/b/b/c", True),
    ],
)
def test_paths_are_compared_without_their_query(
    text: TextMatch, path: str, expected: bool | None
) -> None:
    assert holds(PathCondition(text), Request("a.com", path=path)) is expected


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (HeaderCondition("x", Exact("1")), "1", True),
        (HeaderCondition("x", Exact("1")), None, False),
        (HeaderCondition("x", Present()), "", True),
        (HeaderCondition("x", Present()), None, False),
        (HeaderCondition("x", Present(), invert=True), None, True),
        (HeaderCondition("x", Present(), invert=True), "1", False),
        # withoutHeaders: a header that is missing counts as an empty one.
        (HeaderCondition("x", Exact("1"), True, True), None, True),
        (HeaderCondition("x", Exact("1"), True, True), "1", False),
        (HeaderCondition("x", Regex(".*"), True, True), None, False),
        (HeaderCondition("x", Prefix(""), True, True), None, False),
        (HeaderCondition("x", Exact("1"), True, False), None, False),
    ],
)
def test_missing_headers_match_nothing_unless_told(
    condition: HeaderCondition, value: str | None, expected: bool
) -> None:
    headers = {} if value is None else {"x": value}
    assert holds(condition, Request("a.com", headers=headers)) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/?q=1", True),
        ("/?a=2&q=1", True),
        ("/?q=2&q=1", False),
        ("/?q=%31", False),
        ("/?q", False),
        ("/", False),
        ("/#?q=1", True),
    ],
)
def test_the_first_value_of_a_parameter_counts_as_written(path: str, expected: bool) -> None:
    assert holds(QueryCondition("q", Exact("1")), Request("a.com", path=path)) is expected


def test_a_request_is_a_set_of_headers_to_envoy() -> None:
    request = Request("a.com:80", "POST", "/", scheme="https")
    for name, value in ((":method", "POST"), (":authority", "a.com:80"), (":scheme", "https")):
        assert holds(HeaderCondition(name, Exact(value)), request)


def test_claims_are_unknown_only_where_there_is_a_token() -> None:
    places = (TokenPlace("header", "authorization", "Bearer "), TokenPlace("param", "token"))
    claim = ClaimCondition("admin", Exact("true"), places=places)
    assert holds(claim, Request("a.com")) is False
    assert holds(claim, Request("a.com", headers={"authorization": "Basic x"})) is False
    assert holds(claim, Request("a.com", headers={"authorization": "Bearer x"})) is None
    assert holds(claim, Request("a.com", path="/?token=x")) is None
    without = ClaimCondition("admin", Exact("true"), invert=True)
    assert holds(without, Request("a.com", headers={"authorization": "Bearer x"})) is True


def test_one_condition_that_fails_decides_over_one_that_is_unknown() -> None:
    opaque = PathCondition(Regex("(?=x)"))
    request = Request("a.com")
    assert all_hold((opaque, HeaderCondition("x", Present())), request) is False
    assert all_hold((opaque, PathCondition(Prefix("/"))), request) is None
    assert all_hold((), request) is True


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.com", "a.com"),
        ("A.com:8080", "a.com"),
        ("a.com:", "a.com:"),
        ("a.com:http", "a.com:http"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
    ],
)
def test_the_port_of_a_host_is_left_out_of_its_name(host: str, name: str) -> None:
    assert Request(host).host_name == name


def test_requests_are_read_from_their_json() -> None:
    stated = {"host": "a.com", "method": "PUT", "path": "/x", "headers": {"X-V": "1"}}
    request = request_of(stated, port=8080)
    assert (request.method, request.headers, request.port) == ("PUT", {"x-v": "1"}, 8080)
    assert request_of(request.to_json()) == request
    assert Request("a.com:81").dialled_port == 81
    assert Request("a.com", scheme="https").dialled_port == 443


@pytest.mark.parametrize(
    ("match", "matching", "others"),
    [
        (Exact("a"), ["a"], ["A", "ab", "", "xa"]),
        (Exact("aB", ignore_case=True), ["ab", "AB"], ["a"]),
        (Prefix("a"), ["a", "ab"], ["A", "", "xa"]),
        (Prefix("aB", ignore_case=True), ["ab", "ABc"], ["a"]),
        (Suffix("a"), ["a", "ba"], ["A", "", "ax"]),
        (Suffix("aB", ignore_case=True), ["ab", "cAB"], ["b"]),
        (Regex("a.c"), ["abc"], ["abcd", "xabc", "ac"]),
        (Present(), ["", "a"], []),
        (SeparatedPrefix("/a"), ["/a", "/a/", "/a/b"], ["/ab", "/A", "/", ""]),
        (SeparatedPrefix("/aB", ignore_case=True), ["/AB", "/ab/c"], ["/abc"]),
        (PathTemplate(("*",)), ["/a"], ["/", "/a/b", "a", ""]),
        (PathTemplate(("**",)), ["/", "/a", "/a/b"], ["", "a"]),
        (
            PathTemplate(("a", "**", "c")),
            ["/a/b/c", "/a/b/b/c", "/a//c"],
            ["/a/c", "/b/b/c", "/a/b/d"],
        ),
        (PathTemplate(("*", "**")), ["/a/b", "/a/"], ["/a", "//b"]),
        (PathTemplate(("**", "*", "c")), ["/x/b/c"], ["/b/c", "/x//c", "/c"]),
    ],
)
def test_texts_are_compared_as_envoy_compares_them(
    match: TextMatch, matching: list[str], others: list[str]
) -> None:
    assert [text for text in (*matching, *others) if text_holds(match, text)] == matching


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (PathCondition(Exact("/x")), "exact /x"),
        (PathCondition(Prefix("/x")), "prefix /x"),
        (PathCondition(SeparatedPrefix("/x")), "prefix /x"),
        (PathCondition(Regex("/x")), "regex /x"),
        (HeaderCondition("x", Exact("1")), "header x exact 1"),
        (HeaderCondition("x", Present()), "header x"),
        (HeaderCondition("x", Present(), invert=True), "no header x"),
        (HeaderCondition(":method", Exact("GET")), "method exact GET"),
        (HeaderCondition(":method", Exact("GET"), invert=True), "no method exact GET"),
        (QueryCondition("q", Prefix("1")), "parameter q prefix 1"),
        (QueryCondition("q", Present()), "parameter q"),
        (ClaimCondition("c", Exact("1")), "claim c exact 1"),
        (ClaimCondition("c", Present(), invert=True), "no claim c"),
    ],
)
def test_conditions_are_told_in_words(condition: Condition, words: str) -> None:
    assert described(condition) == words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (":method", "PUT"),
        (":METHOD", "PUT"),
        (":authority", "a.com:81"),
        ("host", "a.com:81"),
        ("Host", "a.com:81"),
        (":scheme", "http"),
        (":path", "/x?q=1"),
        ("x-v", "1"),
        ("X-V", "1"),
        ("y", None),
        ("method", None),
    ],
)
def test_headers_have_names_in_any_case(name: str, value: str | None) -> None:
    request = Request("a.com:81", "PUT", "/x?q=1", {"x-v": "1"})
    assert header_value(request, name) == value


@pytest.mark.parametrize(
    ("scheme", "seen"), [("http", "http"), ("https", "https"), ("tls", "http"), ("tcp", "http")]
)
def test_the_scheme_is_that_of_the_listener(scheme: str, seen: str) -> None:
    assert header_value(Request("a.com", scheme=scheme), ":scheme") == seen


@pytest.mark.parametrize(
    ("path", "pure"),
    [
        ("/a", "/a"),
        ("/a?b", "/a"),
        ("/a#b", "/a"),
        ("/a?b#c", "/a"),
        ("/a#b?c", "/a"),
        ("/~a?b", "/~a"),
        ("?", ""),
        ("", ""),
    ],
)
def test_a_path_ends_at_its_query_or_fragment(path: str, pure: str) -> None:
    assert path_of(path) == pure


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/?q=1", "1"),
        ("/?q", ""),
        ("/?q=", ""),
        ("/?q=1=2", "1=2"),
        ("/?a=1&q=2", "2"),
        ("/?q=1&q=2", "1"),
        ("/?qq=1", None),
        ("/?q=1#x", "1"),
        ("/?a#&q=1", None),
        ("/q=1", None),
        ("/", None),
        ("/?", None),
        ("/?&q=1", "1"),
        ("/?Q=1", None),
    ],
)
def test_parameters_are_read_from_the_query(path: str, value: str | None) -> None:
    """Envoy's `parseAndDecodeQueryString` keeps the first of a name."""
    assert query_value(path, "q") == value
    assert query_value("/?&&", "") is None


@pytest.mark.parametrize(
    ("place", "request_", "found"),
    [
        (TokenPlace("header", "X-Jwt"), Request("a", headers={"x-jwt": "t"}), True),
        (
            TokenPlace("header", "x-jwt", "Bearer "),
            Request("a", headers={"x-jwt": "Bearer t"}),
            True,
        ),
        (TokenPlace("header", "x-jwt", "Bearer "), Request("a", headers={"x-jwt": "t"}), False),
        (TokenPlace("header", "x-jwt"), Request("a"), False),
        (TokenPlace("param", "t"), Request("a", path="/?t=1"), True),
        (TokenPlace("param", "t"), Request("a", path="/?u=1"), False),
        (TokenPlace("cookie", "t"), Request("a", headers={"cookie": "t=1"}), True),
        (TokenPlace("cookie", "t"), Request("a", headers={"cookie": "a=2; t=1"}), True),
        (TokenPlace("cookie", "t"), Request("a", headers={"cookie": "at=1; tt=2"}), False),
        (TokenPlace("cookie", "t"), Request("a"), False),
    ],
)
def test_where_a_token_may_be(place: TokenPlace, request_: Request, found: bool) -> None:
    assert place.holds_token(request_) is found
    claim = ClaimCondition("c", Exact("1"), places=(TokenPlace("header", "other"), place))
    assert holds(claim, request_) is (None if found else False)
    inverse = ClaimCondition("c", Exact("1"), invert=True, places=(place,))
    assert holds(inverse, request_) is (None if found else True)


@pytest.mark.parametrize(
    ("match", "fold", "expected"),
    [
        (StringMatch(MatchKind.EXACT, "a"), False, Exact("a")),
        (StringMatch(MatchKind.EXACT, "a"), True, Exact("a", ignore_case=True)),
        (StringMatch(MatchKind.PREFIX, "a"), False, Prefix("a")),
        (StringMatch(MatchKind.PREFIX, "a"), True, Prefix("a", ignore_case=True)),
        (StringMatch(MatchKind.REGEX, "a"), True, Regex("a")),
        (StringMatch(MatchKind.PRESENT), True, Present()),
    ],
)
def test_matches_of_istio_become_those_of_envoy(
    match: StringMatch, fold: bool, expected: TextMatch
) -> None:
    assert text_match(match, ignore_case=fold) == expected


def test_of_several_conditions_a_false_one_decides_wherever_it_stands() -> None:
    yes, no, maybe = (
        PathCondition(Prefix("/")),
        PathCondition(Exact("/x")),
        PathCondition(Regex("(?=x)")),
    )
    request = Request("a.com")
    table = {
        (yes, yes): True,
        (yes, no): False,
        (no, yes): False,
        (maybe, no): False,
        (no, maybe): False,
        (maybe, yes): None,
        (yes, maybe): None,
    }
    for conditions, expected in table.items():
        assert all_hold(conditions, request) is expected
    undecided = HeaderCondition("x", Regex("(?=x)"), invert=True)
    assert holds(undecided, Request("a", headers={"x": "1"})) is None


# Requests.


@pytest.mark.parametrize(
    ("host", "start"),
    [
        # `getPortStart`: the last colon with digits alone behind it.
        ("a.com", 5),
        ("a.com:80", 5),
        ("a.com:8x", 8),
        ("a.com:", 6),
        ("a.com:123456", 12),
        ("a.com:12345", 5),
        ("[::1]:80", 5),
        ("[::1]", 5),
        ("::1", 3),
        ("a:1:2", 5),
        ("a.com:\u0661", 7),
        ("[::1]:x", 7),
        (":80", 0),
        ("80", 2),
        ("", 0),
    ],
)
def test_where_the_port_of_a_host_begins(host: str, start: int) -> None:
    assert port_start(host) == start


@pytest.mark.parametrize(
    ("request_", "dialled", "name"),
    [
        (Request("A.com"), 80, "a.com"),
        (Request("a.com", scheme="tcp"), 80, "a.com"),
        (Request("a.com", scheme="https"), 443, "a.com"),
        (Request("a.com", scheme="tls"), 443, "a.com"),
        (Request("a.com:81", scheme="https"), 81, "a.com"),
        (Request("a.com:81", port=82), 82, "a.com"),
        (Request("a.com", port=0), 0, "a.com"),
        (Request("a.com", sni="B.com"), 80, "b.com"),
    ],
)
def test_what_a_client_dials(request_: Request, dialled: int, name: str) -> None:
    assert (request_.dialled_port, request_.server_name) == (dialled, name)


def test_requests_have_a_json_form() -> None:
    bare = Request("a.com")
    assert bare.to_json() == {"host": "a.com", "method": "GET", "path": "/", "headers": {}}
    full = Request(
        "a.com",
        "PUT",
        "/x",
        {"a": "b"},
        81,
        "https",
        "b.com",
        "10.0.0.1",
        "cluster.local/ns/a/sa/b",
    )
    stated = {
        "host": "a.com",
        "method": "PUT",
        "path": "/x",
        "headers": {"a": "b"},
        "port": 81,
        "sni": "b.com",
        "clientIp": "10.0.0.1",
        "principal": "cluster.local/ns/a/sa/b",
        "scheme": "https",
    }
    assert full.to_json() == stated
    assert request_of(stated) == full
    assert request_of({"host": "a.com"}) == bare
    known = {"port": 81, "scheme": "https", "client_ip": "10.0.0.1", "principal": "x"}
    assert request_of({"host": "a"}, **known) == Request(
        "a", port=81, scheme="https", client_ip="10.0.0.1", principal="x"
    )
    over = request_of(
        {**stated, "headers": None}, port=1, scheme="tcp", client_ip="::1", principal="x"
    )
    assert over == replace(full, headers={})
