"""Servers and gateways that do not know whom to let in: with answers they know."""

import pytest

from meshplan.mesh.proxy import gateway
from meshplan.proof.assumptions import (
    NOTHING,
    AssumingInbounds,
    Assumptions,
    OpenQuestionError,
    decided,
    refuses_token,
    token_rules,
)
from meshplan.traffic import Request, Server
from meshplan.traffic.condition import PathCondition, Regex
from meshplan.traffic.inbound import Verdict
from meshplan.traffic.outcome import Denied, Failed, Outcome, Redirect, Transport
from meshplan.traffic.route import Front, Selected, front
from meshplan.traffic.table import Forward, Route, VirtualHost
from meshplan.traffic.tables import tables
from support.meshes import mesh

SERVER = Server("shop", {"app": "a"}, 8080)
ME = "cluster.local/ns/web/sa/me"
TOKEN = {"authorization": "Bearer x"}


def doc(kind: str, spec: str, name: str = "p", namespace: str = "shop") -> str:
    return f"kind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def policy(rules: str, action: str = "DENY", name: str = "p", namespace: str = "shop") -> str:
    provider = "provider: {name: ext}, " if action == "CUSTOM" else ""
    spec = f"{{action: {action}, {provider}rules: [{rules}]}}"
    return doc("AuthorizationPolicy", spec, name, namespace)


def service(port: str) -> str:
    return doc("Service", f"{{selector: {{app: a}}, ports: [{{name: {port}, port: 8080}}]}}", "a")


#: What nobody knows of a request.
UNKNOWN = "when: [{key: destination.ip, values: [10.0.0.1]}]"
TOKENS = doc("RequestAuthentication", "{jwtRules: [{issuer: me}]}")
OTHER_TOKENS = doc("RequestAuthentication", "{jwtRules: [{issuer: you}]}", "q")
CLAIM = "when: [{key: 'request.auth.claims[group]', values: [x]}]"
IN, OUT = (Verdict.ACCEPTED, ""), (Verdict.DENIED, "assumed")
GOOD = "the token is good"
P = "AuthorizationPolicy shop/p"


def told(outcome: tuple[Verdict, str], *words: str) -> tuple[tuple[Verdict, str], tuple[str, ...]]:
    return outcome, words


@pytest.mark.parametrize(
    ("texts", "stated", "transport", "expected"),
    [
        # What is known is not asked about.
        ([policy("{to: [{operation: {ports: ['8080']}}]}")], {}, "mtls", {told((Verdict.DENIED, "ns[shop]-policy[p]-rule[0]"))}),
        ([policy(f"{{to: [{{operation: {{ports: ['81']}}}}], {UNKNOWN}}}")], {}, "mtls", {told(IN)}),
        ([policy(f"{{to: [{{operation: {{ports: ['8080']}}}}], {UNKNOWN}}}")], {}, "mtls",
         {told(OUT, f"{P} matches"), told(IN, f"not: {P} matches")}),
        ([policy(f"{{{UNKNOWN}}}", "ALLOW")], {}, "mtls", {told(IN, f"{P} matches"), told(OUT, f"not: {P} matches")}),
        ([policy("{}", "CUSTOM")], {}, "mtls",
         {told(IN, f"{P} lets the request in"), told(OUT, f"not: {P} lets the request in")}),
        # Only mutual TLS shows who it is.
        ([policy(f"{{from: [{{source: {{namespaces: [web]}}}}], {UNKNOWN}}}")], {}, "mtls",
         {told(OUT, f"{P} matches"), told(IN, f"not: {P} matches")}),
        ([policy(f"{{from: [{{source: {{namespaces: [web]}}}}], {UNKNOWN}}}")], {}, "plaintext", {told(IN)}),
        ([policy(f"{{from: [{{source: {{namespaces: [web]}}}}], {UNKNOWN}}}, {{{UNKNOWN.replace('.1]', '.2]')}}}")], {}, "plaintext",
         {told(OUT, f"{P} matches"), told(IN, f"not: {P} matches")}),
        # Of a connection nobody reads what a request says; such a rule of an ALLOW is left out.
        ([policy(f"{{to: [{{operation: {{methods: [GET]}}}}]}}, {{{UNKNOWN}}}", "ALLOW"), service("http")], {}, "mtls", {told(IN)}),
        *(
            ([policy(f"{{to: [{{operation: {{methods: [GET]}}}}]}}, {{{UNKNOWN}}}", "ALLOW"), service(port)], {"scheme": scheme}, "mtls",
             {told(IN, f"{P} matches"), told(OUT, f"not: {P} matches")})
            for port, scheme in (("tcp", "http"), ("http", "tcp"))
        ),
        # TLS that goes through to the application.
        ([service("tcp")], {}, "tls", {told(IN, "the server lets the request in"), told(OUT, "not: the server lets the request in")}),
        # Tokens are looked at where there are some, and policies only after them.
        ([TOKENS], {}, "mtls", {told(IN)}),
        ([TOKENS], {"headers": TOKEN}, "mtls", {told(IN, GOOD), told((Verdict.DENIED, "jwt"), f"not: {GOOD}")}),
        ([TOKENS], {"path": "/?access_token=x"}, "mtls", {told(IN, GOOD), told((Verdict.DENIED, "jwt"), f"not: {GOOD}")}),
        # Who is not even listened to has shown no token.
        ([TOKENS, doc("PeerAuthentication", "{mtls: {mode: STRICT}}")], {"headers": TOKEN}, "plaintext", {told((Verdict.REFUSED, ""))}),
        ([TOKENS, OTHER_TOKENS], {"headers": TOKEN}, "mtls", {told(IN, GOOD), told((Verdict.DENIED, "jwt"), f"not: {GOOD}")}),
        ([TOKENS, policy(f"{{{CLAIM}}}")], {}, "mtls", {told(IN)}),
        ([TOKENS, policy(f"{{{CLAIM}}}")], {"headers": TOKEN}, "mtls",
         {told((Verdict.DENIED, "jwt"), f"not: {GOOD}"), told(OUT, GOOD, f"{P} matches"), told(IN, GOOD, f"not: {P} matches")}),
        ([TOKENS, policy("{to: [{operation: {methods: [PUT]}}]}")], {"headers": TOKEN}, "mtls", {told(IN, GOOD), told((Verdict.DENIED, "jwt"), f"not: {GOOD}")}),
    ],
)  # fmt: skip
def test_what_servers_say_with_answers(
    texts: list[str],
    stated: dict[str, object],
    transport: str,
    expected: set[tuple[tuple[Verdict, str], tuple[str, ...]]],
) -> None:
    state = mesh("\n---\n".join(texts))
    request = Request("a.shop", **stated)  # type: ignore[arg-type]

    def ask(assumptions: Assumptions) -> tuple[Verdict, str]:
        inbounds = AssumingInbounds(state, tables(state).inbound, assumptions, {})
        found = inbounds.of(SERVER).admit(request, Transport(transport), ME)
        return found.verdict, found.policy

    assert said(ask) == expected


def said(ask: object, assumptions: Assumptions = NOTHING) -> set[tuple[object, tuple[str, ...]]]:
    """All that is said, with the answers that it takes."""
    assert callable(ask)
    try:
        return {(ask(assumptions), assumptions.words)}
    except OpenQuestionError as found:
        return {one for more in assumptions.with_answers(found) for one in said(ask, more)}


EDGE = gateway("edge", {"istio": "x"})
ROUTES = """kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {selector: {istio: x}, servers: [{port: {number: 8080, name: p, protocol: HTTP}, hosts: ["*"]}]}
---
kind: VirtualService
metadata: {name: v, namespace: edge}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /x}}]
    redirect: {uri: /y}
"""
EDGE_P = "AuthorizationPolicy edge/p"


def at_edge(rules: str, action: str = "DENY") -> str:
    return policy(rules, action, namespace="edge")


def how(outcome: Selected | Outcome) -> object:
    if isinstance(outcome, Selected):
        return "routed"
    match outcome:
        case Denied(status, policy):
            return status, policy
        case Failed(404):
            return "no route"
        case Redirect(301, location):
            return location
        case _:
            raise AssertionError(outcome)


EDGE_TOKENS = doc("RequestAuthentication", "{jwtRules: [{issuer: me}]}", namespace="edge")


@pytest.mark.parametrize(
    ("texts", "stated", "expected"),
    [
        ([], {}, {("routed", ())}),
        ([], {"path": "/a"}, {("no route", ())}),
        ([at_edge("{to: [{operation: {methods: [GET]}}]}")], {}, {((403, "ns[edge]-policy[p]-rule[0]"), ())}),
        *(
            ([at_edge(f"{{{more}{UNKNOWN}}}")], {},
             {((403, "assumed"), (f"{EDGE_P} matches",)), ("routed", (f"not: {EDGE_P} matches",))})
            for more in ("", "to: [{operation: {ports: ['8080']}}], ", "to: [{operation: {paths: [/x]}}], ", "to: [{operation: {hosts: [a.example]}}], ")
        ),
        ([at_edge(f"{{to: [{{operation: {{ports: ['80']}}}}], {UNKNOWN}}}")], {}, {("routed", ())}),
        # Whoever is let in may have no route all the same.
        ([at_edge(f"{{{UNKNOWN}}}")], {"path": "/a"},
         {((403, "assumed"), (f"{EDGE_P} matches",)), ("no route", (f"not: {EDGE_P} matches",))}),
        # A gateway does not believe where somebody says that a request is from.
        ([at_edge(f"{{from: [{{source: {{remoteIpBlocks: [10.0.0.0/8]}}}}], {UNKNOWN}}}")],
         {"headers": {"x-forwarded-for": "10.0.0.1"}, "client_ip": "192.0.2.1"}, {("routed", ())}),
        ([at_edge(f"{{from: [{{source: {{remoteIpBlocks: [10.0.0.0/8]}}}}], {UNKNOWN}}}")],
         {"headers": {"x-forwarded-for": "192.0.2.1"}, "client_ip": "10.0.0.1"},
         {((403, "assumed"), (f"{EDGE_P} matches",)), ("routed", (f"not: {EDGE_P} matches",))}),
        ([at_edge(f"{{when: [{{key: 'request.headers[x-v]', values: ['1']}}, {UNKNOWN[7:-1]}]}}")],
         {"headers": {"x-v": "1"}},
         {((403, "assumed"), (f"{EDGE_P} matches",)), ("routed", (f"not: {EDGE_P} matches",))}),
        ([EDGE_TOKENS], {}, {("routed", ())}),
        ([EDGE_TOKENS], {"headers": TOKEN}, {("routed", (GOOD,)), ((401, "jwt"), (f"not: {GOOD}",))}),
        ([EDGE_TOKENS, at_edge(f"{{{CLAIM}}}")], {"headers": TOKEN},
         {((401, "jwt"), (f"not: {GOOD}",)), ((403, "assumed"), (GOOD, f"{EDGE_P} matches")), ("routed", (GOOD, f"not: {EDGE_P} matches"))}),
    ],
)  # fmt: skip
def test_what_gateways_say_with_answers(
    texts: list[str],
    stated: dict[str, object],
    expected: set[tuple[object, tuple[str, ...]]],
) -> None:
    state = mesh("\n---\n".join((ROUTES, *texts)))
    request = Request("a.example", port=8080, **{"path": "/x", **stated})  # type: ignore[arg-type]
    rules = token_rules(state, EDGE.namespace, EDGE.labels)
    found = front(state, request, EDGE)
    assert said(lambda a: how(decided(found, request, a, rules))) == expected


@pytest.mark.parametrize(
    ("server", "path", "expected"),
    [
        ('hosts: ["*"], tls: {httpsRedirect: true}', "/x", "https://a.example/x"),
        ('hosts: ["*"], tls: {httpsRedirect: true}', "/a", "https://a.example/a"),
        ("hosts: [b.example]", "/x", "no route"),
    ],
)
def test_who_is_let_in_is_sent_on(server: str, path: str, expected: str) -> None:
    """To the secure port before any route is looked for, or nowhere if there is no such host."""
    texts = (ROUTES.replace('hosts: ["*"]}', f"{server}}}"), at_edge(f"{{{UNKNOWN}}}"))
    state = mesh("\n---\n".join((*texts, EDGE_TOKENS)))
    rules = token_rules(state, EDGE.namespace, EDGE.labels)
    for headers, words in (({}, ()), (TOKEN, (GOOD,))):
        request = Request("a.example", port=8080, path=path, headers=headers)
        found = front(state, request, EDGE)
        told = said(lambda a: how(decided(found, request, a, rules)))  # noqa: B023
        assert (expected, (*words, f"not: {EDGE_P} matches")) in told
        assert ((403, "assumed"), (*words, f"{EDGE_P} matches")) in told
        assert len(told) == (3 if headers else 2)


def test_over_tls_nobody_is_sent_to_it() -> None:
    unsure = Route((PathCondition(Regex("(?=x)")),), Forward(()), None)
    host = Front(VirtualHost("a", (unsure,), require_tls=True))
    assert isinstance(decided(host, Request("a"), NOTHING), Redirect)
    with pytest.raises(OpenQuestionError):
        decided(host, Request("a", scheme="https"), NOTHING)


def test_without_rules_no_token_is_refused() -> None:
    inbound = tables(mesh(TOKENS)).inbound.of(SERVER)
    request = Request("a.shop", headers=TOKEN)
    assert not refuses_token(inbound, (), request, NOTHING)
    with pytest.raises(OpenQuestionError):
        refuses_token(inbound, ("x",), request, NOTHING)
    assert not refuses_token(inbound, ("x",), Request("a.shop"), NOTHING)
