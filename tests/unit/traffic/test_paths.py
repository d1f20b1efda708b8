"""Normalization as RFC 3986 wants it, rewrites and locations as Envoy documents them."""

import posixpath
import string
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshplan.traffic.condition import (
    ANY_PATH,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Present,
    Regex,
    SeparatedPrefix,
    Suffix,
)
from meshplan.traffic.paths import location, normalized, refusal, rewritten
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
    ],
)
def test_paths_are_normalized(path: str, base: str, merged: str) -> None:
    assert normalized(path, "NONE") == path
    assert normalized(path, "BASE") == base
    assert normalized(path, "MERGE_SLASHES") == merged


def test_encoded_slashes_are_decoded_on_demand_and_null_bytes_refused() -> None:
    assert normalized("/a%2fb", "DECODE_AND_MERGE_SLASHES") == "/a/b"
    assert normalized("/a%00", "BASE") is None


@pytest.mark.parametrize("path", ["*", "a/../b", "http://x/", ""])
def test_a_path_begins_with_a_slash(path: str) -> None:
    """`ConnectionManagerImpl` answers all others itself, before it looks at any setting."""
    assert all(normalized(path, level) is None for level in ("NONE", "BASE", "MERGE_SLASHES"))
    assert (refusal(path).status, refusal(path).details) == (404, "absolute_path_rejected")
    assert refusal("/%00").status == 400


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


@pytest.mark.parametrize(
    ("path", "base", "merged", "decoded"),
    [
        # Envoy's `canonicalPath`, `mergeSlashes`, and slashes that are decoded before.
        ("/a%2fb", "/a%2fb", "/a%2fb", "/a/b"),
        ("/a%2Fb", "/a%2Fb", "/a%2Fb", "/a/b"),
        ("/a%5cb", "/a%5cb", "/a%5cb", "/a/b"),
        ("/a%5Cb", "/a%5Cb", "/a%5Cb", "/a/b"),
        ("/a%2f%2fb", "/a%2f%2fb", "/a%2f%2fb", "/a/b"),
        ("/a///b//", "/a///b//", "/a/b/", "/a/b/"),
        ("/a//../b", "/a/b", "/a/b", "/a/b"),
        ("/a/%2e%2e/b", "/b", "/b", "/b"),
        ("/%7Ea%2d%5F", "/~a-_", "/~a-_", "/~a-_"),
        ("/%20%3f", "/%20%3f", "/%20%3f", "/%20%3f"),
        ("/%4", "/%4", "/%4", "/%4"),
        ("/%zz", "/%zz", "/%zz", "/%zz"),
        ("/%", "/%", "/%", "/%"),
        ("/a/.", "/a/", "/a/", "/a/"),
        ("/a/..", "/", "/", "/"),
        ("/a/../..", "/", "/", "/"),
        ("/a/b/..", "/a/", "/a/", "/a/"),
        ("/.a/..b", "/.a/..b", "/.a/..b", "/.a/..b"),
        ("/", "/", "/", "/"),
        ("//", "//", "/", "/"),
        ("/a\\..\\b?c\\d", "/b?c\\d", "/b?c\\d", "/b?c\\d"),
        ("/a#/../b", "/a#/../b", "/a#/../b", "/a#/../b"),
        ("/%00", None, None, None),
        ("/a?%00", "/a?%00", "/a?%00", "/a?%00"),
    ],
)
def test_each_level_of_normalization(
    path: str, base: str | None, merged: str | None, decoded: str | None
) -> None:
    assert normalized(path, "BASE") == base
    assert normalized(path, "MERGE_SLASHES") == merged
    assert normalized(path, "DECODE_AND_MERGE_SLASHES") == decoded
    assert normalized(path, "NONE") == path


def test_only_characters_that_need_no_escape_are_decoded() -> None:
    """RFC 3986, section 2.3: letters, digits, `-`, `.`, `_` and `~`."""
    plain = set(string.ascii_letters + string.digits + "-._~")
    for code in range(1, 256):
        escaped = f"/a%{code:02X}"
        expected = f"/a{chr(code)}" if chr(code) in plain else escaped
        assert normalized(escaped, "BASE") == expected
        assert normalized(escaped.lower(), "BASE") == (
            expected if chr(code) in plain else escaped.lower()
        )


@pytest.mark.parametrize(
    ("matched", "path", "expected"),
    [
        (PathCondition(Prefix("/x")), "/x/1?q#f", "/new/1?q#f"),
        (PathCondition(SeparatedPrefix("/x")), "/x/1", "/new/1"),
        (PathCondition(Exact("/x")), "/x", "/new"),
        (PathCondition(Suffix("/x")), "/a/x", "/new"),
        (HeaderCondition("a", Present()), "/a/x", "/new"),
    ],
)
def test_the_matched_part_is_replaced(matched: Condition, path: str, expected: str) -> None:
    found = Route((HeaderCondition("b", Present()), matched), Answer(200), None)
    assert rewritten(path, Rewrite("/new"), found) == expected


@pytest.mark.parametrize(
    ("action", "request_", "expected"),
    [
        # Envoy's `newUri`.
        (SendElsewhere(301), Request("a.com:80"), "http://a.com:80/"),
        (SendElsewhere(301, scheme="http"), Request("a.com:80"), "http://a.com:80/"),
        (SendElsewhere(301, scheme="https"), Request("a.com:443"), "https://a.com:443/"),
        (SendElsewhere(301, scheme="http"), Request("a.com:443", scheme="https"), "http://a.com/"),
        (
            SendElsewhere(301, scheme="http"),
            Request("a.com:80", scheme="https"),
            "http://a.com:80/",
        ),
        (
            SendElsewhere(301, scheme="https"),
            Request("a.com:443", scheme="https"),
            "https://a.com:443/",
        ),
        (SendElsewhere(301, scheme="https", port=8443), Request("a.com:80"), "https://a.com:8443/"),
        (
            SendElsewhere(301, authority="b.com:9", port=8443),
            Request("a.com"),
            "http://b.com:9:8443/",
        ),
        (SendElsewhere(301), Request("[::1]:80"), "http://[::1]:80/"),
        (SendElsewhere(301, scheme="https"), Request("[::1]:80"), "https://[::1]/"),
        (SendElsewhere(301), Request("a.com", path="/x?q#f"), "http://a.com/x?q"),
        (SendElsewhere(301, path="/y"), Request("a.com", path="/x?q#f"), "http://a.com/y?q"),
        (SendElsewhere(301, path="/y?z"), Request("a.com", path="/x?q#f"), "http://a.com/y?z"),
        (SendElsewhere(301, prefix=""), Request("a.com", path="/x/y?q#f"), "http://a.com/y?q"),
        (SendElsewhere(301, prefix="/z"), Request("a.com", path="/x"), "http://a.com/z"),
        (SendElsewhere(301), Request("a.com", scheme="tls"), "http://a.com/"),
    ],
)
def test_where_redirects_lead(action: SendElsewhere, request_: Request, expected: str) -> None:
    assert location(action, _route(PathCondition(Prefix("/x"))), request_) == expected
