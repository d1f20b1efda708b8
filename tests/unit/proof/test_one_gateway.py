"""What is bound to one gateway is looked at apart from what is bound to others."""

import pytest

from meshplan.proof.types import TopicKind
from support.proofs import Change, change

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80}]}
"""
LISTENERS = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: gw-{n}, namespace: shop}}
spec:
  gatewayClassName: istio
  listeners: [{{name: http, port: {port}, protocol: HTTP}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: route-{n}, namespace: shop}}
spec:
  parentRefs: [{{name: gw-{n}}}]
  hostnames: [{n}.example.com]
  rules: [{{backendRefs: [{{name: {backend}, port: 80}}]}}]
"""
ISTIO = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw-{n}, namespace: shop}}
spec:
  selector: {{istio: pods-{pods}}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*.example.com"]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: route-{n}, namespace: shop}}
spec:
  hosts: [{n}.example.com]
  gateways: [gw-{n}]
  http: [{{route: [{{destination: {{host: {backend}.shop.svc.cluster.local}}}}]}}]
"""


def listeners(count: int, backend: str = "a") -> str:
    """Gateways of the Gateway API, each with a route of its own."""
    return "".join(LISTENERS.format(n=n, port=8000 + n, backend=backend) for n in range(count))


def gateway_topics(made: Change) -> dict[tuple[str, str], set[str]]:
    """The hosts and gateways looked at, each with the changed objects that have a say."""
    prover = made.prover
    return {
        (topic.host, dict(topic.labels).get("gateway.networking.k8s.io/gateway-name", "")): {
            id_.name for id_ in prover.cases_of(topic).scope.ids
        }
        for topic in prover.topics_of(step.id for step in made.steps)
        if topic.kind is TopicKind.GATEWAY
    }


def test_what_is_bound_to_other_gateways_has_no_say() -> None:
    made = change(SERVICE, SERVICE + listeners(3))
    assert gateway_topics(made) == {
        (host, f"gw-{n}"): {f"gw-{n}", f"route-{n}"}
        for n in range(3)
        # By any other host nobody names, requests fare alike.
        for host in (f"{n}.example.com", "*")
    }


def test_many_gateways_that_come_at_once_are_decided() -> None:
    """A wave of 60 objects has too many states to look at, those of one gateway have four."""
    proof = change(SERVICE, SERVICE + listeners(30)).together()
    assert not proof.unknowns
    assert not proof.counterexamples
    assert {found.request.request.port for found in proof.lost} == set()


def test_a_gateway_is_asked_on_its_own_ports_alone() -> None:
    made = change(SERVICE, SERVICE + listeners(3))
    ports = {
        (dict(topic.labels)["gateway.networking.k8s.io/gateway-name"], case.base.port)
        for topic in made.prover.topics_of(step.id for step in made.steps)
        if topic.kind is TopicKind.GATEWAY
        for case in made.prover.cases_of(topic).cases(reverse=False)
    }
    assert ports == {(f"gw-{n}", 8000 + n) for n in range(3)}


@pytest.mark.parametrize("pods", [(1, 1), (1, 2)])
def test_a_host_is_lost_at_the_gateway_that_it_is_bound_to(pods: tuple[int, int]) -> None:
    """Two Gateways of Istio, for the same pods or for others; one route goes away."""
    both = "".join(ISTIO.format(n=n, pods=pods[n], backend="a") for n in (0, 1))
    route = both.split("---")[2]
    assert "route-0" in route
    texts = [SERVICE + both, SERVICE + both.replace(f"---{route}", "")]
    lost = change(*texts).prover.lost()
    found = {
        (one.request.request.host, one.request.client.proxy.labels["istio"])
        for one in lost
        if one.request.client.proxy is not None
    }
    assert found == {("0.example.com", "pods-1")}


def test_a_host_that_another_object_names_at_the_gateway_is_kept_apart() -> None:
    """The policy closes one host of many that the same wildcard opens."""
    policy = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec:
  action: DENY
  selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: gw-1}}
  rules: [{to: [{operation: {hosts: ["1.example.com"]}}]}]
"""
    base = SERVICE + listeners(3)
    lost = change(base, base + policy).prover.lost()
    assert {one.request.request.host for one in lost if one.request.client.is_gateway} == {
        "1.example.com"
    }
