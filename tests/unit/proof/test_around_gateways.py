"""What is collected around Gateways and clients: each object says whether it has a say."""

import pytest

from support.around import HOST, SERVICE, around, having_a_say, named, surroundings

SERVERS = "servers: [{port: {number: %s, name: h, protocol: HTTP}, hosts: [%s]}]"


def test_gateways_and_their_pods() -> None:
    """Those with the host, and those on the same port; the pods of each with what patches them."""
    around(
        f"""edge Gateway edge/gw {{selector: {{istio: x}}, {SERVERS % (80, "far/x.example.com")}}}
        edge Gateway far/same {{selector: {{istio: y}}, {SERVERS % (80, "z.example.com")}}}
        none Gateway far/other {{selector: {{istio: z}}, {SERVERS % (81, "z.example.com")}}}
        edge Deployment edge/x {{template: {{metadata: {{labels: {{istio: x}}}}, spec: {{containers: [{{name: c}}]}}}}}}
        edge Deployment far/x {{template: {{metadata: {{labels: {{istio: x}}}}, spec: {{containers: [{{name: c}}]}}}}}}
        edge Deployment far/y {{template: {{metadata: {{labels: {{istio: y}}}}, spec: {{containers: [{{name: c}}]}}}}}}
        none Deployment far/z {{template: {{metadata: {{labels: {{istio: z}}}}, spec: {{containers: [{{name: c}}]}}}}}}
        edge AuthorizationPolicy far/y {{selector: {{matchLabels: {{istio: y}}}}}}
        none AuthorizationPolicy far/z {{selector: {{matchLabels: {{istio: z}}}}}}""",
        "x.example.com",
    )


def test_a_gateway_without_selector_has_no_pods_of_its_own() -> None:
    around(
        f"""edge Gateway edge/gw {{{SERVERS % (80, "x.example.com")}}}
        none Deployment edge/x {{template: {{metadata: {{labels: {{istio: x}}}}, spec: {{containers: [{{name: c}}]}}}}}}""",
        "x.example.com",
    )


def test_gateways_that_matches_name() -> None:
    match = "match: [{gateways: [far/other]}], redirect: {uri: /}"
    for family, rule in (
        ("http", match),
        ("tls", "match: [{sniHosts: [x.example.com], gateways: [far/other]}], route: []"),
        ("tcp", "match: [{gateways: [far/other]}], route: []"),
    ):
        around(
            f"""edge VirtualService web/r {{hosts: [x.example.com], gateways: [edge/gw], {family}: [{{{rule}}}]}}
            edge Gateway edge/gw {{selector: {{istio: x}}, {SERVERS % (80, "y.example.com")}}}
            edge Gateway far/other {{selector: {{istio: y}}, {SERVERS % (81, "y.example.com")}}}
            none Gateway far/none {{selector: {{istio: y}}, {SERVERS % (82, "y.example.com")}}}""",
            "x.example.com",
        )


def test_a_gateway_of_the_gateway_api_with_its_pods() -> None:
    label = "gateway.networking.k8s.io/gateway-name"
    around(
        f"""edge API edge/api {{gatewayClassName: own, addresses: [{{value: in.edge.svc.cluster.local}}], listeners: [{{name: h, port: 80, protocol: HTTP, hostname: X.example.com}}]}}
        none API edge/other {{gatewayClassName: no, listeners: [{{name: h, port: 80, protocol: HTTP, hostname: y.example.com}}]}}
        edge GatewayClass own {{}}
        none GatewayClass no {{}}
        edge Service edge/in {{selector: {{app: in}}, ports: [{{name: http, port: 80}}]}}
        none Service shop/in {{selector: {{app: in}}, ports: [{{name: http, port: 80}}]}}
        edge Deployment edge/pods {{template: {{metadata: {{labels: {{{label}: api}}}}, spec: {{containers: [{{name: c}}]}}}}}}
        none Deployment far/pods {{template: {{metadata: {{labels: {{{label}: api}}}}, spec: {{containers: [{{name: c}}]}}}}}}
        edge AuthorizationPolicy edge/api {{selector: {{matchLabels: {{{label}: api}}}}}}
        none AuthorizationPolicy edge/other {{selector: {{matchLabels: {{{label}: other}}}}}}
        edge HTTPRoute edge/r {{parentRefs: [{{name: api}}], rules: []}}
        none HTTPRoute far/r {{parentRefs: [{{name: api}}], hostnames: [y.example.com], rules: []}}""",
        "x.example.com",
    )


def test_routes_of_gateways_that_are_not_open_do_not_count() -> None:
    """Where the requests are those of some pods alone."""
    text = f"""
        edge Gateway edge/gw {{selector: {{istio: x}}, {SERVERS % (80, "x.example.com")}}}
        none Gateway far/gw {{selector: {{istio: y}}, {SERVERS % (80, "x.example.com")}}}
        edge API edge/api {{gatewayClassName: own, listeners: [{{name: h, port: 80, protocol: HTTP}}]}}
        none API far/api {{gatewayClassName: own, listeners: [{{name: h, port: 80, protocol: HTTP}}]}}
        edge VirtualService web/r {{hosts: [x.example.com], gateways: [edge/gw], http: [{{redirect: {{uri: /}}}}]}}
        edge VirtualService web/t {{hosts: [x.example.com], gateways: [edge/api~x~h], http: [{{redirect: {{uri: /}}}}]}}
        none VirtualService web/s {{hosts: [x.example.com], gateways: [far/gw], http: [{{redirect: {{uri: /}}}}]}}
        none VirtualService web/m {{hosts: [x.example.com], gateways: [mesh], http: [{{redirect: {{uri: /}}}}]}}
        none VirtualService web/u {{hosts: [x.example.com], gateways: [far/nobody], http: [{{redirect: {{uri: /}}}}]}}
        edge HTTPRoute web/h {{parentRefs: [{{name: api, namespace: edge}}], hostnames: [x.example.com], rules: []}}
        none HTTPRoute web/i {{parentRefs: [{{name: api, namespace: far}}], hostnames: [x.example.com], rules: []}}
        edge HTTPRoute edge/j {{parentRefs: [{{name: api}}], hostnames: [x.example.com], rules: []}}
        none HTTPRoute web/k {{parentRefs: [{{kind: Service, group: '', name: api, namespace: edge}}], hostnames: [x.example.com], rules: []}}"""
    found = surroundings(text, in_mesh=False, opens=lambda one: one.id.namespace == "edge")
    found.host("x.example.com")
    assert named(found.ids) == having_a_say(text, "edge")
    assert set(found.gateways) >= {"edge/gw", "edge/api"}
    assert not set(found.gateways) & {"far/gw", "far/api", "far/nobody"}


def test_gateways_on_one_port_that_may_be_open() -> None:
    """In some version; the pods may merge them."""
    here, there = "selector: {istio: x}", "selector: {istio: y}"
    text = f"""
        edge Gateway edge/gw {{{here}, {SERVERS % (80, "x.example.com")}}}
        edge Gateway edge/same {{{here}, {SERVERS % (80, "y.example.com")}}}
        none Gateway edge/port {{{here}, {SERVERS % (81, "y.example.com")}}}
        none Gateway edge/there {{{there}, {SERVERS % (80, "y.example.com")}}}
        edge Gateway edge/goes {{{here}, {SERVERS % (80, "z.example.com")}}}
        edge Gateway edge/comes {{{there}, {SERVERS % (80, "v.example.com")}}}"""
    after = text.replace(f"edge/goes {{{here}", f"edge/goes {{{there}")
    found = surroundings(
        text,
        after=after.replace(f"edge/comes {{{there}", f"edge/comes {{{here}"),
        in_mesh=False,
        opens=lambda one: one.spec["selector"] == {"istio": "x"},
    )
    found.host("x.example.com")
    assert named(found.ids) == having_a_say(text, "edge")


def test_what_certificates_depend_on() -> None:
    """Secrets that change, and what lets Gateways name those of other namespaces."""
    listener = "{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: own}, {name: other, namespace: vault}]}}"
    server = "{port: {number: 443, name: s, protocol: HTTPS}, hosts: [x.example.com], tls: {mode: SIMPLE, credentialName: named}}"
    text = f"""
        edge API edge/api {{gatewayClassName: istio, listeners: [{listener}]}}
        edge Gateway edge/gw {{selector: {{istio: x}}, servers: [{server}]}}
        edge Secret edge/own {{}}
        edge Secret vault/other {{}}
        edge Secret edge/named {{}}
        none Secret edge/more {{}}
        none ConfigMap edge/own {{}}
        edge ReferenceGrant vault/g {{from: [], to: []}}
        none ReferenceGrant far/g {{from: [], to: []}}"""
    around(text, "x.example.com", after=text.replace("{}", "{metadata: {labels: {a: b}}}"))
    none = text.replace("edge Secret", "none Secret")
    around(none, "x.example.com")


# Who sends


def sent(text: str, *namespaces: str, private: bool = False) -> tuple[set[str], set[str]]:
    """What is found, and what would have to be."""
    found = surroundings(text, in_mesh=True, private=private)
    found.host(HOST)
    for namespace in namespaces:
        found.proxies_in(namespace)
    return named(found.ids), having_a_say(text, "mesh")


@pytest.mark.parametrize("kind", ["Sidecar", "EnvoyFilter", "WasmPlugin"])
def test_what_is_in_force_at_clients(kind: str) -> None:
    """That of their namespace and of the root namespace; filters for pods are those of servers."""
    labelled = "workloadSelector: {labels: {app: z}}"
    found, expected = sent(
        f"""{SERVICE}
        both {kind} web/s {{}}
        {"both" if kind == "Sidecar" else "none"} {kind} web/t {{{labelled}}}
        both {kind} istio-system/s {{}}
        none {kind} far/s {{}}""",
        "web",
    )
    assert found == expected


SENDERS = """
    %(who)s VirtualService far/sends {hosts: [x.example.com], http: [{route: [{destination: {host: =a}}]}]}
    none VirtualService far/not {hosts: [y.example.com], http: [{route: [{destination: {host: =b}}]}]}
    %(who)s VirtualService far/part {http: [{route: [{destination: {host: =a}}]}]}
    %(who)s VirtualService web/root {hosts: [z.example.com], http: [{delegate: {name: part, namespace: far}}, {delegate: {name: more}}, {delegate: {name: third, namespace: far}}]}
    %(who)s VirtualService web/more {http: [{redirect: {uri: /}}]}
    %(who)s VirtualService far/third {http: [{redirect: {uri: /}}]}
    none VirtualService web/third {http: [{redirect: {uri: /}}]}
    none VirtualService far/more {http: [{redirect: {uri: /}}]}
    %(who)s HTTPRoute far/api {parentRefs: [{group: '', kind: Service, name: p, namespace: shop}, {group: '', kind: Service, name: q}], rules: [{backendRefs: [{name: a, namespace: shop, port: 80}]}]}
    %(who)s Service shop/p {ports: [{name: http, port: 80}]}
    %(who)s Service far/q {ports: [{name: http, port: 80}]}
    none Service far/p {ports: [{name: http, port: 80}]}
    %(who)s HTTPRoute far/edge {parentRefs: [{name: r}], hostnames: [e.example.com], rules: [{backendRefs: [{name: a, namespace: shop, port: 80}]}]}
    none Service far/r {ports: [{name: http, port: 80}]}
"""


@pytest.mark.parametrize(
    ("selective", "private", "who"),
    [
        ("", False, "none"),
        ("", True, "both"),
        ("both Sidecar web/s {egress: [{hosts: ['shop/*']}]}", False, "both"),
        ("none Sidecar far/s {egress: [{hosts: ['shop/*']}]}", False, "none"),
        ("both Sidecar istio-system/s {egress: [{hosts: ['shop/*']}]}", False, "both"),
    ],
)
def test_who_sends_counts_where_not_everything_is_imported(
    selective: str, private: bool, who: str
) -> None:
    """A proxy that imports a route imports what it sends to."""
    text = f"{SERVICE}\n{selective}\n{SENDERS % {'who': who}}"
    found, expected = sent(text, "web", private=private)
    assert found == expected


@pytest.mark.parametrize(
    "exported",
    [
        "exportTo: ['.']",
        "metadata: {annotations: {networking.istio.io/exportTo: shop}}",
    ],
)
def test_who_sends_to_what_is_not_for_all(exported: str) -> None:
    service = SERVICE.replace("{selector", f"{{{exported}, selector")
    found, expected = sent(f"{service}\n{SENDERS % {'who': 'both'}}", "web")
    assert found == expected


def test_who_sends_to_what_the_routes_lead_to() -> None:
    found, expected = sent(
        f"""{SERVICE}
        both Sidecar web/s {{egress: [{{hosts: ['shop/*']}}]}}
        both VirtualService shop/r {{hosts: [a], http: [{{route: [{{destination: {{host: b}}}}]}}]}}
        both Service shop/b {{ports: [{{name: http, port: 80}}]}}
        both VirtualService far/sends {{hosts: [x.example.com], http: [{{route: [{{destination: {{host: =b}}}}]}}]}}
        none VirtualService far/not {{hosts: [y.example.com], http: [{{route: [{{destination: {{host: =c}}}}]}}]}}""",
        "web",
    )
    assert found == expected
