"""Pods of gateways that are neither in the tree nor where their Gateway is.

A Service or a policy for pods like them tells where they are. What `route` makes of requests there,
with all objects of a state, is the truth that the prover and the checker are held to.
"""

import pytest

from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.plan import Plan, simulate, wave_to_json
from meshplan.proof import Invariant
from meshplan.traffic import Request, View, route, route_in
from meshplan.traffic.outcome import Denied, Failed, Outcome, Served
from meshplan.verify import verify
from support.asking import changed, doc
from support.proofs import Change, plan


def service(name: str, namespace: str, labels: str, target: int = 80) -> str:
    ports = f"[{{name: http, port: 80, targetPort: {target}}}]"
    return doc("Service", name, namespace, f"{{selector: {{{labels}}}, ports: {ports}}}")


def opened(namespace: str, selector: str) -> str:
    server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
    return doc("Gateway", "gw", namespace, f"{{selector: {{{selector}}}, servers: [{server}]}}")


def sent(name: str, host: str, to: str, gateways: str = "mesh") -> str:
    rule = f"{{route: [{{destination: {{host: {to}}}}}]}}"
    spec = f"{{hosts: [{host}], gateways: [{gateways}], http: [{rule}]}}"
    return doc("VirtualService", name, "shop", spec)


def ordered(found: Change, *names: str) -> Plan:
    return plan([[step] for step in found.named(*names)])


def really(found: Change, steps: Plan, asked: Request, client: Proxy) -> list[Outcome]:
    """What becomes of a request before the first wave, and after each of them."""
    states = [found.base]
    for wave in steps.waves:
        states.append(simulate(wave.steps, states[-1]))
    return [route(found.prover.base.at(state), asked, client) for state in states]


def verdict_of_the_checker(found: Change, steps: Plan) -> str:
    waves = [wave_to_json(wave) for wave in steps.waves]
    written = {"digest": steps.digest, "waves": waves}
    return verify(written, found.prover.base, found.prover.head).verdict


OUT = "out.example.com"
ENTRY = doc(
    "ServiceEntry",
    "out",
    "shop",
    f"{{hosts: [{OUT}], resolution: DNS, location: MESH_EXTERNAL, "
    "ports: [{number: 80, name: http, protocol: HTTP}]}",
)


@pytest.mark.parametrize("labels", ["istio: egress", "istio: egress, app: out"])
@pytest.mark.parametrize("home", ["egress", "shop", "istio-system"])
def test_requests_that_are_sent_on_to_a_gateway_elsewhere(home: str, labels: str) -> None:
    """The first route alone sends to pods that have no route yet."""
    base = ENTRY + service("out", "egress", labels, 8080) + opened(home, "istio: egress")
    first = sent("m", OUT, "out.egress.svc.cluster.local")
    found = changed(base, base + first + sent("g", OUT, OUT, f"{home}/gw"))
    pods = dict(part.split(": ") for part in labels.split(", "))
    lost = ordered(found, "VirtualService m", "VirtualService g")
    asked = Request(OUT, port=80)
    near = really(found, lost, asked, sidecar("web", {}))
    far = really(found, lost, asked, gateway("egress", pods))
    between = near[1]
    assert isinstance(between, Served)
    assert between.backends[0].endpoint.startswith("pods egress/")
    assert isinstance(far[1], Failed)
    assert isinstance(far[2], Served)
    (invariant,) = {c.invariant for c in found.prover.check(lost).counterexamples}
    assert invariant is Invariant.AVAILABILITY
    assert found.prover.check(ordered(found, "VirtualService g", "VirtualService m")).is_safe


INNER = service("a", "shop", "app: a") + service("b", "shop", "app: b")


def denying(selector: str) -> str:
    chosen = f"selector: {{matchLabels: {{{selector}}}}}, " if selector else ""
    rules = "[{to: [{operation: {paths: [/x]}}]}]"
    return doc("AuthorizationPolicy", "p", "edge", f"{{{chosen}action: DENY, rules: {rules}}}")


@pytest.mark.parametrize(
    ("front", "selector"),
    [
        ("", "istio: ingress"),
        ("istio: ingress", "istio: ingress"),
        ("istio: ingress", ""),
        ("istio: ingress, app: in", "istio: ingress"),
        ("istio: ingress, app: in", "app: in"),
        ("istio: ingress, app: in", ""),
    ],
)
def test_policies_for_pods_of_a_gateway_elsewhere(front: str, selector: str) -> None:
    """What is denied until the end must not reach what it never reaches in the end."""
    base = INNER + opened("shop", "istio: ingress")
    base += service("in", "edge", front) if front else ""
    to = "www.example.org", "%s.shop.svc.cluster.local", "gw"
    old, new = (sent("g", to[0], to[1] % name, to[2]) for name in "ab")
    found = changed(base + old + denying(selector), base + new)
    lost = ordered(found, "-AuthorizationPolicy p", "VirtualService g")
    pods = dict(part.split(": ") for part in (front or selector).split(", "))
    asked = Request("www.example.org", path="/x", port=80)
    outcomes = really(found, lost, asked, gateway("edge", pods))
    assert [type(one) for one in outcomes] == [Denied, Served, Served]
    assert outcomes[1] != outcomes[2]
    (invariant,) = {c.invariant for c in found.prover.check(lost).counterexamples}
    assert invariant is Invariant.NO_THIRD_BACKEND
    assert verdict_of_the_checker(found, lost) == "refuted"
    kept = ordered(found, "VirtualService g", "-AuthorizationPolicy p")
    assert found.prover.check(kept).is_safe
    assert verdict_of_the_checker(found, kept) == "confirmed"


def test_a_route_for_the_clients_of_a_service_is_for_those_of_its_aliases() -> None:
    """Who is asked may look at the name by which it is asked."""

    def routed(to: str) -> str:
        spec = f"{{parentRefs: [{{group: '', kind: Service, name: a}}], rules: [{{backendRefs: [{{name: {to}, port: 80}}]}}]}}"
        return doc("HTTPRoute", "r", "shop", spec)

    base = INNER + doc(
        "Service", "ext", "far", "{type: ExternalName, externalName: a.shop.svc.cluster.local, ports: [{name: http, port: 80}]}"
    )  # fmt: skip
    for name in "ab":
        template = f"{{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c}}]}}}}"
        base += doc("Deployment", name, "shop", f"{{template: {template}}}")
    rules = "[{to: [{operation: {hosts: ['ext.far*']}}]}]"
    policy = doc(
        "AuthorizationPolicy",
        "p",
        "shop",
        f"{{selector: {{matchLabels: {{app: b}}}}, action: DENY, rules: {rules}}}",
    )
    found = changed(base + routed("a") + policy, base + routed("b"))
    asked = Request("ext.far", port=80)
    lost = ordered(found, "HTTPRoute r", "-AuthorizationPolicy p")
    outcomes = really(found, lost, asked, sidecar("shop", {}))
    assert [type(one) for one in outcomes] == [Served, Denied, Served]
    broken = found.prover.check(lost).counterexamples
    assert {c.request.request.host.partition(".svc")[0] for c in broken if c.wave == 0} == {
        "ext.far"
    }
    kept = ordered(found, "-AuthorizationPolicy p", "HTTPRoute r")
    states = [found.prover.base, found.prover.head]
    view = View(states[0], states[0], states[1])
    assert isinstance(route_in(view, asked, sidecar("shop", {})), Served)
    assert found.prover.check(kept).is_safe
