"""Names as istiod reads them; the cases are those that its documentation and users trip over."""

import pytest

from meshplan.mesh.hosts import (
    matches,
    most_specific,
    namespace_of,
    resolve_gateway_name,
    resolve_short_name,
    subset_of,
    wildcards_above,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("reviews", "reviews.shop.svc.cluster.local"),
        # Any dot ends the resolution, although `reviews.shop` looks like a short form.
        ("reviews.shop", "reviews.shop"),
        ("reviews.shop.svc.cluster.local", "reviews.shop.svc.cluster.local"),
        ("*", "*"),
        ("*.example.com", "*.example.com"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_only_a_name_without_dots_is_short(written: str, meant: str) -> None:
    assert resolve_short_name(written, "shop", "cluster.local") == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gw", "shop/gw"),
        ("./gw", "shop/gw"),
        ("edge/gw", "edge/gw"),
        ("gw.edge", "edge/gw"),
        ("gw.edge.svc.cluster.local", "edge/gw"),
        ("mesh", "mesh"),
    ],
)
def test_gateways_have_many_names(written: str, meant: str) -> None:
    assert resolve_gateway_name(written, "shop") == meant


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("*.com", "a.com", True),
        ("a.com", "*.com", True),
        ("*.a.com", "*.com", True),
        ("*.com", "*.a.com", True),
        ("*", "a.com", True),
        ("*.com", "*.org", False),
        ("a.com", "b.com", False),
    ],
)
def test_hosts_match_in_both_directions(one: str, other: str, expected: bool) -> None:
    assert matches(one, other) is expected
    assert matches(other, one) is expected


@pytest.mark.parametrize(
    ("host", "pattern", "expected"),
    [
        ("a.com", "*.com", True),
        ("*.a.com", "*.com", True),
        ("*.com", "*.a.com", False),
        ("*.com", "a.com", False),
        ("a.com", "a.com", True),
    ],
)
def test_a_subset_is_one_way(host: str, pattern: str, expected: bool) -> None:
    assert subset_of(host, pattern) is expected


def test_the_exact_host_is_taken_then_the_longest_wildcard() -> None:
    table = {"a.shop.com": 1, "*.shop.com": 2, "*.com": 3, "*": 4}
    hosts = ("a.shop.com", "b.shop.com", "b.com", "b.org", "*.x.com")
    assert [most_specific(host, table) for host in hosts] == [1, 2, 3, 4, 3]
    assert most_specific("a.org", {"*.com": 3}) is None


def test_the_namespace_is_read_from_a_services_host_alone() -> None:
    assert namespace_of("a.shop.svc.cluster.local", "cluster.local") == "shop"
    assert namespace_of("a.example.com", "cluster.local") == ""
    assert namespace_of("example.com", "cluster.local") == ""
    assert namespace_of("a.b.shop.svc.cluster.local", "cluster.local") == ""


def test_wildcards_stand_for_every_end_of_a_name() -> None:
    assert list(wildcards_above("ab.c")) == ["*ab.c", "*b.c", "*.c", "*c", "*"]
    assert list(wildcards_above("*.c")) == ["*.c", "*c", "*"]
