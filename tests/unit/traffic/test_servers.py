"""A server's side: AuthorizationPolicies, tokens, and what is not known."""

import pytest

from meshplan.mesh.proxy import sidecar
from meshplan.traffic import Request, Server, admit, route
from meshplan.traffic.outcome import Denied, Failed, Served, Transport, Unknown
from support.meshes import mesh

SERVER = Server("shop", {"app": "reviews"}, 8080)
CLIENT = "cluster.local/ns/web/sa/client"


def policy(rule: str, action: str = "ALLOW", name: str = "p", extra: str = "") -> str:
    return f"""
kind: AuthorizationPolicy
metadata: {{name: {name}, namespace: shop}}
spec: {{action: {action}, rules: [{rule}]{extra}}}
"""


def let_in(
    text: str, request: Request, transport: Transport = Transport.MTLS, **config: object
) -> bool | None:
    """Whether a request is let in; None for unknown."""
    outcome = admit(mesh(text, **config), request, SERVER, transport)
    if isinstance(outcome, Unknown):
        return None
    assert isinstance(outcome, Served | Denied)
    return isinstance(outcome, Served)


def from_(**source: object) -> str:
    return f"{{from: [{{source: {source}}}]}}"


def to(**operation: object) -> str:
    return f"{{to: [{{operation: {operation}}}]}}"


REQUEST = Request("reviews.shop", "GET", "/api/v1", client_ip="10.1.2.3", principal=CLIENT)


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ("{}", True),
        (from_(principals=[CLIENT]), True),
        (from_(principals=["cluster.local/ns/web/sa/*"]), True),
        (from_(principals=["*/sa/client"]), True),
        (from_(principals=["*"]), True),
        (from_(principals=["cluster.local/ns/web/sa/other"]), False),
        (from_(notPrincipals=[CLIENT]), False),
        (from_(namespaces=["web"]), True),
        (from_(namespaces=["w*"]), True),
        (from_(namespaces=["shop"]), False),
        (from_(notNamespaces=["web"]), False),
        (from_(serviceAccounts=["web/client"]), True),
        (from_(serviceAccounts=["client"]), False),
        (from_(ipBlocks=["10.0.0.0/8"]), True),
        (from_(ipBlocks=["10.1.2.3"]), True),
        (from_(ipBlocks=["10.1.2.4/31"]), False),
        (from_(notIpBlocks=["10.0.0.0/8"]), False),
        (from_(remoteIpBlocks=["10.0.0.0/8"]), True),
        (from_(requestPrincipals=["*"]), False),
        (from_(notRequestPrincipals=["*"]), True),
        (to(paths=["/api/*"]), True),
        (to(paths=["*/v1"]), True),
        (to(paths=["/api"]), False),
        (to(paths=["/api/{*}"]), True),
        (to(paths=["/{**}"]), True),
        (to(notPaths=["/api/v1"]), False),
        (to(methods=["GET"]), True),
        (to(methods=["G*"]), True),
        (to(notMethods=["GET"]), False),
        (to(hosts=["REVIEWS.shop"]), True),
        (to(hosts=["*.shop"]), True),
        (to(hosts=["reviews"]), False),
        (to(ports=["8080"]), True),
        (to(ports=["80"]), False),
        ("{when: [{key: 'request.headers[x]', values: ['1']}]}", False),
        ("{when: [{key: 'request.headers[x]', notValues: ['1']}]}", True),
        ("{when: [{key: source.namespace, values: [web]}]}", True),
        ("{when: [{key: destination.port, notValues: ['8080']}]}", False),
        ("{when: [{key: 'request.auth.claims[iss]', values: [a]}]}", False),
        # All of from, to and when have to match; of several sources any.
        ("{from: [{source: {namespaces: [x]}}, {source: {namespaces: [web]}}]}", True),
        ("{from: [{source: {namespaces: [web], ipBlocks: [11.0.0.0/8]}}]}", False),
        ("{from: [{source: {namespaces: [web]}}], to: [{operation: {methods: [PUT]}}]}", False),
    ],
)
def test_a_rule_matches_by_what_it_says(rule: str, matches: bool) -> None:
    assert let_in(policy(rule), REQUEST) is matches
    assert let_in(policy(rule, "DENY"), REQUEST) is not matches


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([], True),
        ([policy("")], False),
        ([policy("", "DENY")], True),
        ([policy("{}"), policy("{}", "DENY", "d")], False),
        ([policy("{}", "DENY", "d", ", selector: {matchLabels: {app: other}}")], True),
        ([policy(to(methods=["PUT"])), policy(to(methods=["GET"]), name="q")], True),
        ([policy("{}", "AUDIT")], True),
    ],
)
def test_deny_beats_allow_and_one_allow_closes_the_rest(
    policies: list[str], expected: bool
) -> None:
    text = "---".join(policies) or "kind: Pod\nmetadata: {name: x}"
    assert let_in(text, REQUEST) is expected


def test_a_dry_run_decides_nothing() -> None:
    text = policy("{}", "DENY").replace(
        "namespace: shop}", "namespace: shop, annotations: {istio.io/dry-run: 'true'}}"
    )
    assert let_in(text, REQUEST) is True


def test_without_mutual_tls_nobody_is_anybody() -> None:
    assert let_in(policy(from_(principals=["*"])), REQUEST, Transport.PLAINTEXT) is False
    assert let_in(policy(from_(notPrincipals=["*"])), REQUEST, Transport.PLAINTEXT) is True


def test_the_policy_that_denies_is_named_as_in_the_access_log() -> None:
    text = policy("{to: [{operation: {methods: [PUT]}}]}, {}", "DENY")
    outcome = admit(mesh(text), REQUEST, SERVER, Transport.MTLS)
    assert isinstance(outcome, Denied)
    assert outcome.policy == "ns[shop]-policy[p]-rule[1]"
    assert outcome.why[0].id is not None
    assert outcome.why[0].id.name == "p"


def test_trust_domains_have_aliases() -> None:
    rule = from_(principals=["old.td/ns/web/sa/client"])
    assert let_in(policy(rule), REQUEST) is False
    known = {"trust_domain": "cluster.local", "trust_domain_aliases": ("old.td",)}
    assert let_in(policy(rule), REQUEST, **known) is True


def test_addresses_that_are_not_known_leave_it_open() -> None:
    somewhere = Request("reviews.shop", principal=CLIENT)
    assert let_in(policy(from_(ipBlocks=["10.0.0.0/8"])), somewhere) is None
    # Something else may decide all the same.
    text = policy("{from: [{source: {ipBlocks: [10.0.0.0/8], namespaces: [x]}}]}")
    assert let_in(text, somewhere) is False


def test_the_last_address_of_x_forwarded_for_is_the_remote_one() -> None:
    request = Request(
        "reviews.shop", client_ip="10.1.2.3", headers={"x-forwarded-for": "1.1.1.1, 2.2.2.2"}
    )
    assert let_in(policy(from_(remoteIpBlocks=["2.2.2.2"])), request) is True
    assert let_in(policy(from_(ipBlocks=["10.1.2.3"])), request) is True


CUSTOM = policy(to(paths=["/api/*"]), "CUSTOM", extra=", provider: {name: opa}")


def test_external_authorization_is_unknown_where_it_is_asked() -> None:
    assert let_in(CUSTOM, REQUEST) is None
    assert let_in(CUSTOM, Request("reviews.shop", path="/other")) is True
    known = {"extension_providers_known": True}
    assert let_in(CUSTOM, REQUEST, authorization_providers=("opa",), **known) is None
    # istiod denies where it does not know the provider.
    assert let_in(CUSTOM, REQUEST, **known) is False


def test_a_denial_counts_although_somebody_else_is_asked() -> None:
    assert let_in(f"{CUSTOM}---{policy('{}', 'DENY', 'd')}", REQUEST) is False


JWT = """
kind: RequestAuthentication
metadata: {name: jwt, namespace: shop}
spec: {jwtRules: [{issuer: a, jwksUri: 'https://a/keys'%s}]}
"""


def test_tokens_are_unknown_only_where_they_are_verified() -> None:
    text = f"{policy(from_(requestPrincipals=['*']))}---{JWT % ''}"
    token = Request("reviews.shop", headers={"authorization": "Bearer x"})
    assert let_in(text, Request("reviews.shop")) is False
    assert let_in(text, token) is None
    elsewhere = (
        f"{policy(from_(requestPrincipals=['*']))}---{JWT % ', fromHeaders: [{name: x-jwt}]'}"
    )
    assert let_in(elsewhere, token) is False


def test_a_request_with_a_token_may_be_refused_by_the_verification() -> None:
    token = Request("reviews.shop", headers={"authorization": "Bearer x"})
    assert let_in(JWT % "", token) is None
    assert let_in(JWT % "", Request("reviews.shop")) is True


def test_plaintext_is_refused_where_mutual_tls_is_strict() -> None:
    text = """
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
"""
    outcome = admit(mesh(text), REQUEST, SERVER, Transport.PLAINTEXT)
    assert isinstance(outcome, Failed)
    assert outcome.status is None


SHOP = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews}}, spec: {containers: [{name: a}]}}}
"""


def test_a_client_is_denied_by_the_servers_policy() -> None:
    request = Request("reviews.shop")
    rule = from_(namespaces=["web"])
    state = mesh(f"{SHOP}---{policy(rule)}")
    assert isinstance(route(state, request, sidecar("web")), Served)
    assert route(state, request, sidecar("other")) == Denied(403, "none")


def test_http_rules_do_not_let_anybody_into_a_tcp_port() -> None:
    text = SHOP.replace("name: http", "name: tcp")
    request = Request("reviews.shop", scheme="tcp", port=80)
    allowed = mesh(f"{text}---{policy(to(methods=['GET']))}")
    assert route(allowed, request, sidecar("web")) == Denied(403, "none")
    # Of a DENY, what is about HTTP is left out, and the rest denies more.
    denied = mesh(f"{text}---{policy(to(methods=['GET'], ports=['8080']), 'DENY')}")
    assert isinstance(route(denied, request, sidecar("web")), Denied)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("context: SIDECAR_INBOUND", True),
        ("context: SIDECAR_OUTBOUND", False),
        ("context: GATEWAY", False),
        ("context: ANY", True),
    ],
)
def test_what_filters_do_is_not_known(text: str, unknown: bool) -> None:
    stated = f"""
kind: EnvoyFilter
metadata: {{name: lua, namespace: shop}}
spec: {{configPatches: [{{applyTo: HTTP_FILTER, match: {{{text}}}, patch: {{}}}}]}}
"""
    outcome = route(mesh(f"{SHOP}---{stated}"), Request("reviews.shop"), sidecar("web"))
    if unknown:
        assert isinstance(outcome, Unknown)
        assert [id_.name for id_ in outcome.opaque] == ["lua"]
        # What would happen without it is told all the same.
        assert isinstance(outcome.otherwise, Served)
    else:
        assert isinstance(outcome, Served)


def test_plugins_of_other_workloads_are_of_no_interest() -> None:
    plugin = """
kind: WasmPlugin
metadata: {name: w, namespace: shop}
spec: {url: 'oci://a/b', selector: {matchLabels: {app: %s}}}
"""
    request = Request("reviews.shop")
    assert isinstance(route(mesh(f"{SHOP}---{plugin % 'x'}"), request, sidecar("web")), Served)
    met = route(mesh(f"{SHOP}---{plugin % 'reviews'}"), request, sidecar("web"))
    assert isinstance(met, Unknown)
