"""Which policies apply to a workload."""

import pytest

from support.meshes import mesh

PEER = """
kind: PeerAuthentication
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def peer(namespace: str, spec: str, name: str = "default") -> str:
    return PEER.format(name=name, namespace=namespace, spec=spec)


MESH = peer("istio-system", "{mtls: {mode: STRICT}}")
OWN = peer("shop", "{mtls: {mode: DISABLE}}")
UNSET = peer("shop", "{mtls: {mode: UNSET}}")
WORKLOAD = peer("shop", "{selector: {matchLabels: {app: a}}, mtls: {mode: PERMISSIVE}}", "a")
PORT = peer(
    "shop",
    "{selector: {matchLabels: {app: a}}, portLevelMtls: {8080: {mode: DISABLE}, 9090: {mode: UNSET}}}",
    "a",
)


@pytest.mark.parametrize(
    ("policies", "port", "mode"),
    [
        ([], None, "PERMISSIVE"),
        ([MESH], None, "STRICT"),
        ([MESH, OWN], None, "DISABLE"),
        ([MESH, UNSET], None, "STRICT"),
        ([MESH, OWN, WORKLOAD], None, "PERMISSIVE"),
        ([MESH, PORT], 8080, "DISABLE"),
        ([MESH, PORT], 9090, "STRICT"),
        ([MESH, PORT], 7070, "STRICT"),
    ],
)
def test_the_narrowest_policy_wins_and_unset_inherits(
    policies: list[str], port: int | None, mode: str
) -> None:
    found = mesh("---".join(policies) or "kind: Pod\nmetadata: {name: x}")
    assert found.peer_authentication("shop", {"app": "a"}, port).mode == mode


def test_the_older_of_two_policies_of_a_namespace_counts() -> None:
    text = peer("shop", "{mtls: {mode: STRICT}}", "b") + "---" + peer("shop", "{}", "a")
    assert mesh(text).peer_authentication("shop", {}).mode == "PERMISSIVE"


def test_a_selector_in_the_root_namespace_is_no_peer_authentication_of_a_workload() -> None:
    text = peer("istio-system", "{selector: {matchLabels: {app: a}}, mtls: {mode: STRICT}}")
    assert mesh(text).peer_authentication("shop", {"app": "a"}).mode == "PERMISSIVE"


def test_the_sources_of_a_mode_are_named() -> None:
    found = mesh(f"{MESH}---{WORKLOAD}").peer_authentication("shop", {"app": "a"})
    assert [f"{id_.namespace}/{id_.name}" for id_ in found.sources] == [
        "shop/a",
        "istio-system/default",
    ]


def test_policies_of_the_root_namespace_apply_everywhere() -> None:
    found = mesh("""
kind: AuthorizationPolicy
metadata: {name: root, namespace: istio-system}
spec: {}
---
kind: AuthorizationPolicy
metadata: {name: own, namespace: shop}
spec: {selector: {matchLabels: {app: a}}}
---
kind: AuthorizationPolicy
metadata: {name: other, namespace: shop}
spec: {selector: {matchLabels: {app: b}}}
---
kind: AuthorizationPolicy
metadata: {name: gateway, namespace: shop}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]}
""")

    def names(**labels: str) -> list[str]:
        stated = {key.replace("_", "/"): value for key, value in labels.items()}
        return [policy.id.name for policy in found.authorization_policies("shop", stated)]

    assert names(app="a") == ["root", "own"]
    gateway = {"gateway.networking.k8s.io_gateway-name": "gw"}
    assert names(**gateway) == ["root", "gateway"]
