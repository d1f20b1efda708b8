"""What is told of who decided: people read these words in `meshplan trace`."""

import pytest

from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.traffic import Request, route
from meshplan.traffic.condition import (
    ANY_PATH,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Regex,
)
from meshplan.traffic.outcome import Failed, Outcome, Passthrough
from meshplan.traffic.table import Answer, Route
from support.meshes import mesh

CLIENT = sidecar("web", {"app": "client"})
EDGE = gateway("edge", {"istio": "ingress"})
SERVICE = "\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {selector: {app: a}, ports: [{name: http, port: 80}, {name: tcp, port: 81}]}\n"
SERVERS = """
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.com], tls: {mode: SIMPLE, credentialName: c}}
  - {port: {number: 90, name: tcp, protocol: TCP}, hosts: [a.com]}
"""
RULE = """
kind: VirtualService
metadata: {name: v, namespace: shop}
spec:
  hosts: [a, a.com]
  gateways: [mesh, edge/gw]
  http:
  - {match: [{uri: {prefix: /x}}, {uri: {exact: /y}, headers: {h: {}}}], directResponse: {status: 201}}
  - {match: [{uri: {prefix: /z}}], redirect: {uri: /}}
"""


def asked(
    text: str, client: Proxy = CLIENT, host: str = "a.shop", path: str = "/", **stated: object
) -> Outcome:
    config = stated.pop("config", {})
    assert isinstance(config, dict)
    return route(mesh(text, **config), Request(host, path=path, **stated), client)  # type: ignore[arg-type]


def told(outcome: Outcome) -> list[str]:
    return [
        f"{reason.id.name}: {reason.text}" if reason.id else reason.text for reason in outcome.why
    ]


@pytest.mark.parametrize(
    ("path", "headers", "words"),
    [
        ("/x", {}, ["v: http[0].match[0] matches prefix /x"]),
        ("/y", {"h": "1"}, ["v: http[0].match[1] matches exact /y and header h"]),
        ("/z", {}, ["v: http[1].match[0] matches prefix /z"]),
        ("/y", {}, ["no route of a.shop matches"]),
    ],
)
def test_the_match_that_decided(path: str, headers: dict[str, str], words: list[str]) -> None:
    assert told(asked(f"{SERVICE}---{RULE}", path=path, headers=headers)) == words
    at_gateway = told(asked(f"{SERVERS}---{RULE}", EDGE, "a.com", path, headers=headers))
    assert at_gateway == [
        "gw: spec/servers/0 listens on port 80",
        *(w.replace("a.shop", "a.com") for w in words),
    ]


@pytest.mark.parametrize(
    ("host", "stated", "words"),
    [
        ("a.shop", {}, ["a: has a route of its own", "a: declares a.shop.svc.cluster.local"]),
        ("b.com", {}, ["nothing here declares the host"]),
        ("b.com", {"scheme": "tcp"}, ["nothing here declares the host, and the mesh lets it pass"]),
        (
            "a.shop",
            {"scheme": "https", "port": 80},
            ["nothing here declares the host, and the mesh lets it pass"],
        ),
        (
            "a.shop",
            {"scheme": "tcp", "port": 81},
            ["a: has a route of its own", "a: declares a.shop.svc.cluster.local"],
        ),
    ],
)
def test_what_a_sidecar_does_by_itself(
    host: str, stated: dict[str, object], words: list[str]
) -> None:
    found = told(asked(SERVICE, host=host, **stated))
    assert found[: len(words)] == words


def test_what_only_declared_hosts_may_do() -> None:
    closed = {"config": {"outbound_traffic_policy": "REGISTRY_ONLY"}}
    blocked = asked(SERVICE, host="b.com", **closed)
    assert isinstance(blocked, Failed)
    assert (blocked.status, blocked.details, told(blocked)) == (
        502,
        "direct_response",
        ["nothing here declares the host"],
    )
    black = asked(SERVICE, host="b.com", scheme="tcp", **closed)
    assert isinstance(black, Failed)
    assert (black.flag, black.details) == ("UH", "BlackHoleCluster")
    assert told(black) == ["nothing here declares the host, and only declared ones are reached"]


@pytest.mark.parametrize(
    ("stated", "flag", "details", "words"),
    [
        ({"port": 82}, "-", "connection refused", ["nothing listens on port 82"]),
        (
            {"port": 82, "scheme": "https"},
            "-",
            "connection refused",
            ["nothing listens on port 82"],
        ),
        ({"port": 443}, "NR", "filter_chain_not_found", ["port 443 takes other connections alone"]),
        (
            {"scheme": "https", "port": 80},
            "DPE",
            "codec_error",
            ["gw: spec/servers/0 listens on port 80", "what comes is no HTTP"],
        ),
        (
            {"scheme": "https", "port": 443, "sni": "b.com"},
            "NR",
            "filter_chain_not_found",
            ["port 443 takes other connections alone"],
        ),
        (
            {"scheme": "https", "port": 443},
            "-",
            "TLS handshake failed",
            ["gw: there is no Secret edge/c"],
        ),
        (
            {"scheme": "tcp", "port": 90},
            "-",
            "connection refused",
            ["nothing listens on port 90"],
        ),
        (
            {"port": 80, "host": "b.com"},
            "NR",
            "route_not_found",
            ["gw: spec/servers/0 listens on port 80"],
        ),
    ],
)
def test_why_a_gateway_takes_no_connection(
    stated: dict[str, object], flag: str, details: str, words: list[str]
) -> None:
    host = str(stated.pop("host", "a.com"))
    outcome = asked(SERVERS, EDGE, host, **stated)
    assert isinstance(outcome, Failed)
    assert (outcome.flag, outcome.details, told(outcome)) == (flag, details, words)
    assert outcome.status == (404 if details == "route_not_found" else None)


@pytest.mark.parametrize(
    ("path", "status", "details"),
    [("/%00", 400, "path_normalization_failed"), ("*", 404, "absolute_path_rejected")],
)
def test_a_path_that_is_refused(path: str, status: int, details: str) -> None:
    outcome = asked(SERVICE, path=path)
    assert isinstance(outcome, Failed)
    assert (outcome.status, outcome.flag, outcome.details) == (status, "-", details)


def test_a_path_is_normalized_before_it_is_matched() -> None:
    text = f"{SERVICE}---{RULE}"
    assert told(asked(text, path="/a/../x")) == ["v: http[0].match[0] matches prefix /x"]
    raw = asked(text, path="/a/../x", config={"path_normalization": "NONE"})
    assert told(raw) == ["no route of a.shop matches"]


def test_a_listener_for_proxies_that_are_asked_is_not_modelled() -> None:
    wanted = """
kind: Sidecar
metadata: {name: s, namespace: web}
spec: {egress: [{port: {number: 80, name: p, protocol: HTTP_PROXY}, hosts: ['*/*']}]}
"""
    outcome = asked(f"{SERVICE}---{wanted}")
    assert getattr(outcome, "reason", "") == (
        "port 80 is one for clients that ask a proxy, which is not modelled"
    )
    elsewhere = wanted.replace("HTTP_PROXY", "HTTP").replace("number: 80", "number: 90")
    assert asked(f"{SERVICE}---{elsewhere}") == Passthrough("a.shop", 80)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        # `IsCatchAllRoute`.
        ((ANY_PATH,), True),
        ((PathCondition(Prefix("/a")),), False),
        ((PathCondition(Exact("/")),), False),
        ((PathCondition(Regex(".*")),), True),
        ((PathCondition(Regex("/.*")),), False),
        ((ANY_PATH, HeaderCondition("x", Exact("1"))), False),
        ((HeaderCondition("x", Regex(".*")),), False),
        ((), False),
    ],
)
def test_which_routes_take_everything(
    conditions: tuple[PathCondition, ...], expected: bool
) -> None:
    assert Route(conditions, Answer(200), None).is_catch_all is expected


def test_what_a_proxy_may_meet_is_told_with_what_would_be() -> None:
    lua = """
kind: EnvoyFilter
metadata: {name: lua, namespace: web}
spec: {configPatches: [{applyTo: HTTP_FILTER}]}
"""
    outcome = asked("---".join((SERVICE, RULE, lua)), path="/x")
    assert getattr(outcome, "reason", "") == "EnvoyFilter web/lua changes what the proxy does"
    assert getattr(getattr(outcome, "otherwise", None), "status", None) == 201
    assert told(outcome) == ["v: http[0].match[0] matches prefix /x"]
