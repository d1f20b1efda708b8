"""Objects that are not modelled: whose requests they may change, and whose not."""

import pytest

from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.traffic.opaque import opaque_inbound, opaque_outbound, opaque_service
from support.meshes import mesh

CLIENT = sidecar("web", {"app": "client"})
EDGE = gateway("edge", {"istio": "ingressgateway", "gateway.networking.k8s.io/gateway-name": "gw"})


def envoy_filter(
    namespace: str, context: str = "", spec: str = "", apply_to: str = "HTTP_FILTER"
) -> str:
    match = f", match: {{context: {context}}}" if context else ""
    return f"""
kind: EnvoyFilter
metadata: {{name: lua, namespace: {namespace}}}
spec: {{configPatches: [{{applyTo: {apply_to}{match}}}]{spec}}}
"""


def plugin(namespace: str, spec: str = "") -> str:
    return f"\nkind: WasmPlugin\nmetadata: {{name: lua, namespace: {namespace}}}\nspec: {{url: x{spec}}}\n"


CHOSEN = ", workloadSelector: {labels: {app: client}}"
OTHERS = ", workloadSelector: {labels: {app: x}}"
TARGET = ", targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: %s}]"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        # Seen by: the client on its way out, the same pods for what comes in, the gateway.
        (envoy_filter("web"), "oi"),
        (envoy_filter("web", "ANY"), "oi"),
        (envoy_filter("web", "SIDECAR_OUTBOUND"), "o"),
        (envoy_filter("web", "SIDECAR_INBOUND"), "i"),
        (envoy_filter("web", "GATEWAY"), ""),
        (envoy_filter("edge", "GATEWAY"), "g"),
        (envoy_filter("edge"), "g"),
        (envoy_filter("edge", "SIDECAR_OUTBOUND"), ""),
        (envoy_filter("istio-system"), "oig"),
        (envoy_filter("shop"), ""),
        (envoy_filter("web", "", CHOSEN), "oi"),
        (envoy_filter("web", "", OTHERS), ""),
        (envoy_filter("istio-system", "", CHOSEN), "oi"),
        (envoy_filter("web", apply_to="BOOTSTRAP"), ""),
        (envoy_filter("web", apply_to="CLUSTER"), "oi"),
        (envoy_filter("edge", "", TARGET % "gw"), "g"),
        (envoy_filter("edge", "", TARGET % "other"), ""),
        (envoy_filter("web", "", TARGET % "gw"), ""),
        ("\nkind: EnvoyFilter\nmetadata: {name: lua, namespace: web}\nspec: {}\n", ""),
        (plugin("web"), "oi"),
        (plugin("edge"), "g"),
        (plugin("istio-system"), "oig"),
        (plugin("shop"), ""),
        (plugin("web", ", selector: {matchLabels: {app: client}}"), "oi"),
        (plugin("web", ", selector: {matchLabels: {app: x}}"), ""),
        (plugin("edge", TARGET % "gw"), "g"),
        (plugin("edge", TARGET % "other"), ""),
    ],
)
def test_who_meets_filters_and_plugins(text: str, seen: str) -> None:
    state = mesh(text)
    found = {
        "o": opaque_outbound(state, CLIENT),
        "i": opaque_inbound(state, CLIENT.namespace, CLIENT.labels),
        "g": opaque_outbound(state, EDGE),
    }
    assert "".join(key for key, ids in found.items() if ids) == seen
    assert {id_.name for ids in found.values() for id_ in ids} <= {"lua"}


def test_the_root_namespace_may_be_another_one() -> None:
    state = mesh(envoy_filter("root"), root_namespace="root")
    assert opaque_outbound(state, CLIENT)
    assert not opaque_outbound(mesh(envoy_filter("root")), CLIENT)


@pytest.mark.parametrize(
    ("metadata", "spec", "client", "seen"),
    [
        ("", "ingressClassName: istio", EDGE, True),
        ("annotations: {kubernetes.io/ingress.class: istio}", "", EDGE, True),
        ("", "ingressClassName: nginx", EDGE, False),
        ("", "", EDGE, False),
        ("", "ingressClassName: istio", gateway("edge", {"istio": "other"}), False),
        ("", "ingressClassName: istio", CLIENT, False),
    ],
)
def test_an_ingress_is_for_the_ingress_gateway(
    metadata: str, spec: str, client: Proxy, seen: bool
) -> None:
    text = f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: i, namespace: shop, {metadata}}}
spec: {{{spec}}}
"""
    assert [id_.name for id_ in opaque_outbound(mesh(text), client)] == (["i"] if seen else [])


SERVICE = "\nkind: Service\nmetadata: {name: reviews, namespace: shop, labels: {%s}}\nspec: {ports: [{port: 80}]}\n"
NAMESPACE = "\nkind: Namespace\nmetadata: {name: shop, labels: {%s}}\n"
BACKEND = """
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: tls, namespace: %s}
spec: {targetRefs: [{group: '', kind: %s, name: %s}]}
"""


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ([SERVICE % ""], []),
        ([SERVICE % "", NAMESPACE % ""], []),
        ([SERVICE % "istio.io/dataplane-mode: ambient"], ["reviews"]),
        ([SERVICE % "istio.io/dataplane-mode: none"], []),
        ([SERVICE % "istio.io/use-waypoint: w"], ["reviews"]),
        ([SERVICE % "istio.io/use-waypoint: None"], []),
        ([SERVICE % "", NAMESPACE % "istio.io/dataplane-mode: ambient"], ["shop"]),
        ([SERVICE % "", NAMESPACE % "istio.io/use-waypoint: w"], ["shop"]),
        ([SERVICE % "", BACKEND % ("shop", "Service", "reviews")], ["tls"]),
        ([SERVICE % "", BACKEND % ("web", "Service", "reviews")], []),
        ([SERVICE % "", BACKEND % ("shop", "Service", "other")], []),
        ([SERVICE % "", BACKEND % ("shop", "ServiceEntry", "reviews")], []),
    ],
)
def test_what_stands_before_a_service(texts: list[str], names: list[str]) -> None:
    state = mesh("---".join(texts))
    service = state.service("reviews.shop.svc.cluster.local", "shop")
    assert service is not None
    assert [id_.name for id_ in opaque_service(state, service.id)] == names
    assert opaque_service(state, None) == ()
