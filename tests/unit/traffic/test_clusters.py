"""Clusters, what they speak, and where they lead (istiod 1.29.1, pilot/pkg/networking/core)."""

from typing import Any

import pytest
import yaml

from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.settings import World
from meshplan.traffic.clusters import Cluster, Clusters, effective_policy
from meshplan.traffic.outcome import Transport
from meshplan.traffic.table import ClusterName
from support.meshes import mesh

CLIENT = sidecar("web", {"app": "client"})
EDGE = gateway("edge", {"istio": "ingress"})
REVIEWS = "reviews.shop.svc.cluster.local"

SERVICE = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 81}]}
"""
PODS = """
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: a}]}}}
---
kind: Deployment
metadata: {name: reviews-v2, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v2%s}}, spec: {containers: [{name: a}]}}}
"""
SHOP = f"{SERVICE}---{PODS % ''}"
MIXED = f"{SERVICE}---{PODS % (', sidecar.istio.io/inject: ' + chr(39) + 'false' + chr(39))}"
V1, V2 = "Deployment shop/reviews-v1:8080", "Deployment shop/reviews-v2:8080"


def rule(
    policy: str = "",
    subsets: str = "",
    more: str = "",
    namespace: str = "shop",
    host: str = REVIEWS,
) -> str:
    stated = f", trafficPolicy: {policy}" if policy else ""
    listed = f", subsets: [{subsets}]" if subsets else ""
    return f"""
kind: DestinationRule
metadata: {{name: rule, namespace: {namespace}}}
spec: {{host: {host}{stated}{listed}{more}}}
"""


def cluster(
    state: Mesh, subset: str = "", port: int = 80, client: Proxy = CLIENT, host: str = REVIEWS
) -> Cluster | None:
    return Clusters(state, client).get(ClusterName(host, port, subset))


def led(found: Cluster | None) -> list[str] | None:
    """The endpoints of a cluster; None where there is none."""
    return sorted(upstream.name for upstream in found.upstreams) if found else None


def spoken(found: Cluster | None) -> dict[str, str]:
    assert found is not None
    return {
        upstream.name.rpartition("-")[2]: str(upstream.transport) for upstream in found.upstreams
    }


# Which clusters exist, and with which endpoints.

V1_SUBSET = "{name: v1, labels: {version: v1}}"


@pytest.mark.parametrize(
    ("texts", "subset", "port", "expected"),
    [
        ([SHOP], "", 80, [V1, V2]),
        ([SHOP], "", 81, [V1.replace("8080", "81"), V2.replace("8080", "81")]),
        ([SHOP], "", 82, None),
        ([SHOP], "v1", 80, None),
        ([SHOP, rule(subsets=V1_SUBSET)], "v1", 80, [V1]),
        ([SHOP, rule(subsets=V1_SUBSET)], "", 80, [V1, V2]),
        ([SHOP, rule(subsets=V1_SUBSET)], "v2", 80, None),
        ([SHOP, rule(subsets="{name: all}")], "all", 80, [V1, V2]),
        ([SHOP, rule(subsets="{name: none, labels: {version: v9}}")], "none", 80, []),
        # A subset without a name is nobody's.
        ([SHOP, rule(subsets="{labels: {version: v1}}")], "", 80, [V1, V2]),
        ([SERVICE], "", 80, []),
        ([rule()], "", 80, None),
        ([SHOP.replace("name: tcp, port: 81", "name: dns, port: 81, protocol: UDP")], "", 81, None),
    ],
)
def test_a_cluster_is_for_a_port_and_a_subset(
    texts: list[str], subset: str, port: int, expected: list[str] | None
) -> None:
    assert led(cluster(mesh("---".join(texts)), subset, port)) == expected


def entry(
    spec: str, ports: str = "{number: 80, name: http, protocol: HTTP}", namespace: str = "shop"
) -> str:
    return f"""
kind: ServiceEntry
metadata: {{name: e, namespace: {namespace}}}
spec: {{hosts: [a.com], ports: [{ports}], {spec}}}
"""


ENDPOINTS = "endpoints: [{address: 10.0.0.1}, {address: b.com, ports: {http: 90}}]"
TARGET = "{number: 80, name: http, protocol: HTTP, targetPort: 8080}"


@pytest.mark.parametrize(
    ("text", "client", "expected", "passthrough"),
    [
        # `convertResolution`, `convertEndpoint`: a name is an endpoint only where it is looked up.
        (entry("resolution: DNS"), CLIENT, ["a.com:80"], False),
        (entry("resolution: DNS", TARGET), CLIENT, ["a.com:8080"], False),
        (entry(f"resolution: DNS, {ENDPOINTS}"), CLIENT, ["10.0.0.1:80", "b.com:90"], False),
        (
            entry(f"resolution: DNS, {ENDPOINTS}", TARGET),
            CLIENT,
            ["10.0.0.1:8080", "b.com:90"],
            False,
        ),
        (
            entry(f"resolution: DNS_ROUND_ROBIN, {ENDPOINTS}"),
            CLIENT,
            ["10.0.0.1:80", "b.com:90"],
            False,
        ),
        (entry("resolution: DNS, workloadSelector: {labels: {a: b}}"), CLIENT, None, False),
        (entry(f"resolution: STATIC, {ENDPOINTS}"), CLIENT, ["10.0.0.1:80"], False),
        (
            entry("resolution: STATIC, endpoints: [{address: '2001:db8::1'}]"),
            CLIENT,
            ["2001:db8::1:80"],
            False,
        ),
        (
            entry("resolution: STATIC, endpoints: [{address: 'unix:///a'}]"),
            CLIENT,
            ["unix:///a"],
            False,
        ),
        (
            entry("resolution: DNS, endpoints: [{address: 'unix:///a'}]"),
            CLIENT,
            ["unix:///a"],
            False,
        ),
        (entry("resolution: STATIC"), CLIENT, [], False),
        (entry("resolution: NONE"), CLIENT, [], True),
        (entry(f"resolution: NONE, {ENDPOINTS}"), CLIENT, ["10.0.0.1:80"], True),
        # Gateways cannot pass through: they have the endpoints that are known.
        (entry("resolution: NONE"), EDGE, [], False),
        (entry(f"resolution: NONE, {ENDPOINTS}"), EDGE, ["10.0.0.1:80"], False),
        (SHOP.replace("spec: {selector", "spec: {clusterIP: None, selector"), CLIENT, None, True),
    ],
)
def test_how_a_service_is_resolved(
    text: str, client: Proxy, expected: list[str] | None, passthrough: bool
) -> None:
    found = cluster(mesh(text), client=client, host="a.com" if "a.com" in text else REVIEWS)
    if "a.com" in text:
        assert led(found) == expected
    assert (found is not None and found.passthrough) is passthrough


@pytest.mark.parametrize("client", [CLIENT, EDGE])
def test_names_that_waypoints_alone_look_up_have_no_cluster(client: Proxy) -> None:
    """`buildOutboundClusters` leaves out DYNAMIC_DNS."""
    text = entry("resolution: DYNAMIC_DNS").replace("a.com", "'*.a.com'")
    assert cluster(mesh(text), client=client, host="*.a.com") is None


@pytest.mark.parametrize(
    ("policy", "subsets", "subset", "passthrough"),
    [
        ("{loadBalancer: {simple: PASSTHROUGH}}", V1_SUBSET, "", True),
        ("{loadBalancer: {simple: PASSTHROUGH}}", V1_SUBSET, "v1", True),
        ("{loadBalancer: {simple: RANDOM}}", V1_SUBSET, "", False),
        ("", "{name: p, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}", "p", True),
        ("", "{name: p, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}", "", False),
        (
            "",
            "{name: p, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}, portLevelSettings: [{port: {number: 80}, tls: {}}]}}",
            "p",
            True,
        ),
        (
            "{portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: PASSTHROUGH}}]}",
            V1_SUBSET,
            "",
            True,
        ),
        (
            "{portLevelSettings: [{port: {number: 81}, loadBalancer: {simple: PASSTHROUGH}}]}",
            V1_SUBSET,
            "",
            False,
        ),
    ],
)
def test_a_rule_may_ask_for_the_original_destination(
    policy: str, subsets: str, subset: str, passthrough: bool
) -> None:
    """`applyLoadBalancer`; `buildSubsetCluster` looks at the policy of the subset as it is."""
    found = cluster(mesh(f"{SHOP}---{rule(policy, subsets)}"), subset)
    assert found is not None
    assert found.passthrough is passthrough


def test_an_alias_has_no_cluster_of_its_own() -> None:
    alias = """
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: ExternalName, externalName: a.com, ports: [{name: http, port: 80}]}
"""
    assert cluster(mesh(alias), host="old.shop.svc.cluster.local") is None


def test_endpoints_of_all_services_of_a_host_in_a_namespace_come_together() -> None:
    """`EndpointIndex` is by host and namespace, and ports are told apart by name."""

    def one(name: str, namespace: str, address: str, port: str = "http") -> str:
        return f"""
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: [a.com], resolution: STATIC, ports: [{{number: 80, name: {port}, protocol: HTTP}}], endpoints: [{{address: {address}}}]}}
"""

    state = mesh(
        "---".join(
            (
                one("a", "shop", "10.0.0.1"),
                one("b", "shop", "10.0.0.2"),
                one("c", "shop", "10.0.0.3", "other"),
                one("d", "edge", "10.0.0.4"),
            )
        )
    )
    assert led(cluster(state, host="a.com", client=sidecar("shop"))) == [
        "10.0.0.1:80",
        "10.0.0.2:80",
    ]
    assert led(cluster(state, host="a.com", client=sidecar("edge"))) == ["10.0.0.4:80"]


ENTRY_OF_PODS = """
kind: ServiceEntry
metadata: {name: e, namespace: shop}
spec:
  hosts: [a.com]
  resolution: %s
  workloadSelector: {labels: {app: reviews}}
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
"""
MACHINE = """
kind: WorkloadEntry
metadata: {name: vm, namespace: shop}
spec: {address: 10.0.0.9, labels: {app: reviews, version: v1}, serviceAccount: vm, ports: {http: 99}}
"""


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [("STATIC", ["10.0.0.9:99", V1, V2]), ("DNS", ["10.0.0.9:99"])],
)
def test_entries_may_select_pods_and_machines(resolution: str, expected: list[str]) -> None:
    state = mesh("---".join((ENTRY_OF_PODS % resolution, PODS % "", MACHINE)))
    found = cluster(state, host="a.com")
    assert led(found) == expected
    assert found is not None
    machine = next(u for u in found.upstreams if u.name.startswith("10."))
    assert (machine.port, machine.namespace, machine.has_sidecar) == (99, "shop", True)
    assert (machine.source and machine.source.kind, machine.opaque) == ("WorkloadEntry", False)
    assert machine.labels == {"app": "reviews", "version": "v1"}


def test_a_named_port_of_pods() -> None:
    text = SHOP.replace("targetPort: 8080", "targetPort: web")
    assert led(cluster(mesh(text))) == [V1.replace("8080", "0"), V2.replace("8080", "0")]
    named = text.replace("[{name: a}]", "[{name: a, ports: [{name: web, containerPort: 7}]}]")
    assert led(cluster(mesh(named))) == [V1.replace("8080", "7"), V2.replace("8080", "7")]


def test_what_a_cluster_tells_of_itself() -> None:
    policy = "{outlierDetection: {}, tls: {mode: DISABLE}}"
    found = cluster(mesh(f"{SHOP}---{rule(policy, V1_SUBSET)}"), "v1")
    assert found is not None
    assert (found.name, str(found.name)) == (
        ClusterName(REVIEWS, 80, "v1"),
        f"outbound|80|v1|{REVIEWS}",
    )
    assert found.service is not None
    assert (found.service.kind, found.service.name) == ("Service", "reviews")
    assert [id_.name for id_ in found.rule] == ["rule"]
    assert found.subset_source == found.rule[0]
    assert found.policy == {"outlierDetection": {}, "tls": {"mode": "DISABLE"}}
    plain = cluster(mesh(SHOP))
    assert plain is not None
    assert (plain.rule, plain.subset_source, plain.policy) == ((), None, {})
    (one, other) = sorted(plain.upstreams, key=lambda upstream: upstream.name)
    assert (one.port, one.namespace, one.has_sidecar, one.opaque) == (8080, "shop", True, False)
    assert (one.labels, other.labels["version"]) == ({"app": "reviews", "version": "v1"}, "v2")
    assert one.source is not None
    assert one.source.name == "reviews-v1"


# In an open world.


@pytest.mark.parametrize(
    ("texts", "subset", "expected"),
    [
        # A host of somebody else: its endpoints are not known, its rules may be.
        ([], "", [f"{REVIEWS}:80"]),
        ([], "v1", [f"{REVIEWS}:80,subset=v1"]),
        ([rule(subsets=V1_SUBSET)], "", [f"{REVIEWS}:80"]),
        ([rule(subsets=V1_SUBSET)], "v1", [f"{REVIEWS}:80,version=v1"]),
        ([rule(subsets="{name: v1, labels: {b: y1, a: x1}}")], "v1", [f"{REVIEWS}:80,a=x1,b=y1"]),
        ([rule(subsets=V1_SUBSET)], "v2", None),
        ([rule(subsets=V1_SUBSET, namespace="web")], "v2", None),
        ([rule(subsets=V1_SUBSET, namespace="other")], "v2", [f"{REVIEWS}:80,subset=v2"]),
        # A service of the tree whose pods are elsewhere.
        ([SERVICE], "", ["pods shop/app=reviews:8080"]),
        ([SERVICE, rule(subsets=V1_SUBSET)], "v1", ["pods shop/app=reviews,version=v1:8080"]),
        ([SERVICE, rule(subsets=V1_SUBSET)], "v2", None),
        (
            [SERVICE.replace("targetPort: 8080", "targetPort: web")],
            "",
            ["pods shop/app=reviews:web"],
        ),
        ([SERVICE.replace("selector: {app: reviews}, ", "")], "", [f"endpoints of {REVIEWS}:8080"]),
        ([SHOP], "", [V1, V2]),
    ],
)
def test_in_an_open_world_others_may_serve(
    texts: list[str], subset: str, expected: list[str] | None
) -> None:
    text = "---".join(texts) or "kind: Pod\nmetadata: {name: p}"
    found = cluster(mesh(text, world=World.OPEN), subset)
    assert led(found) == expected
    if found and V1 not in (expected or ()):
        (only,) = found.upstreams
        # Of pods that a Service selects it is taken that they have sidecars.
        has_sidecar = only.name.startswith("pods ")
        assert (only.opaque, only.source, only.has_sidecar) == (not has_sidecar, None, has_sidecar)
        spoken = Transport.MTLS if has_sidecar else Transport.PLAINTEXT
        assert (only.namespace, only.transport) == ("shop", spoken)
        assert only.port == (8080 if "8080" in only.name else 80)
        assert not found.passthrough


def test_in_a_closed_world_nobody_else_serves() -> None:
    assert cluster(mesh("kind: Pod\nmetadata: {name: p}")) is None
    assert led(cluster(mesh(entry("resolution: STATIC"), world=World.OPEN), host="a.com")) == []


@pytest.mark.parametrize(
    ("mode", "transport"),
    [
        ("ISTIO_MUTUAL", "mtls"),
        ("SIMPLE", "tls"),
        ("MUTUAL", "tls"),
        ("DISABLE", "plaintext"),
        ("", "plaintext"),
    ],
)
def test_rules_for_somebody_elses_host_say_what_is_spoken(mode: str, transport: str) -> None:
    policy = f"{{tls: {{mode: {mode}}}, outlierDetection: {{}}}}" if mode else ""
    found = cluster(mesh(rule(policy, V1_SUBSET), world=World.OPEN), "v1")
    assert found is not None
    assert [str(upstream.transport) for upstream in found.upstreams] == [transport]
    assert [dict(upstream.labels) for upstream in found.upstreams] == [{"version": "v1"}]
    assert (found.service, [id_.name for id_ in found.rule]) == (None, ["rule"])
    assert found.subset_source is not None
    assert bool(found.policy) is bool(mode)


# The traffic policy of a cluster.

FULL = {"connectionPool": 1, "outlierDetection": 1, "loadBalancer": 1, "tls": 1, "tunnel": 1}


def on_port(number: int, **settings: Any) -> dict[str, Any]:
    return {"port": {"number": number}, **settings}


@pytest.mark.parametrize(
    ("top", "subset", "expected"),
    [
        # `MergeSubsetTrafficPolicy`, `GetPortLevelTrafficPolicy`, with marks in the place of settings.
        (None, None, {}),
        (FULL, None, FULL),
        (None, FULL, FULL),
        (FULL, {"tls": 2}, {**FULL, "tls": 2}),
        (FULL, {"tls": None}, FULL),
        ({**FULL, "portLevelSettings": [on_port(81, tls=3)]}, None, FULL),
        ({**FULL, "portLevelSettings": [on_port(80, tls=3)]}, None, {"tls": 3}),
        ({**FULL, "portLevelSettings": [on_port(80, tls=3), on_port(80, tls=4)]}, None, {"tls": 3}),
        (
            {**FULL, "portLevelSettings": [on_port(80, tls=3)]},
            {"loadBalancer": 2},
            {"tls": 3, "loadBalancer": 2},
        ),
        (
            FULL,
            {"loadBalancer": 2, "portLevelSettings": [on_port(80, tls=3)]},
            {"tls": 3, "tunnel": 1},
        ),
        (
            FULL,
            {"loadBalancer": 2, "portLevelSettings": [on_port(81, tls=3)]},
            {**FULL, "loadBalancer": 2},
        ),
        (None, {"loadBalancer": 2, "portLevelSettings": [on_port(80, tls=3)]}, {"tls": 3}),
        (FULL, {}, FULL),
    ],
)
def test_settings_of_a_port_and_of_a_subset(
    top: dict[str, Any] | None, subset: dict[str, Any] | None, expected: dict[str, Any]
) -> None:
    stated = {"name": "s", "labels": {}}
    if subset is not None:
        stated["trafficPolicy"] = subset or {"tunnel": None}  # type: ignore[assignment]
    spec = {"host": REVIEWS, "subsets": [stated], **({} if top is None else {"trafficPolicy": top})}
    text = yaml.safe_dump(
        {"kind": "DestinationRule", "metadata": {"name": "r", "namespace": "shop"}, "spec": spec},
        sort_keys=False,
    )
    found = mesh(text).destination_rule(REVIEWS, "web")
    assert found is not None
    assert effective_policy(found, found.subset("s"), 80) == expected
    assert effective_policy(None, None, 80) == {}


# What is spoken.

MUTUAL, PLAIN, SECURE = "mtls", "plaintext", "tls"


@pytest.mark.parametrize(
    ("policy", "subsets", "subset", "expected"),
    [
        # What a rule says holds for all endpoints (`buildUpstreamTLSSettings`).
        ("", "", "", (MUTUAL, PLAIN)),
        ("{tls: {mode: DISABLE}}", "", "", (PLAIN, PLAIN)),
        ("{tls: {}}", "", "", (PLAIN, PLAIN)),
        ("{tls: {mode: ISTIO_MUTUAL}}", "", "", (MUTUAL, MUTUAL)),
        ("{tls: {mode: SIMPLE}}", "", "", (SECURE, SECURE)),
        ("{tls: {mode: MUTUAL}}", "", "", (SECURE, SECURE)),
        ("{tls: {mode: ODD}}", "", "", (PLAIN, PLAIN)),
        ("{loadBalancer: {simple: RANDOM}}", "", "", (MUTUAL, PLAIN)),
        ("{tls: {mode: DISABLE}}", "{name: s}", "s", (PLAIN, PLAIN)),
        (
            "{tls: {mode: DISABLE}}",
            "{name: s, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}",
            "s",
            (MUTUAL, MUTUAL),
        ),
        (
            "{tls: {mode: DISABLE}}",
            "{name: s, trafficPolicy: {loadBalancer: {}}}",
            "s",
            (PLAIN, PLAIN),
        ),
        # Settings of the port of a subset leave nothing of the rule's: mutual TLS by itself.
        (
            "{tls: {mode: DISABLE}}",
            "{name: s, trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]}}",
            "s",
            (MUTUAL, PLAIN),
        ),
        # For endpoints settings of a port inherit (`tlsModeForDestinationRule`).
        (
            "{tls: {mode: DISABLE}, portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]}",
            "",
            "",
            (PLAIN, PLAIN),
        ),
        (
            "{tls: {mode: ISTIO_MUTUAL}, portLevelSettings: [{port: {number: 80}, loadBalancer: {}}]}",
            "",
            "",
            (MUTUAL, PLAIN),
        ),
        (
            "{tls: {mode: DISABLE}, portLevelSettings: [{port: {number: 81}, loadBalancer: {}}]}",
            "",
            "",
            (PLAIN, PLAIN),
        ),
        (
            "{portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}",
            "",
            "",
            (SECURE, SECURE),
        ),
        # Of two settings for the port the first counts, for endpoints the first with TLS.
        (
            "{portLevelSettings: [{port: {number: 80}, loadBalancer: {}}, {port: {number: 80}, tls: {mode: DISABLE}}]}",
            "",
            "",
            (PLAIN, PLAIN),
        ),
        (
            "{portLevelSettings: [{port: {number: 80}, loadBalancer: {}}, {port: {number: 81}, tls: {mode: DISABLE}}]}",
            "",
            "",
            (MUTUAL, PLAIN),
        ),
        # All or none where requests go to their original destination (`BestEffortInferServiceMTLSMode`).
        ("{loadBalancer: {simple: PASSTHROUGH}}", "", "", (PLAIN, PLAIN)),
        ("{loadBalancer: {simple: PASSTHROUGH}}", V1_SUBSET, "v1", (MUTUAL,)),
        (
            "",
            "{name: s, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}",
            "s",
            (PLAIN, PLAIN),
        ),
    ],
)
def test_what_is_spoken_to_pods_with_and_without_sidecar(
    policy: str, subsets: str, subset: str, expected: tuple[str, ...]
) -> None:
    """The first pods have a sidecar, the second have none."""
    found = cluster(mesh(f"{MIXED}---{rule(policy, subsets)}"), subset)
    assert tuple(spoken(found).values()) == expected


@pytest.mark.parametrize(
    ("peers", "auto", "expected"),
    [
        ([], True, (MUTUAL, MUTUAL)),
        ([], False, (PLAIN, PLAIN)),
        (["{mtls: {mode: STRICT}}"], True, (MUTUAL, MUTUAL)),
        (["{mtls: {mode: DISABLE}}"], True, (PLAIN, PLAIN)),
        (["{mtls: {mode: STRICT}}"], False, (PLAIN, PLAIN)),
        (
            ["{selector: {matchLabels: {version: v1}}, mtls: {mode: DISABLE}}"],
            True,
            (PLAIN, MUTUAL),
        ),
        (
            [
                "{mtls: {mode: DISABLE}}",
                "{selector: {matchLabels: {version: v1}}, mtls: {mode: STRICT}}",
            ],
            True,
            (PLAIN, PLAIN),
        ),
        (
            ["{selector: {matchLabels: {version: v1}}, portLevelMtls: {8080: {mode: DISABLE}}}"],
            True,
            (PLAIN, MUTUAL),
        ),
        (
            ["{selector: {matchLabels: {version: v1}}, portLevelMtls: {80: {mode: DISABLE}}}"],
            True,
            (MUTUAL, MUTUAL),
        ),
    ],
)
def test_mutual_tls_by_itself_is_as_the_servers_accept_it(
    peers: list[str], auto: bool, expected: tuple[str, ...]
) -> None:
    """`checkMtlsEnabled`."""
    texts = [
        f"\nkind: PeerAuthentication\nmetadata: {{name: p{n}, namespace: shop}}\nspec: {spec}\n"
        for n, spec in enumerate(peers)
    ]
    found = cluster(mesh("---".join((SHOP, *texts)), enable_auto_mtls=auto))
    assert tuple(spoken(found).values()) == expected


@pytest.mark.parametrize(
    ("text", "spoken_"),
    [
        # Nothing is spoken by itself to what lies outside; inside, by label or account.
        ("location: MESH_EXTERNAL, endpoints: [{address: 10.0.0.1, serviceAccount: sa}]", [PLAIN]),
        ("location: MESH_INTERNAL, endpoints: [{address: 10.0.0.1, serviceAccount: sa}]", [MUTUAL]),
        ("location: MESH_INTERNAL, endpoints: [{address: 10.0.0.1}]", [PLAIN]),
        (
            "location: MESH_INTERNAL, endpoints: [{address: 10.0.0.1, labels: {security.istio.io/tlsMode: istio}}]",
            [MUTUAL],
        ),
        (
            "location: MESH_INTERNAL, endpoints: [{address: 10.0.0.1, labels: {security.istio.io/tlsMode: disabled}, serviceAccount: sa}]",
            [PLAIN],
        ),
    ],
)
def test_mutual_tls_to_written_endpoints(text: str, spoken_: list[str]) -> None:
    found = cluster(mesh(entry(f"resolution: STATIC, {text}")), host="a.com")
    assert found is not None
    assert [str(upstream.transport) for upstream in found.upstreams] == spoken_
    assert [(u.namespace, u.port, u.source and u.source.name) for u in found.upstreams] == [
        ("shop", 80, "e")
    ]


SELECTOR = ", workloadSelector: {matchLabels: {app: client}}"


@pytest.mark.parametrize(
    ("tls", "more", "namespace", "client", "transport"),
    [
        # `buildUpstreamClusterTLSContext`: a sidecar gets no Secret, so that it speaks plaintext.
        ("{mode: SIMPLE, credentialName: c}", "", "shop", CLIENT, PLAIN),
        ("{mode: MUTUAL, credentialName: c}", "", "shop", CLIENT, PLAIN),
        ("{mode: SIMPLE, credentialName: 'configmap://c'}", "", "shop", CLIENT, SECURE),
        ("{mode: ISTIO_MUTUAL, credentialName: c}", "", "shop", CLIENT, MUTUAL),
        ("{mode: DISABLE, credentialName: c}", "", "shop", CLIENT, PLAIN),
        ("{mode: SIMPLE}", "", "shop", CLIENT, SECURE),
        ("{mode: SIMPLE, credentialName: c}", SELECTOR, "web", CLIENT, SECURE),
        ("{mode: SIMPLE, credentialName: c}", "", "web", CLIENT, PLAIN),
        ("{mode: SIMPLE, credentialName: c}", "", "shop", EDGE, SECURE),
        ("{mode: MUTUAL, credentialName: c}", "", "shop", EDGE, SECURE),
    ],
)
def test_credentials_are_for_gateways_and_chosen_clients(
    tls: str, more: str, namespace: str, client: Proxy, transport: str
) -> None:
    text = f"{SHOP}---{rule(f'{{tls: {tls}}}', more=more, namespace=namespace)}"
    assert set(spoken(cluster(mesh(text), client=client)).values()) == {transport}
