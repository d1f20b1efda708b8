"""Servers of several Gateways on one port (`mergeGateways` in pilot/pkg/model/gateway.go)."""

import pytest

from meshplan.mesh.gateway import Server, ServerTls, gateway_of
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.mesh.service import Protocol
from support.meshes import mesh

EDGE = gateway("edge", {"istio": "ingress"})


def server(
    port: int = 80, protocol: str = "HTTP", hosts: str = "'*'", name: str = "p", more: str = ""
) -> str:
    return (
        f"{{port: {{number: {port}, name: {name}, protocol: {protocol}}}, hosts: [{hosts}]{more}}}"
    )


TLS = ", tls: {mode: SIMPLE, credentialName: c}"
PASS = ", tls: {mode: PASSTHROUGH}"


def gateways(*servers: tuple[str, ...], selector: str = "{istio: ingress}") -> str:
    return "---".join(
        f"""
kind: Gateway
metadata: {{name: gw{n}, namespace: edge}}
spec: {{selector: {selector}, servers: [{", ".join(listed)}]}}
"""
        for n, listed in enumerate(servers)
    )


def merged(*servers: tuple[str, ...]) -> tuple[dict[int, list[list[str]]], list[str]]:
    """By port the groups of servers, and what was left out; each as `gateway/position`."""
    found = mesh(gateways(*servers)).servers(EDGE)

    def shown(one: Server) -> str:
        return f"{one.gateway.name}/{one.pointer.rpartition('/')[2]}"

    groups = {
        port: [[shown(one) for one in group.servers] for group in groups]
        for port, groups in found.by_port.items()
    }
    return groups, [shown(one) for one, _ in found.skipped]


@pytest.mark.parametrize(
    ("servers", "groups", "skipped"),
    [
        # Plain HTTP servers of a port share one table, TLS servers of one protocol one group.
        ([(server(),), (server(),)], {80: [["gw0/0", "gw1/0"]]}, []),
        ([(server(), server(81))], {80: [["gw0/0"]], 81: [["gw0/1"]]}, []),
        ([(server(),), (server(protocol="HTTP2"),)], {80: [["gw0/0", "gw1/0"]]}, []),
        ([(server(),), (server(protocol="TCP"),)], {80: [["gw0/0"]]}, ["gw1/0"]),
        ([(server(protocol="TCP"),), (server(),)], {80: [["gw0/0"]]}, ["gw1/0"]),
        ([(server(protocol="TCP"),), (server(protocol="TCP"),)], {80: [["gw0/0"]]}, ["gw1/0"]),
        # `CheckDuplicates`: a host of TLS belongs to one server of the port and address.
        (
            [
                (server(443, "HTTPS", "a.com", "p", TLS),),
                (server(443, "HTTPS", "a.com", "q", TLS),),
            ],
            {443: [["gw0/0"]]},
            ["gw1/0"],
        ),
        (
            [
                (server(443, "HTTPS", "a.com", "p", TLS),),
                (server(443, "HTTPS", "b.com, a.com", "q", TLS),),
            ],
            {443: [["gw0/0"]]},
            ["gw1/0"],
        ),
        (
            [
                (server(443, "HTTPS", "a.com", "p", TLS),),
                (server(443, "HTTPS", "b.com", "q", TLS),),
            ],
            {443: [["gw0/0", "gw1/0"]]},
            [],
        ),
        (
            [
                (server(443, "HTTPS", "a.com", "p", TLS),),
                (server(443, "HTTPS", "a.com", "q", TLS + ", bind: 10.0.0.1"),),
            ],
            {443: [["gw0/0"], ["gw1/0"]]},
            [],
        ),
        (
            [(server(443, "HTTPS", "a.com", "p", TLS), server(444, "HTTPS", "a.com", "q", TLS))],
            {443: [["gw0/0"]], 444: [["gw0/1"]]},
            [],
        ),
        # Names of ports tell the routes of HTTPS servers of one Gateway apart.
        (
            [(server(443, "HTTPS", "a.com", "p", TLS), server(443, "HTTPS", "b.com", "p", TLS))],
            {443: [["gw0/0"]]},
            ["gw0/1"],
        ),
        (
            [
                (server(443, "HTTPS", "a.com", "p", TLS),),
                (server(443, "HTTPS", "b.com", "p", TLS),),
            ],
            {443: [["gw0/0", "gw1/0"]]},
            [],
        ),
        (
            [(server(443, "TLS", "a.com", "p", PASS), server(443, "TLS", "b.com", "p", PASS))],
            {443: [["gw0/0", "gw0/1"]]},
            [],
        ),
        (
            [(server(443, "HTTPS", "a.com", "p", TLS), server(443, "TLS", "b.com", "p", PASS))],
            {443: [["gw0/0"], ["gw0/1"]]},
            [],
        ),
        (
            [
                (
                    server(443, "TLS", "b.com", "p", PASS),
                    server(443, "HTTPS", "a.com", "p", TLS),
                    server(443, "HTTPS", "c.com", "p", TLS),
                )
            ],
            {443: [["gw0/0"], ["gw0/1"]]},
            ["gw0/2"],
        ),
        # One without TLS beside some with it; what comes after that has to be plain HTTP like it.
        (
            [
                (
                    server(443, "HTTPS", "a.com", "p", TLS),
                    server(443, "HTTP", "b.com"),
                    server(443, "HTTP", "c.com"),
                )
            ],
            {443: [["gw0/0"], ["gw0/1", "gw0/2"]]},
            [],
        ),
        (
            [
                (
                    server(443, "HTTPS", "a.com", "p", TLS),
                    server(443, "TCP", "b.com"),
                    server(443, "HTTP", "c.com"),
                )
            ],
            {443: [["gw0/0"], ["gw0/1"]]},
            ["gw0/2"],
        ),
        (
            [(server(80), server(80, "HTTPS", "a.com", "q", TLS))],
            {80: [["gw0/0"]]},
            ["gw0/1"],
        ),
        # Another address is another listener.
        (
            [(server(), server(more=", bind: 10.0.0.1"), server(more=", bind: 10.0.0.1"))],
            {80: [["gw0/0"], ["gw0/1", "gw0/2"]]},
            [],
        ),
        # HTTP with a redirect to https is plain, and `tls` counts for its hosts all the same.
        (
            [(server(more=", tls: {httpsRedirect: true}"),), (server(),)],
            {80: [["gw0/0", "gw1/0"]]},
            [],
        ),
        (
            [
                (server(more=", tls: {httpsRedirect: true}"),),
                (server(more=", tls: {httpsRedirect: true}"),),
            ],
            {80: [["gw0/0"]]},
            ["gw1/0"],
        ),
    ],
)
def test_servers_of_a_port_are_put_together(
    servers: list[tuple[str, ...]], groups: dict[int, list[list[str]]], skipped: list[str]
) -> None:
    assert merged(*servers) == (groups, skipped)


def test_groups_have_protocol_and_address() -> None:
    found = mesh(
        gateways((server(), server(more=", bind: 10.0.0.1"), server(443, "HTTPS", more=TLS)))
    ).servers(EDGE)
    (plain, bound), (secure,) = found.by_port[80], found.by_port[443]
    assert [(g.protocol, g.bind, g.is_plain_http) for g in (plain, bound, secure)] == [
        (Protocol.HTTP, "", True),
        (Protocol.HTTP, "10.0.0.1", True),
        (Protocol.HTTPS, "", False),
    ]


@pytest.mark.parametrize(
    ("stated", "is_http", "is_passthrough", "is_tls"),
    [
        # `IsHTTPServer`, `IsPassThroughServer`, `IsTLSServer`.
        (server(), True, False, False),
        (server(more=", tls: {httpsRedirect: true}"), True, True, False),
        (server(protocol="GRPC"), True, False, False),
        (server(protocol="HTTPS", more=TLS), True, False, True),
        (server(protocol="HTTPS", more=PASS), False, True, True),
        (server(protocol="HTTPS", more=", tls: {mode: AUTO_PASSTHROUGH}"), False, True, True),
        (server(protocol="HTTPS", more=", tls: {mode: MUTUAL}"), True, False, True),
        (server(protocol="HTTPS", more=", tls: {}"), False, True, True),
        (server(protocol="TLS", more=TLS), False, False, True),
        (server(protocol="TCP"), False, False, False),
        (server(protocol="TCP", more=TLS), False, False, True),
    ],
)
def test_what_a_server_reads(
    stated: str, is_http: bool, is_passthrough: bool, is_tls: bool
) -> None:
    (found,) = gateway_of(next(iter(mesh(gateways((stated,))).snapshot.values()))).servers
    assert (found.is_http, found.is_passthrough, found.is_tls) == (is_http, is_passthrough, is_tls)


@pytest.mark.parametrize(
    ("hosts", "cleaned", "names"),
    [
        # `sanitizeServerHostNamespace`; the namespaces that a host is open to.
        ("a.com", ("a.com",), {"edge": ("a.com",), "shop": ("a.com",)}),
        ("./a.com", ("edge/a.com",), {"edge": ("a.com",), "shop": ()}),
        ("'*/a.com'", ("a.com",), {"edge": ("a.com",), "shop": ("a.com",)}),
        ("shop/a.com", ("shop/a.com",), {"edge": (), "shop": ("a.com",)}),
        (
            "shop/a.com, ./b.com",
            ("shop/a.com", "edge/b.com"),
            {"edge": ("b.com",), "shop": ("a.com",)},
        ),
        ("'*/*', a.com", ("*",), {"edge": ("*",), "shop": ("*",)}),
        ("'*'", ("*",), {"edge": ("*",), "shop": ("*",)}),
        ("'shop/*', 'edge/*'", ("shop/*", "edge/*"), {"edge": ("*",), "shop": ("*",)}),
    ],
)
def test_hosts_of_a_server_are_for_namespaces(
    hosts: str, cleaned: tuple[str, ...], names: dict[str, tuple[str, ...]]
) -> None:
    stated = gateways((server(hosts=hosts),))
    (found,) = gateway_of(next(iter(mesh(stated).snapshot.values()))).servers
    assert found.hosts == cleaned
    assert {where: found.hosts_for(where) for where in names} == names
    assert found.server_names == tuple(dict.fromkeys(h.rpartition("/")[2] for h in cleaned))


def test_a_gateway_as_it_is_written() -> None:
    text = """
kind: Gateway
metadata: {name: gw, namespace: edge, creationTimestamp: '2024-01-01T00:00:00Z'}
spec:
  selector: {istio: ingress, more: true}
  servers:
  - {port: {number: 443, name: https, protocol: https}, hosts: [a.com], bind: 10.0.0.1, tls: {mode: MUTUAL, credentialName: c}}
  - {port: {number: 444, name: two, protocol: TLS}, hosts: [b.com], tls: {credentialNames: [d, e], httpsRedirect: 'true'}}
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [c.com], tls: {httpsRedirect: true}}
"""
    (resource,) = mesh(text).snapshot.values()
    found = gateway_of(resource)
    assert (found.id, found.name, found.created) == (resource.id, "edge/gw", "2024-01-01T00:00:00Z")
    assert (found.namespace, found.services, found.listener) == ("", (), "")
    assert found.selector == {"istio": "ingress", "more": "true"}
    first, second, third = found.servers
    assert (first.port, first.port_name, first.protocol) == (443, "https", Protocol.HTTPS)
    assert (first.bind, first.pointer, first.gateway) == (
        "10.0.0.1",
        "/spec/servers/0",
        resource.id,
    )
    assert first.gateway_name == "edge/gw"
    assert first.tls == ServerTls("MUTUAL", False, ("c",))
    assert (second.tls, second.pointer) == (
        ServerTls("PASSTHROUGH", False, ("d", "e")),
        "/spec/servers/1",
    )
    assert third.tls == ServerTls("PASSTHROUGH", True, ())


@pytest.mark.parametrize(
    ("selector", "labels", "namespace", "opened"),
    [
        ("{istio: ingress}", {"istio": "ingress"}, "edge", True),
        ("{istio: ingress}", {"istio": "ingress", "a": "b"}, "other", True),
        ("{istio: ingress}", {"istio": "other"}, "edge", False),
        ("{istio: ingress, a: b}", {"istio": "ingress"}, "edge", False),
        ("{}", {}, "edge", True),
        ("null", {"istio": "x"}, "edge", True),
    ],
)
def test_a_selector_picks_gateway_pods(
    selector: str, labels: dict[str, str], namespace: str, opened: bool
) -> None:
    state = mesh(gateways((server(),), selector=selector))
    assert bool(state.gateways_of(gateway(namespace, labels))) is opened
    assert (state.gateways[0].selector is None) is (selector == "null")


def test_gateways_are_in_the_order_of_age_and_found_by_name() -> None:
    """`sortConfigByCreationTime`: time, then name, then namespace."""

    def one(name: str, namespace: str, time: str) -> str:
        return f"\nkind: Gateway\nmetadata: {{name: {name}, namespace: {namespace}, creationTimestamp: '{time}'}}\nspec: {{servers: []}}\n"

    early, late = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
    state = mesh(
        "---".join(
            (one("b", "x", late), one("a", "z", late), one("a", "w", late), one("z", "x", early))
        )
    )
    assert [g.name for g in state.gateways] == ["x/z", "w/a", "z/a", "x/b"]
    found = state.gateway("w/a")
    assert found is not None
    assert found.name == "w/a"
    assert state.gateway("w/b") is None


# Which port of the pods a port of a server is (`resolvePorts`).

FRONT = """
kind: Service
metadata: {name: front, namespace: edge, labels: {%s}}
spec: {selector: {istio: ingress}, ports: [{name: http, port: 80, targetPort: %s}, {name: x, port: 81}]}
"""
PODS = """
kind: Deployment
metadata: {name: ingress, namespace: edge}
spec: {template: {metadata: {labels: {istio: ingress}}, spec: {containers: [{name: a, ports: [{name: web, containerPort: 8088}]}]}}}
"""
NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation: 'true'"


@pytest.mark.parametrize(
    ("services", "port", "listening"),
    [
        ([], 80, 80),
        ([FRONT % ("", "8080")], 80, 8080),
        ([FRONT % ("", "8080")], 81, 81),
        ([FRONT % ("", "8080")], 82, 82),
        ([FRONT % ("", "web"), PODS], 80, 8088),
        ([FRONT % (NO_TRANSLATION, "8080")], 80, 80),
        ([(FRONT % ("", "8080")).replace("istio: ingress", "istio: other")], 80, 80),
        ([(FRONT % ("", "8080")).replace("selector: {istio: ingress}, ", "")], 80, 80),
        ([(FRONT % ("", "8080")).replace("namespace: edge", "namespace: web")], 80, 80),
        # The oldest Service that has the port.
        ([FRONT % ("", "8080"), (FRONT % ("", "9090")).replace("front", "again")], 80, 9090),
        ([FRONT % ("", "8080"), (FRONT % ("", "9090")).replace("front", "young")], 80, 8080),
    ],
)
def test_a_service_in_front_tells_the_port_of_the_pods(
    services: list[str], port: int, listening: int
) -> None:
    state = mesh("---".join((gateways((server(port),)), *services)))
    assert state.target_port(port, EDGE) == listening
    assert list(state.servers(EDGE).by_port) == [listening]


OWN = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  gatewayClassName: istio
  addresses: [%s]
  listeners: [{name: http, port: 80, protocol: HTTP}]
"""
NAMED = OWN % "{type: Hostname, value: front}"


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        # A Gateway that names Services is for their pods, on their ports alone.
        ([NAMED, FRONT % ("", "8080")], [8080]),
        ([NAMED, FRONT % ("", "web"), PODS], [8088]),
        ([NAMED, (FRONT % ("", "8080")).replace("port: 80,", "port: 90,")], []),
        ([NAMED, (FRONT % ("", "8080")).replace("front", "other")], []),
        ([NAMED], []),
        (
            [
                OWN % "{type: Hostname, value: front}, {type: Hostname, value: second}",
                FRONT % ("", "8080"),
                (FRONT % ("", "9090")).replace("front", "second"),
            ],
            [8080, 9090],
        ),
        (
            [
                OWN % "{type: Hostname, value: front}, {type: Hostname, value: second}",
                FRONT % ("", "8080"),
                (FRONT % ("", "8080")).replace("front", "second"),
            ],
            [8080],
        ),
    ],
)
def test_a_gateway_that_names_services_is_for_their_pods(text: list[str], ports: list[int]) -> None:
    assert list(mesh("---".join(text)).servers(EDGE).by_port) == ports


def test_a_managed_gateway_is_for_its_own_pods() -> None:
    state = mesh(OWN % "")
    named = {"gateway.networking.k8s.io/gateway-name": "gw"}
    assert list(state.servers(gateway("edge", named)).by_port) == [80]
    assert list(state.servers(gateway("web", named)).by_port) == []
    assert list(state.servers(EDGE).by_port) == []


def test_proxies_are_classes() -> None:
    one, same = sidecar("web", {"a": "1", "b": "2"}), sidecar("web", {"b": "2", "a": "1"})
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same, sidecar("web"), gateway("web", {"a": "1", "b": "2"})}) == 3
    assert one.dns_domain("cluster.local") == "web.svc.cluster.local"
    assert (one.kind, gateway("web").kind) == ("sidecar", "gateway")
    assert one.service_account == "default"
