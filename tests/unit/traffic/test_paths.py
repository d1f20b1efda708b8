"""Normalization as RFC 3986 wants it, rewrites and locations as Envoy documents them."""

import posixpath
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshplan.traffic.condition import ANY_PATH, Exact, PathCondition, Prefix, Regex
from meshplan.traffic.paths import location, normalized, rewritten
from meshplan.traffic.request import Request
from meshplan.traffic.table import Answer, Rewrite, Route, SendElsewhere


@pytest.mark.parametrize(
    ("path", "base", "merged"),
    [
        ("/a/../b", "/b", "/b"),
        ("/a/./b", "/a/b", "/a/b"),
        ("/a/..", "/", "/"),
        ("/../a", "/a", "/a"),
        ("/a//b", "/a//b", "/a/b"),
        ("/a\\b", "/a/b", "/a/b"),
        ("/%61/%2E%2E/b", "/b", "/b"),
        ("/a%2Fb", "/a%2Fb", "/a%2Fb"),
        ("/a?x=/../y", "/a?x=/../y", "/a?x=/../y"),
        ("*", "*", "*"),
    ],
)
def test_paths_are_normalized(path: str, base: str, merged: str) -> None:
    assert normalized(path, "NONE") == path
    assert normalized(path, "BASE") == base
    assert normalized(path, "MERGE_SLASHES") == merged


def test_encoded_slashes_are_decoded_on_demand_and_null_bytes_refused() -> None:
    assert normalized("/a%2fb", "DECODE_AND_MERGE_SLASHES") == "/a/b"
    assert normalized("/a%00", "BASE") is None


@given(st.lists(st.sampled_from(["a", "b", ".", ".."]), max_size=6))
def test_dots_go_as_in_a_file_system(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    found = normalized(path, "BASE")
    assert found is not None
    assert found.rstrip("/") == posixpath.normpath(path).lstrip("/").join(("/", "")).rstrip("/")


def _route(path: PathCondition) -> Route:
    return Route((path,), Answer(200), None)


@pytest.mark.parametrize(
    ("matched", "rewrite", "path", "expected"),
    [
        (PathCondition(Prefix("/x")), Rewrite("/new"), "/x/1?q=1", "/new/1?q=1"),
        (PathCondition(Prefix("/x")), Rewrite("/new"), "/xy", "/newy"),
        (ANY_PATH, Rewrite("/new"), "/x", "/newx"),
        (PathCondition(Exact("/x")), Rewrite("/new"), "/x?q=1", "/new?q=1"),
        (PathCondition(Regex("/x.*")), Rewrite("/new"), "/x/1?q", "/new?q"),
        (ANY_PATH, Rewrite(), "/x", "/x"),
        (ANY_PATH, Rewrite(regex=("/x/(.*)", r"/\1")), "/x/a?b=/x/c", "/a?b=/x/c"),
        (ANY_PATH, Rewrite(regex=("(?=x)", "y")), "/x", None),
    ],
)
def test_rewrites_replace_what_was_matched(
    matched: PathCondition, rewrite: Rewrite, path: str, expected: str | None
) -> None:
    assert rewritten(path, rewrite, _route(matched)) == expected


@pytest.mark.parametrize(
    ("action", "request_", "expected"),
    [
        (SendElsewhere(301, path="/new"), Request("a.com", path="/x?q=1"), "http://a.com/new?q=1"),
        (SendElsewhere(301, path="/new?z"), Request("a.com", path="/x?q=1"), "http://a.com/new?z"),
        (SendElsewhere(301, authority="b.com"), Request("a.com:81", path="/x"), "http://b.com/x"),
        (SendElsewhere(301, scheme="https"), Request("a.com:80"), "https://a.com/"),
        (SendElsewhere(301, scheme="https"), Request("a.com:81"), "https://a.com:81/"),
        (SendElsewhere(301, port=8443), Request("a.com:81"), "http://a.com:8443/"),
        (SendElsewhere(301, prefix="/new"), Request("a.com", path="/x/y"), "http://a.com/new/y"),
        (SendElsewhere(301), Request("a.com", scheme="https"), "https://a.com/"),
    ],
)
def test_redirects_keep_what_they_do_not_name(
    action: SendElsewhere, request_: Request, expected: str
) -> None:
    found = location(action, _route(PathCondition(Prefix("/x"))), request_)
    assert found == expected
    assert urlsplit(found).netloc
