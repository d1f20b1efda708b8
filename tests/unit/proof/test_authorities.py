"""Names under one wildcard, and spellings of one name, that routes and policies tell apart."""

from collections.abc import Iterable

import pytest

from meshplan.mesh import MeshConfig
from meshplan.proof.authorities import asked_of_names, names_of, server_names_asked, spellings
from meshplan.proof.types import BudgetError, Topic, TopicKind
from meshplan.resource import Resource
from meshplan.traffic.condition import Exact, Prefix, Regex, Suffix
from support.meshes import with_versions
from support.proofs import change
from support.snapshots import snapshot

SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: shop}
spec: {selector: {app: b}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
"""
ROUTES = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: a, namespace: shop}}
spec: {{host: a.shop.svc.cluster.local, subsets: [{subsets}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v, namespace: shop}}
spec:
  hosts: ["{host}"]
  gateways: [{gateway}]
  http:
  - match: [{match}]
    route: [{{destination: {{host: a.shop.svc.cluster.local{subset}}}}}]
  - route: [{{destination: {{host: b.shop.svc.cluster.local}}}}]
"""


def lost_hosts(host: str, gateway: str, match: str) -> set[str]:
    """Hosts of the requests that are lost if the route to a new subset is there before it."""
    texts = [
        SERVICES + ROUTES.format(host=host, gateway=gateway, match=match, subsets=s, subset=t)
        for s, t in (("", ""), ("{name: v2, labels: {version: v2}}", ", subset: v2"))
    ]
    proof = change(*texts).together()
    assert all(" 503 NC: " in found.sentence for found in proof.counterexamples)
    return {found.request.request.host for found in proof.counterexamples}


class TestAuthority:
    @pytest.mark.parametrize("gateway", ["gw", "mesh"])
    @pytest.mark.parametrize(
        ("host", "match", "lost"),
        [
            ("*.example.com", "{authority: {exact: api.example.com}}", {"api.example.com"}),
            # Nobody who asks for a host under the wildcard meets this.
            ("*.example.com", "{authority: {exact: api.example.org}}", set()),
            (
                "*.example.com",
                "{headers: {':authority': {exact: x.example.com}}}",
                {"x.example.com"},
            ),
            ("*.example.com", "{headers: {Host: {exact: x.example.com}}}", {"x.example.com"}),
            # A port in the name, and capitals, are told apart where names are compared.
            (
                "api.example.com",
                "{authority: {exact: 'api.example.com:80'}}",
                {"api.example.com:80"},
            ),
            ("api.example.com", "{authority: {exact: API.EXAMPLE.COM}}", {"API.EXAMPLE.COM"}),
        ],
    )
    def test_a_name_that_a_route_asks_for_is_looked_at(
        self, gateway: str, host: str, match: str, lost: set[str]
    ) -> None:
        assert lost_hosts(host, gateway, match) == lost

    def test_any_host_of_a_gateway_may_be_asked_for(self) -> None:
        match = "{authority: {exact: api.example.com}}"
        assert lost_hosts("*", "gw", match) == {"api.example.com"}

    def test_all_other_names_are_looked_at(self) -> None:
        without = "{withoutHeaders: {':authority': {exact: api.example.com}}}"
        found = lost_hosts("*.example.com", "gw", without)
        assert found
        assert "api.example.com" not in found

    def test_prefixes_and_patterns_have_names_of_their_own(self) -> None:
        for match in ("{prefix: api.}", "{regex: 'api[.].*'}"):
            found = lost_hosts("*.example.com", "gw", f"{{authority: {match}}}")
            assert found
            assert all(h.startswith("api.") and h.endswith(".example.com") for h in found)

    def test_a_short_name_that_a_route_asks_for_is_looked_at(self) -> None:
        match = "{authority: {exact: a.shop}}"
        assert lost_hosts("a.shop.svc.cluster.local", "mesh", match) == {"a.shop"}


class TestPolicies:
    POLICY = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: istio-system}
spec:
  action: DENY
  selector: {matchLabels: {istio: ingress}}
  rules: [{to: [{operation: {hosts: ["admin.example.com"]}}]}]
"""
    ROUTED = SERVICES + ROUTES.format(host="*", gateway="gw", match="{}", subsets="", subset="")

    def test_a_host_that_a_policy_closes_is_lost_at_the_gateway(self) -> None:
        lost = change(self.ROUTED, self.ROUTED + self.POLICY).prover.lost()
        at_gateway = [one for one in lost if one.request.client.is_gateway]
        assert {one.request.request.host for one in at_gateway} == {"admin.example.com"}


class TestNames:
    @pytest.mark.parametrize(
        ("pattern", "asked", "expected"),
        [
            ("*", (), {"usual"}),
            ("*", (Exact("a.b"),), {"usual", "a.b"}),
            ("*.b", (Exact("a.b"), Exact("c.d")), {"usual", "a.b"}),
        ],
    )
    def test_there_is_one_of_each_sort(
        self, pattern: str, asked: tuple[Exact, ...], expected: set[str]
    ) -> None:
        usual = "usual" + pattern[1:]
        found = names_of(pattern, asked, usual)
        assert found[0] == usual
        assert set(found) == {usual if name == "usual" else name for name in expected}

    def test_all_combinations_are_there(self) -> None:
        asked = (Prefix("api."), Suffix(".eu.example.com"), Regex("[a-m].*"))
        found = names_of("*.example.com", asked, "unmatched.example.com")
        truths = {
            (n.startswith("api."), n.endswith(".eu.example.com"), n[0] in "abcdefghijklm")
            for n in found
        }
        # What begins with `api.` begins with a letter from a to m.
        assert truths == {(p, s, r) for p in (0, 1) for s in (0, 1) for r in (0, 1) if r or not p}
        assert all(name.endswith(".example.com") and name[0] != "." for name in found)

    def test_a_pattern_too_large_is_said(self) -> None:
        with pytest.raises(BudgetError, match="too large"):
            names_of("*", (Regex("(a|b)*a" + "(a|b)" * 20),), "unmatched.example")

    def test_spellings_are_looked_at_where_they_count(self) -> None:
        assert list(spellings(["a.b"], (), 8080)) == ["a.b"]
        assert list(spellings(["a.b"], (Exact("a.b"),), 8080)) == ["a.b", "a.b:8080", "A.B"]
        assert list(spellings(["a.b"], (Exact("a.b", ignore_case=True),), 80)) == ["a.b", "a.b:80"]
        assert list(spellings(["a.b"], (Prefix("a"),), 80)) == ["a.b", "A.B"]


@pytest.mark.parametrize(
    ("kind", "header", "expected"),
    [
        ("HTTPRoute", "{name: Host, value: A.example.net}", (Exact("A.example.net"),)),
        ("GRPCRoute", "{name: ':authority', value: a.example.net}", (Exact("a.example.net"),)),
        (
            "HTTPRoute",
            "{name: host, type: RegularExpression, value: '.*[.]net'}",
            (Regex(".*[.]net"),),
        ),
        ("HTTPRoute", "{name: x-host, value: a.example.net}", ()),
    ],
)
def test_routes_of_the_gateway_api_may_ask_for_names(
    kind: str, header: str, expected: tuple[object, ...]
) -> None:
    text = (
        f"kind: {kind}\nmetadata: {{name: r, namespace: shop}}\n"
        f"spec: {{rules: [{{matches: [{{headers: [{header}]}}]}}]}}"
    )
    found = snapshot(with_versions(text)).values()
    assert asked_of_names(found, MeshConfig()) == expected


def of_spec(kind: str, spec: str) -> Iterable[Resource]:
    text = f"kind: {kind}\nmetadata: {{name: r, namespace: shop}}\nspec: {spec}"
    return snapshot(with_versions(text)).values()


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("VirtualService", "{http: [{match: [{authority: {exact: a.net}}]}]}", (Exact("a.net"),)),
        ("VirtualService", "{http: [{match: [{authority: {prefix: a.}}, {headers: {HOST: {exact: b}}}]}]}", (Prefix("a."), Exact("b"))),
        ("VirtualService", "{http: [{match: [{withoutHeaders: {':authority': {regex: a.*}}}]}]}", (Regex("a.*"),)),
        # That there is one is always so.
        ("VirtualService", "{http: [{match: [{headers: {host: {}}}]}]}", ()),
        ("VirtualService", "{http: [{match: [{headers: {x: {exact: a}}, authority: a}]}]}", ()),
        ("VirtualService", "{tls: [{match: [{authority: {exact: a.net}}]}]}", ()),
        ("DestinationRule", "{http: [{match: [{authority: {exact: a.net}}]}]}", ()),
        ("AuthorizationPolicy", "{rules: [{to: [{operation: {hosts: [a.net]}}]}]}", (Exact("a.net", ignore_case=True),)),
        ("AuthorizationPolicy", "{rules: [{to: [{operation: {notHosts: [a.net]}}]}]}", (Exact("a.net", ignore_case=True),)),
        ("AuthorizationPolicy", "{rules: [{to: [{operation: {paths: [/a]}}]}]}", ()),
        ("AuthorizationPolicy", "{rules: [{when: [{key: 'request.headers[x]', values: [a]}]}]}", ()),
    ],
)  # fmt: skip
def test_what_is_asked_of_names(kind: str, spec: str, expected: tuple[object, ...]) -> None:
    assert asked_of_names(of_spec(kind, spec), MeshConfig()) == expected


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("VirtualService", "{tls: [{match: [{sniHosts: [A.net, '*.b.net']}]}]}", (Exact("a.net"), Suffix(".b.net"))),
        ("VirtualService", "{tls: [{match: [{sniHosts: [a]}, {sniHosts: [a]}]}, {match: [{sniHosts: [b]}]}]}", (Exact("a"), Exact("b"))),
        ("VirtualService", "{tls: [{match: [{sniHosts: ['*']}]}]}", (Suffix(""),)),
        ("VirtualService", "{http: [{match: [{sniHosts: [a]}]}]}", ()),
        ("DestinationRule", "{tls: [{match: [{sniHosts: [a]}]}]}", ()),
    ],
)  # fmt: skip
def test_what_is_asked_of_names_in_handshakes(
    kind: str, spec: str, expected: tuple[object, ...]
) -> None:
    assert server_names_asked(of_spec(kind, spec)) == expected


def test_names_that_handshakes_are_asked_for_are_looked_at() -> None:
    """A route for a wildcard that tells apart two names under it."""
    text = """
kind: VirtualService
metadata: {name: v, namespace: shop}
spec:
  hosts: ["*.example.com"]
  tls:
  - match: [{sniHosts: [api.example.com]}]
    route: [{destination: {host: a.shop.svc.cluster.local}}]
"""
    made = change(SERVICES, SERVICES + with_versions(text.strip()))
    cases = made.prover.cases_of(Topic(TopicKind.MESH, "*.example.com")).cases(reverse=False)
    assert {case.base.host for case in cases} == {"unmatched.example.com", "api.example.com"}
