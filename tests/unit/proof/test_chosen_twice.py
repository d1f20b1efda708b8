"""Clients that several objects choose by their labels, which none of these alone loses."""

import pytest

from meshplan.plan import wave_to_json
from meshplan.proof.selectors import unions
from meshplan.proof.types import BudgetError
from meshplan.settings import World
from meshplan.verify import verify
from support.meshes import with_versions
from support.proofs import Change, change, plan

SERVICE = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
"""
HOST = "reviews.shop.svc.cluster.local"
BOTH = "[{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]"


def rule(name: str, subsets: str = BOTH, more: str = "") -> str:
    return f"""
kind: DestinationRule
metadata: {{name: {name}, namespace: shop}}
spec: {{host: {HOST}, subsets: {subsets}{more}}}
---
"""


def routes(subset: str) -> str:
    return f"""
kind: VirtualService
metadata: {{name: r, namespace: shop}}
spec:
  hosts: [{HOST}]
  http:
  - match: [{{sourceLabels: {{a: "1"}}}}]
    route: [{{destination: {{host: {HOST}, subset: {subset}}}}}]
  - route: [{{destination: {{host: {HOST}, subset: v1}}}}]
"""


@pytest.fixture(scope="module")
def removed() -> Change:
    """The last route to v2 is for pods with a=1, and their rule is for pods with b=2."""
    own = ', workloadSelector: {matchLabels: {b: "2"}}'
    before = SERVICE + rule("all") + rule("own", more=own) + routes("v2")
    less = "[{name: v1, labels: {version: v1}}]"
    after = SERVICE + rule("all") + rule("own", less, own) + routes("v1")
    return change(with_versions(before), with_versions(after))


def test_the_route_goes_first(removed: Change) -> None:
    assert removed.one_by_one("VirtualService r", "DestinationRule own").is_safe


def test_who_has_both_labels_loses_requests(removed: Change) -> None:
    found = removed.one_by_one("DestinationRule own", "VirtualService r").counterexamples
    assert found
    assert all("(a=1,b=2) → 503 NC" in one.sentence for one in found)
    assert not removed.together().is_safe


@pytest.mark.parametrize(
    ("first", "verdict"), [("VirtualService", "confirmed"), ("DestinationRule", "refuted")]
)
def test_the_checker_asks_as_them_too(removed: Change, first: str, verdict: str) -> None:
    steps = sorted(removed.steps, key=lambda step: step.id.kind != first)
    ordered = plan([[step] for step in steps])
    document = {"digest": ordered.digest, "waves": [wave_to_json(wave) for wave in ordered.waves]}
    prover = removed.prover
    assert verify(document, prover.base, prover.head).verdict == verdict


def test_what_chooses_the_same_label_otherwise_never_meets() -> None:
    found = unions([{"a": "1"}, {"a": "2"}, {"b": "3"}, {}])
    assert set(found) == {
        (),
        (("a", "1"),),
        (("a", "2"),),
        (("b", "3"),),
        (("a", "1"), ("b", "3")),
        (("a", "2"), ("b", "3")),
    }


def test_too_many_are_not_told_apart() -> None:
    assert len(unions([{str(number): "x"} for number in range(7)])) == 2**7
    with pytest.raises(BudgetError):
        unions([{str(number): "x"} for number in range(8)])


def test_too_many_labels_are_unknown() -> None:
    rules = "".join(
        rule(f"r{number}", more=f', workloadSelector: {{matchLabels: {{k{number}: "x"}}}}')
        for number in range(9)
    )
    before, after = (with_versions(SERVICE + rules + routes(subset)) for subset in ("v2", "v1"))
    found = change(before, after)
    proof = found.together()
    assert [one.why for one in proof.unknowns] == ["clients are told apart by too many labels"]
    ordered = plan([found.steps])
    document = {"digest": ordered.digest, "waves": [wave_to_json(wave) for wave in ordered.waves]}
    checked = verify(document, found.prover.base, found.prover.head)
    assert checked.verdict == "unknown"
    assert f"clients of {HOST} are told apart by too many labels" in checked.gaps


def gateway(name: str, selector: str) -> str:
    return f"""
kind: Gateway
metadata: {{name: {name}, namespace: edge}}
spec:
  selector: {selector}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [shop.example.com]}}]
---
kind: VirtualService
metadata: {{name: shop, namespace: shop}}
spec:
  hosts: [shop.example.com]
  gateways: [edge/{name}]
  http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]
"""


OLD, NEW = "{istio: ingressgateway}", "{app: istio-ingressgateway}"
PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: edge}
spec: {template: {metadata: {labels: %s}, spec: {containers: [{name: proxy}]}}}
---
"""


@pytest.mark.parametrize(
    ("pods", "safe"), [("", False), (PODS % ("a", OLD) + PODS % ("b", NEW), True)]
)
def test_pods_that_nobody_knows_may_be_those_of_two_gateways(pods: str, safe: bool) -> None:
    """A host moves to a Gateway that chooses its pods by another label."""
    found = change(
        with_versions(pods + SERVICE + gateway("old", OLD)),
        with_versions(pods + SERVICE + gateway("new", NEW)),
    )
    proof = found.together()
    assert proof.is_safe is safe
    shared = "gateway edge/app=istio-ingressgateway,istio=ingressgateway → "
    assert all(shared in one.sentence for one in proof.counterexamples)
    ordered = plan([found.steps])
    document = {"digest": ordered.digest, "waves": [wave_to_json(wave) for wave in ordered.waves]}
    verdict = verify(document, found.prover.base, found.prover.head).verdict
    assert verdict == ("confirmed" if safe else "refuted")
    assert found.one_by_one("Gateway new", "VirtualService shop", "-Gateway old").is_safe


def mutual_tls(selector: str, peers: str, clients: str) -> str:
    return f"""
kind: PeerAuthentication
metadata: {{name: p, namespace: shop}}
spec: {{selector: {{matchLabels: {selector}}}, mtls: {{mode: {peers}}}}}
---
kind: DestinationRule
metadata: {{name: d, namespace: shop}}
spec: {{host: {HOST}, trafficPolicy: {{tls: {{mode: {clients}}}}}}}
"""


@pytest.mark.parametrize(
    ("pods", "selector", "verdict"),
    [
        ("", "{app: reviews}", "unsafe"),
        # Pods of the Service may have this label as well, or may not.
        ("", "{tier: front}", "unknown"),
        ("", "{app: other}", "safe"),
        (PODS.replace("edge", "shop") % ("r", "{app: reviews}"), "{tier: front}", "safe"),
        (
            PODS.replace("edge", "shop") % ("r", "{app: reviews, tier: front}"),
            "{tier: front}",
            "unsafe",
        ),
    ],
)
def test_whether_a_policy_is_for_pods_that_nobody_knows(
    pods: str, selector: str, verdict: str
) -> None:
    """Servers begin to ask for mutual TLS as their clients begin to send it."""
    found = change(
        with_versions(pods + SERVICE + mutual_tls(selector, "PERMISSIVE", "DISABLE")),
        with_versions(pods + SERVICE + mutual_tls(selector, "STRICT", "ISTIO_MUTUAL")),
    )
    proof = found.together()
    assert proof.verdict == verdict
    why = "whether PeerAuthentication shop/p is for pods of Service shop/reviews is not known"
    assert [why in one.why for one in proof.unknowns] == [True] * (verdict == "unknown")
    closed = change(
        with_versions(SERVICE + mutual_tls(selector, "PERMISSIVE", "DISABLE")),
        with_versions(SERVICE + mutual_tls(selector, "STRICT", "ISTIO_MUTUAL")),
        world=World.CLOSED,
    )
    assert not closed.together().unknowns
