"""Which clients ask for a host, on which ports and by which names: found by hand."""

import pytest

from meshplan.proof.ports import server_ports
from meshplan.proof.types import TopicKind
from support.asking import (
    HOST,
    OTHERS,
    OWN,
    SERVICE,
    cases,
    clients,
    doc,
    pod,
    policy,
    route,
    sidecar,
)
from support.meshes import with_versions
from support.snapshots import snapshot


@pytest.mark.parametrize(
    ("more", "others"),
    [
        ("", set()),
        (route(), {"namespace web"}),
        (route("{sourceNamespace: job}"), {"namespace web", "namespace job"}),
        (
            route("{sourceLabels: {app: c}}"),
            {"namespace web", "namespace web (app=c)", "namespace shop (app=c)"},
        ),
        (
            route().replace("http:", "tcp:").replace("[{route", "[{match: [{sourceLabels: {app: t}}], route"),
            {"namespace web", "namespace web (app=t)", "namespace shop (app=t)"},
        ),
        (
            route().replace("http:", "tls:").replace("[{route", "[{match: [{sourceLabels: {app: t}}], route"),
            {"namespace web", "namespace web (app=t)", "namespace shop (app=t)"},
        ),
        (route(more=", exportTo: [job, '.']"), {"namespace web", "namespace job"}),
        (route(more=", exportTo: ['*']"), {"namespace web"}),
        (doc("DestinationRule", "d", "job", f"{{host: {HOST}}}"), {"namespace job"}),
        (
            doc(
                "DestinationRule",
                "d",
                "job",
                f"{{host: {HOST}, workloadSelector: {{matchLabels: {{app: c}}}}}}",
            ),
            {"namespace job", "namespace job (app=c)"},
        ),
        # One of all namespaces whose Sidecars say the same.
        (sidecar("n1", "'shop/*'") + sidecar("n2", "'shop/*'"), {"namespace n1"}),
        (sidecar("n1", "'shop/*'") + sidecar("n2", "'*/*'"), {"namespace n1"}),
        # Who imports nothing of it does not ask for it.
        (
            sidecar("n1", "'shop/*'") + sidecar("n2", "'~/*', shop/b.example.com"),
            {"namespace n1"},
        ),
        (sidecar("n1", "'shop/*'", labels="app: c"), {"namespace n1", "namespace n1 (app=c)"}),
        (
            sidecar("n1", "'shop/*'", labels="app: c") + pod("n1", "app: d, x: why"),
            {"namespace n1", "namespace n1 (app=c)", "namespace n1 (app=d)"},
        ),
        (sidecar("n1", "'shop/*'") + sidecar("n1", "'~/*'", "t", "app: c"),
         {"namespace n1", "namespace n1 (app=c)"}),
        (policy("namespaces: [job]"), {"namespace job"}),
        (policy("notNamespaces: [job]"), {"namespace job"}),
        (policy("principals: [cluster.local/ns/job/sa/one]"), {"namespace job", "namespace job as one"}),
        (policy("serviceAccounts: [job/one]"), {"namespace job", "namespace job as one"}),
        (policy("serviceAccounts: [one]"), {"namespace shop as one"}),
        (pod("shop", "app: a"), set()),
    ],
)  # fmt: skip
def test_who_asks_for_a_service(more: str, others: set[str]) -> None:
    found = clients(SERVICE + more)
    elsewhere = {one for one in found if one.startswith(OTHERS)}
    assert OTHERS in elsewhere
    assert OWN in found
    if "sourceLabels" in more:  # From any namespace.
        elsewhere -= {OTHERS}
        others = {*others, *elsewhere}
    assert found - {OWN, OTHERS} == others


def test_who_imports_what_has_no_service() -> None:
    own = doc(
        "VirtualService", "v", "shop", "{hosts: [v.example.com], http: [{redirect: {uri: /}}]}"
    )
    imported = (
        own.removeprefix("---\n")
        + sidecar("n1", "shop/v.example.com")
        + sidecar("n2", "shop/x.example.com")
    )
    assert clients(imported, "v.example.com") == {OWN, OTHERS, "namespace n1"}
    spec = "{hosts: [E.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"
    entry = doc("ServiceEntry", "e", "shop", spec).removeprefix("---\n")
    imported = entry + sidecar("n1", "'*/e.example.com'") + sidecar("n2", "'web/*'")
    assert clients(imported, "e.example.com") == {OWN, OTHERS, "namespace n1"}


def test_what_else_a_sidecar_says_counts() -> None:
    closed = sidecar("n2", "'shop/*'").replace(
        "{egress", "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress"
    )
    found = clients(
        SERVICE + sidecar("n1", "'shop/*'") + closed + sidecar("n3", "'shop/*', 'web/*'")
    )
    assert found == {OWN, OTHERS, "namespace n1", "namespace n2"}
    port = sidecar("n2", "'shop/*'").replace(
        "{hosts", "{port: {number: 80, protocol: HTTP, name: h}, hosts"
    )
    assert "namespace n2" in clients(SERVICE + sidecar("n1", "'shop/*'") + port)


def test_annotations_of_a_service_name_namespaces() -> None:
    exported = SERVICE.replace(
        "namespace: shop}",
        "namespace: shop, annotations: {networking.istio.io/exportTo: 'job, web'}}",
    )
    assert clients(exported) == {OWN, OTHERS, "namespace job", "namespace web"}


def asked(after: str, kind: TopicKind = TopicKind.MESH, host: str = HOST) -> set[tuple[str, int]]:
    """Schemes and ports."""
    return {(case.base.scheme, case.base.port) for case in cases(after, kind, host)}


def with_ports(ports: str) -> str:
    return SERVICE.replace("{name: http, port: 80}", ports)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SERVICE, {("http", 80)}),
        (with_ports("{name: http, port: 81}, {name: tcp-x, port: 82}"), {("http", 81), ("http", 82), ("tcp", 82)}),
        (with_ports("{name: https, port: 443}"), {("tls", 443)}),
        (with_ports("{name: tls-x, port: 444}"), {("tls", 444)}),
        (with_ports("{name: grpc, port: 85}"), {("http", 85)}),
        (with_ports("{name: dns, protocol: UDP, port: 53}"), {("http", 80)}),
        (with_ports("{name: any, port: 86}"), {("http", 86), ("tcp", 86)}),
        # Routes count on the usual port of HTTP too.
        (with_ports("{name: http, port: 81}") + route(), {("http", 81), ("http", 80)}),
        (with_ports("{name: http, port: 81}") + route("{port: 82}"), {("http", 80), ("http", 81), ("http", 82)}),
        (with_ports("{name: http, port: 81}") + doc("VirtualService", "x", "shop", "{hosts: [b], http: [{match: [{port: 83}]}]}"), {("http", 81)}),
        (
            SERVICE + "---\nkind: Service\nmetadata: {name: b, namespace: shop}\nspec: {ports: [{name: http, port: 99}]}\n",
            {("http", 80)},
        ),
    ],
)  # fmt: skip
def test_on_which_ports(text: str, expected: set[tuple[str, int]]) -> None:
    assert asked(text) == expected


@pytest.mark.parametrize(
    ("hosts", "topic"),
    [
        ("x.example.com", "x.example.com"),
        ("'*.example.com'", "x.example.com"),
        ("'*.example.com'", "*.a.example.com"),
    ],
)
def test_entries_that_cover_a_host_have_ports(hosts: str, topic: str) -> None:
    spec = "{hosts: [%s], resolution: NONE, ports: [{number: 8443, name: tls, protocol: TLS}]}"
    assert asked(
        doc("ServiceEntry", "e", "web", spec % hosts).removeprefix("---\n"), host=topic
    ) == {("tls", 8443)}


GATEWAY = """
kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {selector: {istio: x}, servers: [{port: {number: 81, name: p, protocol: %s}, hosts: ["*"]%s}]}
"""
API = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {gatewayClassName: istio, listeners: [{name: p, port: 81, protocol: %s%s}]}
"""


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        (GATEWAY % ("HTTP", ""), "http"),
        (GATEWAY % ("http2", ""), "http"),
        (GATEWAY % ("GRPC", ""), "http"),
        (GATEWAY % ("HTTPS", ", tls: {mode: SIMPLE}"), "https"),
        (GATEWAY % ("HTTPS", ", tls: {mode: MUTUAL}"), "https"),
        (GATEWAY % ("HTTPS", ", tls: {mode: PASSTHROUGH}"), "tls"),
        (GATEWAY % ("TLS", ", tls: {mode: SIMPLE}"), "tls"),
        (GATEWAY % ("TLS", ", tls: {mode: PASSTHROUGH}"), "tls"),
        (GATEWAY % ("TLS", ", tls: {mode: AUTO_PASSTHROUGH}"), "tls"),
        (GATEWAY % ("HTTPS", ", tls: {mode: AUTO_PASSTHROUGH}"), "tls"),
        (GATEWAY % ("TCP", ""), "tcp"),
        (GATEWAY % ("MONGO", ""), "tcp"),
        (GATEWAY % ("Redis", ""), "tcp"),
        (GATEWAY % ("MYSQL", ""), "tcp"),
        (GATEWAY % ("MYSQL", ", tls: {mode: SIMPLE}"), "tls"),
        (GATEWAY % ("HTTP", ", tls: {httpsRedirect: true}"), "http"),
        (GATEWAY % ("HTTP", ", tls: {mode: SIMPLE}"), "https"),
        (GATEWAY % ("GRPC", ", tls: {mode: MUTUAL}"), "https"),
        (GATEWAY % ("TCP", ", tls: {mode: SIMPLE}"), "tls"),
        (API % ("HTTP", ""), "http"),
        (API % ("HTTPS", ", tls: {certificateRefs: [{name: c}]}"), "https"),
        (API % ("TLS", ", tls: {mode: Passthrough}"), "tls"),
        (API % ("TLS", ", tls: {mode: Terminate}"), "tls"),
        (API % ("HTTPS", ", tls: {mode: Passthrough}"), "tls"),
        (API % ("TCP", ""), "tcp"),
    ],
)  # fmt: skip
def test_how_clients_speak_at_a_gateway(text: str, scheme: str) -> None:
    found = snapshot(with_versions(text.strip())).values()
    assert server_ports(found) == ((81, scheme),)


def test_by_which_names() -> None:
    """In short where the Service comes or a route is for the short name; by its own only nearby."""

    def names(text: str, before: str = "") -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for case in cases(text, TopicKind.MESH, before=before):
            found.setdefault(str(case.client), set()).add(case.base.host)
        return found

    near, far = {HOST, "a.shop", "a.shop.svc", "a"}, {HOST, "a.shop", "a.shop.svc"}
    assert names(SERVICE) == {OWN: near, OTHERS: far}
    there = names(SERVICE + route(namespace="shop"), SERVICE)
    assert there == {OWN: {HOST}, OTHERS: {HOST}}


def servers(text: str) -> set[tuple[int, str, str]]:
    """Port, transport and identity of the peers of the pods `app=a` in `shop`."""
    found = cases(text, TopicKind.SERVER, namespace="shop", app="a")
    return {
        (case.server.port, str(case.transport), case.base.principal)
        for case in found
        if case.server
    }


ANYONE = "cluster.local/ns/elsewhere/sa/default"


@pytest.mark.parametrize(
    ("more", "ports"),
    [
        ("", {8080}),
        (SERVICE, {80}),
        (SERVICE.replace("port: 80", "port: 80, targetPort: 8081"), {8081}),
        (doc("PeerAuthentication", "p", "shop", "{selector: {matchLabels: {app: a}}, portLevelMtls: {7000: {mode: STRICT}}}"), {7000}),
        (doc("Sidecar", "s", "shop", "{workloadSelector: {labels: {app: a}}, ingress: [{port: {number: 7001, protocol: HTTP, name: h}}]}"), {7001}),
        (doc("AuthorizationPolicy", "p", "shop", "{rules: [{to: [{operation: {ports: ['7002']}}]}]}"), {7002}),
        (pod("shop", "app: a").replace("{name: c}", "{name: c, ports: [{name: web, containerPort: 7003}]}"), {7003}),
    ],
)  # fmt: skip
def test_at_which_ports_of_a_workload(more: str, ports: set[int]) -> None:
    base = "kind: PeerAuthentication\nmetadata: {name: x, namespace: shop}\nspec: {mtls: {mode: STRICT}}\n"
    found = servers(base + ("---" + more if more and not more.startswith("---") else more))
    assert {port for port, _, _ in found} == ports
    assert {(transport, who) for _, transport, who in found} >= {
        ("plaintext", ""),
        ("mtls", ANYONE),
    }


def test_who_comes_to_a_workload() -> None:
    rules = (
        "{rules: [{from: [{source: {principals: [cluster.local/ns/job/sa/one]}}]},"
        " {from: [{source: {namespaces: [web]}}]}]}"
    )
    found = servers(doc("AuthorizationPolicy", "p", "shop", rules).removeprefix("---\n"))
    assert {(transport, who) for _, transport, who in found} == {
        ("plaintext", ""),
        ("mtls", ANYONE),
        ("mtls", "cluster.local/ns/job/sa/one"),
        ("mtls", "cluster.local/ns/job/sa/default"),
        ("mtls", "cluster.local/ns/web/sa/default"),
    }
