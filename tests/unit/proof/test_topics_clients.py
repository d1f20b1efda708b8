"""Who asks about a topic, and what is known of the hosts around it."""

import pytest

from meshplan.proof.topics import TopicCases
from meshplan.proof.types import TopicKind
from support.asking import GATEWAY, HOST, MESH, SERVICE, changed, doc, of, pod

# Hosts


def test_what_is_known_of_hosts() -> None:
    """Of the topic's, of what is sent to, and of what is declared at hand."""
    route = doc(
        "VirtualService",
        "r",
        "shop",
        f"{{hosts: [{HOST}, c], http: [{{route: [{{destination: {{host: b}}}}]}}]}}",
    )
    other = doc("Service", "c", "shop", "{ports: [{name: http, port: 80}]}")
    far = doc("Service", "d", "shop", "{ports: [{name: http, port: 80}]}")
    before = f"{route}---{SERVICE}{far}"
    found = of(changed(before, before + other + pod("shop", "app: a")))
    named = {host.partition(".")[0]: told for host, *told in found.known}
    assert named == {
        # The Service is there throughout, and its pods come.
        "a": [False, True],
        # Nobody declares it.
        "b": [False, False],
        "c": [True, False],
    }


def test_what_is_known_of_entries_and_secrets() -> None:
    """A Secret that comes is the tree's own, unless somebody makes it from another object."""
    server = "{port: {number: 443, name: s, protocol: HTTPS}, hosts: [x.example.com], tls: {mode: SIMPLE, credentialName: %s}}"
    gateway = doc(
        "Gateway",
        "gw",
        "edge",
        f"{{selector: {{istio: x}}, servers: [{server % 'own'}, {server % 'made'}]}}",
    )
    route = doc(
        "VirtualService",
        "r",
        "edge",
        "{hosts: [x.example.com, z.example.com], gateways: [gw], http: [{route: [{destination: {host: e.example.com}}]}]}",
    )
    entry = doc(
        "ServiceEntry",
        "e",
        "far",
        "{hosts: [E.example.com, f.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}",
    )
    secrets = "".join(doc("Secret", name, "edge", "{}") for name in ("own", "made", "other"))
    certificate = "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c, namespace: edge}\nspec: {secretName: made}\n"
    before = gateway + route + certificate
    found = of(changed(before, before + entry + secrets), GATEWAY, "x.example.com")
    assert sorted(found.cases(reverse=False)[0].client.proxy.labels) == ["istio"]  # type: ignore[union-attr]
    assert {name: (there, pods) for name, there, pods in found.known} == {
        "x.example.com": (False, False),
        "e.example.com": (True, False),
        "f.example.com": (True, False),
        "Secret edge/own": (True, False),
        "Secret edge/made": (False, False),
    }  # fmt: skip


def test_who_sends_counts_where_services_are_private() -> None:
    """Who imports a route imports what it sends to, and clusters depend on it then."""
    sends = doc(
        "VirtualService",
        "s",
        "far",
        f"{{hosts: [x.example.com], http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]}}",
    )
    for default, expected in ((("*",), []), ((".",), ["s"]), ((".", "*"), [])):
        found = of(changed(SERVICE, SERVICE + sends, default_service_export_to=default))  # type: ignore[arg-type]
        assert [id_.name for id_ in found.scope.ids] == expected
        stages = found.scope.stages(found.cases(reverse=False)[0].client)
        assert [found.scope.ids[p].name for p in stages.clusters] == expected


# Clients


def gateways(*labels: str, namespace: str = "edge") -> str:
    server = "{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*.example.com']}"
    return "".join(
        doc("Gateway", f"gw{n}", namespace, f"{{selector: {{{one}}}, servers: [{server}]}}")
        for n, one in enumerate(labels)
    )


def pods_asked(found: TopicCases) -> list[tuple[str, dict[str, str]]]:
    proxies = dict.fromkeys(case.client.proxy for case in found.cases(reverse=False))
    return [(proxy.namespace, dict(proxy.labels)) for proxy in proxies if proxy]


def test_a_topic_of_one_gateway_is_asked_there_alone() -> None:
    """Of pods that nobody knows it is else asked in the root namespace as well."""
    found = changed(gateways("z: '1', a: '2'"))
    whole = of(found, GATEWAY, "x.example.com")
    labels = {"a": "2", "z": "1"}
    assert pods_asked(whole) == [("edge", labels), ("istio-system", labels)]
    parts = whole.parts(found.prover._hosts)
    assert [(one.namespace, one.labels) for one in parts] == [
        (namespace, (("a", "2"), ("z", "1"))) for namespace in ("edge", "istio-system")
    ]
    for part in parts:
        assert pods_asked(found.prover.cases_of(part)) == [(part.namespace, labels)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_gateways_of_known_pods_are_looked_at_apart(count: int) -> None:
    """One alone has nothing beside it."""
    found = changed(
        "".join((*(pod(f"ns{n}", "istio: x") for n in range(count)), gateways("istio: x")))
    )
    topic = of(found, GATEWAY, "x.example.com")
    parts = topic.parts(found.prover._hosts)
    if count == 1:
        assert parts == (topic.topic,)
    else:
        assert [one.namespace for one in parts] == [f"ns{n}" for n in range(count)]


def test_policies_of_clients_count_at_gateways() -> None:
    """A sidecar asks them about what comes in alone."""
    near = doc(
        "VirtualService",
        "r",
        "web",
        f"{{hosts: [{HOST}], http: [{{match: [{{sourceNamespace: web}}], redirect: {{uri: /}}}}]}}",
    )
    policies = "".join(
        doc("AuthorizationPolicy", "p", where, "{}") for where in ("web", "edge", "far")
    )
    before = SERVICE + near + gateways("istio: x")
    found = changed(before, before + policies)
    assert [id_.namespace for id_ in of(found).scope.ids] == []
    at_gateway = of(found, GATEWAY, "x.example.com")
    assert [id_.namespace for id_ in at_gateway.scope.ids] == ["edge"]


LABELS = [f"l{n}: x" for n in range(9)]
CHOOSING = doc(
    "PeerAuthentication", "p", "shop", "{selector: {matchLabels: {v: w}}, mtls: {mode: STRICT}}"
)


@pytest.mark.parametrize(
    ("text", "kind", "host", "told"),
    [
        (
            SERVICE
            + doc(
                "VirtualService",
                "r",
                "web",
                f"{{hosts: [{HOST}], http: [{{match: [{', '.join(f'{{sourceLabels: {{{one}}}}}' for one in LABELS)}], redirect: {{uri: /}}}}]}}",
            ),
            MESH,
            HOST,
            "too many labels",
        ),
        (SERVICE + CHOOSING, MESH, HOST, "whether PeerAuthentication shop/p is for"),
        (gateways(*LABELS), GATEWAY, "x.example.com", "too many labels"),
        (
            SERVICE
            + CHOOSING
            + gateways("istio: x")
            + doc(
                "VirtualService",
                "r",
                "edge",
                f"{{hosts: [x.example.com], gateways: [gw0], http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]}}",
            ),
            GATEWAY,
            "x.example.com",
            "whether PeerAuthentication shop/p is for",
        ),
        (SERVICE, MESH, HOST, ""),
        (gateways("istio: x"), GATEWAY, "x.example.com", ""),
    ],
)
def test_why_not_all_is_decided(text: str, kind: TopicKind, host: str, told: str) -> None:
    found = of(changed(text), kind, host)
    assert found.cases(reverse=False)
    assert told in found.undecided
    assert bool(told) == bool(found.undecided)
