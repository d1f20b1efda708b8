"""Which clients are told apart, and which stand for others."""

import pytest

from meshplan.proof.clients import may_open
from meshplan.proof.types import Topic, TopicKind
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
from support.proofs import change
from support.snapshots import snapshot

B = "---\nkind: Service\nmetadata: {name: b, namespace: shop}\nspec: {ports: [{name: http, port: 80}]}\n"
#: Both Services are at hand: one sends to the other.
BOTH = (
    SERVICE
    + B
    + doc(
        "VirtualService",
        "r",
        "shop",
        f"{{hosts: [{HOST}], http: [{{route: [{{destination: {{host: {HOST}}}}}, {{destination: {{host: b}}}}]}}]}}",
    )
)
ONE, TWO = "shop/a.shop.svc.cluster.local", "shop/b.shop.svc.cluster.local"


def others(text: str) -> set[str]:
    return clients(text) - {OWN, OTHERS}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"'{ONE}'", f"'{TWO}'"),
        (f"'{ONE}'", f"'{ONE}', '{TWO}'"),
        (f"'{TWO}'", "'*/*'"),
        (f"'{ONE}'", "'shop/*'"),
        (f"'web/*', '{ONE}'", "'shop/*.cluster.local'"),
    ],
)
def test_namespaces_that_import_something_else(one: str, other: str) -> None:
    assert others(BOTH + sidecar("n1", one) + sidecar("n2", other)) == {
        "namespace n1",
        "namespace n2",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"'{ONE}', '{TWO}'", "'shop/*'"),
        (f"'{ONE}', '{TWO}'", f"'{TWO}', '{ONE}'"),
        ("'shop/A.shop.svc.cluster.local'", f"'{ONE}'"),
        ("'*/*.shop.svc.cluster.local'", "'*/*'"),
        (f"'{ONE}', 'web/x.example.com'", "'*/a.shop.svc.cluster.local', 'shop/*.b.example.com'"),
        # That is what is in the namespace itself, of which there is nothing.
        (f"'{ONE}', './*'", f"'{ONE}'"),
    ],
)
def test_namespaces_that_import_the_same(one: str, other: str) -> None:
    assert others(BOTH + sidecar("n1", one) + sidecar("n2", other)) == {"namespace n1"}
    # Whatever the order of the objects.
    assert others(BOTH + sidecar("n2", one) + sidecar("n1", other)) == {"namespace n1"}


def test_in_which_order_a_sidecar_says_it_makes_no_difference() -> None:
    port = "port: {number: 80, protocol: HTTP, name: h}"
    egress = "egress: [{%s, %s, hosts: [shop/*]}]"
    mode = "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"
    one = doc("Sidecar", "s", "n1", f"{{{mode}, {egress % (port, 'bind: 0.0.0.0')}}}")
    other = doc("Sidecar", "s", "n2", f"{{{egress % ('bind: 0.0.0.0', port)}, {mode}}}")
    assert others(SERVICE + one + other) == {"namespace n1"}


def test_a_listener_for_another_port_makes_a_difference() -> None:
    egress = "{egress: [{port: {number: %s, protocol: HTTP, name: h}, hosts: [shop/*]}]}"
    one, other = (doc("Sidecar", "s", f"n{n}", egress % n) for n in (1, 2))
    assert others(SERVICE + one + other) == {"namespace n1", "namespace n2"}


def test_sidecars_that_change_do_so_one_by_one() -> None:
    """Each change is a step of its own, which may meet others in its own wave."""
    before, after = (
        with_versions((SERVICE + sidecar("n1", hosts) + sidecar("n2", hosts)).strip())
        for hosts in ("'shop/*'", "'~/*'")
    )
    found = change(before, after)
    topic = Topic(TopicKind.MESH, HOST)
    made = found.prover.cases_of(topic)
    asked = {str(case.client) for case in made.cases(reverse=False)}
    assert asked == {OWN, OTHERS, "namespace n1", "namespace n2"}
    assert set(made.scope.ids) == {step.id for step in found.steps}


def test_of_several_sidecars_the_ages_count() -> None:
    """The oldest is the one that is in force."""

    def aged(namespace: str, name: str, hosts: str, year: int) -> str:
        time = f'creationTimestamp: "{year}-01-01T00:00:00Z"'
        return sidecar(namespace, hosts, name).replace(f"name: {name},", f"name: {name}, {time},")

    every, none = "'shop/*'", "'~/*'"
    found = others(
        SERVICE
        + aged("n1", "a", every, 2020)
        + aged("n1", "b", none, 2021)
        + aged("n2", "a", every, 2021)
        + aged("n2", "b", none, 2020)
    )
    assert found == {"namespace n1", "namespace n2"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        # Of the root namespace it is for all.
        (sidecar("istio-system", "'shop/*'"), set()),
        # Who is named for another reason does not stand for others.
        (
            route("{sourceNamespace: job}") + sidecar("job", "'shop/*'") + sidecar("n1", "'shop/*'"),
            {"namespace web", "namespace job", "namespace n1"},
        ),
        (doc("PeerAuthentication", "p", "istio-system", "{mtls: {mode: STRICT}}"), set()),
        (route(more=", exportTo: ['~']"), {"namespace web"}),
        (route(namespace="elsewhere"), set()),
        (
            sidecar("n1", "'shop/*'", labels="v: d, app: c") + pod("n1", "v: d, app: c"),
            {"namespace n1", "namespace n1 (app=c,v=d)"},
        ),
        (
            sidecar("n1", "'shop/*'", labels="v: d, app: c") + sidecar("n1", "'shop/*'", "t", "app: c, v: d"),
            {"namespace n1", "namespace n1 (app=c,v=d)"},
        ),
        (
            policy("serviceAccounts: [n1/one, n2/one]"),
            {"namespace n1", "namespace n1 as one", "namespace n2", "namespace n2 as one"},
        ),
        # Routes of the Gateway API say whose clients they are for by their namespace.
        *(
            (
                doc(
                    kind,
                    "r",
                    "web",
                    "{parentRefs: [{group: '', kind: Service, name: a, namespace: shop}], rules: [{backendRefs: [{name: b, port: 80}]}]}",
                ),
                {"namespace web"},
            )
            for kind in ("HTTPRoute", "GRPCRoute")
        ),
        (
            doc("ServiceEntry", "e", "job", f"{{hosts: [{HOST}], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}]}}"),
            {"namespace job"},
        ),
    ],
)  # fmt: skip
def test_who_is_told_apart(more: str, expected: set[str]) -> None:
    assert others(SERVICE + more) == expected


def test_clients_are_asked_in_order() -> None:
    names = [f"n{letter}" for letter in "hbdafgce"]
    text = SERVICE + policy(f"serviceAccounts: [{', '.join(f'n1/{name}' for name in names)}]")
    text += policy(f"namespaces: [{', '.join(names)}]").replace("name: p", "name: q")
    found = [one.client.proxy for one in cases(text, TopicKind.MESH, before=text)]
    said = [(one.namespace, one.service_account) for one in found if one is not None]
    assert [one for one, _ in said if one != "elsewhere"] == sorted(
        one for one, _ in said if one != "elsewhere"
    )
    assert [one for where, one in said if where == "n1"] == sorted(("default", *names))


# At gateways

GATEWAY = "---\nkind: Gateway\nmetadata: {name: gw, namespace: edge}\nspec: {%sservers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [x.example.com]}]}\n"
API = """---
kind: Gateway
apiVersion: gateway.networking.k8s.io/v1
metadata: {name: gw, namespace: edge}
spec: {gatewayClassName: istio, %slisteners: [{name: h, port: 80, protocol: HTTP, hostname: x.example.com}]}
"""
SELECTING = GATEWAY % "selector: {istio: x}, "


def at_gateways(text: str, before: str = "") -> set[str]:
    found = cases(
        text.removeprefix("---\n"),
        TopicKind.GATEWAY,
        "x.example.com",
        (before or text).removeprefix("---\n"),
    )
    return {str(one.client) for one in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Where no pods are known, they may be in either namespace.
        (SELECTING, {"gateway edge/istio=x", "gateway istio-system/istio=x"}),
        (GATEWAY % "", {"gateway edge/", "gateway istio-system/"}),
        (GATEWAY % "" + pod("far", "istio: x"), {"gateway edge/", "gateway istio-system/"}),
        (SELECTING + pod("far", "istio: x, more: z"), {"gateway far/istio=x"}),
        (SELECTING + pod("far", "istio: w"), {"gateway edge/istio=x", "gateway istio-system/istio=x"}),
        (
            SELECTING + pod("far", "istio: x, more: z") + doc("AuthorizationPolicy", "p", "far", "{selector: {matchLabels: {more: z}}}"),
            {"gateway far/istio=x,more=z"},
        ),
        (API % "", {"gateway edge/gateway.networking.k8s.io/gateway-name=gw"}),
        (
            API % "addresses: [{value: in.far.svc.cluster.local}], "
            + doc("Service", "in", "far", "{selector: {app: in}, ports: [{name: http, port: 80}]}")
            + doc("Service", "in", "edge", "{selector: {app: not}, ports: [{name: http, port: 80}]}"),
            {"gateway edge/gateway.networking.k8s.io/gateway-name=gw", "gateway edge/app=in"},
        ),
        (
            API % "addresses: [{value: in.far.svc.cluster.local}], "
            + doc("Service", "in", "far", "{ports: [{name: http, port: 80}]}"),
            {"gateway edge/gateway.networking.k8s.io/gateway-name=gw"},
        ),
    ],
)  # fmt: skip
def test_who_asks_at_a_gateway(text: str, expected: set[str]) -> None:
    assert at_gateways(text) == expected


def test_pods_that_a_gateway_selects_in_one_revision() -> None:
    before = SELECTING + pod("far", "istio: x")
    assert at_gateways(SELECTING + pod("far", "istio: w"), before) == {"gateway far/istio=x"}


NAME = "gateway.networking.k8s.io/gateway-name"


@pytest.mark.parametrize(
    ("text", "namespace", "labels", "expected"),
    [
        (SELECTING, "edge", {"istio": "x", "more": "z"}, True),
        (SELECTING, "far", {"istio": "x"}, True),
        (SELECTING, "edge", {"istio": "w"}, False),
        (SELECTING, "edge", {}, False),
        (GATEWAY % "", "far", {"istio": "w"}, True),
        (API % "", "edge", {NAME: "gw"}, True),
        (API % "", "far", {NAME: "gw"}, False),
        (API % "", "edge", {NAME: "other"}, False),
        (API % "", "edge", {}, False),
        # The pods behind its addresses are not known from it alone.
        (API % "addresses: [{value: in}], ", "edge", {"app": "in"}, True),
        (API % "addresses: [{value: in}], ", "far", {"app": "in"}, False),
    ],
)  # fmt: skip
def test_which_pods_may_open_a_gateway(
    text: str, namespace: str, labels: dict[str, str], expected: bool
) -> None:
    (one,) = snapshot(with_versions(text.removeprefix("---\n"))).values()
    assert may_open(namespace, labels, one) is expected


RUNNING = "---\nkind: Deployment\nmetadata: {name: %s, namespace: %s}\nspec: {template: {metadata: {labels: {istio: %s}}, spec: {serviceAccountName: %s, containers: [{name: c}]}}}\n"
NAMING = doc(
    "AuthorizationPolicy",
    "p",
    "shop",
    "{rules: [{from: [{source: {serviceAccounts: [edge/one, edge/two, far/three]}}]}]}",
)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", {"edge/default", "istio-system/default"}),
        (NAMING, {"edge/default", "edge/one", "edge/two", "istio-system/default"}),
        (RUNNING % ("x", "edge", "x", "ingress"), {"edge/ingress"}),
        (RUNNING % ("x", "edge", "x", "ingress") + NAMING, {"edge/ingress"}),
        (RUNNING % ("x", "edge", "x", "one") + RUNNING % ("y2", "edge", "x", "two"), {"edge/one", "edge/two"}),
        (RUNNING % ("x", "far", "x", "one"), {"far/one"}),
        (RUNNING % ("x", "edge", "other", "one"), {"edge/default", "istio-system/default"}),
    ],
)  # fmt: skip
def test_under_which_accounts_gateways_run(more: str, expected: set[str]) -> None:
    """That of their pods; where it is not known, each that a policy names, or another one."""
    service = f"---{SERVICE}"
    route = doc("VirtualService", "v", "edge", f"{{hosts: [x.example.com], gateways: [gw], http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]}}")  # fmt: skip
    text = SELECTING + service + route + more
    found = cases(
        text.removeprefix("---\n"), TopicKind.GATEWAY, "x.example.com", text.removeprefix("---\n")
    )
    proxies = [one.client.proxy for one in found]
    said = [f"{one.namespace}/{one.service_account}" for one in proxies if one is not None]
    assert set(said) == expected
    assert len(said) == len(set(said))


def test_a_version_of_the_pods_that_is_not_the_gateways_has_no_account() -> None:
    before = SELECTING + RUNNING % ("x", "edge", "x", "one")
    after = SELECTING + RUNNING % ("x", "edge", "other", "two")
    found = cases(
        after.removeprefix("---\n"),
        TopicKind.GATEWAY,
        "x.example.com",
        before.removeprefix("---\n"),
    )
    assert {one.client.proxy and one.client.proxy.service_account for one in found} == {"one"}


@pytest.mark.parametrize(
    ("hosts", "asked"),
    [
        ("web/x.example.com", True),
        ("'*/x.example.com'", True),
        ("'web/*.x.example.com'", True),
        ("'web/*.com'", True),
        ("far/x.example.com", False),
        ("web/x.example.org", False),
    ],
)
def test_who_imports_one_name_under_a_wildcard(hosts: str, asked: bool) -> None:
    entry = doc("ServiceEntry", "e", "web", "{hosts: ['*.example.com'], resolution: NONE, ports: [{number: 80, name: http, protocol: HTTP}]}")  # fmt: skip
    text = entry.removeprefix("---\n") + sidecar("n1", hosts)
    found = clients(text, "*.example.com")
    assert found == {"namespace web", OTHERS, *(["namespace n1"] if asked else [])}


def test_sidecars_for_pods_of_the_root_namespace() -> None:
    """Without a selector they are for all namespaces, which they do not tell apart."""
    every = sidecar("istio-system", "'shop/*'", labels="app: c")
    assert others(SERVICE + every) == {
        "namespace istio-system",
        "namespace istio-system (app=c)",
    }
