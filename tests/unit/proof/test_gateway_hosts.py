"""Which hosts the pods of one gateway tell apart, and where its servers are in each other's way."""

import pytest

from meshplan.mesh import MeshConfig
from meshplan.proof.gateways import GatewayHosts
from meshplan.proof.index import Index
from meshplan.proof.ports import servers_on
from meshplan.proof.versions import Versions
from support.around import snapshot

NAME = "gateway.networking.k8s.io/gateway-name"
PODS = ("edge", (("istio", "x"),))
API_PODS = ("edge", ((NAME, "api"),))


def made(text: str, after: str = "") -> tuple[Index, Versions]:
    versions = Versions(snapshot(text)[1], snapshot(after or text)[1])
    return Index(versions, "cluster.local"), versions


def alike(text: str, host: str, pods: tuple[str, tuple[tuple[str, str], ...]] = PODS) -> str:
    config = MeshConfig(root_namespace="root")
    return GatewayHosts(*made(text), config).alike(host, *pods)


def gateway(where: str, hosts: str, selector: str = "{istio: x}", more: str = "") -> str:
    port = "{number: 80, name: h, protocol: HTTP}"
    return f"edge Gateway {where} {{selector: {selector}, servers: [{{port: {port}, hosts: [{hosts}]{more}}}]}}\n"


def api(where: str, hostname: str, more: str = "") -> str:
    listener = f"{{name: h, port: 80, protocol: HTTP{hostname}{more}}}"
    return f"edge API {where} {{gatewayClassName: istio, listeners: [{listener}]}}\n"


def route(where: str, hosts: str, bound: str, http: str = "{redirect: {uri: /}}") -> str:
    return (
        f"edge VirtualService {where} {{hosts: [{hosts}], gateways: [{bound}], http: [{http}]}}\n"
    )


EDGE = gateway("edge/gw", "'*.example.com', '*.com', far/A.example.org")


@pytest.mark.parametrize(
    ("more", "host", "expected"),
    [
        ("", "x.example.com", "*.example.com"),
        ("", "example.com", "*.com"),
        ("", "x.example.org", "*"),
        ("", "a.example.org", "a.example.org"),
        ("", "*.example.com", "*.example.com"),
        # A wildcard is for more names than those of a narrower one.
        ("", "*", "*"),
        ("", "*.org", "*"),
        (gateway("edge/more", "'*.a.net'"), "*.net", "*"),
        (gateway("edge/more", "'*.a.net', '*.b.a.net'"), "*.c.a.net", "*.a.net"),
        (route("far/r", "X.example.com", "edge/gw"), "x.example.com", "x.example.com"),
        (route("edge/r", "x.example.com", "gw"), "x.example.com", "x.example.com"),
        (route("edge/r", "x.example.com", "mesh"), "x.example.com", "*.example.com"),
        (route("edge/r", "x.example.com", "far/gw"), "x.example.com", "*.example.com"),
        # Another object may be called like the Gateway.
        (
            route("far/r", "x.example.com", "mesh", "{delegate: {name: gw, namespace: edge}}"),
            "x.example.com",
            "*.example.com",
        ),
        (route("far/r", "'*.x.example.com'", "edge/gw"), "a.x.example.com", "*.x.example.com"),
        # Other Gateways count if the same pods open them.
        (gateway("far/gw", "x.example.com"), "x.example.com", "x.example.com"),
        (gateway("far/gw", "x.example.com", "{istio: other}"), "x.example.com", "*.example.com"),
        (
            gateway("far/gw", "y.example.com") + route("far/r", "x.example.com", "gw"),
            "x.example.com",
            "x.example.com",
        ),
    ],
)
def test_hosts_that_something_names(more: str, host: str, expected: str) -> None:
    assert alike(EDGE + more, host) == expected


def test_of_a_wildcard_no_single_name_is_made() -> None:
    text = gateway("edge/gw", "'*.com'") + route("far/r", "x.example.com", "edge/gw")
    assert alike(text, "*.example.com") == "*.com"
    assert alike(text, "y.example.com") == "*.com"


POLICY = "{selector: {matchLabels: {istio: %s}}, rules: [{to: [{operation: {%s}}]}]}"


@pytest.mark.parametrize(
    ("more", "is_apart"),
    [
        (route("edge/r", "'*'", "gw", "{match: [{authority: {prefix: x}}], redirect: {uri: /}}"), True),
        (route("edge/r", "'*'", "gw", "{match: [{uri: {prefix: /x}}], redirect: {uri: /}}"), False),
        (route("edge/r", "'*'", "mesh", "{match: [{authority: {prefix: x}}], redirect: {uri: /}}"), False),
        (route("edge/r", "'*'", "gw", "{delegate: {name: d}}"), True),
        ("edge VirtualService edge/r {hosts: ['*'], gateways: [gw], tls: [{match: [{sniHosts: ['*.net']}], route: []}]}\n", True),
        (f"edge AuthorizationPolicy edge/p {POLICY % ('x', 'hosts: [z.net]')}\n", True),
        (f"edge AuthorizationPolicy root/p {POLICY % ('x', 'hosts: [z.net]')}\n", True),
        (f"edge AuthorizationPolicy far/p {POLICY % ('x', 'hosts: [z.net]')}\n", False),
        (f"edge AuthorizationPolicy edge/p {POLICY % ('other', 'hosts: [z.net]')}\n", False),
        (f"edge AuthorizationPolicy edge/p {POLICY % ('x', 'paths: [/z]')}\n", False),
        (gateway("far/gw", "z.net", more=", tls: {mode: AUTO_PASSTHROUGH}"), True),
        (gateway("far/gw", "z.net", more=", tls: {mode: PASSTHROUGH}"), False),
        (gateway("far/gw", "z.net", "{istio: other}", ", tls: {mode: AUTO_PASSTHROUGH}"), False),
        ("edge Gateway far/gw {metadata: {labels: {topology.istio.io/network: n}}, selector: {istio: x}, servers: []}\n", True),
        ("edge Gateway far/gw {metadata: {labels: {topology.istio.io: n}}, selector: {istio: x}, servers: []}\n", False),
    ],
)  # fmt: skip
def test_where_hosts_are_looked_at_in_other_ways(more: str, is_apart: bool) -> None:
    """Then each host stands for itself alone."""
    assert alike(EDGE + more, "x.example.com") == ("x.example.com" if is_apart else "*.example.com")


HTTP = (
    "edge HTTPRoute %s {parentRefs: [{name: api, namespace: edge}], hostnames: [%s], rules: []}\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (api("edge/api", ", hostname: X.example.com"), "x.example.com"),
        (api("edge/api", ", hostname: '*.example.com'"), "*.example.com"),
        (api("edge/api", ""), "*"),
        (api("edge/api", "") + HTTP % ("far/r", "X.example.com"), "x.example.com"),
        (api("edge/api", "") + HTTP % ("far/r", "'*.com'"), "*.com"),
        (api("edge/api", "") + HTTP.replace("name: api", "name: other") % ("far/r", "x.example.com"), "*"),
        (api("edge/api", "") + route("far/r", "x.example.com", "edge/api~gateway~h"), "x.example.com"),
        (api("edge/api", "") + route("far/r", "x.example.com", "edge/apis~gateway~h"), "*"),
        (api("edge/other", ", hostname: x.example.com") + api("edge/api", ""), "*"),
        (api("edge/api", ", hostname: '*.net'", ", tls: {options: {gateway.istio.io/listener-protocol: auto-passthrough}}"), "x.example.com"),
        (api("edge/api", ", hostname: '*.net'", ", tls: {options: {gateway.istio.io/listener-protocol: other}}"), "*"),
    ],
)  # fmt: skip
def test_hosts_of_a_gateway_of_the_gateway_api(text: str, expected: str) -> None:
    assert alike(text, "x.example.com", API_PODS) == expected


def test_every_version_counts() -> None:
    config = MeshConfig(root_namespace="root")
    index = made(EDGE, EDGE + route("far/r", "x.example.com", "edge/gw"))
    hosts = GatewayHosts(*index, config)
    assert hosts.alike("x.example.com", *PODS) == "x.example.com"
    assert hosts.alike("y.example.com", *PODS) == "*.example.com"


# Ports


def on_port(text: str, port: str = "80") -> list[list[str]]:
    return [list(server["hosts"]) for server in servers_on(port, *made(text))]  # type: ignore[call-overload]


def server(where: str, protocol: str, host: str, tls: str = "", port: int = 80) -> str:
    stated = f"{{number: {port}, name: p, protocol: {protocol}}}"
    return f"edge Gateway {where} {{selector: {{istio: x}}, servers: [{{port: {stated}, hosts: [{host}]{tls}}}]}}\n"


SECURED = ", tls: {mode: SIMPLE, credentialName: c}"


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (("HTTP", ""), ("HTTP", ""), False),
        (("HTTP", ""), ("GRPC", ""), False),
        (("HTTPS", SECURED), ("TLS", ", tls: {mode: PASSTHROUGH}"), False),
        (("HTTPS", SECURED), ("TCP", SECURED), False),
        (("HTTP", ""), ("HTTPS", SECURED), True),
        (("HTTP", ""), ("TCP", ""), True),
        (("TCP", ""), ("TCP", ""), True),
        (("TCP", ""), ("HTTPS", SECURED), True),
    ],
)
def test_servers_that_may_be_in_each_others_way(
    one: tuple[str, str], other: tuple[str, str], meet: bool
) -> None:
    text = server("edge/a", one[0], "a.net", one[1]) + server("edge/b", other[0], "b.net", other[1])
    more = server("edge/c", "TCP", "c.net", port=81)
    assert on_port(text + more) == ([["a.net"], ["b.net"]] if meet else [])
    assert on_port(text + more, "82") == []


def test_servers_of_all_versions_may_be_in_each_others_way() -> None:
    before = server("edge/a", "HTTP", "a.net") + server("edge/b", "HTTP", "b.net")
    after = before.replace("HTTP", "TCP", 1)
    found = list(servers_on("80", *made(before, after)))
    assert sorted(str(one["hosts"]) for one in found) == ["['a.net']", "['a.net']", "['b.net']"]


def test_servers_on_other_ports_are_in_nobodys_way() -> None:
    """A Gateway for two ports, and one that shares the first of them."""
    both = (
        "edge Gateway edge/a {selector: {istio: x}, servers: ["
        "{port: {number: 80, name: p, protocol: HTTP}, hosts: [a.net]}, "
        f"{{port: {{number: 443, name: s, protocol: HTTPS}}, hosts: [b.net]{SECURED}}}]}}\n"
    )
    assert on_port(both + server("edge/b", "HTTP", "b.net")) == []
    assert on_port(both + server("edge/b", "TCP", "b.net")) == [["a.net"], ["b.net"]]
