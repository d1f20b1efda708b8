"""Which service a host means to whom."""

import pytest
import yaml

from meshplan.mesh.read import number
from meshplan.mesh.service import Protocol, Resolution, endpoint_of
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


@pytest.mark.parametrize(
    "other",
    [
        "workloadSelector: {labels: {app: x}}",
        "resolution: DNS",
        "exportTo: [web]",
    ],
)
def test_entries_that_differ_otherwise_are_not_merged(other: str) -> None:
    """`canMergeServices`."""
    key = other.partition(":")[0]
    second = "\n".join(line for line in entry("b", "shop", port=81).splitlines() if key not in line)
    found = mesh(f"{entry('a', 'shop')}---{second}\n  {other}\n").service("api.example.com", "shop")
    assert found is not None
    assert [port.number for port in found.ports] == [80]


@pytest.mark.parametrize(
    ("cluster_ip", "addresses", "resolution"),
    [
        ("", (), Resolution.STATIC),
        ("clusterIP: None, ", (), Resolution.PASSTHROUGH),
        ("clusterIP: 10.0.0.9, ", ("10.0.0.9",), Resolution.STATIC),
    ],
)
def test_a_service_has_the_address_that_is_written(
    cluster_ip: str, addresses: tuple[str, ...], resolution: Resolution
) -> None:
    found = mesh(f"""
kind: Service
metadata: {{name: reviews, namespace: shop}}
spec: {{{cluster_ip}ports: [{{name: http, port: 80}}]}}
""").service("reviews.shop.svc.cluster.local", "shop")
    assert found is not None
    assert (found.addresses, found.resolution) == (addresses, resolution)


@pytest.mark.parametrize(
    ("stated", "mode"),
    [
        ("", "disabled"),
        ("serviceAccount: vm", "istio"),
        ("labels: {security.istio.io/tlsMode: istio}", "istio"),
        ("serviceAccount: vm, labels: {security.istio.io/tlsMode: disabled}", "disabled"),
    ],
)
def test_endpoints_take_mutual_tls_by_label_or_account(stated: str, mode: str) -> None:
    """`getTLSModeFromWorkloadEntry`."""
    spec = yaml.safe_load(f"{{address: 10.0.0.1, {stated}}}")
    assert endpoint_of(spec).tls_mode == mode


def test_pods_of_cron_jobs_are_workloads() -> None:
    (found,) = mesh("""
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  jobTemplate:
    spec: {template: {metadata: {labels: {app: nightly}}, spec: {containers: [{name: a}]}}}
""").workloads_matching("shop", {"app": "nightly"})
    assert (found.service_account, found.running, found.injected) == ("default", True, None)


@pytest.mark.parametrize(
    ("stated", "injected"),
    [
        ("labels: {app: a}", None),
        ("labels: {app: a, sidecar.istio.io/inject: 'true'}", True),
        ("labels: {app: a, sidecar.istio.io/inject: 'false'}", False),
        ("labels: {app: a}, annotations: {sidecar.istio.io/inject: 'false'}", False),
        (
            "labels: {app: a, sidecar.istio.io/inject: 'true'}, annotations: {sidecar.istio.io/inject: 'false'}",
            True,
        ),
        ("labels: {app: a, security.istio.io/tlsMode: istio}", True),
    ],
)
def test_pods_say_themselves_whether_they_have_a_sidecar(
    stated: str, injected: bool | None
) -> None:
    (found,) = mesh(f"""
kind: Pod
metadata: {{name: a, namespace: shop, {stated}}}
spec: {{containers: [{{name: a}}]}}
""").workloads_matching("shop", {"app": "a"})
    assert found.injected is injected


@pytest.mark.parametrize(
    ("written", "meant"),
    [(80, 80), ("80", 80), (80.0, 80), (True, 0), (80.5, 0), ("http", 0), (None, 0), ("9" * 20, 0)],
)
def test_numbers_are_whole(written: object, meant: int) -> None:
    assert number(written) == meant
