"""Gateways on the way out that let some clients pass alone, by the certificates of their sidecars.

That is how Istio's documentation controls who may leave the mesh: the sidecars speak ISTIO_MUTUAL to
the gateway, and an AuthorizationPolicy there names the clients. What `route` makes of the request at
the gateway, of a client with its name, is the truth.
"""

import pytest

from meshplan.mesh.proxy import Proxy, ProxyKind, gateway
from meshplan.plan import simulate, wave_to_json
from meshplan.proof import Invariant
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Denied, Failed, Outcome, Served
from meshplan.verify import verify
from support.asking import changed, doc
from support.proofs import Change, plan

OUT = "out.example.com"
SERVER = f"port: {{number: 443, name: https, protocol: HTTPS}}, hosts: [{OUT}]"
MUTUAL = (
    "portLevelSettings: [{port: {number: 443}, tls: {mode: ISTIO_MUTUAL, sni: out.example.com}}]"
)
POD = """---
kind: Pod
metadata: {name: out, namespace: egress, labels: {istio: egress}}
spec: {containers: [{name: c}]}
"""
CLIENT = POD.replace("name: out, namespace: egress", "name: app, namespace: web").replace(
    "istio: egress", "app: web"
)
AROUND = (
    doc("ServiceEntry", "out", "web", f"{{hosts: [{OUT}], resolution: DNS, location: MESH_EXTERNAL, ports: [{{number: 80, name: http, protocol: HTTP}}]}}")
    + doc("Service", "out", "egress", "{selector: {istio: egress}, ports: [{name: https, port: 443, targetPort: 8443}]}")
    + POD
    + CLIENT
    + doc("DestinationRule", "out", "egress", f"{{host: out, subsets: [{{name: x, trafficPolicy: {{{MUTUAL}}}}}]}}")
)  # fmt: skip
TO_IT = "{host: out.egress.svc.cluster.local, port: {number: 443}, subset: x}"
FIRST = doc("VirtualService", "m", "web", f"{{hosts: [{OUT}], http: [{{route: [{{destination: {TO_IT}}}]}}]}}")  # fmt: skip
SECOND = doc("VirtualService", "g", "web", f"{{hosts: [{OUT}], gateways: [egress/out], http: [{{route: [{{destination: {{host: {OUT}}}}}]}}]}}")  # fmt: skip


def opened(mode: str) -> str:
    spec = f"{{selector: {{istio: egress}}, servers: [{{{SERVER}, tls: {{mode: {mode}}}}}]}}"
    return doc("Gateway", "out", "egress", spec)


def policy(action: str, source: str) -> str:
    rules = f"[{{from: [{{source: {{{source}}}}}]}}]"
    chosen = "selector: {matchLabels: {istio: egress}}"
    return doc(
        "AuthorizationPolicy", "p", "egress", f"{{{chosen}, action: {action}, rules: {rules}}}"
    )


def at_the_gateway(found: Change, *names: str) -> list[Outcome]:
    """What it makes of the request of a client in `web`: at first, and after each write."""
    client = Proxy(ProxyKind.SIDECAR, "web", {}, "default")
    name = f"cluster.local/ns/{client.namespace}/sa/{client.service_account}"
    asked = Request(OUT, port=443, scheme="https", principal=name)
    states = [found.base]
    for step in found.named(*names):
        states.append(simulate([step], states[-1]))
    pods = gateway("egress", {"istio": "egress"})
    return [route(found.prover.base.at(state), asked, pods) for state in states]


@pytest.mark.parametrize(
    ("action", "source"),
    [
        ("ALLOW", "principals: ['cluster.local/ns/web/sa/default']"),
        ("ALLOW", "namespaces: [web]"),
        ("DENY", "notNamespaces: [web]"),
        ("DENY", "notPrincipals: ['*/ns/web/*', 'cluster.local/ns/web/sa/default']"),
    ],
)
def test_clients_that_a_gateway_knows_by_their_certificates(action: str, source: str) -> None:
    base = AROUND + opened("ISTIO_MUTUAL") + policy(action, source)
    found = changed(base, base + FIRST + SECOND)
    steps = ("VirtualService m", "VirtualService g")
    assert [type(one) for one in at_the_gateway(found, *steps)] == [Failed, Failed, Served]
    proof = found.one_by_one(*steps)
    assert {c.invariant for c in proof.counterexamples} == {Invariant.AVAILABILITY}
    assert {str(c.request.client) for c in proof.counterexamples if c.wave == 0} == {
        "namespace web"
    }
    ordered = plan([[step] for step in found.named(*steps)])
    waves = [wave_to_json(wave) for wave in ordered.waves]
    ends = (found.prover.base, found.prover.head)
    assert verify({"digest": ordered.digest, "waves": waves}, *ends).verdict == "refuted"
    assert found.one_by_one(*reversed(steps)).is_safe


def test_clients_that_a_gateway_never_lets_pass() -> None:
    """What they are sent to does not serve them in the end, so that nothing is lost on the way."""
    base = AROUND + opened("ISTIO_MUTUAL") + policy("DENY", "namespaces: [web]")
    found = changed(base, base + FIRST + SECOND)
    steps = ("VirtualService m", "VirtualService g")
    assert isinstance(at_the_gateway(found, *steps)[-1], Denied)
    clients = {str(c.request.client) for c in found.one_by_one(*steps).counterexamples}
    assert "namespace web" not in clients
