"""AuthorizationPolicies as RBAC filters (istiod 1.29.1, pilot/pkg/security/authz)."""

import ipaddress
from typing import Any

import pytest
import yaml

from meshplan.mesh import MeshConfig
from meshplan.traffic.authorization import (
    AddressIn,
    Atom,
    Filter,
    IdentityIs,
    NotModelled,
    PolicyAction,
    PortIs,
    ServerNameIs,
    filters,
)
from meshplan.traffic.authorization import Test as Check
from meshplan.traffic.condition import (
    ClaimCondition,
    Exact,
    HeaderCondition,
    PathCondition,
    PathTemplate,
    Prefix,
    Present,
    Regex,
    Suffix,
    TokenPlace,
)
from support.snapshots import of_values

PLACES = (TokenPlace("header", "authorization", "Bearer "),)
ANY = Regex(".+")


def policy(
    rules: list[Any], action: str = "ALLOW", name: str = "p", dry_run: str = "", **spec: Any
) -> dict[str, Any]:
    annotations = {"istio.io/dry-run": dry_run} if dry_run else {}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
        "spec": {"rules": rules, **({"action": action} if action else {}), **spec},
    }


def built(*policies: dict[str, Any], for_tcp: bool = False, **config: Any) -> tuple[Filter, ...]:
    found = list(of_values(*policies).values())
    return filters(found, MeshConfig(**config), PLACES, for_tcp=for_tcp)


def rule_of(
    text: str, action: str = "ALLOW", *, for_tcp: bool = False, **config: Any
) -> tuple[list[list[Check]], list[list[Check]]] | None:
    """What a single rule asks of the request and of the client; None for one that is left out."""
    (only,) = built(policy([yaml.safe_load(text)], action), for_tcp=for_tcp, **config)
    if not only.rules:
        return None
    (rule,) = only.rules
    return [list(tests) for tests in rule.permissions], [list(tests) for tests in rule.principals]


def address(value: str, which: str) -> AddressIn:
    return AddressIn(ipaddress.ip_network(value), which)


@pytest.mark.parametrize(
    ("field", "value", "atom"),
    [
        # `HostMatcher`, `HeaderMatcher`, `PathMatcher`: `*`, `*x`, `x*` or `x`.
        ("hosts", "a.com", HeaderCondition(":authority", Exact("a.com", ignore_case=True))),
        ("hosts", "*", HeaderCondition(":authority", Present())),
        ("hosts", "*.com", HeaderCondition(":authority", Suffix(".com", ignore_case=True))),
        ("hosts", "a.*", HeaderCondition(":authority", Prefix("a.", ignore_case=True))),
        ("methods", "GET", HeaderCondition(":method", Exact("GET"))),
        ("methods", "*", HeaderCondition(":method", Present())),
        ("methods", "*T", HeaderCondition(":method", Suffix("T"))),
        ("methods", "G*", HeaderCondition(":method", Prefix("G"))),
        ("paths", "/a", PathCondition(Exact("/a"))),
        ("paths", "*", PathCondition(ANY)),
        ("paths", "*/a", PathCondition(Suffix("/a"))),
        ("paths", "/a*", PathCondition(Prefix("/a"))),
        ("paths", "/a/{*}/b", PathCondition(PathTemplate(("a", "*", "b")))),
        ("paths", "/a/{**}", PathCondition(PathTemplate(("a", "**")))),
        ("ports", "80", PortIs(80)),
        ("ports", "0", PortIs(0)),
        ("ports", "65535", PortIs(65535)),
        ("ports", "65536", None),
        ("ports", "http", None),
        ("ports", "-1", None),
    ],
)
def test_what_a_rule_asks_of_the_request(field: str, value: str, atom: Atom | None) -> None:
    stated = f"{{to: [{{operation: {{{field}: ['{value}']}}}}]}}"
    expected = None if atom is None else ([[Check((atom,), ())]], [[]])
    assert rule_of(stated) == expected
    negative = f"{{to: [{{operation: {{not{field.capitalize()}: ['{value}']}}}}]}}"
    inverse = None if atom is None else ([[Check((), (atom,))]], [[]])
    assert rule_of(negative) == inverse
    # Of a DENY, a value that cannot be read is left out alone, so that it denies more.
    left = Check((), ()) if atom is None else Check((atom,), ())
    assert rule_of(stated, "DENY") == ([[left]], [[]])


@pytest.mark.parametrize(
    ("field", "value", "atom"),
    [
        # `StringMatcherWithPrefix` with `spiffe://`.
        ("principals", "x.td/ns/a/sa/b", IdentityIs(Exact("spiffe://x.td/ns/a/sa/b"))),
        ("principals", "*", IdentityIs(ANY)),
        ("principals", "*/sa/b", IdentityIs(Regex("spiffe://.*/sa/b"))),
        ("principals", "x.td/*", IdentityIs(Prefix("spiffe://x.td/"))),
        ("namespaces", "web", IdentityIs(Regex(".*/ns/web/.*"))),
        ("namespaces", "w*b*", IdentityIs(Regex(".*/ns/w.*b.*/.*"))),
        ("serviceAccounts", "a", IdentityIs(Regex("spiffe://.+/ns/shop/(.+/|)sa/a(/.+)?"))),
        ("serviceAccounts", "web/a", IdentityIs(Regex("spiffe://.+/ns/web/(.+/|)sa/a(/.+)?"))),
        ("ipBlocks", "10.0.0.0/8", address("10.0.0.0/8", "peer")),
        ("ipBlocks", "10.1.2.3", address("10.1.2.3/32", "peer")),
        ("ipBlocks", "10.1.2.3/8", address("10.0.0.0/8", "peer")),
        ("ipBlocks", "2001:db8::/32", address("2001:db8::/32", "peer")),
        ("ipBlocks", "10.0.0", None),
        ("remoteIpBlocks", "10.0.0.0/8", address("10.0.0.0/8", "remote")),
        ("requestPrincipals", "*", ClaimCondition("", ANY, places=PLACES)),
        ("requestPrincipals", "a/b", ClaimCondition("", Exact("a/b"), places=PLACES)),
    ],
)
def test_what_a_rule_asks_of_the_client(field: str, value: str, atom: Atom | None) -> None:
    stated = f"{{from: [{{source: {{{field}: ['{value}']}}}}]}}"
    assert rule_of(stated) == (None if atom is None else ([[]], [[Check((atom,), ())]]))
    negative = f"{{from: [{{source: {{not{field[0].upper()}{field[1:]}: ['{value}']}}}}]}}"
    assert rule_of(negative) == (None if atom is None else ([[]], [[Check((), (atom,))]]))


@pytest.mark.parametrize(
    ("key", "value", "atom", "of_request"),
    [
        ("destination.ip", "10.0.0.0/8", address("10.0.0.0/8", "destination"), True),
        ("destination.port", "80", PortIs(80), True),
        ("connection.sni", "*.com", ServerNameIs(Suffix(".com")), True),
        (
            "experimental.envoy.filters.a[b]",
            "c",
            NotModelled("experimental.envoy.filters.a[b]"),
            True,
        ),
        ("source.ip", "10.0.0.0/8", address("10.0.0.0/8", "peer"), False),
        ("remote.ip", "10.0.0.0/8", address("10.0.0.0/8", "remote"), False),
        ("source.namespace", "web", IdentityIs(Regex(".*/ns/web/.*")), False),
        (
            "source.serviceAccount",
            "a",
            IdentityIs(Regex("spiffe://.+/ns/shop/(.+/|)sa/a(/.+)?")),
            False,
        ),
        ("source.principal", "*/sa/b", IdentityIs(Regex("spiffe://.*/sa/b")), False),
        ("request.headers[X-V]", "1*", HeaderCondition("x-v", Prefix("1")), False),
        ("request.auth.claims[iss]", "a", ClaimCondition("", Exact("a"), places=PLACES), False),
        ("request.auth.principal", "a/b", ClaimCondition("", Exact("a/b"), places=PLACES), False),
        ("request.headers", "1", None, False),
        ("request.headers[x", "1", None, False),
        ("request.headersx]", "1", None, False),
        ("unheard.of", "1", None, False),
    ],
)
def test_conditions_have_keys(key: str, value: str, atom: Atom | None, of_request: bool) -> None:
    """`New` in authz/model/model.go tells what is about the request, and what about the client."""
    for name, tests in (
        ("values", Check((atom,), ()) if atom else None),
        ("notValues", Check((), (atom,)) if atom else None),
    ):
        found = rule_of(f"{{when: [{{key: '{key}', {name}: ['{value}']}}]}}")
        if tests is None:
            assert found is None
        else:
            assert found == (([[tests]], [[]]) if of_request else ([[]], [[tests]]))


def test_all_of_a_rule_is_put_together() -> None:
    stated = """
    from:
    - source: {principals: [x.td/ns/a/sa/b], namespaces: [web], ipBlocks: [10.0.0.1, 10.0.0.2], notNamespaces: [shop]}
    - source: {namespaces: [edge]}
    to:
    - operation: {methods: [GET], paths: [/a], notPorts: ['80']}
    - {operation: {hosts: [a.com, b.com]}}
    when:
    - {key: destination.port, values: ['81']}
    - {key: source.namespace, notValues: [x]}
    """
    found = rule_of(stated)
    assert found is not None
    web, shop, edge, odd = (
        IdentityIs(Regex(f".*/ns/{name}/.*")) for name in ("web", "shop", "edge", "x")
    )
    on_request = Check((PortIs(81),), ())
    on_client = Check((), (odd,))
    assert found == (
        [
            [
                Check((HeaderCondition(":method", Exact("GET")),), ()),
                Check((PathCondition(Exact("/a")),), ()),
                Check((), (PortIs(80),)),
                on_request,
            ],
            [
                Check(
                    tuple(
                        HeaderCondition(":authority", Exact(host, ignore_case=True))
                        for host in ("a.com", "b.com")
                    ),
                    (),
                ),
                on_request,
            ],
        ],
        [
            [
                Check((IdentityIs(Exact("spiffe://x.td/ns/a/sa/b")),), ()),
                Check((web,), (shop,)),
                Check((address("10.0.0.1/32", "peer"), address("10.0.0.2/32", "peer")), ()),
                on_client,
            ],
            [Check((edge,), ()), on_client],
        ],
    )
    assert rule_of("{}") == ([[]], [[]])


HTTP_ONLY = (
    "{to: [{operation: {hosts: [a.com]}}]}",
    "{to: [{operation: {methods: [GET]}}]}",
    "{to: [{operation: {paths: [/a]}}]}",
    "{to: [{operation: {paths: ['/{*}']}}]}",
    "{from: [{source: {requestPrincipals: [a]}}]}",
    "{when: [{key: 'request.headers[a]', values: [b]}]}",
    "{when: [{key: 'request.auth.claims[a]', values: [b]}]}",
)


@pytest.mark.parametrize("stated", HTTP_ONLY)
def test_what_is_about_http_is_no_part_of_a_connection(stated: str) -> None:
    """`checkError`: an ALLOW loses the rule, a DENY the value, so that both let in less."""
    assert rule_of(stated) is not None
    assert rule_of(stated, for_tcp=True) is None
    found = rule_of(stated, "DENY", for_tcp=True)
    assert found is not None
    assert [test for tests in (*found[0], *found[1]) for test in tests] == [Check((), ())]


def test_a_rule_that_is_left_out_leaves_the_others() -> None:
    rules = [yaml.safe_load(HTTP_ONLY[0]), {}]
    (found,) = built(policy(rules), for_tcp=True)
    assert [rule.name for rule in found.rules] == ["ns[shop]-policy[p]-rule[1]"]
    assert [rule.pointer for rule in found.rules] == ["/spec/rules/1"]
    assert [rule.source.name for rule in found.rules] == ["p"]


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        # `ReplaceTrustDomainAliases` with the trust domain `td` and the alias `old-td`.
        ("td/ns/a/sa/b", ["td/ns/a/sa/b", "old-td/ns/a/sa/b"]),
        ("old-td/ns/a/sa/b", ["td/ns/a/sa/b", "old-td/ns/a/sa/b"]),
        ("cluster.local/ns/a/sa/b", ["td/ns/a/sa/b", "old-td/ns/a/sa/b"]),
        ("other/ns/a/sa/b", ["other/ns/a/sa/b"]),
        ("*-td/ns/a/sa/b", ["td/ns/a/sa/b", "*-td/ns/a/sa/b"]),
        ("*td/ns/a/sa/b", ["*td/ns/a/sa/b"]),
        ("t*/ns/a/sa/b", ["td/ns/a/sa/b", "old-td/ns/a/sa/b"]),
        ("x*/ns/a/sa/b", ["x*/ns/a/sa/b"]),
        ("*/ns/a/sa/b", ["*/ns/a/sa/b"]),
        ("td/ns/a/sa", ["td/ns/a/sa"]),
        ("td/ns/a/sa/b/c", ["td/ns/a/sa/b/c"]),
        ("*", ["*"]),
    ],
)
def test_trust_domains_stand_for_each_other(principal: str, expected: list[str]) -> None:
    known = {"trust_domain": "td", "trust_domain_aliases": ("old-td",)}
    plain = {"trust_domain": "none"}
    for stated in (
        "{from: [{source: {principals: ['%s']}}]}",
        "{when: [{key: source.principal, values: ['%s']}]}",
    ):
        found = rule_of(stated % principal, **known)
        assert found is not None
        ((test,),) = found[1]
        # What each of them is by itself, in a mesh of another trust domain.
        atoms = []
        for one in expected:
            alone = rule_of(stated % one, **plain)
            assert alone is not None
            atoms += alone[1][0][0].any_of
        assert list(test.any_of) == atoms
    negative = rule_of(f"{{from: [{{source: {{notPrincipals: ['{principal}']}}}}]}}", **known)
    assert negative is not None
    assert len(negative[1][0][0].none_of) == len(expected)


def test_filters_run_in_the_order_of_their_actions() -> None:
    """`Builder.build`; within one, Envoy's map of policies is sorted by name."""
    found = built(
        policy([{}], "ALLOW", "c"),
        policy([{}, {}], "ALLOW", "a"),
        policy([{}], "DENY", "d"),
        policy([{}], "CUSTOM", "x", provider={"name": "opa"}),
        policy([{}], "CUSTOM", "y", provider={"name": "other"}),
        policy([{}], "AUDIT", "u"),
        policy([{}], "", "b"),
    )
    assert [one.action for one in found] == [
        PolicyAction.CUSTOM,
        PolicyAction.DENY,
        PolicyAction.ALLOW,
    ]
    custom, deny, allow = found
    assert custom.providers == ("opa", "other")
    assert (deny.providers, allow.providers) == ((), ())
    assert [id_.name for id_ in allow.policies] == ["c", "a", "b"]
    assert [id_.name for id_ in custom.policies] == ["x", "y"]
    names = [
        f"ns[shop]-policy[{name}]-rule[{n}]" for name, n in (("a", 0), ("a", 1), ("b", 0), ("c", 0))
    ]
    assert [rule.name for rule in allow.rules] == names
    assert built() == ()


@pytest.mark.parametrize(
    ("value", "enforced"),
    [
        ("true", False),
        ("True", False),
        ("t", False),
        ("1", False),
        ("false", True),
        ("", True),
        ("0", True),
        ("yes", True),
    ],
)
def test_a_dry_run_is_not_enforced(value: str, enforced: bool) -> None:
    """`isDryRun`, that is `strconv.ParseBool`."""
    assert bool(built(policy([{}], dry_run=value))) is enforced


def test_a_policy_without_rules_allows_nothing() -> None:
    (found,) = built(policy([]))
    assert (found.rules, [id_.name for id_ in found.policies]) == ((), ["p"])
