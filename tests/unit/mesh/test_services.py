"""Which service a host means to whom."""

import pytest
import yaml

from meshplan.mesh.read import number
from meshplan.mesh.service import Protocol, Registry, Resolution, endpoint_of
from support.meshes import mesh

#: Protocols by their names (`protocol.Parse`).
NAMED = {
    "http": Protocol.HTTP,
    "http2": Protocol.HTTP2,
    "grpc": Protocol.GRPC,
    "https": Protocol.HTTPS,
    "tls": Protocol.TLS,
    "tcp": Protocol.TCP,
    "mongo": Protocol.MONGO,
    "redis": Protocol.REDIS,
    "mysql": Protocol.MYSQL,
    "udp": Protocol.UDP,
}

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


@pytest.mark.parametrize(
    ("port", "protocol"),
    [
        # `ConvertProtocol` in pkg/config/kube/conversion.go: appProtocol, else the name's prefix.
        *[(f"{{name: {name}-x, port: 80}}", found) for name, found in NAMED.items()],
        *[(f"{{name: {name}, port: 80}}", found) for name, found in NAMED.items()],
        *[(f"{{name: x, port: 80, appProtocol: {name}}}", found) for name, found in NAMED.items()],
        *[(f"{{name: {name.upper()}, port: 80}}", found) for name, found in NAMED.items()],
        ("{name: grpc-web, port: 80}", Protocol.GRPC_WEB),
        ("{name: GRPC-Web-x, port: 80}", Protocol.GRPC_WEB),
        ("{name: x, port: 80, appProtocol: grpc-web}", Protocol.GRPC_WEB),
        ("{name: httpx, port: 80}", Protocol.SNIFFED),
        ("{name: x-http, port: 80}", Protocol.SNIFFED),
        ("{port: 80}", Protocol.SNIFFED),
        ("{name: x, port: 80, appProtocol: unheard}", Protocol.SNIFFED),
        ("{name: http, port: 80, appProtocol: unheard}", Protocol.SNIFFED),
        ("{name: x, port: 80, appProtocol: kubernetes.io/h2c}", Protocol.HTTP2),
        ("{name: x, port: 80, appProtocol: kubernetes.io/ws}", Protocol.HTTP),
        ("{name: x, port: 80, appProtocol: kubernetes.io/wss}", Protocol.HTTPS),
        # Ports on which the server speaks first.
        *[(f"{{name: x, port: {n}}}", Protocol.TCP) for n in (25, 53, 3306, 27017)],
        *[(f"{{name: http, port: {n}}}", Protocol.HTTP) for n in (25, 53, 3306, 27017)],
        *[(f"{{name: x, port: {n}}}", Protocol.SNIFFED) for n in (26, 54, 3307, 27018, 24)],
        ("{name: tcp, port: 80, protocol: UDP}", Protocol.UDP),
        ("{name: x, port: 80, protocol: TCP}", Protocol.SNIFFED),
        ("{name: udp, port: 80}", Protocol.UDP),
    ],
)
def test_each_way_to_tell_a_protocol(port: str, protocol: Protocol) -> None:
    found = mesh(
        f"\nkind: Service\nmetadata: {{name: s, namespace: shop}}\nspec: {{ports: [{port}]}}\n"
    )
    service = found.service("s.shop.svc.cluster.local", "shop")
    assert service is not None
    assert service.ports[0].protocol is protocol


def test_what_is_read_by_its_content() -> None:
    """`IsHTTP`, `IsUnsupported` in pkg/config/protocol/instance.go."""
    http = {found for found in Protocol if found.is_http}
    expected = {
        Protocol.HTTP,
        Protocol.HTTP2,
        Protocol.HTTP_PROXY,
        Protocol.GRPC,
        Protocol.GRPC_WEB,
    }
    assert http == expected
    assert {found for found in Protocol if found.is_http_or_sniffed} == {*http, Protocol.SNIFFED}


def test_a_kubernetes_service_as_it_is_written() -> None:
    found = mesh("""
kind: Service
metadata:
  name: reviews
  namespace: shop
  creationTimestamp: '2024-01-01T00:00:00Z'
  labels: {team: a}
  annotations: {networking.istio.io/exportTo: 'web, .'}
spec:
  clusterIP: 10.0.0.9
  selector: {app: reviews, live: true}
  ports:
  - {name: http, port: 80}
  - {name: named, port: 81, targetPort: web}
  - {name: other, port: 82, targetPort: 8082}
  - {name: text, port: 83, targetPort: '8083'}
""").service("reviews.shop.svc.cluster.local", "shop")
    assert found is not None
    assert (found.id.name, found.name, found.namespace) == ("reviews", "reviews", "shop")
    assert (found.created, found.registry) == ("2024-01-01T00:00:00Z", Registry.KUBERNETES)
    assert (found.resolution, found.external, found.alias_of) == (Resolution.STATIC, False, "")
    assert found.export_to == {"web", "."}
    assert found.selector == {"app": "reviews", "live": "true"}
    assert (found.addresses, found.labels, found.endpoints) == (("10.0.0.9",), {"team": "a"}, ())
    assert [(p.number, p.name, p.target) for p in found.ports] == [
        (80, "http", 0),
        (81, "named", "web"),
        (82, "other", 8082),
        (83, "text", 8083),
    ]
    assert found.port(82) == found.ports[2]
    assert found.port(90) is None


@pytest.mark.parametrize(
    ("spec", "resolution", "alias", "external"),
    [
        # `ConvertService` in pilot/pkg/serviceregistry/kube/conversion.go.
        ("type: ExternalName, externalName: b.com", Resolution.ALIAS, "b.com", True),
        ("type: ClusterIP, externalName: b.com", Resolution.STATIC, "", False),
        ("clusterIP: None", Resolution.PASSTHROUGH, "", False),
        ("clusterIP: 10.0.0.1", Resolution.STATIC, "", False),
        ("clusterIP: ''", Resolution.STATIC, "", False),
    ],
)
def test_how_a_kubernetes_service_is_resolved(
    spec: str, resolution: Resolution, alias: str, external: bool
) -> None:
    text = f"\nkind: Service\nmetadata: {{name: s, namespace: shop}}\nspec: {{{spec}, ports: [{{port: 80}}]}}\n"
    found = mesh(text).service("s.shop.svc.cluster.local", "shop")
    assert found is not None
    assert (found.resolution, found.alias_of, found.external) == (resolution, alias, external)
    assert (found.selector, found.export_to) == (None, frozenset())


def test_a_service_entry_as_it_is_written() -> None:
    state = mesh("""
kind: ServiceEntry
metadata: {name: e, namespace: shop, creationTimestamp: '2024-01-01T00:00:00Z', labels: {team: a}}
spec:
  hosts: [a.com, b.com]
  addresses: [10.0.0.1]
  exportTo: [., web]
  location: MESH_INTERNAL
  resolution: STATIC
  subjectAltNames: [spiffe://x]
  ports:
  - {number: 80, name: http, protocol: http, targetPort: 8080}
  - {number: 81, name: grpc, protocol: GRPC}
  endpoints:
  - {address: 10.1.0.1, ports: {http: 90, grpc: '91'}, labels: {app: a}, serviceAccount: sa, weight: 3}
  - {address: unix:///x}
""")
    for host in ("a.com", "b.com"):
        found = state.service(host, "web")
        assert found is not None
        assert (found.id.name, found.name, found.host) == ("e", host, host)
        assert (found.namespace, found.created) == ("shop", "2024-01-01T00:00:00Z")
        assert (found.registry, found.external) == (Registry.EXTERNAL, False)
        assert (found.resolution, found.selector) == (Resolution.STATIC, None)
        assert (found.addresses, found.export_to) == (("10.0.0.1",), {".", "web"})
        assert (found.labels, found.subject_alt_names) == ({"team": "a"}, ("spiffe://x",))
        assert [(p.number, p.name, p.protocol, p.target) for p in found.ports] == [
            (80, "http", Protocol.HTTP, 8080),
            (81, "grpc", Protocol.GRPC, 0),
        ]
        one, other = found.endpoints
        assert (one.address, one.ports, one.labels) == (
            "10.1.0.1",
            {"http": 90, "grpc": 91},
            {"app": "a"},
        )
        assert (one.service_account, one.weight, one.tls_mode) == ("sa", 3, "istio")
        assert (other.address, other.ports, other.labels, other.weight) == ("unix:///x", {}, {}, 0)
        assert other.tls_mode == "disabled"


@pytest.mark.parametrize(
    ("spec", "resolution", "addresses", "external"),
    [
        # `convertServices`: a DNS service without endpoints looks up its own host.
        ("resolution: DNS", Resolution.DNS, ["a.com"], True),
        ("resolution: DNS_ROUND_ROBIN", Resolution.DNS_ROUND_ROBIN, ["a.com"], True),
        ("resolution: DNS, endpoints: [{address: b.com}]", Resolution.DNS, ["b.com"], True),
        ("resolution: DNS, workloadSelector: {labels: {a: b}}", Resolution.DNS, [], True),
        ("resolution: DYNAMIC_DNS", Resolution.DYNAMIC_DNS, [], True),
        ("resolution: STATIC", Resolution.STATIC, [], True),
        ("resolution: NONE", Resolution.PASSTHROUGH, [], True),
        ("resolution: ALIAS", Resolution.PASSTHROUGH, [], True),
        ("location: MESH_EXTERNAL", Resolution.PASSTHROUGH, [], True),
        ("location: MESH_INTERNAL", Resolution.PASSTHROUGH, [], False),
    ],
)
def test_how_a_service_entry_is_resolved(
    spec: str, resolution: Resolution, addresses: list[str], external: bool
) -> None:
    text = f"\nkind: ServiceEntry\nmetadata: {{name: e, namespace: shop}}\nspec: {{hosts: [a.com], {spec}}}\n"
    found = mesh(text).service("a.com", "shop")
    assert found is not None
    assert (found.resolution, found.external) == (resolution, external)
    assert [endpoint.address for endpoint in found.endpoints] == addresses
    selects = "workloadSelector" in spec
    assert found.selector == ({"a": "b"} if selects else None)
