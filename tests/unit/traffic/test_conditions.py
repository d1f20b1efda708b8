"""Conditions as Envoy decides them."""

import pytest

from meshplan.traffic.condition import (
    ClaimCondition,
    Exact,
    HeaderCondition,
    PathCondition,
    PathTemplate,
    Prefix,
    Present,
    QueryCondition,
    Regex,
    SeparatedPrefix,
    TextMatch,
    TokenPlace,
    all_hold,
    holds,
)
from meshplan.traffic.request import Request, request_of


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
