"""A whole application that comes or goes behind a gateway for all hosts, at once."""

import pytest

from meshplan.mesh.proxy import gateway
from meshplan.proof.types import Client
from support.proofs import change, plan, sentences

COUNT = 14
APP = """
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c}}]}}}}
"""
GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
ROUTE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: all, namespace: shop}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{{route: [{{destination: {{host: {to}}}}}]}}]
"""
APPS = "".join(APP.format(name=f"app-{n}") for n in range(COUNT))
FRONT, NEW = APP.format(name="front"), APP.format(name="new")


def test_all_at_once_is_safe_where_the_gateway_sends_to_none_of_them() -> None:
    there = FRONT + GATEWAY + ROUTE.format(to="front")
    made = change(there, there + APPS)
    assert len(made.steps) == 2 * COUNT
    proof = made.prover.check(plan([made.steps]))
    assert proof.is_safe


def test_a_first_deployment_is_safe() -> None:
    """Nothing of it is served before, so nothing is lost."""
    made = change("", APPS + FRONT + GATEWAY + ROUTE.format(to="front"))
    assert made.prover.check(plan([made.steps])).is_safe


@pytest.mark.parametrize(("first", "safe"), [("Service", True), ("VirtualService", False)])
def test_the_one_that_it_is_sent_to_still_counts(first: str, safe: bool) -> None:
    there = FRONT + GATEWAY
    base = there + ROUTE.format(to="front")
    made = change(base, there + APPS + NEW + ROUTE.format(to="new"))
    rest = [step for step in made.steps if step.id.kind != "VirtualService"]
    route = [step for step in made.steps if step.id.kind == "VirtualService"]
    waves = [rest, route] if first == "Service" else [route, rest]
    proof = made.prover.check(plan(waves))
    assert proof.is_safe == safe
    assert bool(sentences(proof)) == (not safe)
    assert all("unmatched.example" in said and "new" in said for said in sentences(proof))


def test_the_pods_of_the_gateway_still_say_where_it_listens() -> None:
    """Its Service leads to a port by name, which the new pods have under another number."""
    service = """
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: shop}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: in}]}
"""
    pods = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: ingress, namespace: shop}}
spec:
  selector: {{matchLabels: {{istio: ingressgateway}}}}
  template:
    metadata: {{labels: {{istio: ingressgateway}}}}
    spec: {{containers: [{{name: c, ports: [{{name: in, containerPort: {port}}}]}}]}}
"""
    there = APPS + FRONT + GATEWAY + ROUTE.format(to="front") + service
    made = change(there + pods.format(port=8080), there + pods.format(port=9090))
    client = Client(gateway("shop", {"istio": "ingressgateway"}))
    looked_at = [
        scope.ids[position].name
        for topic in made.prover.topics_of(step.id for step in made.steps)
        for scope in [made.prover.cases_of(topic).scope]
        for position in scope.stages(client).routes
    ]
    assert set(looked_at) == {"ingress"}
