"""A server's side: handshakes, protocols, tokens, and what policies say together."""

import pytest

from meshplan.mesh.service import Protocol
from meshplan.settings import World
from meshplan.traffic import Request, Server, admit, transport_of
from meshplan.traffic.condition import TokenPlace
from meshplan.traffic.inbound import Inbound, Verdict
from meshplan.traffic.outcome import Denied, Failed, Outcome, Served, Transport, Unknown
from support.meshes import mesh

SERVER = Server("shop", {"app": "a"}, 8080)
ME = "cluster.local/ns/web/sa/me"


def policy(
    spec: str, name: str = "p", kind: str = "AuthorizationPolicy", where: str = "shop"
) -> str:
    return f"\nkind: {kind}\nmetadata: {{name: {name}, namespace: {where}}}\nspec: {spec}\n"


def peer(spec: str) -> str:
    return policy(spec, kind="PeerAuthentication")


SERVICE = """
kind: Service
metadata: {name: %s, namespace: shop}
spec: {selector: {%s}, ports: [%s]}
"""
NOBODY = "\nkind: Pod\nmetadata: {name: x, namespace: other}\n"


def admitted(
    *texts: str,
    transport: Transport = Transport.MTLS,
    server: Server = SERVER,
    **stated: object,
) -> Outcome:
    known = {"principal": ME, "client_ip": "10.0.0.1", **stated}
    request = Request("a.shop", **known)  # type: ignore[arg-type]
    return admit(mesh("---".join(texts) or NOBODY), request, server, transport)


def word(outcome: Outcome) -> str:
    match outcome:
        case Served():
            return "in"
        case Denied():
            return "denied"
        case Failed():
            return outcome.flag
        case Unknown():
            return "unknown"
        case _:
            raise AssertionError(outcome)


@pytest.mark.parametrize(
    ("mode", "protocol", "transport", "expected"),
    [
        # `getFilterChainMatchOptions`: which connections have a filter chain. A server has no word
        # for a handshake that fails, and for TLS that an application does not want.
        ("PERMISSIVE", "http", Transport.PLAINTEXT, "in"),
        ("PERMISSIVE", "http", Transport.MTLS, "in"),
        ("PERMISSIVE", "http", Transport.TLS, "NR"),
        ("PERMISSIVE", "tcp", Transport.TLS, "unknown"),
        ("PERMISSIVE", "x", Transport.TLS, "unknown"),
        ("STRICT", "http", Transport.PLAINTEXT, "NR"),
        ("STRICT", "http", Transport.MTLS, "in"),
        ("STRICT", "http", Transport.TLS, "-"),
        ("STRICT", "tcp", Transport.TLS, "-"),
        ("DISABLE", "http", Transport.PLAINTEXT, "in"),
        ("DISABLE", "http", Transport.MTLS, "DPE"),
        ("DISABLE", "http", Transport.TLS, "DPE"),
        ("DISABLE", "tcp", Transport.MTLS, "-"),
        ("DISABLE", "tcp", Transport.TLS, "unknown"),
        ("DISABLE", "x", Transport.TLS, "unknown"),
    ],
)
def test_handshakes(mode: str, protocol: str, transport: Transport, expected: str) -> None:
    service = SERVICE % ("a", "app: a", f"{{name: {protocol}, port: 8080}}")
    outcome = admitted(service, peer(f"{{mtls: {{mode: {mode}}}}}"), transport=transport)
    assert word(outcome) == expected
    if isinstance(outcome, Failed):
        assert (outcome.status, outcome.details) == (None, "connection refused by mutual TLS")
        assert [(r.id.name if r.id else "", r.text) for r in outcome.why] == [
            ("p", f"mutual TLS is {mode}")
        ]


@pytest.mark.parametrize(
    ("domain", "aliases", "world", "expected"),
    [
        ("cluster.local", (), World.CLOSED, "in"),
        ("old.td", (), World.CLOSED, "-"),
        ("old.td", ("old.td",), World.CLOSED, "in"),
        # Elsewhere the mesh may say more.
        ("old.td", (), World.OPEN, "unknown"),
    ],
)
def test_names_of_the_mesh_s_trust_domains_count(
    domain: str, aliases: tuple[str, ...], world: World, expected: str
) -> None:
    """`TrustDomainsForValidation`."""
    state = mesh(NOBODY, world=world, trust_domain_aliases=aliases)
    request = Request("a.shop", principal=f"{domain}/ns/web/sa/default")
    assert word(admit(state, request, SERVER, Transport.MTLS)) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, Transport.PLAINTEXT),
        ({"scheme": "tcp"}, Transport.PLAINTEXT),
        ({"scheme": "https"}, Transport.TLS),
        ({"scheme": "tls"}, Transport.TLS),
        ({"scheme": "https", "principal": ME}, Transport.MTLS),
    ],
)
def test_what_is_spoken_follows_from_the_request(
    stated: dict[str, str], expected: Transport
) -> None:
    assert transport_of(Request("a.shop", **stated)) is expected  # type: ignore[arg-type]


def test_a_mode_of_nobody_has_nobody_to_name() -> None:
    outcome = admitted(
        SERVICE % ("a", "app: a", "{name: http, port: 8080}"), transport=Transport.TLS
    )
    assert [(r.id, r.text) for r in outcome.why] == [(None, "mutual TLS is PERMISSIVE")]


@pytest.mark.parametrize(
    ("texts", "protocol"),
    [
        ([], Protocol.SNIFFED),
        ([SERVICE % ("a", "app: a", "{name: http, port: 8080}")], Protocol.HTTP),
        ([SERVICE % ("a", "app: a", "{name: http, port: 80, targetPort: 8080}")], Protocol.HTTP),
        ([SERVICE % ("a", "app: a", "{name: http, port: 8080, targetPort: 80}")], Protocol.SNIFFED),
        ([SERVICE % ("a", "app: x", "{name: http, port: 8080}")], Protocol.SNIFFED),
        (
            [SERVICE % ("a", "app: a", "{name: http, port: 1}, {name: tcp, port: 8080}")],
            Protocol.TCP,
        ),
        # The oldest Service on the port, here the first by name.
        (
            [
                SERVICE % ("b", "app: a", "{name: http, port: 8080}"),
                SERVICE % ("a", "app: a", "{name: tcp, port: 8080}"),
            ],
            Protocol.TCP,
        ),
        # The listeners of a Sidecar take the place of the Services.
        (
            [
                SERVICE % ("a", "app: a", "{name: http, port: 8080}"),
                policy(
                    "{ingress: [{port: {number: 8080, protocol: TCP, name: x}}, {port: {number: 1, protocol: GRPC, name: y}}]}",
                    kind="Sidecar",
                ),
            ],
            Protocol.TCP,
        ),
        (
            [
                SERVICE % ("a", "app: a", "{name: http, port: 8080}"),
                policy("{ingress: [{port: {number: 1, protocol: GRPC, name: y}}]}", kind="Sidecar"),
            ],
            Protocol.SNIFFED,
        ),
        (
            [
                SERVICE % ("a", "app: a", "{name: http, port: 8080}"),
                policy("{egress: [{hosts: ['*/*']}]}", kind="Sidecar"),
            ],
            Protocol.HTTP,
        ),
    ],
)
def test_the_protocol_of_a_port(texts: list[str], protocol: Protocol) -> None:
    found = Inbound(mesh("---".join(texts) or NOBODY), SERVER)
    assert found.protocol is protocol


def test_a_named_port_is_that_of_the_pods() -> None:
    pods = """
kind: Deployment
metadata: {name: a, namespace: shop}
spec: {template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]}}}
"""
    service = SERVICE % ("a", "app: a", "{name: grpc, port: 80, targetPort: web}")
    assert Inbound(mesh(f"{pods}---{service}"), SERVER).protocol is Protocol.GRPC


ALLOW_GET = policy("{rules: [{to: [{operation: {methods: [GET]}}]}]}", "get")
DENY_PORT = policy("{action: DENY, rules: [{to: [{operation: {ports: ['8080']}}]}]}", "port")


@pytest.mark.parametrize(
    ("name", "scheme", "expected"),
    [
        # Rules about HTTP let nobody into what is not read.
        ("http", "http", "in"),
        ("x", "http", "in"),
        ("tcp", "http", "denied"),
        ("http", "tcp", "denied"),
        ("x", "tls", "denied"),
    ],
)
def test_what_is_read_has_methods(name: str, scheme: str, expected: str) -> None:
    service = SERVICE % ("a", "app: a", f"{{name: {name}, port: 8080}}")
    assert word(admitted(service, ALLOW_GET, scheme=scheme)) == expected
    assert word(admitted(service, DENY_PORT, scheme=scheme)) == "denied"


def by(source: str) -> str:
    return policy(f"{{rules: [{{from: [{{source: {{{source}}}}}]}}]}}")


def when(key: str, values: str) -> str:
    return policy(f"{{rules: [{{when: [{{key: {key}, values: [{values}]}}]}}]}}")


@pytest.mark.parametrize(
    ("text", "stated", "expected"),
    [
        # Addresses: that of the connection, or the last one of X-Forwarded-For.
        (by("ipBlocks: [10.0.0.1]"), {}, "in"),
        (by("ipBlocks: [10.0.0.2]"), {}, "denied"),
        (by("ipBlocks: [10.0.0.1]"), {"client_ip": None}, "unknown"),
        (by("ipBlocks: [10.0.0.1]"), {"client_ip": "somewhere"}, "unknown"),
        (by("ipBlocks: ['2001:db8::/32']"), {}, "denied"),
        (by("ipBlocks: [10.0.0.1]"), {"headers": {"x-forwarded-for": "10.0.0.2"}}, "in"),
        (by("remoteIpBlocks: [10.0.0.1]"), {}, "in"),
        (
            by("remoteIpBlocks: [10.0.0.2]"),
            {"headers": {"x-forwarded-for": "10.0.0.3, 10.0.0.2"}},
            "in",
        ),
        (
            by("remoteIpBlocks: [10.0.0.3]"),
            {"headers": {"x-forwarded-for": "10.0.0.3, 10.0.0.2"}},
            "denied",
        ),
        (by("remoteIpBlocks: [10.0.0.1]"), {"headers": {"x-forwarded-for": "x"}}, "unknown"),
        (by("remoteIpBlocks: [10.0.0.1]"), {"headers": {"x-forwarded-for": ""}}, "in"),
        (when("destination.ip", "10.0.0.1"), {}, "unknown"),
        # Names of the handshake.
        (when("connection.sni", "a.shop"), {"sni": "a.shop"}, "in"),
        (when("connection.sni", "b.shop"), {"sni": "a.shop"}, "denied"),
        (when("connection.sni", "a.shop"), {}, "unknown"),
        (when("'experimental.envoy.filters.a[b]'", "c"), {}, "unknown"),
        # Identities come with a certificate.
        (by(f"principals: [{ME}]"), {}, "in"),
        (by("principals: [cluster.local/ns/web/sa/you]"), {}, "denied"),
        (by("principals: ['*']"), {"principal": ""}, "denied"),
        (by("notPrincipals: ['*']"), {"principal": ""}, "in"),
        (by("serviceAccounts: [web/me]"), {}, "in"),
        (by("serviceAccounts: [me]"), {}, "denied"),
        (by("namespaces: [web], ipBlocks: [10.0.0.1]"), {"client_ip": None}, "unknown"),
        (by("namespaces: [x], ipBlocks: [10.0.0.1]"), {"client_ip": None}, "denied"),
        (by("notIpBlocks: [10.0.0.1]"), {"client_ip": None}, "unknown"),
        (by("ipBlocks: [10.0.0.1, 10.0.0.2]"), {}, "in"),
        (by("notIpBlocks: [10.0.0.1, 10.0.0.2]"), {}, "denied"),
    ],
)
def test_what_is_known_of_a_client(text: str, stated: dict[str, object], expected: str) -> None:
    assert word(admitted(text, **stated)) == expected


def test_plaintext_has_no_identity() -> None:
    text = by(f"principals: [{ME}]")
    assert word(admitted(text, transport=Transport.PLAINTEXT)) == "denied"


OPAQUE = "{source: {ipBlocks: [10.9.9.9]}}"
UNSURE = {"client_ip": None}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # CUSTOM, then DENY, then ALLOW; what is certain decides over what is not.
        ([policy(f"{{rules: [{{from: [{OPAQUE}]}}]}}")], "unknown"),
        ([policy(f"{{rules: [{{from: [{OPAQUE}]}}, {{}}]}}")], "in"),
        ([policy(f"{{rules: [{{}}, {{from: [{OPAQUE}]}}]}}")], "in"),
        ([policy(f"{{action: DENY, rules: [{{from: [{OPAQUE}]}}]}}")], "unknown"),
        ([policy(f"{{action: DENY, rules: [{{from: [{OPAQUE}]}}, {{}}]}}")], "denied"),
        ([policy(f"{{action: DENY, rules: [{{from: [{OPAQUE}]}}]}}"), policy("{}", "q")], "denied"),
        (
            [
                policy(f"{{action: DENY, rules: [{{from: [{OPAQUE}]}}]}}"),
                policy("{rules: [{}]}", "q"),
            ],
            "unknown",
        ),
        ([policy("{action: DENY, rules: [{}]}"), policy("{rules: [{}]}", "q")], "denied"),
        (
            [policy(f"{{rules: [{{from: [{OPAQUE}], to: [{{operation: {{methods: [PUT]}}}}]}}]}}")],
            "denied",
        ),
        ([policy("{rules: []}")], "denied"),
        ([policy("{action: DENY, rules: []}")], "in"),
    ],
)
def test_policies_together(texts: list[str], expected: str) -> None:
    assert word(admitted(*texts, **UNSURE)) == expected


def test_verdicts_name_rules() -> None:
    denied = admitted(policy("{action: DENY, rules: [{to: [{operation: {methods: [PUT]}}]}, {}]}"))
    assert isinstance(denied, Denied)
    assert (denied.status, denied.policy) == (403, "ns[shop]-policy[p]-rule[1]")
    assert [(r.id.name if r.id else "", r.text) for r in denied.why] == [
        ("p", "rules[1] denies the request")
    ]
    closed = admitted(policy("{}", "a"), policy("{}", "b"))
    assert isinstance(closed, Denied)
    assert closed.policy == "none"
    assert [(r.id.name if r.id else "", r.text) for r in closed.why] == [
        ("a", "allows other requests alone"),
        ("b", "allows other requests alone"),
    ]
    unsure = admitted(policy(f"{{rules: [{{from: [{OPAQUE}]}}]}}"), **UNSURE)
    assert isinstance(unsure, Unknown)
    assert (
        unsure.reason == "whether rules[0] of AuthorizationPolicy shop/p matches cannot be decided"
    )
    assert [r.text for r in unsure.why] == ["rules[0] cannot be decided"]


def custom(name: str, provider: str, rule: str = "{}") -> str:
    return policy(f"{{action: CUSTOM, provider: {{name: {provider}}}, rules: [{rule}]}}", name)


@pytest.mark.parametrize(
    ("texts", "known", "providers", "expected"),
    [
        ([custom("a", "opa")], False, (), "unknown"),
        ([custom("a", "opa")], True, ("opa",), "unknown"),
        # istiod denies where it does not know whom to ask.
        ([custom("a", "opa")], True, ("other",), "denied"),
        ([custom("a", "opa"), custom("b", "opa")], True, ("opa",), "unknown"),
        ([custom("a", "opa"), custom("b", "other")], True, ("opa", "other"), "denied"),
        ([custom("a", "opa", "{to: [{operation: {methods: [PUT]}}]}")], True, (), "in"),
    ],
)
def test_external_authorization(
    texts: list[str], known: bool, providers: tuple[str, ...], expected: str
) -> None:
    config = {"extension_providers_known": known, "authorization_providers": providers}
    state = mesh("---".join(texts), **config)
    outcome = admit(state, Request("a.shop", principal=ME), SERVER, Transport.MTLS)
    assert word(outcome) == expected
    if isinstance(outcome, Denied):
        assert outcome.policy == (
            "istio-ext-authz-ns[shop]-policy[a]-rule[0]-deny-due-to-bad-CUSTOM-action"
        )
        assert [r.text for r in outcome.why] == ["rules[0] denies the request"]
    if isinstance(outcome, Unknown):
        assert outcome.reason == "external authorization opa decides"
        assert [r.text for r in outcome.why] == ["rules[0] cannot be decided"]


def jwt(rules: str, name: str = "j") -> str:
    return policy(f"{{jwtRules: [{rules}]}}", name, "RequestAuthentication")


DEFAULT = [TokenPlace("header", "authorization", "Bearer "), TokenPlace("param", "access_token")]


@pytest.mark.parametrize(
    ("texts", "places"),
    [
        # `convertToEnvoyJwtConfig`: without any place the usual ones.
        ([], []),
        ([jwt("{issuer: a}")], DEFAULT),
        ([jwt("{issuer: a}, {issuer: b}")], DEFAULT),
        (
            [jwt("{fromHeaders: [{name: X}, {name: x-y, prefix: 'T '}]}")],
            [TokenPlace("header", "X"), TokenPlace("header", "x-y", "T ")],
        ),
        ([jwt("{fromParams: [a, b]}")], [TokenPlace("param", "a"), TokenPlace("param", "b")]),
        ([jwt("{fromCookies: [a]}")], [TokenPlace("cookie", "a")]),
        (
            [jwt("{fromCookies: [a], fromHeaders: [{name: x}], fromParams: [p]}")],
            [TokenPlace("header", "x"), TokenPlace("param", "p"), TokenPlace("cookie", "a")],
        ),
        (
            [jwt("{issuer: a}", "a"), jwt("{fromParams: [p]}", "b")],
            [*DEFAULT, TokenPlace("param", "p")],
        ),
    ],
)
def test_where_tokens_are_looked_for(texts: list[str], places: list[TokenPlace]) -> None:
    assert list(Inbound(mesh("---".join(texts) or NOBODY), SERVER).token_places) == places


def test_a_token_that_is_not_valid_is_refused_before_policies_are_asked() -> None:
    """`jwt_authn` comes before the filters of policies, which need not be reached."""
    texts = jwt("{issuer: a}"), policy("{action: DENY, rules: [{}]}", "deny")
    words = [
        [r.text for r in admitted(*texts, headers=headers).why]
        for headers in ({"authorization": "Bearer x"}, {"authorization": "Basic x"})
    ]
    before = "refuses a token that is not valid before that, with 401"
    assert words == [[before, "rules[0] denies the request"], ["rules[0] denies the request"]]


def test_a_token_may_be_refused_unless_somebody_else_decides() -> None:
    token = {"headers": {"authorization": "Bearer x"}}
    outcome = admitted(jwt("{issuer: a}"), **token)
    assert isinstance(outcome, Unknown)
    assert outcome.reason == "whether the token is valid is not known"
    assert word(admitted(jwt("{issuer: a}"))) == "in"
    assert (
        word(admitted(jwt("{issuer: a}"), policy("{action: DENY, rules: [{}]}"), **token))
        == "denied"
    )
    unsure = admitted(
        jwt("{issuer: a}"), policy(f"{{rules: [{{from: [{OPAQUE}]}}]}}"), **token, **UNSURE
    )
    assert isinstance(unsure, Unknown)
    assert unsure.reason.startswith("whether rules[0]")


def test_a_gateway_does_not_believe_what_is_forwarded() -> None:
    text = by("remoteIpBlocks: [10.0.0.1]")
    forwarded = {"headers": {"x-forwarded-for": "10.0.0.2", "x": "y"}}
    edge = Server("shop", {"app": "a"}, 8080, is_gateway=True)
    assert word(admitted(text, **forwarded)) == "denied"
    assert word(admitted(text, server=edge, **forwarded)) == "in"
    header = policy("{rules: [{when: [{key: 'request.headers[x]', values: [y]}]}]}")
    assert word(admitted(header, server=edge, **forwarded)) == "in"


def test_the_path_of_a_request_is_normalized_first() -> None:
    text = policy("{rules: [{to: [{operation: {paths: [/b]}}]}]}")
    assert word(admitted(text, path="/a/../b")) == "in"
    refused = admitted(text, path="/%00")
    assert isinstance(refused, Failed)
    assert (refused.status, refused.flag, refused.details) == (
        400,
        "-",
        "path_normalization_failed",
    )


def test_who_is_let_in_is_told_with_the_workload() -> None:
    outcome = admitted(path="/x", transport=Transport.PLAINTEXT)
    assert isinstance(outcome, Served)
    (only,) = outcome.backends
    assert (only.endpoint, only.host, only.port, only.path) == ("shop:8080", "a.shop", 8080, "/x")
    assert (only.authority, only.transport, only.weight) == ("a.shop", Transport.PLAINTEXT, 0)


def test_filters_leave_it_open() -> None:
    lua = policy("{configPatches: [{applyTo: HTTP_FILTER}]}", "lua", "EnvoyFilter")
    outcome = admitted(lua)
    assert isinstance(outcome, Unknown)
    assert (outcome.reason, [id_.name for id_ in outcome.opaque]) == (
        "EnvoyFilter shop/lua changes what the server does",
        ["lua"],
    )
    assert isinstance(outcome.otherwise, Served)


def test_servers_are_told_apart() -> None:
    keys = {
        Server("shop", {"a": "1", "b": "2"}, 80).key,
        Server("shop", {"b": "2", "a": "1"}, 80).key,
        Server("shop", {"a": "1"}, 80).key,
        Server("shop", {"a": "1", "b": "2"}, 81).key,
        Server("web", {"a": "1", "b": "2"}, 80).key,
        Server("shop", {"a": "1", "b": "2"}, 80, is_gateway=True).key,
    }
    assert len(keys) == 5
    assert {verdict.value for verdict in Verdict} == {"accepted", "denied", "refused", "unknown"}
