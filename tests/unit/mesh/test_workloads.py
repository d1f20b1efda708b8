"""What runs behind services: pods, written endpoints, and whether a sidecar stands before them."""

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.service import Endpoint, MeshService, Port, Protocol
from meshplan.mesh.workload import Workload
from meshplan.settings import World
from support.meshes import mesh

POD = """metadata: {labels: {app: a, version: v1}}, spec: {serviceAccountName: sa, containers: [
{name: x, ports: [{name: web, containerPort: 8080}, {containerPort: 9}]}, {name: y, ports: [{name: admin, containerPort: 9090}]}]}"""


def maker(api: str, kind: str, spec: str, name: str = "w", namespace: str = "shop") -> str:
    return f"""
apiVersion: {api}
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def only(text: str) -> Workload:
    (found,) = mesh(text).workloads
    return found


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
        ("argoproj.io/v1alpha1", "Rollout"),
    ],
)
def test_templates_make_workloads(api: str, kind: str) -> None:
    found = only(maker(api, kind, f"{{template: {{{POD}}}}}"))
    assert (found.id.kind, found.namespace) == (kind, "shop")
    assert found.labels == {"app": "a", "version": "v1"}
    assert found.ports == {"web": 8080, "admin": 9090}
    assert (found.service_account, found.running, found.endpoint) == ("sa", True, None)


def test_pods_and_cron_jobs_are_workloads_too() -> None:
    pod = only(
        f"\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: shop, labels: {{app: a}}}}\nspec: {{{POD.partition('spec: {')[2]}"
    )
    assert (pod.labels, pod.ports, pod.service_account) == (
        {"app": "a"},
        {"web": 8080, "admin": 9090},
        "sa",
    )
    job = only(maker("batch/v1", "CronJob", f"{{jobTemplate: {{spec: {{template: {{{POD}}}}}}}}}"))
    assert (job.labels, job.running) == ({"app": "a", "version": "v1"}, True)


@pytest.mark.parametrize(
    ("replicas", "running"),
    [
        ("", True),
        ("replicas: 0, ", False),
        ("replicas: 1, ", True),
        ("replicas: '0', ", True),
        ("replicas: false, ", True),
    ],
)
def test_without_replicas_nothing_runs(replicas: str, running: bool) -> None:
    assert (
        only(maker("apps/v1", "Deployment", f"{{{replicas}template: {{{POD}}}}}")).running
        is running
    )


@pytest.mark.parametrize("spec", ["{}", "{template: {}}", "{template: x}", "{template: []}"])
def test_without_a_template_there_is_no_workload(spec: str) -> None:
    assert mesh(maker("apps/v1", "Deployment", spec)).workloads == ()


def test_a_workload_entry_has_the_labels_of_both() -> None:
    """`ConvertWorkloadEntry`: those of the object win."""
    found = only("""
kind: WorkloadEntry
metadata: {name: vm, namespace: shop, labels: {a: object, b: object}}
spec: {address: 10.0.0.1, labels: {a: spec, c: spec}, ports: {http: 8080}, serviceAccount: vm, weight: 5}
""")
    assert found.labels == {"a": "object", "b": "object", "c": "spec"}
    assert (found.service_account, found.ports, found.running) == ("vm", {}, True)
    assert found.endpoint == Endpoint(
        "10.0.0.1", {"http": 8080}, {"a": "spec", "c": "spec"}, "vm", 5
    )


@pytest.mark.parametrize(
    ("metadata", "spec", "namespace", "injected"),
    [
        # `injectRequired` in pkg/kube/inject: the label, else the annotation.
        ("", "", "shop", None),
        ("labels: {sidecar.istio.io/inject: 'true'}", "", "shop", True),
        ("labels: {sidecar.istio.io/inject: 'false'}", "", "shop", False),
        ("labels: {sidecar.istio.io/inject: 'yes'}", "", "shop", None),
        ("annotations: {sidecar.istio.io/inject: 'true'}", "", "shop", True),
        ("annotations: {sidecar.istio.io/inject: 'false'}", "", "shop", False),
        (
            "labels: {sidecar.istio.io/inject: 'false'}, annotations: {sidecar.istio.io/inject: 'true'}",
            "",
            "shop",
            False,
        ),
        ("labels: {sidecar.istio.io/inject: 'true'}", "hostNetwork: true, ", "shop", False),
        ("labels: {sidecar.istio.io/inject: 'true'}", "hostNetwork: false, ", "shop", True),
        ("labels: {sidecar.istio.io/inject: 'true'}", "", "kube-system", False),
        ("labels: {sidecar.istio.io/inject: 'true'}", "", "kube-public", False),
        ("labels: {sidecar.istio.io/inject: 'true'}", "", "kube-node-lease", False),
        ("labels: {sidecar.istio.io/inject: 'true'}", "", "local-path-storage", False),
        ("", "hostNetwork: true, ", "shop", False),
        # Injected already, as a template of somebody who writes the sidecar out.
        ("labels: {security.istio.io/tlsMode: istio}", "hostNetwork: true, ", "shop", True),
        ("labels: {security.istio.io/tlsMode: disabled}", "", "shop", None),
    ],
)
def test_pods_say_whether_they_get_a_sidecar(
    metadata: str, spec: str, namespace: str, injected: bool | None
) -> None:
    template = (
        f"{{template: {{metadata: {{{metadata}}}, spec: {{{spec}containers: [{{name: x}}]}}}}}}"
    )
    assert only(maker("apps/v1", "Deployment", template, "w", namespace)).injected is injected


@pytest.mark.parametrize(
    ("labels", "world", "injected"),
    [
        (None, World.CLOSED, True),
        (None, World.OPEN, True),
        ("", World.CLOSED, False),
        ("", World.OPEN, True),
        ("istio-injection: enabled", World.CLOSED, True),
        ("istio-injection: disabled", World.OPEN, False),
        ("istio-injection: disabled, istio.io/rev: x", World.OPEN, False),
        ("istio.io/rev: x", World.CLOSED, True),
    ],
)
def test_a_namespace_says_it_for_pods_that_say_nothing(
    labels: str | None, world: World, injected: bool
) -> None:
    text = maker("apps/v1", "Deployment", f"{{template: {{{POD}}}}}")
    if labels is not None:
        text += f"---\nkind: Namespace\nmetadata: {{name: shop, labels: {{{labels}}}}}\n"
    found = mesh(text, world=world)
    assert found.running.is_injected(found.workloads[0]) is injected


def test_what_pods_say_counts_more_than_their_namespace() -> None:
    stated = POD.replace("version: v1", "sidecar.istio.io/inject: 'false'")
    text = maker("apps/v1", "Deployment", f"{{template: {{{stated}}}}}")
    text += "---\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n"
    found = mesh(text)
    assert found.running.is_injected(found.workloads[0]) is False


def pods(name: str, labels: str, namespace: str = "shop", ports: str = "") -> str:
    container = f"{{name: x, ports: [{ports}]}}"
    template = f"{{metadata: {{labels: {{{labels}}}}}, spec: {{containers: [{container}]}}}}"
    return maker("apps/v1", "Deployment", f"{{template: {template}}}", name, namespace)


SEVERAL = "---".join(
    (
        pods("a1", "app: a, version: v1", ports="{name: web, containerPort: 81}"),
        pods(
            "a2",
            "app: a, version: v2",
            ports="{name: web, containerPort: 82}, {name: x, containerPort: 83}",
        ),
        pods("b1", "app: b, version: v1"),
        pods("c1", "app: a, version: v1", "web"),
    )
)


@pytest.mark.parametrize(
    ("namespace", "selector", "names"),
    [
        ("shop", {}, ["a1", "a2", "b1"]),
        ("shop", {"app": "a"}, ["a1", "a2"]),
        ("shop", {"app": "a", "version": "v1"}, ["a1"]),
        ("shop", {"version": "v1"}, ["a1", "b1"]),
        ("shop", {"version": "v2", "app": "b"}, []),
        ("shop", {"app": "x"}, []),
        ("shop", {"app": "a", "more": "x"}, []),
        ("web", {"app": "a"}, ["c1"]),
        ("nowhere", {"app": "a"}, []),
        ("nowhere", {}, []),
    ],
)
def test_selectors_pick_workloads_of_their_namespace(
    namespace: str, selector: dict[str, str], names: list[str]
) -> None:
    found = mesh(SEVERAL).workloads_matching(namespace, selector)
    assert [w.id.name for w in found] == names


def test_all_workloads_are_known_and_found_by_name() -> None:
    found = mesh(SEVERAL)
    assert sorted(w.id.name for w in found.workloads) == ["a1", "a2", "b1", "c1"]
    one = found.running.get("Deployment", "shop", "a2")
    assert one is not None
    assert one.id.name == "a2"
    assert found.running.get("StatefulSet", "shop", "a2") is None
    assert found.running.get("Deployment", "web", "a2") is None


@pytest.mark.parametrize(
    ("port", "labels", "number"),
    [
        (Port(80, "p", Protocol.HTTP), {"app": "a"}, 80),
        (Port(80, "p", Protocol.HTTP, 8080), {"app": "a"}, 8080),
        (Port(80, "p", Protocol.HTTP, "web"), {"app": "a"}, 81),
        (Port(80, "p", Protocol.HTTP, "web"), {"app": "a", "version": "v2"}, 82),
        (Port(80, "p", Protocol.HTTP, "x"), {"app": "a"}, 83),
        (Port(80, "p", Protocol.HTTP, "gone"), {"app": "a"}, 80),
        (Port(80, "p", Protocol.HTTP, "web"), {"app": "b"}, 80),
    ],
)
def test_a_named_port_is_looked_up_at_the_pods(
    port: Port, labels: dict[str, str], number: int
) -> None:
    assert mesh(SEVERAL).running.port_number(port, "shop", labels) == number


SERVICE = """
kind: Service
metadata: {name: db, namespace: shop}
spec: {ports: [{name: http, port: 80}]%s}
"""
BY_HAND = """
apiVersion: v1
kind: Endpoints
metadata: {name: db, namespace: shop}
subsets:
- {addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{name: http, port: 8080}, {name: x, port: 1}]}
- {addresses: [{ip: 10.0.0.3}], ports: [{name: http, port: 8081}]}
- {notReadyAddresses: [{ip: 10.0.0.4}], ports: [{name: http, port: 8081}]}
"""
SLICED = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-x, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: http, port: 9090}]
endpoints:
- {addresses: [10.1.0.1, 10.1.0.2], conditions: {ready: true}}
- {addresses: [10.1.0.3]}
- {addresses: [10.1.0.4], conditions: {ready: false}}
"""
FIRST = {"http": 8080, "x": 1}


def written(state: Mesh) -> list[tuple[str, dict[str, int]]]:
    service = state.service("db.shop.svc.cluster.local", "shop")
    assert isinstance(service, MeshService)
    return [(e.address, dict(e.ports)) for e in state.running.addresses_of(service)]


def test_endpoints_of_a_service_without_selector_are_written_by_hand() -> None:
    """`endpointslice.go`: an endpoint that is not ready gets no requests."""
    by_hand = [("10.0.0.1", FIRST), ("10.0.0.2", FIRST), ("10.0.0.3", {"http": 8081})]
    sliced = [(f"10.1.0.{n}", {"http": 9090}) for n in (1, 2, 3)]
    plain = SERVICE % ""
    assert written(mesh(plain)) == []
    assert written(mesh(f"{plain}---{BY_HAND}")) == by_hand
    assert written(mesh(f"{plain}---{SLICED}")) == sliced
    assert written(mesh("---".join((plain, BY_HAND, SLICED)))) == [*by_hand, *sliced]
    assert written(mesh("---".join((SERVICE % ", selector: {a: b}", BY_HAND, SLICED)))) == []
    for other in (BY_HAND, SLICED):
        assert (
            written(mesh(f"{plain}---{other.replace('namespace: shop', 'namespace: web')}")) == []
        )
    assert written(mesh(f"{plain}---{BY_HAND.replace('name: db,', 'name: other,')}")) == []
    assert written(mesh(f"{plain}---{SLICED.replace('service-name: db', 'service-name: x')}")) == []
