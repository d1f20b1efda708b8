"""How far a change reaches: requests that it breaks though they are not for its own host."""

import pytest

from support.meshes import mesh, with_versions
from support.proofs import Change, change


def broken(found: Change) -> set[str]:
    """Hosts of requests that one wave of all changes may break."""
    return {one.request.request.host for one in found.together().counterexamples}


def of(before: str, after: str) -> Change:
    return change(with_versions(before), with_versions(after))


SERVICE = """
kind: Service
metadata: {name: ratings, namespace: shop}
spec: {selector: {app: ratings}, ports: [{name: http, port: 80}]}
---
"""
ALIASES = """
kind: Service
metadata: {name: old, namespace: far}
spec: {type: ExternalName, externalName: ratings.shop.svc.cluster.local, ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: older, namespace: far}
spec: {type: ExternalName, externalName: old.far.svc.cluster.local, ports: [{name: http, port: 80}]}
---
"""
ROUTE = """
kind: VirtualService
metadata: {name: ratings, namespace: shop}
spec:
  hosts: [%s]
  http: [{match: [{uri: {prefix: %s}}], route: [{destination: {host: ratings.shop.svc.cluster.local}}]}]
"""


@pytest.mark.parametrize("host", ["ratings", "'*.shop.svc.cluster.local'"])
def test_routes_of_a_host_are_those_of_what_stands_for_it(host: str) -> None:
    before, after = (SERVICE + ALIASES + ROUTE % (host, path) for path in ("/", "/x"))
    lost = {one.request.request.host for one in of(before, after).prover.lost()}
    names = ("ratings.shop", "old.far", "older.far")
    assert lost == {f"{name}.svc.cluster.local" for name in names}


def test_an_entry_that_selects_by_no_label_selects_nothing() -> None:
    entry = """
kind: ServiceEntry
metadata: {name: api, namespace: web}
spec:
  hosts: [api.example.com]
  resolution: STATIC
  workloadSelector: {labels: {}}
  ports: [{number: 80, name: http, protocol: HTTP}]
---
kind: Pod
metadata: {name: a, namespace: web, labels: {app: a}}
"""
    found = mesh(entry)
    (service,) = found.registry.by_host["api.example.com"]
    assert found.workloads_of(service) == ()


GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: manual, namespace: edge}
spec:
  gatewayClassName: istio
  addresses: [{type: Hostname, value: manual.edge.svc.cluster.local}]
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: m.example.net, allowedRoutes: {namespaces: {from: All}}}]
---
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: manual, namespace: edge}]
  rules: [{backendRefs: [{name: ratings, port: 80}]}]
---
kind: Service
metadata: {name: manual, namespace: edge}
spec: {selector: {istio: %s}, ports: [{name: http, port: %s}]}
"""


@pytest.mark.parametrize("changed", [("other", 80), ("manual", 8080)])
def test_a_service_says_which_pods_a_gateway_of_the_gateway_api_has(
    changed: tuple[str, int],
) -> None:
    found = of(SERVICE + GATEWAY % ("manual", 80), SERVICE + GATEWAY % changed)
    lost = {(one.request.request.host, str(one.request.client)) for one in found.prover.lost()}
    assert lost == {("m.example.net", "gateway edge/istio=manual")}


SHARED = """
kind: Gateway
metadata: {name: one, namespace: edge, creationTimestamp: "2020-01-01T00:00:00Z"}
spec:
  selector: {istio: ingress}
  servers: [{port: {number: 80, name: one, protocol: %s}, hosts: [one.example.org]}]
---
kind: Gateway
metadata: {name: two, namespace: edge, creationTimestamp: "2021-01-01T00:00:00Z"}
spec:
  selector: {istio: ingress}
  servers: [{port: {number: 80, name: two, protocol: HTTP}, hosts: [two.example.org]}]
---
kind: VirtualService
metadata: {name: two, namespace: edge}
spec:
  hosts: [two.example.org]
  gateways: [two]
  http: [{route: [{destination: {host: ratings.shop.svc.cluster.local}}]}]
"""


def test_an_older_server_of_another_protocol_takes_the_port_from_others() -> None:
    found = of(SERVICE + SHARED % "HTTP", SERVICE + SHARED % "TCP")
    assert {one.request.request.host for one in found.prover.lost()} == {"two.example.org"}


def test_servers_of_one_sort_do_not_meet() -> None:
    found = of(SERVICE + SHARED % "HTTP", SERVICE + SHARED % "HTTP2")
    topics = found.prover.topics_of([step.id for step in found.steps])
    assert {topic.host for topic in topics} == {"one.example.org"}


MESH_ROUTE = """
kind: HTTPRoute
metadata: {name: mesh, namespace: far}
spec:
  parentRefs: [{group: "", kind: Service, name: api}]
  rules: [{backendRefs: [{name: headless, port: 80}]}]
---
kind: Service
metadata: {name: api, namespace: far}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: headless, namespace: far}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
kind: Sidecar
metadata: {name: default, namespace: web}
spec: {egress: [{hosts: [%s]}]}
"""


def test_who_imports_a_service_imports_what_its_routes_send_to() -> None:
    found = of(MESH_ROUTE % "far/api.far.svc.cluster.local", MESH_ROUTE % '"*/*"')
    assert broken(found) == set()
