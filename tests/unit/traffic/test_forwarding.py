"""From a route to backends: what becomes of a request on its way, and what is told of it."""

import pytest

from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.traffic import Request, Server, route
from meshplan.traffic.outcome import (
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from support.meshes import ask, endpoints, failure, mesh

REVIEWS = "reviews.shop.svc.cluster.local"
SHOP = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews%s}}, spec: {containers: [{name: a}]}}}
"""
PLAIN = SHOP % ""
BARE = SHOP % ", sidecar.istio.io/inject: 'false'"
POD = "Deployment shop/reviews:8080"


def rule(body: str, kind: str = "http", hosts: str = "reviews") -> str:
    return f"""
kind: VirtualService
metadata: {{name: v, namespace: shop}}
spec: {{hosts: [{hosts}], {kind}: [{{{body}}}]}}
"""


def policy(spec: str, kind: str = "DestinationRule", name: str = "d") -> str:
    return f"\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"


def tls(mode: str) -> str:
    return policy(f"{{host: reviews, trafficPolicy: {{tls: {{mode: {mode}}}}}}}")


def peer(mode: str) -> str:
    return policy(f"{{mtls: {{mode: {mode}}}}}", "PeerAuthentication")


TO = "route: [{destination: {host: reviews}}]"


def sent(
    *texts: str, url: str = "http://reviews.shop/", client: Proxy | None = None, **headers: str
) -> Outcome:
    return ask(mesh("---".join(texts)), url, client, **headers)


def told(outcome: Outcome) -> list[tuple[str, str]]:
    return [(reason.id.name if reason.id else "", reason.text) for reason in outcome.why]


# Backends.


def test_a_backend_says_all_that_is_known_of_it() -> None:
    outcome = sent(PLAIN, rule(TO), url="http://reviews.shop/a?b")
    assert outcome == Served(
        (Backend(POD, REVIEWS, "", 80, 0, "/a?b", "reviews.shop", Transport.MTLS),)
    )
    assert told(outcome) == [("v", "http[0] matches prefix /"), ("reviews", f"declares {REVIEWS}")]


@pytest.mark.parametrize(
    ("body", "authority"),
    [
        (TO, "reviews.shop"),
        (f"rewrite: {{authority: r.com}}, {TO}", "r.com"),
        (f"headers: {{request: {{set: {{host: h.com}}}}}}, {TO}", "h.com"),
        (
            "route: [{destination: {host: reviews}, headers: {request: {set: {host: d.com}}}}]",
            "d.com",
        ),
        (
            "rewrite: {authority: r.com}, route: [{destination: {host: reviews}, headers: {request: {set: {host: d.com}}}}]",
            "r.com",
        ),
    ],
)
def test_the_authority_that_a_backend_sees(body: str, authority: str) -> None:
    outcome = sent(PLAIN, rule(body))
    assert isinstance(outcome, Served)
    assert [backend.authority for backend in outcome.backends] == [authority]


def test_policies_of_a_server_see_the_request_as_it_was_rewritten() -> None:
    only = policy(
        "{rules: [{to: [{operation: {paths: [/new/x], hosts: [r.com]}}]}]}", "AuthorizationPolicy"
    )
    rewritten = rule(
        f"match: [{{uri: {{prefix: /old}}}}], rewrite: {{uri: /new, authority: r.com}}, {TO}"
    )
    assert isinstance(sent(PLAIN, only, rewritten, url="http://reviews.shop/old/x"), Served)
    assert sent(PLAIN, only, rewritten, url="http://reviews.shop/old/y") == Denied(403, "none")


def test_a_client_is_known_by_its_namespace_and_account() -> None:
    only = policy(
        "{rules: [{from: [{source: {principals: [td/ns/web/sa/default]}}]}]}", "AuthorizationPolicy"
    )
    state = mesh(f"{PLAIN}---{only}", trust_domain="td")
    assert isinstance(ask(state, "http://reviews.shop/", sidecar("web")), Served)
    assert ask(state, "http://reviews.shop/", sidecar("other")) == Denied(403, "none")
    named = Proxy(sidecar("web").kind, "web", {}, "special")
    assert ask(state, "http://reviews.shop/", named) == Denied(403, "none")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # Who speaks what to whom; without a sidecar a pod knows no mutual TLS of the mesh.
        ([PLAIN, tls("DISABLE")], Transport.PLAINTEXT),
        ([PLAIN, tls("ISTIO_MUTUAL")], Transport.MTLS),
        ([PLAIN, tls("ISTIO_MUTUAL"), peer("DISABLE")], (503, "URX,UF")),
        ([PLAIN, tls("DISABLE"), peer("STRICT")], (503, "UC")),
        ([PLAIN, tls("SIMPLE")], (503, "URX,UF")),
        ([BARE], Transport.PLAINTEXT),
        ([BARE, tls("DISABLE")], Transport.PLAINTEXT),
        ([BARE, tls("ISTIO_MUTUAL")], (503, "URX,UF")),
        ([BARE, tls("SIMPLE")], Transport.TLS),
        # Nobody is there to ask for it.
        ([BARE, peer("STRICT")], Transport.PLAINTEXT),
    ],
)
def test_what_is_spoken_has_to_be_understood(
    texts: list[str], expected: Transport | tuple[int, str]
) -> None:
    outcome = sent(*texts)
    if isinstance(expected, tuple):
        assert failure(outcome) == expected
    else:
        assert isinstance(outcome, Served)
        assert {backend.transport for backend in outcome.backends} == {expected}


def test_a_pod_without_sidecar_is_named_as_the_reason() -> None:
    assert ("reviews", "has no sidecar, so no mutual TLS") in told(sent(BARE, tls("ISTIO_MUTUAL")))


ENTRY = """
kind: ServiceEntry
metadata: {name: e, namespace: shop}
spec:
  hosts: [a.com]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  %s
"""
WRITTEN = ENTRY % "endpoints: [{address: 10.0.0.1, labels: {app: x}}]"
SELECTED = ENTRY % "workloadSelector: {labels: {app: x}}"
MACHINE = """
kind: WorkloadEntry
metadata: {name: vm, namespace: shop}
spec: {address: 10.0.0.1, labels: {app: x}}
"""
MUTUAL = policy("{host: a.com, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}")
INGRESS = """
kind: Sidecar
metadata: {name: s, namespace: shop}
spec:
  %s
  ingress: [{port: {number: %s, protocol: HTTP, name: p}, defaultEndpoint: 127.0.0.1:1}]
"""
STRICT = peer("STRICT")
CHOSEN = "workloadSelector: {labels: {app: x}}"


@pytest.mark.parametrize(
    ("texts", "served"),
    [
        # A written endpoint says nothing about what stands there, unless a Sidecar takes its port.
        ([WRITTEN, MUTUAL], True),
        ([SELECTED, MACHINE, MUTUAL], True),
        ([WRITTEN, STRICT], True),
        ([WRITTEN, STRICT, INGRESS % (CHOSEN, 80)], False),
        ([SELECTED, MACHINE, STRICT, INGRESS % (CHOSEN, 80)], False),
        ([WRITTEN, STRICT, INGRESS % (CHOSEN, 81)], True),
        ([WRITTEN, STRICT, INGRESS % ("workloadSelector: {labels: {app: y}}", 80)], True),
        ([WRITTEN, STRICT, INGRESS % ("", 80)], True),
        ([WRITTEN, STRICT, INGRESS % ("workloadSelector: {labels: {}}", 80)], True),
        ([WRITTEN, INGRESS % (CHOSEN, 80)], True),
    ],
)
def test_written_endpoints_have_a_proxy_where_a_sidecar_says_so(
    texts: list[str], served: bool
) -> None:
    outcome = sent(*texts, url="http://a.com/")
    if served:
        assert endpoints(outcome) == ["10.0.0.1:80"]
    else:
        assert failure(outcome) == (503, "UC")


@pytest.mark.parametrize(
    ("retries", "plain", "mutual"),
    [
        # What of `retryOn` tries a connection again that was refused (UF) or closed (UC).
        ("", "UC", "URX,UF"),
        ("retries: {attempts: 0}, ", "UC", "UF"),
        ("retries: {attempts: 1, retryOn: 5xx}, ", "URX,UC", "URX,UF"),
        ("retries: {attempts: 1, retryOn: gateway-error}, ", "URX,UC", "URX,UF"),
        ("retries: {attempts: 1, retryOn: reset}, ", "URX,UC", "URX,UF"),
        ("retries: {attempts: 1, retryOn: reset-before-request}, ", "UC", "URX,UF"),
        ("retries: {attempts: 1, retryOn: connect-failure}, ", "UC", "URX,UF"),
        ("retries: {attempts: 1, retryOn: retriable-4xx}, ", "UC", "UF"),
    ],
)
def test_what_was_tried_again_says_so(retries: str, plain: str, mutual: str) -> None:
    routed = rule(f"{retries}{TO}")
    assert failure(sent(PLAIN, routed, tls("DISABLE"), peer("STRICT"))) == (503, plain)
    assert failure(sent(PLAIN, routed, tls("ISTIO_MUTUAL"), peer("DISABLE"))) == (503, mutual)


# Failures, and what is told of them.


@pytest.mark.parametrize(
    ("texts", "flag", "details", "why"),
    [
        (
            [PLAIN, rule("route: [{destination: {host: gone}}]")],
            "NC",
            "cluster_not_found",
            "there is no cluster outbound|80||gone.shop.svc.cluster.local: the host gone.shop.svc.cluster.local is not known",
        ),
        (
            [PLAIN, rule("route: [{destination: {host: reviews, port: {number: 81}}}]")],
            "NC",
            "cluster_not_found",
            f"there is no cluster outbound|81||{REVIEWS}: Service shop/reviews has no port 81",
        ),
        (
            [PLAIN, rule("route: [{destination: {host: reviews, subset: v1}}]")],
            "NC",
            "cluster_not_found",
            f"there is no cluster outbound|80|v1|{REVIEWS}: no DestinationRule that counts here has a subset v1",
        ),
        (
            [
                ENTRY.replace("STATIC", "DNS") % "workloadSelector: {labels: {app: x}}",
                rule("route: [{destination: {host: a.com}}]", hosts="a.com"),
            ],
            "NC",
            "cluster_not_found",
            "there is no cluster outbound|80||a.com: ServiceEntry shop/e makes none",
        ),
        (
            [PLAIN.partition("---")[0]],
            "UH",
            "no_healthy_upstream",
            f"outbound|80||{REVIEWS} has no endpoints",
        ),
        (
            [PLAIN, tls("DISABLE"), STRICT],
            "UC",
            "upstream_reset_before_response_started",
            "mutual TLS is STRICT",
        ),
        (
            [PLAIN, tls("ISTIO_MUTUAL"), peer("DISABLE")],
            "URX,UF",
            "upstream_reset_before_response_started",
            "mutual TLS is DISABLE",
        ),
        (
            [PLAIN, tls("ISTIO_MUTUAL"), peer("DISABLE"), rule("retries: {attempts: 0}, " + TO)],
            "UF",
            "upstream_reset_before_response_started",
            "mutual TLS is DISABLE",
        ),
        (
            [
                PLAIN,
                rule(f"fault: {{abort: {{httpStatus: 503, percentage: {{value: 100}}}}}}, {TO}"),
            ],
            "FI",
            "fault_filter_abort",
            f"declares {REVIEWS}",
        ),
    ],
)
def test_failures_say_why(texts: list[str], flag: str, details: str, why: str) -> None:
    outcome = sent(*texts, url="http://a.com/" if "a.com" in texts[0] else "http://reviews.shop/")
    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.flag, outcome.details) == (503, flag, details)
    assert why in [text for _, text in told(outcome)]
    assert {(b.kind, b.status, b.flag) for b in outcome.backends} == {("error", 503, flag)}


def test_rules_that_shape_a_cluster_are_named() -> None:
    subsets = policy(
        "{host: reviews, subsets: [{name: v1, labels: {app: reviews}}]}", name="subsets"
    )
    more = policy(
        "{host: reviews, trafficPolicy: {connectionPool: {}, tls: {mode: ISTIO_MUTUAL}}}",
        name="settings",
    )
    outcome = sent(
        PLAIN, subsets, more, rule("route: [{destination: {host: reviews, subset: v1}}]")
    )
    assert isinstance(outcome, Served)
    assert told(outcome)[1:] == [
        ("reviews", f"declares {REVIEWS}"),
        ("settings", "shapes the cluster"),
        ("subsets", "defines subset v1"),
    ]
    # What is spoken is told with the backends; all else is a setting on the way.
    assert outcome.policy == {f"outbound|80|v1|{REVIEWS}": '{"connectionPool":{}}'}
    bare = sent(PLAIN, tls("ISTIO_MUTUAL"))
    assert isinstance(bare, Served)
    assert bare.policy == {}


DENY_ALL = policy("{}", "AuthorizationPolicy", "deny")


def test_a_denial_is_one_if_all_backends_deny() -> None:
    assert sent(PLAIN, DENY_ALL) == Denied(403, "none")
    split = rule(
        "route: [{destination: {host: reviews}, weight: 1}, {destination: {host: gone}, weight: 1}]"
    )
    outcome = sent(PLAIN, DENY_ALL, split)
    assert isinstance(outcome, Served)
    assert [(b.kind, b.status, b.flag) for b in outcome.backends] == [
        ("denied", 403, "-"),
        ("error", 503, "NC"),
    ]
    assert not outcome.wholly


def test_failures_of_one_kind_are_one() -> None:
    def split(one: str, other: str) -> Outcome:
        body = f"route: [{{destination: {{host: {one}}}, weight: 1}}, {{destination: {{host: {other}}}, weight: 1}}]"
        return sent(PLAIN.partition("---")[0], rule(body))

    assert failure(split("gone", "away")) == (503, "NC")
    mixed = split("gone", "reviews")
    assert isinstance(mixed, Served)
    assert [backend.flag for backend in mixed.backends] == ["NC", "UH"]


@pytest.mark.parametrize(
    ("abort", "expected"),
    [
        ("httpStatus: 418", [("served", 200, "-")]),
        ("httpStatus: 418, percentage: {value: 0}", [("served", 200, "-")]),
        ("httpStatus: 418, percentage: {value: 0.5}", [("served", 200, "-"), ("error", 418, "FI")]),
        ("httpStatus: 418, percentage: {value: 100}", None),
        (
            "grpcStatus: UNAVAILABLE, percentage: {value: 50}",
            [("served", 200, "-"), ("error", 200, "FI")],
        ),
    ],
)
def test_faults_hit_some_or_all(abort: str, expected: list[tuple[str, int, str]] | None) -> None:
    outcome = sent(PLAIN, rule(f"fault: {{abort: {{{abort}}}}}, {TO}"))
    if expected is None:
        assert failure(outcome) == (418, "FI")
        assert [b.endpoint for b in outcome.backends] == [""]  # type: ignore[union-attr]
    else:
        assert isinstance(outcome, Served)
        assert [(b.kind, b.status, b.flag) for b in outcome.backends] == expected


@pytest.mark.parametrize(
    ("action", "plain"),
    [
        ("directResponse: {status: 200}", Direct(200)),
        ("redirect: {uri: /x}", Redirect(301, "http://reviews.shop/x")),
    ],
)
@pytest.mark.parametrize(("percent", "kind"), [(0, "plain"), (50, "unknown"), (100, "failed")])
def test_faults_come_before_answers_of_the_proxy(
    action: str, plain: Outcome, percent: int, kind: str
) -> None:
    outcome = sent(
        PLAIN,
        rule(f"fault: {{abort: {{httpStatus: 418, percentage: {{value: {percent}}}}}}}, {action}"),
    )
    if kind == "plain":
        assert outcome == plain
    elif kind == "failed":
        assert failure(outcome) == (418, "FI")
    else:
        assert isinstance(outcome, Unknown)
        assert outcome.reason == "a fault hits some of the requests"
    assert told(outcome)[0][0] == "v"


def test_a_route_to_nobody_has_no_cluster() -> None:
    assert failure(sent(PLAIN, rule("route: []"))) == (503, "NC")


def test_a_pattern_that_is_not_understood_is_unknown() -> None:
    matched = sent(PLAIN, rule(f"match: [{{uri: {{regex: '(?=x)'}}}}], {TO}"))
    assert isinstance(matched, Unknown)
    assert matched.reason == "whether http[0].match[0] matches regex (?=x) cannot be decided"
    rewritten = sent(
        PLAIN, rule(f"rewrite: {{uriRegexRewrite: {{match: '(?=x)', rewrite: y}}}}, {TO}")
    )
    assert isinstance(rewritten, Unknown)
    assert rewritten.reason == "the pattern of a rewrite is not understood"


# Preflights.


@pytest.mark.parametrize(
    ("cors", "method", "headers", "answered"),
    [
        (
            "{allowOrigins: [{exact: o}]}",
            "OPTIONS",
            {"origin": "o", "access_control_request_method": "GET"},
            True,
        ),
        (
            "{allowOrigins: [{exact: o}]}",
            "OPTIONS",
            {"origin": "p", "access_control_request_method": "GET"},
            False,
        ),
        ("{allowOrigins: [{exact: o}]}", "OPTIONS", {"origin": "o"}, False),
        (
            "{allowOrigins: [{exact: o}]}",
            "OPTIONS",
            {"access_control_request_method": "GET"},
            False,
        ),
        (
            "{allowOrigins: [{exact: o}]}",
            "GET",
            {"origin": "o", "access_control_request_method": "GET"},
            False,
        ),
        (
            "{allowOrigins: [{exact: a}, {prefix: o}]}",
            "OPTIONS",
            {"origin": "ox", "access_control_request_method": "GET"},
            True,
        ),
        (
            "{allowOrigins: [{regex: 'o.*'}]}",
            "OPTIONS",
            {"origin": "ox", "access_control_request_method": "GET"},
            True,
        ),
        (
            "{allowOrigin: [o]}",
            "OPTIONS",
            {"origin": "o", "access_control_request_method": "GET"},
            True,
        ),
        # The older field counts without the newer one alone.
        (
            "{allowOrigin: [o], allowOrigins: [{exact: p}]}",
            "OPTIONS",
            {"origin": "o", "access_control_request_method": "GET"},
            False,
        ),
        ("{}", "OPTIONS", {"origin": "o", "access_control_request_method": "GET"}, False),
        (
            "{unmatchedPreflights: IGNORE}",
            "OPTIONS",
            {"origin": "o", "access_control_request_method": "GET"},
            True,
        ),
        (
            "{unmatchedPreflights: FORWARD}",
            "OPTIONS",
            {"origin": "o", "access_control_request_method": "GET"},
            False,
        ),
    ],
)
def test_preflights_are_answered_for_allowed_origins(
    cors: str, method: str, headers: dict[str, str], answered: bool
) -> None:
    """Envoy's CORS filter; `TranslateCORSPolicy`."""
    state = mesh("---".join((PLAIN, rule(f"corsPolicy: {cors}, {TO}"))))
    outcome = ask(state, "http://reviews.shop/", None, method, **headers)
    if answered:
        assert outcome == Direct(200)
        assert told(outcome)[0][0] == "v"
    else:
        assert endpoints(outcome) == [POD]


# The original destination.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("resolution: NONE", Passthrough("a.com", 80, declared=True)),
    ],
)
def test_requests_may_go_where_the_client_dialled(text: str, expected: Passthrough) -> None:
    entry = ENTRY.replace("resolution: STATIC", text) % ""
    assert sent(entry, url="http://a.com/") == expected


def test_a_part_of_the_requests_may_pass() -> None:
    entry = ENTRY.replace("STATIC", "NONE") % ""
    split = rule(
        "route: [{destination: {host: reviews}, weight: 1}, {destination: {host: a.com}, weight: 1}]"
    )
    outcome = sent(PLAIN, entry, split)
    assert isinstance(outcome, Served)
    assert [b.endpoint for b in outcome.backends] == [POD, "original destination of a.com:80"]
    assert [(b.kind, b.weight) for b in outcome.backends] == [("served", 1), ("served", 1)]


HEADLESS = PLAIN.replace("spec: {selector", "spec: {clusterIP: None, selector")


def test_pods_of_a_headless_service_are_dialled_by_name() -> None:
    # Where nobody translates the port of the Service.
    assert endpoints(sent(HEADLESS)) == [f"{POD.rpartition(':')[0]}:80"]
    assert failure(sent(HEADLESS.partition("---")[0])) == (503, "UH")


# What is not known.


def test_what_may_change_a_request_is_named_once() -> None:
    lua = policy(
        "{configPatches: [{applyTo: HTTP_FILTER, match: {context: SIDECAR_INBOUND}, patch: {}}]}",
        "EnvoyFilter",
        "lua",
    )
    two = (
        SHOP % ""
        + "---"
        + (SHOP % "").partition("---")[2].replace("name: reviews,", "name: other,")
    )
    outcome = sent(two, lua)
    assert isinstance(outcome, Unknown)
    assert [id_.name for id_ in outcome.opaque] == ["lua"]
    assert outcome.reason == "EnvoyFilter shop/lua changes what happens on the way"
    assert isinstance(outcome.otherwise, Served)


def test_a_verdict_that_is_not_known_is_the_outcome() -> None:
    by_address = policy(
        "{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}", "AuthorizationPolicy"
    )
    tcp = PLAIN.replace("name: http", "name: tcp")
    assert isinstance(sent(tcp, by_address, url="tcp://reviews.shop:80"), Unknown)
    outcome = sent(PLAIN, by_address)
    assert isinstance(outcome, Unknown)
    assert (
        outcome.reason == "whether rules[0] of AuthorizationPolicy shop/d matches cannot be decided"
    )


def test_a_workload_may_be_named_that_stands_behind_all() -> None:
    state = mesh("---".join((BARE, STRICT, tls("DISABLE"))))
    request = Request("reviews.shop")
    assert isinstance(route(state, request, sidecar("web")), Served)
    behind = Server("shop", {"app": "reviews"}, 8080)
    assert failure(route(state, request, sidecar("web"), behind)) == (503, "UC")


# Connections have no status.


def test_a_connection_that_fails_has_no_status() -> None:
    tcp = PLAIN.replace("name: http", "name: tcp")
    assert failure(sent(tcp.partition("---")[0], url="tcp://reviews.shop:80")) == (None, "UH")
    assert failure(sent(tcp, tls("DISABLE"), STRICT, url="tcp://reviews.shop:80")) == (None, "UC")
    outcome = sent(tcp, url="tcp://reviews.shop:80")
    assert isinstance(outcome, Served)
    assert [backend.status for backend in outcome.backends] == [200]


def test_a_gateway_speaks_as_sidecars_do() -> None:
    gw = """
kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
"""
    bound = rule(TO, hosts="a.com").replace("hosts:", "gateways: [edge/gw], hosts:")
    state = mesh("---".join((PLAIN, gw, bound)))
    outcome = route(state, Request("a.com"), gateway("edge", {"istio": "ingress"}))
    assert isinstance(outcome, Served)
    assert [b.transport for b in outcome.backends] == [Transport.MTLS]
    assert told(outcome)[0] == ("gw", "spec/servers/0 listens on port 80")


def test_the_first_backend_that_nobody_knows_of_gives_the_reason() -> None:
    two = PLAIN + "---" + PLAIN.replace("reviews", "ratings")
    both = "route: [{destination: {host: reviews}, weight: 50}, {destination: {host: ratings}, weight: 50}]"
    for first, second in (("one", "two"), ("two", "one")):
        asks = [
            policy(
                f"{{selector: {{matchLabels: {{app: {app}}}}}, action: CUSTOM, provider: {{name: {who}}}, rules: [{{}}]}}",
                "AuthorizationPolicy",
                app,
            )
            for app, who in (("reviews", first), ("ratings", second))
        ]
        outcome = sent(two, rule(both), *asks)
        assert isinstance(outcome, Unknown)
        assert outcome.reason == f"external authorization {first} decides"
