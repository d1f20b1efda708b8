"""HTTP rules as routes of Envoy (istiod 1.29.1, pilot/pkg/networking/core/route/route.go)."""

from typing import Any

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.mesh.virtual_service import Destination, Semantics
from meshplan.traffic.condition import (
    ANY_PATH,
    ClaimCondition,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Present,
    QueryCondition,
    Regex,
    SeparatedPrefix,
    TokenPlace,
)
from meshplan.traffic.http_routes import RouteContext, build_routes, canonical, rule_applies
from meshplan.traffic.table import (
    Abort,
    Answer,
    ClusterName,
    Forward,
    Rewrite,
    Route,
    SendElsewhere,
)
from support.meshes import mesh

CLIENT = sidecar("web", {"app": "client", "version": "v1"})
PLACES = (TokenPlace("header", "authorization", "Bearer "),)
TO = "route: [{destination: {host: a.com}}]"


def context(
    proxy: Proxy = CLIENT, port: int = 80, gateway_: str = "mesh", **stated: Any
) -> RouteContext:
    def resolve(destination: Destination) -> tuple[str, int]:
        return destination.host, destination.port or port

    return RouteContext(proxy, port, gateway_, stated.get("is_tls", False), resolve, PLACES)


def state(*rules: str) -> Mesh:
    return mesh(f"""
kind: VirtualService
metadata: {{name: v, namespace: shop}}
spec: {{hosts: [a.com], http: [{", ".join(rules)}]}}
""")


def routes(*rules: str, who: RouteContext | None = None) -> tuple[Route, ...]:
    found = state(*rules)
    return build_routes(found, found.virtual_services[0], who or context())


def only(rule: str, who: RouteContext | None = None) -> Route:
    (found,) = routes(f"{{{rule}}}", who=who)
    return found


def forward(rule: str) -> Forward:
    action = only(rule).action
    assert isinstance(action, Forward)
    return action


# Matches.


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("", (ANY_PATH,)),
        ("match: [{uri: {exact: /a}}]", (PathCondition(Exact("/a")),)),
        ("match: [{uri: {prefix: /a}}]", (PathCondition(Prefix("/a")),)),
        ("match: [{uri: {regex: /a.*}}]", (PathCondition(Regex("/a.*")),)),
        ("match: [{uri: {}}]", (ANY_PATH,)),
        (
            "match: [{uri: {prefix: /A}, ignoreUriCase: true}]",
            (PathCondition(Prefix("/A", ignore_case=True)),),
        ),
        (
            "match: [{uri: {exact: /A}, ignoreUriCase: true}]",
            (PathCondition(Exact("/A", ignore_case=True)),),
        ),
        ("match: [{uri: {regex: /A}, ignoreUriCase: true}]", (PathCondition(Regex("/A")),)),
        ("match: [{headers: {X-V: {exact: '1'}}}]", (ANY_PATH, HeaderCondition("x-v", Exact("1")))),
        ("match: [{headers: {x: {}}}]", (ANY_PATH, HeaderCondition("x", Present()))),
        ("match: [{headers: {x: {regex: '*'}}}]", (ANY_PATH, HeaderCondition("x", Present()))),
        ("match: [{headers: {x: {regex: '.*'}}}]", (ANY_PATH, HeaderCondition("x", Regex(".*")))),
        (
            "match: [{withoutHeaders: {X: {exact: '1'}}}]",
            (ANY_PATH, HeaderCondition("x", Exact("1"), True, True)),
        ),
        (
            "match: [{withoutHeaders: {x: {}}}]",
            (ANY_PATH, HeaderCondition("x", Present(), True, False)),
        ),
        ("match: [{method: {exact: GET}}]", (ANY_PATH, HeaderCondition(":method", Exact("GET")))),
        (
            "match: [{authority: {prefix: a}}]",
            (ANY_PATH, HeaderCondition(":authority", Prefix("a"))),
        ),
        ("match: [{scheme: {regex: h.*}}]", (ANY_PATH, HeaderCondition(":scheme", Regex("h.*")))),
        ("match: [{queryParams: {Q: {exact: '1'}}}]", (ANY_PATH, QueryCondition("Q", Exact("1")))),
        ("match: [{queryParams: {q: {}}}]", (ANY_PATH, QueryCondition("q", Present()))),
        ("match: [{queryParams: {q: {regex: '*'}}}]", (ANY_PATH, QueryCondition("q", Present()))),
        (
            "match: [{headers: {'@request.auth.claims.a': {exact: b}}}]",
            (ANY_PATH, ClaimCondition("@request.auth.claims.a", Exact("b"), False, PLACES)),
        ),
        (
            "match: [{withoutHeaders: {'@request.auth.claims.a': {exact: b}}}]",
            (ANY_PATH, ClaimCondition("@request.auth.claims.a", Exact("b"), True, PLACES)),
        ),
        (
            "match: [{scheme: {exact: a}, queryParams: {q: {exact: b}}, method: {exact: c}, headers: {h: {exact: d}}, withoutHeaders: {w: {exact: e}}, authority: {exact: f}, uri: {exact: /g}}]",
            (
                PathCondition(Exact("/g")),
                HeaderCondition("h", Exact("d")),
                HeaderCondition("w", Exact("e"), True, True),
                HeaderCondition(":method", Exact("c")),
                HeaderCondition(":authority", Exact("f")),
                HeaderCondition(":scheme", Exact("a")),
                QueryCondition("q", Exact("b")),
            ),
        ),
    ],
)
def test_matches_become_conditions(match: str, expected: tuple[Condition, ...]) -> None:
    """`TranslateRouteMatch`, `translateHeaderMatch`, `translateQueryParamMatch`."""
    assert only(f"{match}{', ' if match else ''}{TO}").conditions == expected


@pytest.mark.parametrize(
    ("match", "applies"),
    [
        # `sourceMatchHTTP`, and the port of the listener.
        ("{}", True),
        ("{port: 80}", True),
        ("{port: 81}", False),
        ("{sourceLabels: {app: client}}", True),
        ("{sourceLabels: {app: client, version: v1}}", True),
        ("{sourceLabels: {app: other}}", False),
        ("{sourceLabels: {more: x}}", False),
        ("{sourceNamespace: web}", True),
        ("{sourceNamespace: shop}", False),
        ("{sourceNamespace: shop, sourceLabels: {app: client}}", False),
        ("{sourceNamespace: web, sourceLabels: {app: other}}", False),
        ("{gateways: [mesh]}", True),
        ("{gateways: [edge/gw, mesh]}", True),
        ("{gateways: [edge/gw]}", False),
        # Where gateways are named, labels and namespaces of sources do not count.
        ("{gateways: [mesh], sourceNamespace: shop, sourceLabels: {app: other}}", True),
        ("{gateways: [mesh], port: 81}", False),
    ],
)
def test_a_match_is_for_some_proxies(match: str, applies: bool) -> None:
    assert bool(routes(f"{{match: [{match}], {TO}}}")) is applies
    assert rule_applies(None, context())


def test_a_gateway_is_told_by_its_name() -> None:
    edge = context(gateway("edge"), gateway_="edge/gw")
    for match, applies in (
        ("{gateways: [edge/gw]}", True),
        ("{gateways: [mesh]}", False),
        ("{}", True),
    ):
        assert bool(routes(f"{{match: [{match}], {TO}}}", who=edge)) is applies


def test_what_comes_behind_a_route_for_everything_is_left_out() -> None:
    """`BuildHTTPRoutesForVirtualService`, `IsCatchAllRoute`."""

    def kept(*rules: str) -> list[str]:
        return [route.pointer for route in routes(*rules)]

    a, b = f"{{match: [{{uri: {{prefix: /a}}}}], {TO}}}", f"{{{TO}}}"
    assert kept(a, b, a) == ["/spec/http/0/match/0", "/spec/http/1"]
    assert kept(a, a) == ["/spec/http/0/match/0", "/spec/http/1/match/0"]
    every = ("{uri: {prefix: /}}", "{uri: {regex: '.*'}}", "{}", "{port: 80}")
    for match in every:
        assert kept(f"{{match: [{match}], {TO}}}", a) == ["/spec/http/0/match/0"]
    some = (
        "{uri: {exact: /}}",
        "{uri: {regex: '/.*'}}",
        "{uri: {prefix: /}, method: {exact: GET}}",
        "{headers: {x: {exact: '1'}}}",
        "{uri: {prefix: /a}}",
    )
    for match in some:
        assert len(kept(f"{{match: [{match}], {TO}}}", a)) == 2
    # One that is not for these proxies takes nothing away.
    assert kept(f"{{match: [{{port: 81}}], {TO}}}", a) == ["/spec/http/1/match/0"]
    both = f"{{match: [{{uri: {{prefix: /b}}}}, {{uri: {{prefix: /}}}}, {{uri: {{prefix: /c}}}}], {TO}}}"
    assert kept(both, a) == ["/spec/http/0/match/0", "/spec/http/0/match/1"]


def test_a_route_names_its_object_and_place() -> None:
    found = only(f"match: [{{uri: {{exact: /a}}}}], {TO}")
    assert found.source is not None
    assert (found.source.name, found.pointer) == ("v", "/spec/http/0/match/0")
    assert only(TO).pointer == "/spec/http/0"


# Actions.


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("directResponse: {status: 418}", Answer(418)),
        ("redirect: {}", SendElsewhere(301)),
        ("redirect: {redirectCode: 308}", SendElsewhere(308)),
        ("redirect: {uri: /x}", SendElsewhere(301, path="/x")),
        ("redirect: {authority: b.com}", SendElsewhere(301, authority="b.com")),
        ("redirect: {scheme: https}", SendElsewhere(301, scheme="https")),
        ("redirect: {port: 8080}", SendElsewhere(301, port=8080)),
        # A port that is the scheme's own is not told.
        ("redirect: {port: 80}", SendElsewhere(301)),
        ("redirect: {port: 443}", SendElsewhere(301, port=443)),
        ("redirect: {scheme: http, port: 80}", SendElsewhere(301, scheme="http")),
        ("redirect: {scheme: https, port: 80}", SendElsewhere(301, scheme="https", port=80)),
        ("redirect: {scheme: https, port: 443}", SendElsewhere(301, scheme="https")),
        ("redirect: {derivePort: FROM_PROTOCOL_DEFAULT}", SendElsewhere(301)),
        ("redirect: {uri: '%PREFIX()%/x'}", SendElsewhere(301, path="%PREFIX()%/x")),
        # A redirect counts more than all else, then an answer.
        (
            f"redirect: {{uri: /x}}, directResponse: {{status: 200}}, {TO}",
            SendElsewhere(301, path="/x"),
        ),
        (f"directResponse: {{status: 200}}, {TO}", Answer(200)),
        (
            "fault: {abort: {httpStatus: 500, percentage: {value: 5}}}, redirect: {uri: /x}",
            SendElsewhere(301, path="/x", abort=Abort(500, 5)),
        ),
        (
            "fault: {abort: {httpStatus: 500, percentage: {value: 5}}}, directResponse: {status: 200}",
            Answer(200, Abort(500, 5)),
        ),
    ],
)
def test_redirects_and_answers(rule: str, expected: SendElsewhere | Answer) -> None:
    """`ApplyRedirect`, `ApplyDirectResponse`."""
    assert only(rule).action == expected


@pytest.mark.parametrize(
    ("port", "is_tls", "expected"),
    [(8080, False, 8080), (80, False, 0), (443, True, 0), (80, True, 80), (443, False, 443)],
)
def test_the_port_of_the_request_may_be_kept(port: int, is_tls: bool, expected: int) -> None:
    found = only("redirect: {derivePort: FROM_REQUEST_PORT}", context(port=port, is_tls=is_tls))
    assert found.action == SendElsewhere(301, port=expected)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        # `TranslateFault`.
        ("{abort: {httpStatus: 503, percentage: {value: 10.5}}}", Abort(503, 10.5)),
        ("{abort: {httpStatus: 503}}", Abort(503, 0)),
        ("{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}", Abort(200, 100)),
        ("{abort: {percentage: {value: 100}}}", None),
        ("{delay: {fixedDelay: 1s}}", None),
        ("{abort: {httpStatus: 503, percentage: {value: x}}}", Abort(503, 0)),
    ],
)
def test_faults(fault: str, expected: Abort | None) -> None:
    assert forward(f"fault: {fault}, {TO}").abort == expected


@pytest.mark.parametrize(
    ("rule", "targets"),
    [
        (TO, [("a.com", "", 80, 0)]),
        (
            "route: [{destination: {host: a.com, subset: v1, port: {number: 81}}, weight: 0}]",
            [("a.com", "v1", 81, 0)],
        ),
        (
            "route: [{destination: {host: a.com}, weight: 90}, {destination: {host: b.com}, weight: 10}]",
            [("a.com", "", 80, 90), ("b.com", "", 80, 10)],
        ),
        # Of several, those without a weight get nothing.
        (
            "route: [{destination: {host: a.com}, weight: 100}, {destination: {host: b.com}}, {destination: {host: c.com}, weight: 0}]",
            [("a.com", "", 80, 100)],
        ),
        ("route: []", []),
    ],
)
def test_destinations_become_clusters(rule: str, targets: list[tuple[str, str, int, int]]) -> None:
    """`applyHTTPRouteDestination`."""
    found = forward(rule).targets
    assert [(t.cluster.host, t.cluster.subset, t.cluster.port, t.weight) for t in found] == targets
    assert [t.cluster for t in found] == [ClusterName(h, p, s) for h, s, p, _ in targets]


@pytest.mark.parametrize(
    ("headers", "authority"),
    [
        ("{}", ""),
        ("{request: {set: {Host: b.com}}}", "b.com"),
        ("{request: {set: {':authority': b.com}}}", "b.com"),
        ("{request: {add: {host: b.com}}}", "b.com"),
        ("{request: {set: {x: b.com}}}", ""),
        ("{response: {set: {host: b.com}}}", ""),
        ("{request: {remove: [host]}}", ""),
        ("{request: {add: {host: c.com}, set: {HOST: b.com}}}", "b.com"),
    ],
)
def test_headers_may_set_the_authority(headers: str, authority: str) -> None:
    assert forward(f"headers: {headers}, {TO}").authority == authority
    (target,) = forward(f"route: [{{destination: {{host: a.com}}, headers: {headers}}}]").targets
    assert target.authority == authority
    rewritten = forward(f"headers: {headers}, rewrite: {{authority: r.com}}, {TO}")
    assert rewritten.authority == "r.com"


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [
        ("{uri: /x}", Rewrite(prefix="/x")),
        ("{uri: /}", Rewrite(prefix="/")),
        ("{uri: ''}", Rewrite()),
        ("{authority: b.com}", Rewrite()),
        ("{uriRegexRewrite: {match: /a, rewrite: /b}}", Rewrite(regex=("/a", "/b"))),
        ("{uri: /x, uriRegexRewrite: {match: /a, rewrite: /b}}", Rewrite(regex=("/a", "/b"))),
    ],
)
def test_rewrites_of_a_rule(rewrite: str, expected: Rewrite) -> None:
    assert forward(f"rewrite: {rewrite}, {TO}").rewrite == expected


DEFAULT = {
    "connect-failure",
    "refused-stream",
    "unavailable",
    "cancelled",
    "retriable-status-codes",
}


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        # `ConvertPolicy` in route/retry/retry.go.
        ("", DEFAULT),
        ("retries: {attempts: 2}, ", DEFAULT),
        ("retries: {attempts: 0}, ", set()),
        ("retries: {}, ", set()),
        ("retries: {attempts: 2, retryOn: '5xx, reset'}, ", {"5xx", "reset"}),
        ("retries: {attempts: 0, retryOn: '5xx'}, ", set()),
        ("retries: {attempts: 1, retryOn: ''}, ", DEFAULT),
    ],
)
def test_what_is_tried_again(retries: str, expected: set[str]) -> None:
    assert forward(f"{retries}{TO}").retry_on == expected


def test_what_a_rule_does_besides_is_kept_in_one_way_of_writing() -> None:
    rule = (
        "timeout: 3s, retries: {retryOn: 5xx, attempts: 2}, fault: {delay: {fixedDelay: 1s, percentage: {value: 5}}}, "
        "headers: {request: {set: {b: '1', a: '2'}}}, corsPolicy: {allowOrigins: [{exact: x}]}, "
        "mirror: {host: m.com, subset: s, port: {number: 1}}, mirrors: [{destination: {host: n.com}}]"
    )
    found = forward(f"{rule}, {TO}")
    assert found.policy == {
        "timeout": "3s",
        "retries": '{"attempts":2,"retryOn":"5xx"}',
        "headers": '{"request":{"set":{"a":"2","b":"1"}}}',
        "corsPolicy": '{"allowOrigins":[{"exact":"x"}]}',
        "delay": '{"fixedDelay":"1s","percentage":{"value":5}}',
        "mirrors": "m.com|s|1, n.com||0",
    }
    assert found.cors == {"allowOrigins": [{"exact": "x"}]}
    assert forward(TO).policy == {}
    assert forward(TO).cors is None
    assert forward("fault: {abort: {httpStatus: 500}}, " + TO).policy == {}


def test_values_are_written_in_one_way() -> None:
    assert canonical("x") == "x"
    assert canonical({"b": [1, True], "a": None}) == '{"a":null,"b":[1,true]}'


# Routes of the Gateway API.


def api(rule: str, kind: str = "HTTPRoute") -> Route:
    found = mesh(f"""
kind: {kind}
metadata: {{name: r, namespace: shop}}
spec: {{parentRefs: [{{group: '', kind: Service, name: reviews}}], rules: [{{{rule}, backendRefs: [{{name: x, port: 80}}]}}]}}
""")
    (made,) = found.virtual_services
    assert made.semantics is Semantics.GATEWAY_API
    (route,) = build_routes(found, made, context())
    return route


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("{value: /}", PathCondition(Prefix("/"))),
        ("{value: /a}", PathCondition(SeparatedPrefix("/a"))),
        ("{value: /a/}", PathCondition(SeparatedPrefix("/a"))),
        ("{type: Exact, value: /a}", PathCondition(Exact("/a"))),
        ("{type: RegularExpression, value: /a}", PathCondition(Regex("/a"))),
    ],
)
def test_prefixes_of_the_gateway_api_end_at_slashes(path: str, expected: Condition) -> None:
    assert api(f"matches: [{{path: {path}}}]").conditions == (expected,)


def test_a_service_of_grpc_is_a_prefix_that_ends_at_a_slash() -> None:
    found = api("matches: [{method: {service: s}}]", "GRPCRoute")
    assert found.conditions == (PathCondition(SeparatedPrefix("/s")),)


@pytest.mark.parametrize(
    ("path", "replacement", "expected"),
    [
        ("/a", "/b", Rewrite(prefix="/b")),
        ("/a", "/", Rewrite(regex=(r"^/a(/?)(.*)", r"/\2"))),
        ("/a.b*c+d?e(f)g|h[i]j{k}l^m$n\\o", "/", None),
        ("/", "/", Rewrite(prefix="/")),
    ],
)
def test_a_prefix_that_is_taken_away(path: str, replacement: str, expected: Rewrite | None) -> None:
    """`regexp.QuoteMeta` of the prefix."""
    body = f"matches: [{{path: {{value: '{path}'}}}}], filters: [{{type: URLRewrite, urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: {replacement}}}}}}}]"
    action = api(body).action
    assert isinstance(action, Forward)
    if expected is None:
        quoted = r"^/a\.b\*c\+d\?e\(f\)g\|h\[i\]j\{k\}l\^m\$n\\o(/?)(.*)"
        expected = Rewrite(regex=(quoted, r"/\2"))
    assert action.rewrite == expected


def test_redirects_of_the_gateway_api() -> None:
    def redirected(stated: str) -> object:
        return api(f"filters: [{{type: RequestRedirect, requestRedirect: {{{stated}}}}}]").action

    assert redirected("path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}") == SendElsewhere(
        302, prefix="/x"
    )
    assert redirected("path: {type: ReplaceFullPath, replaceFullPath: /x}") == SendElsewhere(
        302, path="/x"
    )


def test_a_cluster_that_is_not_there_is_another_error_there() -> None:
    action = api("name: x").action
    assert isinstance(action, Forward)
    assert action.not_found == 500
    assert forward(TO).not_found == 503
