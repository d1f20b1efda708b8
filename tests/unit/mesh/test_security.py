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


# `ShouldAttachPolicy` in pilot/pkg/model/policyattachment.go.

GATEWAY_POD = {"gateway.networking.k8s.io/gateway-name": "gw", "app": "a"}


def target(**stated: str) -> str:
    known = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw", **stated}
    return "{" + ", ".join(f"{key}: {value}" for key, value in known.items() if value) + "}"


@pytest.mark.parametrize(
    ("spec", "labels", "applies"),
    [
        ("{}", {}, True),
        ("{selector: {matchLabels: {app: a}}}", {"app": "a"}, True),
        ("{selector: {matchLabels: {app: a}}}", {"app": "b"}, False),
        ("{selector: {matchLabels: {app: a, more: b}}}", {"app": "a"}, False),
        ("{selector: {matchLabels: {app: a}}}", GATEWAY_POD, True),
        (f"{{targetRefs: [{target()}]}}", GATEWAY_POD, True),
        (f"{{targetRef: {target()}}}", GATEWAY_POD, True),
        (f"{{targetRefs: [{target()}]}}", {"app": "a"}, False),
        (f"{{targetRefs: [{target(name='other')}, {target()}]}}", GATEWAY_POD, True),
        (f"{{targetRefs: [{target(name='other')}]}}", GATEWAY_POD, False),
        (f"{{targetRefs: [{target(kind='GatewayClass')}]}}", GATEWAY_POD, False),
        (f"{{targetRefs: [{target(group='example.com')}]}}", GATEWAY_POD, False),
        (f"{{targetRefs: [{target(group='')}]}}", GATEWAY_POD, False),
        (f"{{targetRefs: [{target(namespace='shop')}]}}", GATEWAY_POD, True),
        (f"{{targetRefs: [{target(namespace='web')}]}}", GATEWAY_POD, False),
        # A target counts more than a selector.
        (f"{{targetRefs: [{target()}], selector: {{matchLabels: {{app: x}}}}}}", GATEWAY_POD, True),
        (f"{{targetRefs: [{target()}], targetRef: {target(name='x')}}}", GATEWAY_POD, True),
    ],
)
@pytest.mark.parametrize("kind", ["AuthorizationPolicy", "RequestAuthentication"])
def test_a_policy_applies_by_target_or_selector(
    spec: str, labels: dict[str, str], applies: bool, kind: str
) -> None:
    found = mesh(f"\nkind: {kind}\nmetadata: {{name: p, namespace: shop}}\nspec: {spec}\n")
    listed = (
        found.authorization_policies
        if kind == "AuthorizationPolicy"
        else found.request_authentications
    )
    assert bool(listed("shop", labels)) is applies
    assert listed("web", labels) == ()


def test_a_target_is_in_the_namespace_of_its_policy() -> None:
    text = f"\nkind: AuthorizationPolicy\nmetadata: {{name: p, namespace: istio-system}}\nspec: {{targetRefs: [{target()}]}}\n"
    assert mesh(text).authorization_policies("shop", GATEWAY_POD) == ()
    assert mesh(text).authorization_policies("istio-system", GATEWAY_POD)


def test_policies_are_in_the_order_of_age_the_root_namespace_first() -> None:
    """`ListAuthorizationPolicies`."""
    early, late = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
    text = "---".join(
        f"\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: {where}, creationTimestamp: '{time}'}}\nspec: {{}}\n"
        for name, where, time in (
            ("b", "shop", late),
            ("a", "shop", late),
            ("z", "shop", early),
            ("r", "istio-system", late),
            ("o", "web", early),
        )
    )
    found = mesh(text)
    assert [p.id.name for p in found.authorization_policies("shop", {})] == ["r", "z", "a", "b"]
    assert [p.id.name for p in found.authorization_policies("istio-system", {})] == ["r"]
    moved = mesh(text, root_namespace="web")
    assert [p.id.name for p in moved.authorization_policies("shop", {})] == ["o", "z", "a", "b"]


@pytest.mark.parametrize(
    ("policies", "mode", "sources"),
    [
        # `GetNamespaceMutualTLSMode`: workloads' own policies say nothing of the namespace.
        ([], "PERMISSIVE", []),
        ([MESH], "STRICT", ["default"]),
        ([OWN], "DISABLE", ["default"]),
        ([MESH, OWN], "DISABLE", ["default", "default"]),
        ([MESH, UNSET], "STRICT", ["default"]),
        ([WORKLOAD], "PERMISSIVE", []),
        ([MESH, WORKLOAD], "STRICT", ["default"]),
        ([peer("shop", "{mtls: {mode: ODD}}")], "PERMISSIVE", []),
        ([peer("web", "{mtls: {mode: STRICT}}")], "PERMISSIVE", []),
    ],
)
def test_what_a_namespace_accepts(policies: list[str], mode: str, sources: list[str]) -> None:
    found = mesh("---".join(policies) or "kind: Pod\nmetadata: {name: x}")
    one = found.namespace_peer_authentication("shop")
    assert (one.mode, [id_.name for id_ in one.sources]) == (mode, sources)


@pytest.mark.parametrize(
    ("spec", "port", "mode"),
    [
        ("{portLevelMtls: {8080: {mode: STRICT}}}", 8080, "PERMISSIVE"),
        (
            "{selector: {matchLabels: {app: a}}, portLevelMtls: {8080: {mode: STRICT}}}",
            8080,
            "STRICT",
        ),
        (
            "{selector: {matchLabels: {app: a}}, portLevelMtls: {'8080': {mode: STRICT}}}",
            8080,
            "STRICT",
        ),
        (
            "{selector: {matchLabels: {app: a}}, portLevelMtls: {8080: {mode: STRICT}}}",
            None,
            "PERMISSIVE",
        ),
        (
            "{selector: {matchLabels: {app: b}}, portLevelMtls: {8080: {mode: STRICT}}}",
            8080,
            "PERMISSIVE",
        ),
        ("{selector: {matchLabels: {}}, mtls: {mode: STRICT}}", 8080, "STRICT"),
        (
            "{selector: {matchLabels: {app: a}}, mtls: {mode: STRICT}, portLevelMtls: {9: {mode: DISABLE}}}",
            8080,
            "STRICT",
        ),
    ],
)
def test_settings_of_a_port_are_those_of_a_workloads_policy(
    spec: str, port: int | None, mode: str
) -> None:
    found = mesh(peer("shop", spec, "p"))
    assert found.peer_authentication("shop", {"app": "a"}, port).mode == mode


def test_of_each_level_the_oldest_policy_counts() -> None:
    """`ComposePeerAuthentication`."""

    def aged(text: str, time: str) -> str:
        return text.replace("namespace:", f"creationTimestamp: '{time}', namespace:")

    early, late = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
    for level, spec in (
        ("istio-system", "{mtls: {mode: %s}}"),
        ("shop", "{mtls: {mode: %s}}"),
        ("shop", "{selector: {matchLabels: {app: a}}, mtls: {mode: %s}}"),
    ):
        young = aged(peer(level, spec % "STRICT", "a"), late)
        old = aged(peer(level, spec % "DISABLE", "b"), early)
        found = mesh(f"{young}---{old}").peer_authentication("shop", {"app": "a"})
        assert (found.mode, [id_.name for id_ in found.sources]) == ("DISABLE", ["b"])
