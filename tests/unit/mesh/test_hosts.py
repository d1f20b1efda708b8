"""Names as istiod reads them; the cases are those that its documentation and users trip over."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshplan.mesh.hosts import (
    is_wildcard,
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


# Against the sets of names that hosts stand for, over a small alphabet.

NAMES = ["".join(found) for size in range(5) for found in product("ab.", repeat=size)]
HOSTS = [*NAMES[1:40], *("*" + name for name in NAMES[:40])]


def meant(host: str) -> frozenset[str]:
    """The names that a host stands for: `*` for any text, also for none."""
    if host.startswith("*"):
        return frozenset(name for name in NAMES if name.endswith(host[1:]))
    return frozenset((host,))


def test_hosts_match_if_they_share_a_name() -> None:
    """`Name.Matches`, `Name.SubsetOf`."""
    sets = {host: meant(host) for host in HOSTS}
    for one, other in product(HOSTS, repeat=2):
        assert matches(one, other) is bool(sets[one] & sets[other]), (one, other)
        within = sets[one] <= sets[other] and (other.startswith("*") or one == other)
        assert subset_of(one, other) is within, (one, other)


def test_the_wildcards_above_a_host_are_all_that_hold_it_the_longest_first() -> None:
    for host in HOSTS:
        above = [other for other in HOSTS if other[0] == "*" and meant(host) <= meant(other)]
        found = list(wildcards_above(host))
        assert [other for other in found if other in HOSTS] == sorted(above, key=len, reverse=True)
        assert found == sorted(found, key=len, reverse=True)
        assert found[-1] == "*"


@given(st.lists(st.sampled_from(HOSTS), max_size=6, unique=True), st.sampled_from(HOSTS))
def test_the_most_specific_host_is_the_longest_that_holds_a_name(
    table: list[str], host: str
) -> None:
    """`MostSpecificHostMatch`: the host itself, else the longest wildcard over it."""
    fitting = [other for other in table if other[0] == "*" and meant(host) <= meant(other)]
    expected = host if host in table else max(fitting, key=len, default=None)
    assert most_specific(host, {name: name for name in table}) == expected


@pytest.mark.parametrize(
    ("written", "meant_"),
    [
        ("web:80", "web:80.shop.svc.cluster.local"),
        ("2001:db8::g", "2001:db8::g.shop.svc.cluster.local"),
        ("::1", "::1"),
        ("*-v1", "*-v1.shop.svc.cluster.local"),
        (".", "."),
    ],
)
def test_only_addresses_are_kept_for_their_colons(written: str, meant_: str) -> None:
    """`ResolveShortnameToFQDN`."""
    assert resolve_short_name(written, "shop", "cluster.local") == meant_


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("edge/", "edge/"),
        ("./gw.x", "shop/gw.x"),
        ("a/b/c", "a/b/c"),
        ("gw.edge.more", "edge/gw"),
        ("meshes", "shop/meshes"),
    ],
)
def test_a_slash_ends_the_name_of_a_namespace(written: str, expected: str) -> None:
    """`resolveGatewayName`."""
    assert resolve_gateway_name(written, "shop") == expected


@pytest.mark.parametrize(
    ("host", "domain", "namespace"),
    [
        ("a.shop.svc.example", "example", "shop"),
        ("a.shop.svc.example", "cluster.local", ""),
        ("a.shop", "cluster.local", ""),
        ("a.svc.cluster.local", "cluster.local", ""),
        ("*.shop.svc.cluster.local", "cluster.local", "shop"),
    ],
)
def test_a_namespace_is_the_second_label_of_a_service(
    host: str, domain: str, namespace: str
) -> None:
    assert namespace_of(host, domain) == namespace


def test_only_a_star_in_front_makes_a_wildcard() -> None:
    found = [host for host in ("*", "*.a", "*a", "a*", "a.*", "a", "") if is_wildcard(host)]
    assert found == ["*", "*.a", "*a"]
