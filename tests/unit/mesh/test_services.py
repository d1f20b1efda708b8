"""Which service a host means to whom."""

import pytest

from meshplan.mesh.service import Protocol, Resolution
from support.meshes import mesh

ENTRY = """
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{host}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: {port}, name: p{port}, protocol: HTTP}}]
  exportTo: [{export_to}]
"""


def entry(name: str, namespace: str, export_to: str = "'*'", port: int = 80) -> str:
    host = "api.example.com"
    return ENTRY.format(name=name, namespace=namespace, host=host, port=port, export_to=export_to)


@pytest.mark.parametrize(
    ("export_to", "seen_by"),
    [
        ("'*'", {"shop", "web", "edge"}),
        ("'.'", {"shop"}),
        ("web", {"web"}),
        ("shop", {"shop"}),
        ("'~'", set()),
        ("'~', web", set()),
        ("'*', '~'", {"shop", "web", "edge"}),
    ],
)
def test_export_to_hides_a_service(export_to: str, seen_by: set[str]) -> None:
    state = mesh(entry("a", "shop", export_to))
    seen = {n for n in ("shop", "web", "edge") if state.service("api.example.com", n)}
    assert seen == seen_by


def test_the_default_of_the_mesh_counts_where_nothing_is_said() -> None:
    text = entry("a", "shop").replace("exportTo: ['*']", "exportTo: []")
    state = mesh(text, default_service_export_to=(".",))
    assert state.service("api.example.com", "shop")
    assert state.service("api.example.com", "web") is None


def test_the_clients_own_namespace_wins_then_the_first_by_name() -> None:
    state = mesh("---".join((entry("a", "shop"), entry("a", "web"), entry("a", "edge"))))
    found = {n: state.service("api.example.com", n) for n in ("web", "other")}
    assert found["web"] is not None
    assert found["web"].namespace == "web"
    # Hosts of ServiceEntries tie by name, so the namespace decides.
    assert found["other"] is not None
    assert found["other"].namespace == "edge"


def test_a_kubernetes_service_beats_an_entry_of_its_host() -> None:
    squatter = ENTRY.format(
        name="a",
        namespace="aaa",
        host="reviews.shop.svc.cluster.local",
        port=80,
        export_to="'*'",
    )
    service = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
"""
    found = mesh(f"{squatter}---{service}").service("reviews.shop.svc.cluster.local", "web")
    assert found is not None
    assert found.id.kind == "Service"


def test_ports_of_entries_for_one_host_in_one_namespace_are_merged() -> None:
    state = mesh("---".join((entry("a", "shop", port=80), entry("b", "shop", port=81))))
    found = state.service("api.example.com", "web")
    assert found is not None
    assert [port.number for port in found.ports] == [80, 81]
    assert [id_.name for id_ in found.merged] == ["b"]


@pytest.mark.parametrize(
    ("port", "protocol"),
    [
        ("{name: http-web, port: 80}", Protocol.HTTP),
        ("{name: web, port: 80}", Protocol.SNIFFED),
        ("{name: grpc-web-x, port: 80}", Protocol.GRPC_WEB),
        ("{name: x, port: 80, appProtocol: grpc}", Protocol.GRPC),
        ("{name: http-x, port: 80, appProtocol: tcp}", Protocol.TCP),
        ("{name: x, port: 80, appProtocol: kubernetes.io/h2c}", Protocol.HTTP2),
        ("{name: x, port: 3306}", Protocol.TCP),
        ("{name: http-x, port: 80, protocol: UDP}", Protocol.UDP),
    ],
)
def test_the_protocol_is_told_by_app_protocol_then_by_name(port: str, protocol: Protocol) -> None:
    state = mesh(f"""
kind: Service
metadata: {{name: reviews, namespace: shop}}
spec: {{ports: [{port}]}}
""")
    found = state.service("reviews.shop.svc.cluster.local", "shop")
    assert found is not None
    assert found.ports[0].protocol is protocol


def test_an_external_name_is_another_name() -> None:
    state = mesh("""
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: ExternalName, externalName: new.shop.svc.cluster.local, ports: [{port: 80}]}
---
kind: Service
metadata: {name: new, namespace: shop}
spec: {selector: {app: new}, ports: [{name: http, port: 80}]}
""")
    old = state.service("old.shop.svc.cluster.local", "web")
    new = state.service("new.shop.svc.cluster.local", "web")
    assert old is not None
    assert old.resolution is Resolution.ALIAS
    assert new is not None
    assert new.aliases == ("old.shop.svc.cluster.local",)


def test_workloads_are_told_by_the_labels_of_their_templates() -> None:
    state = mesh("""
kind: Deployment
metadata: {name: reviews-v1, namespace: shop, labels: {app: wrong}}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: reviews, version: v1}}
    spec: {serviceAccountName: reviews, containers: [{name: a, ports: [{name: web, containerPort: 8080}]}]}
---
kind: Deployment
metadata: {name: stopped, namespace: shop}
spec: {replicas: 0, template: {metadata: {labels: {app: reviews}}, spec: {containers: []}}}
---
kind: WorkloadEntry
metadata: {name: vm, namespace: shop}
spec: {address: 10.0.0.1, labels: {app: reviews}, serviceAccount: vm}
""")
    found = state.workloads_matching("shop", {"app": "reviews"})
    assert {w.id.name: w.running for w in found} == {
        "reviews-v1": True,
        "stopped": False,
        "vm": True,
    }
    assert state.workloads_matching("web", {"app": "reviews"}) == ()
