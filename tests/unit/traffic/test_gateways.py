"""Requests that arrive at a gateway: servers, hosts, TLS, and the Gateway API."""

import pytest

from meshplan.mesh.proxy import gateway
from meshplan.settings import World
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Direct, Outcome, Redirect, Served, Unknown
from support.meshes import endpoints, failure, mesh

EDGE = gateway("edge", {"istio": "ingress"})
BACKEND = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews}}, spec: {containers: [{name: a}]}}}
"""
POD = "Deployment shop/reviews:8080"
TO_REVIEWS = "route: [{destination: {host: reviews.shop.svc.cluster.local}}]"


def servers(*stated: str, name: str = "gw") -> str:
    return f"""
kind: Gateway
metadata: {{name: {name}, namespace: edge}}
spec:
  selector: {{istio: ingress}}
  servers: [{", ".join(stated)}]
"""


def rules(body: str, name: str = "vs", namespace: str = "edge", hosts: str = "a.com") -> str:
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{hosts}]
  gateways: [edge/gw]
  http: [{body}]
"""


def told(status: int, match: str = "") -> str:
    return f"{{{match}directResponse: {{status: {status}}}}}"


HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"


def ask(text: str, host: str, path: str = "/", **stated: object) -> Outcome:
    world = stated.pop("world", World.CLOSED)
    assert isinstance(world, World)
    request = Request(host, path=path, **stated)  # type: ignore[arg-type]
    return route(mesh(text, world=world), request, EDGE)


def test_rules_of_one_host_are_put_together_the_first_first_and_catch_alls_last() -> None:
    text = "---".join(
        (
            servers(HTTP),
            rules(f"{told(201, 'match: [{uri: {prefix: /a}}], ')}, {told(202)}", "one"),
            rules(f"{told(203, 'match: [{uri: {prefix: /b}}], ')}, {told(204)}", "two"),
        )
    )
    assert ask(text, "a.com", "/a") == Direct(201)
    assert ask(text, "a.com", "/b") == Direct(203)
    assert ask(text, "a.com", "/c") == Direct(202)


def test_what_stands_behind_a_catch_all_is_lost() -> None:
    body = f"{told(201)}, {told(202, 'match: [{uri: {prefix: /a}}], ')}"
    assert ask(f"{servers(HTTP)}---{rules(body)}", "a.com", "/a") == Direct(201)


@pytest.mark.parametrize(
    ("server", "rule", "host", "found"),
    [
        ("*", "a.com", "a.com", True),
        ("*", "a.com", "b.com", False),
        ("a.com", "'*'", "a.com", True),
        ("a.com", "'*'", "b.com", False),
        ("*.com", "'*.a.com'", "x.a.com", True),
        ("*.com", "'*.a.com'", "a.com", False),
        ("edge/*", "a.com", "a.com", True),
        ("shop/*", "a.com", "a.com", False),
        ("./*", "a.com", "a.com", True),
        ("b.com", "a.com", "a.com", False),
    ],
)
def test_hosts_of_server_and_rule_have_to_meet(
    server: str, rule: str, host: str, found: bool
) -> None:
    stated = HTTP.replace("'*'", f"'{server}'")
    outcome = ask(f"{servers(stated)}---{rules(told(200), hosts=rule)}", host)
    if found:
        assert outcome == Direct(200)
    else:
        assert failure(outcome) == (404, "NR")


def test_the_more_specific_host_has_its_own_routes_alone() -> None:
    text = "---".join(
        (
            servers(HTTP),
            rules(told(201), "a", hosts="'*.com'"),
            rules(told(202, "match: [{uri: {prefix: /b}}], "), "b"),
        )
    )
    assert ask(text, "a.com", "/b") == Direct(202)
    assert failure(ask(text, "a.com", "/a")) == (404, "NR")
    assert ask(text, "b.com", "/a") == Direct(201)


def test_a_request_does_not_say_which_of_several_addresses_is_dialled() -> None:
    """`mergeGateways` keeps servers with different `bind` apart."""
    own, other = (HTTP.replace("hosts", f"bind: 10.0.0.{n}, hosts") for n in (1, 2))
    assert ask(servers(own) + "---" + rules(told(201)), "a.com") == Direct(201)
    outcome = ask(servers(own, other) + "---" + rules(told(201)), "a.com")
    assert isinstance(outcome, Unknown)
    assert "several addresses" in outcome.reason


def test_a_port_without_server_is_refused() -> None:
    assert failure(ask(f"{servers(HTTP)}---{rules(told(200))}", "a.com:81")) == (None, "-")


def test_a_service_in_front_changes_the_port() -> None:
    service = """
kind: Service
metadata: {name: ingress, namespace: edge}
spec: {selector: {istio: ingress}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
    text = "---".join((servers(HTTP), service, rules(told(200))))
    assert ask(text, "a.com", port=80) == Direct(200)
    assert ask(text, "a.com", port=8080) == Direct(200)
    assert failure(ask(text, "a.com", port=8081)) == (None, "-")


def test_only_pods_with_the_labels_open_the_servers() -> None:
    text = f"{servers(HTTP)}---{rules(told(200))}"
    outcome = route(mesh(text), Request("a.com"), gateway("edge", {"istio": "other"}))
    assert failure(outcome) == (None, "-")
    # The namespace of the pods is of no importance.
    other = route(mesh(text), Request("a.com"), gateway("other", {"istio": "ingress"}))
    assert other == Direct(200)


def test_a_private_rule_is_not_seen_by_a_gateway_elsewhere() -> None:
    text = rules(told(200), namespace="shop").replace("hosts:", "exportTo: ['.']\n  hosts:")
    assert failure(ask(f"{servers(HTTP)}---{text}", "a.com")) == (404, "NR")


def test_plain_requests_are_redirected_to_https() -> None:
    stated = HTTP.replace("hosts:", "tls: {httpsRedirect: true}, hosts:")
    text = f"{servers(stated)}---{rules(told(200))}"
    assert ask(text, "a.com", "/x?q") == Redirect(301, "https://a.com/x?q")
    # With `*` the redirect is there without any rule.
    assert ask(servers(stated), "b.com") == Redirect(301, "https://b.com/")


HTTPS = "{port: {number: 443, name: %s, protocol: HTTPS}, hosts: [%s], tls: {mode: SIMPLE, credentialName: cert}}"
SECRET = "\nkind: Secret\nmetadata: {name: cert, namespace: edge}\n"


def test_the_name_of_the_handshake_picks_the_server() -> None:
    text = "---".join(
        (
            servers(HTTPS % ("a", "a.com"), HTTPS % ("b", "'*.com'")),
            SECRET,
            rules(told(201), "a"),
            rules(told(202), "b", hosts="'*.com'"),
        )
    )
    assert ask(text, "a.com", scheme="https") == Direct(201)
    assert ask(text, "b.com", scheme="https") == Direct(202)
    # A server has routes for all hosts that it shares with a rule, whatever the handshake said.
    assert ask(text, "a.com", scheme="https", sni="b.com") == Direct(201)
    assert failure(ask(text, "b.com", scheme="https", sni="a.com")) == (404, "NR")
    assert failure(ask(text, "a.org", scheme="https")) == (None, "NR")
    assert failure(ask(text, "a.com", port=443)) == (None, "NR")


def test_a_missing_certificate_ends_the_handshake_if_the_world_is_closed() -> None:
    text = f"{servers(HTTPS % ('a', 'a.com'))}---{rules(told(201))}"
    assert failure(ask(text, "a.com", scheme="https")) == (None, "-")
    assert ask(text, "a.com", scheme="https", world=World.OPEN) == Direct(201)


def test_a_second_server_for_a_tls_host_is_left_out() -> None:
    text = "---".join(
        (
            servers(HTTPS % ("a", "a.com")),
            servers(HTTPS % ("b", "a.com"), name="later"),
            SECRET,
            rules(told(201)),
            rules(told(202), "b").replace("edge/gw", "edge/later"),
        )
    )
    assert ask(text, "a.com", scheme="https") == Direct(201)
    (skipped,) = mesh(text).servers(EDGE).skipped
    assert skipped[0].gateway.name == "later"


def test_tls_that_is_passed_through_is_routed_by_its_name() -> None:
    stated = (
        "{port: {number: 443, name: tls, protocol: TLS}, hosts: ['*'], tls: {mode: PASSTHROUGH}}"
    )
    text = f"""{servers(stated)}
---
kind: VirtualService
metadata: {{name: vs, namespace: edge}}
spec:
  hosts: [a.com]
  gateways: [gw]
  tls:
  - match: [{{sniHosts: [a.com]}}]
    route: [{{destination: {{host: reviews.shop.svc.cluster.local, port: {{number: 80}}}}}}]
---{BACKEND}"""
    assert endpoints(ask(text, "a.com", scheme="tls", port=443)) == [POD]
    assert failure(ask(text, "b.com", scheme="tls", port=443)) == (None, "NR")


def test_plain_tcp_at_a_gateway() -> None:
    stated = "{port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}"
    text = f"""{servers(stated)}
---
kind: VirtualService
metadata: {{name: vs, namespace: edge}}
spec:
  hosts: ['*']
  gateways: [gw]
  tcp:
  - match: [{{port: 9001}}]
    route: [{{destination: {{host: nowhere}}}}]
  - match: [{{port: 9000}}]
    route: [{{destination: {{host: reviews.shop.svc.cluster.local}}}}]
---{BACKEND}"""
    assert endpoints(ask(text, "x", scheme="tcp", port=9000)) == [POD]


def test_a_gateway_sees_services_as_its_namespace_does() -> None:
    hidden = BACKEND.replace(
        "name: reviews, namespace: shop}\nspec: {sel",
        "name: reviews, namespace: shop, annotations: {networking.istio.io/exportTo: '.'}}\nspec: {sel",
    )
    text = f"{servers(HTTP)}---{rules('{' + TO_REVIEWS + '}')}---"
    assert endpoints(ask(text + BACKEND, "a.com")) == [POD]
    assert failure(ask(text + hidden, "a.com")) == (503, "NC")


def test_a_policy_of_a_gateway_counts_before_its_routes() -> None:
    policy = """
kind: AuthorizationPolicy
metadata: {name: p, namespace: edge}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/x]}}]}], selector: {matchLabels: {istio: ingress}}}
"""
    text = "---".join((servers(HTTP), rules(told(200)), policy))
    assert ask(text, "a.com") == Direct(200)
    assert getattr(ask(text, "a.com", "/x"), "status", None) == 403


def test_routing_by_claims_needs_tokens_that_are_verified() -> None:
    claim = "match: [{headers: {'@request.auth.claims.admin': {exact: 'true'}}}], "
    body = f"{told(201, claim)}, {told(202)}"
    verified = """
kind: RequestAuthentication
metadata: {name: jwt, namespace: edge}
spec: {jwtRules: [{issuer: a}]}
"""
    token = {"authorization": "Bearer x"}
    text = f"{servers(HTTP)}---{rules(body)}"
    assert ask(text, "a.com", headers=token) == Direct(202)
    assert ask(f"{text}---{verified}", "a.com") == Direct(202)
    assert isinstance(ask(f"{text}---{verified}", "a.com", headers=token), Unknown)


# The Gateway API.

LISTENERS = """
kind: Gateway
apiVersion: gateway.networking.k8s.io/v1
metadata: {{name: gw, namespace: edge}}
spec:
  gatewayClassName: istio
  listeners:
  - {{name: http, port: 80, protocol: HTTP{hostname}, allowedRoutes: {{namespaces: {{from: {allowed}}}}}}}
"""
PODS = gateway("edge", {"gateway.networking.k8s.io/gateway-name": "gw"})


def listeners(allowed: str = "All", hostname: str = "") -> str:
    stated = f", hostname: '{hostname}'" if hostname else ""
    return LISTENERS.format(allowed=allowed, hostname=stated)


def http_route(rule: str, name: str = "r", namespace: str = "shop", extra: str = "") -> str:
    return f"""
kind: HTTPRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  parentRefs: [{{name: gw, namespace: edge}}]
  hostnames: [a.com]{extra}
  rules: [{rule}]
"""


BACKEND_REF = "backendRefs: [{name: reviews, port: 80}]"


def api(text: str, host: str = "a.com", path: str = "/", **stated: object) -> Outcome:
    request = Request(host, path=path, **stated)  # type: ignore[arg-type]
    return route(mesh(f"{text}---{BACKEND}"), request, PODS)


def test_an_http_route_leads_to_its_backend() -> None:
    text = f"{listeners()}---{http_route('{' + BACKEND_REF + '}')}"
    assert endpoints(api(text)) == [POD]
    assert failure(api(text, "b.com")) == (404, "NR")


def test_prefixes_end_at_slashes() -> None:
    rule = "{matches: [{path: {type: PathPrefix, value: /a/}}], " + BACKEND_REF + "}"
    text = f"{listeners()}---{http_route(rule)}"
    assert endpoints(api(text, path="/a")) == [POD]
    assert endpoints(api(text, path="/a/b")) == [POD]
    assert failure(api(text, path="/ab")) == (404, "NR")


def test_the_more_specific_match_of_all_routes_is_taken() -> None:
    def redirect(match: str, code: int) -> str:
        filters = f"filters: [{{type: RequestRedirect, requestRedirect: {{statusCode: {code}}}}}]"
        return f"{{matches: [{match}], {filters}}}"

    text = "---".join(
        (
            listeners(),
            http_route(redirect("{path: {value: /}}", 301), "a"),
            http_route(redirect("{path: {value: /long}}", 302), "b"),
            http_route(redirect("{path: {type: Exact, value: /l}}", 303), "c"),
            http_route(redirect("{path: {value: /}, method: POST}", 307), "d"),
        )
    )
    found = [
        api(text, path=path, method=method)
        for path, method in (("/x", "GET"), ("/long/x", "GET"), ("/l", "GET"), ("/x", "POST"))
    ]
    assert [getattr(outcome, "status", None) for outcome in found] == [301, 302, 303, 307]


@pytest.mark.parametrize(("allowed", "attached"), [("All", True), ("Same", False)])
def test_a_listener_says_whose_routes_may_attach(allowed: str, attached: bool) -> None:
    text = f"{listeners(allowed)}---{http_route('{' + BACKEND_REF + '}')}"
    outcome = api(text)
    if attached:
        assert endpoints(outcome) == [POD]
    else:
        assert failure(outcome) == (404, "NR")


def test_a_backend_of_another_namespace_needs_a_grant() -> None:
    rule = "{backendRefs: [{name: reviews, namespace: shop, port: 80}]}"
    text = f"{listeners()}---{http_route(rule, namespace='edge')}"
    grant = """
kind: ReferenceGrant
metadata: {name: g, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}]
  to: [{group: '', kind: Service%s}]
"""
    assert failure(api(text)) == (500, "NC")
    assert endpoints(api(f"{text}---{grant % ''}")) == [POD]
    assert endpoints(api(f"{text}---{grant % ', name: reviews'}")) == [POD]
    assert failure(api(f"{text}---{grant % ', name: other'}")) == (500, "NC")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{backendRefs: [{name: gone, port: 80}]}", (500, "NC")),
        ("{backendRefs: [{name: reviews, port: 81}]}", (500, "NC")),
        ("{backendRefs: [{name: b, group: example.com, kind: Bucket}]}", (500, "NC")),
        ("{backendRefs: [{name: reviews, port: 80, weight: 0}]}", 500),
        ("{matches: [{path: {value: /}}]}", 500),
    ],
)
def test_what_cannot_be_reached_is_500(rule: str, expected: tuple[int, str] | int) -> None:
    outcome = api(f"{listeners()}---{http_route(rule)}")
    if isinstance(expected, int):
        assert outcome == Direct(expected)
    else:
        assert failure(outcome) == expected


def test_a_listener_with_a_better_host_keeps_others_out() -> None:
    two = listeners(hostname="*.com") + (
        "  - {name: own, port: 80, protocol: HTTP, hostname: a.com, "
        "allowedRoutes: {namespaces: {from: All}}}\n"
    )
    section = "\n  parentRefs: [{name: gw, namespace: edge, sectionName: http}]"
    text = http_route("{" + BACKEND_REF + "}").replace(
        "\n  parentRefs: [{name: gw, namespace: edge}]", section
    )
    assert failure(api(f"{two}---{text}")) == (404, "NR")
    assert endpoints(api(f"{two}---{http_route('{' + BACKEND_REF + '}')}")) == [POD]


def test_a_rewrite_of_the_prefix_to_nothing() -> None:
    rule = (
        "{matches: [{path: {value: /a}}], filters: [{type: URLRewrite, urlRewrite: "
        "{path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}], " + BACKEND_REF + "}"
    )
    text = f"{listeners()}---{http_route(rule)}"
    found = [api(text, path=path) for path in ("/a/b", "/a", "/a?q")]
    assert [outcome.backends[0].path for outcome in found] == ["/b", "/", "/?q"]  # type: ignore[union-attr]


def test_a_redirect_keeps_the_port_of_the_listener() -> None:
    redirect = "filters: [{type: RequestRedirect, requestRedirect: {hostname: b.com}}]"
    text = listeners().replace("port: 80", "port: 8080")
    outcome = api(f"{text}---{http_route('{' + redirect + '}')}", "a.com:8080")
    assert outcome == Redirect(302, "http://b.com:8080/")


def test_grpc_routes_match_service_and_method() -> None:
    text = f"""{listeners()}
---
kind: GRPCRoute
metadata: {{name: r, namespace: shop}}
spec:
  parentRefs: [{{name: gw, namespace: edge}}]
  rules:
  - matches: [{{method: {{service: shop.Reviews, method: Get}}}}]
    {BACKEND_REF}
"""
    assert endpoints(api(text, path="/shop.Reviews/Get", method="POST")) == [POD]
    assert failure(api(text, path="/shop.Reviews/List", method="POST")) == (404, "NR")


def test_a_route_with_a_service_as_parent_is_for_sidecars() -> None:
    text = f"""{BACKEND}
---
kind: HTTPRoute
metadata: {{name: r, namespace: shop}}
spec:
  parentRefs: [{{group: '', kind: Service, name: reviews}}]
  rules:
  - filters: [{{type: RequestRedirect, requestRedirect: {{statusCode: 302, hostname: b.com}}}}]
"""
    from meshplan.mesh.proxy import sidecar

    outcome = route(mesh(text), Request("reviews.shop"), sidecar("web"))
    assert outcome == Redirect(302, "http://b.com/")


def test_classes_of_other_controllers_are_left_alone() -> None:
    text = listeners().replace("gatewayClassName: istio", "gatewayClassName: nginx")
    assert failure(api(f"{text}---{http_route('{' + BACKEND_REF + '}')}")) == (None, "-")


def test_a_route_that_istio_does_not_understand_is_left_out_whole() -> None:
    strange = "{filters: [{type: ExtensionRef}], " + BACKEND_REF + "}"
    text = f"{listeners()}---{http_route(strange + ', {' + BACKEND_REF + '}')}"
    assert failure(api(text)) == (404, "NR")


def test_clients_of_other_networks_name_a_cluster() -> None:
    stated = "{port: {number: 15443, name: tls, protocol: TLS}, hosts: ['*.local'], tls: {mode: AUTO_PASSTHROUGH}}"
    text = f"{servers(stated)}---{BACKEND}"
    host = "reviews.shop.svc.cluster.local"
    named = f"outbound_.80_._.{host}"
    assert endpoints(ask(text, host, scheme="tls", port=15443, sni=named)) == [POD]
    gone = f"outbound_.80_.v2_.{host}"
    assert failure(ask(text, host, scheme="tls", port=15443, sni=gone)) == (None, "NR")
    assert failure(ask(text, host, scheme="tls", port=15443)) == (None, "NR")


def test_a_gateway_believes_no_forwarded_address() -> None:
    policy = """
kind: AuthorizationPolicy
metadata: {name: p, namespace: edge}
spec: {rules: [{from: [{source: {remoteIpBlocks: [1.2.3.4]}}]}]}
"""
    text = "---".join((servers(HTTP), rules(told(200)), policy))
    forwarded = {"x-forwarded-for": "1.2.3.4"}
    outcome = ask(text, "a.com", client_ip="5.6.7.8", headers=forwarded)
    assert getattr(outcome, "status", None) == 403
    assert ask(text, "a.com", client_ip="1.2.3.4") == Direct(200)


def filtered(*filters: str, backend: str = BACKEND_REF, match: str = "/a") -> str:
    matched = f"matches: [{{path: {{type: PathPrefix, value: {match}}}}}]"
    rule = f"{{{matched}, filters: [{', '.join(filters)}]{', ' + backend if backend else ''}}}"
    return f"{listeners()}---{http_route(rule)}"


@pytest.mark.parametrize(
    ("stated", "path", "location"),
    [
        ("path: {type: ReplaceFullPath, replaceFullPath: /b}", "/a/x", "http://a.com/b"),
        ("path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}", "/a/x", "http://a.com/b/x"),
        ("hostname: b.com", "/a", "http://b.com/a"),
        ("scheme: https", "/a", "https://a.com/a"),
        ("port: 8080", "/a", "http://a.com:8080/a"),
    ],
)
def test_redirects_of_http_routes_lead_where_the_specification_says(
    stated: str, path: str, location: str
) -> None:
    text = filtered(f"{{type: RequestRedirect, requestRedirect: {{{stated}}}}}", backend="")
    found = api(text, path=path)
    assert isinstance(found, Redirect)
    assert (found.status, found.location) == (302, location)


@pytest.mark.parametrize(
    ("stated", "path", "seen"),
    [
        ("path: {type: ReplaceFullPath, replaceFullPath: /b}", "/a/x", ("/b", "a.com")),
        ("path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}", "/a/x", ("/b/x", "a.com")),
        ("path: {type: ReplacePrefixMatch, replacePrefixMatch: /b/}", "/a/x", ("/b/x", "a.com")),
        ("path: {type: ReplacePrefixMatch, replacePrefixMatch: /}", "/a/x", ("/x", "a.com")),
        ("hostname: b.com", "/a/x", ("/a/x", "b.com")),
    ],
)
def test_rewrites_of_http_routes_are_what_the_backend_sees(
    stated: str, path: str, seen: tuple[str, str]
) -> None:
    found = api(filtered(f"{{type: URLRewrite, urlRewrite: {{{stated}}}}}"), path=path)
    assert isinstance(found, Served)
    assert [(b.path, b.authority) for b in found.backends] == [seen]


def test_a_header_modifier_may_set_the_host() -> None:
    stated = "{set: [{name: Host, value: b.com}]}"
    text = filtered(f"{{type: RequestHeaderModifier, requestHeaderModifier: {stated}}}")
    found = api(text, path="/a")
    assert isinstance(found, Served)
    assert [b.authority for b in found.backends] == ["b.com"]


@pytest.mark.parametrize(
    ("kinds", "attached"),
    [
        ("", True),
        ("{kind: HTTPRoute}", True),
        ("{kind: GRPCRoute}", False),
        ("{kind: TCPRoute}", False),
    ],
)
def test_listeners_may_say_which_kinds_of_routes_they_take(kinds: str, attached: bool) -> None:
    stated = f"kinds: [{kinds}], namespaces:" if kinds else "namespaces:"
    made = listeners().replace("namespaces:", stated)
    assert made.count(stated) >= 1
    found = api(f"{made}---{http_route('{' + BACKEND_REF + '}')}")
    assert isinstance(found, Served) is attached


def test_a_wildcard_listener_serves_the_hosts_it_covers() -> None:
    text = f"{listeners(hostname='*.com')}---{http_route('{' + BACKEND_REF + '}')}"
    assert endpoints(api(text)) == [POD]
    other = text.replace("hostnames: [a.com]", "hostnames: [a.org]")
    assert failure(api(other, "a.org")) == (404, "NR")


def test_the_listener_with_the_longer_name_alone_serves_a_host() -> None:
    made = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
  - {name: wide, port: 80, protocol: HTTP, hostname: "*.com", allowedRoutes: {namespaces: {from: All}}}
  - {name: near, port: 80, protocol: HTTP, hostname: "*.a.com", allowedRoutes: {namespaces: {from: All}}}
"""
    routed = http_route("{" + BACKEND_REF + "}").replace("[a.com]", "[x.a.com, b.com]")
    for section, host, served in (
        ("wide", "b.com", True),
        ("wide", "x.a.com", False),
        ("near", "x.a.com", True),
        ("near", "b.com", False),
    ):
        text = (
            made
            + "---"
            + routed.replace("namespace: edge}", f"namespace: edge, sectionName: {section}}}")
        )
        assert isinstance(api(text, host), Served) is served, (section, host)


@pytest.mark.parametrize(
    ("method", "origin", "answered"),
    [
        ("OPTIONS", "https://good.com", True),
        # istiod has it answered too, without what the browser waits for.
        ("OPTIONS", "https://bad.com", True),
        ("OPTIONS", "", False),
        ("GET", "https://good.com", False),
    ],
)
def test_preflights_of_http_routes_are_answered_for_every_origin(
    method: str, origin: str, answered: bool
) -> None:
    cors = "{type: CORS, cors: {allowOrigins: ['https://good.com', 'https://*.good.org']}}"
    headers = {"origin": origin, "access-control-request-method": "GET"}
    found = api(filtered(cors), path="/a", method=method, headers=headers)
    assert isinstance(found, Direct) is answered


@pytest.mark.parametrize("kind", ["TLSRoute", "TCPRoute"])
def test_of_two_connection_routes_the_first_by_name_is_taken(kind: str) -> None:
    protocol, mode = (
        ("TLS", "\n    tls: {mode: Passthrough}") if kind == "TLSRoute" else ("TCP", "")
    )
    made = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gw, namespace: edge}}
spec:
  gatewayClassName: istio
  listeners:
  - name: l4
    port: 443
    protocol: {protocol}
    allowedRoutes: {{namespaces: {{from: All}}}}{mode}
"""
    hosts = "hostnames: [a.com], " if kind == "TLSRoute" else ""
    routes = [
        f"""
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec: {{{hosts}parentRefs: [{{name: gw, namespace: edge}}], rules: [{{backendRefs: [{{name: {backend}, port: 80}}]}}]}}
"""
        for name, backend in (("r2", "ratings"), ("r1", "reviews"))
    ]
    found = api(
        "---".join((made, *routes)), scheme="tls" if kind == "TLSRoute" else "tcp", port=443
    )
    assert endpoints(found) == [POD]


def test_a_destination_is_first_that_of_the_routes_own_namespace() -> None:
    """Of services with one host the one beside the VirtualService says the port."""

    def entry(namespace: str, port: int) -> str:
        return f"""
kind: ServiceEntry
metadata: {{name: ext, namespace: {namespace}}}
spec:
  hosts: [ext.com]
  resolution: STATIC
  ports: [{{number: {port}, name: http, protocol: HTTP}}]
  endpoints: [{{address: 10.0.0.1}}]
"""

    text = "---".join([servers(HTTP), entry("aaa", 8080), entry("shop", 9090)])
    for namespace, port in (("aaa", 8080), ("shop", 9090)):
        to = rules("{route: [{destination: {host: ext.com}}]}", namespace=namespace)
        outcome = ask(f"{text}---{to}", "a.com")
        assert [b.port for b in getattr(outcome, "backends", ())] == [port], outcome


def test_what_is_unknown_stays_so_beside_what_is_not_modelled() -> None:
    """Who decides about it is told, not the filter that might."""
    ask_first = """
kind: AuthorizationPolicy
metadata: {name: ask, namespace: edge}
spec: {action: CUSTOM, provider: {name: opa}, rules: [{}]}
"""
    lua = """
kind: EnvoyFilter
metadata: {name: lua, namespace: edge}
spec: {configPatches: [{applyTo: HTTP_FILTER}]}
"""
    text = "---".join([servers(HTTP), rules(told(200)), ask_first])
    for more in ("", f"---{lua}"):
        outcome = ask(f"{text}{more}", "a.com")
        assert isinstance(outcome, Unknown)
        assert outcome.reason == "external authorization opa decides"
    outcome = ask("---".join([servers(HTTP), rules(told(200)), lua]), "a.com")
    assert isinstance(outcome, Unknown)
    assert outcome.otherwise == Direct(200)
