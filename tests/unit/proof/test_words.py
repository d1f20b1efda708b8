"""Counterexamples in words."""

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.proof import Prover
from meshplan.settings import World
from support.proofs import change, plan, sentences, steps_of
from support.scenarios import scenario_snapshots

EDGE = "gateway edge/istio=ingressgateway"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "subset-added",
            (
                "GET reviews.shop/ from namespace shop → 503 NC:"
                " subset v2 is not in DestinationRule shop/reviews yet"
            ),
        ),
        (
            "subset-removed",
            (
                "GET reviews.shop/ from namespace shop → 503 NC:"
                " subset v2 is not in DestinationRule shop/reviews any more"
            ),
        ),
        (
            "virtualservice-renamed",
            (
                "GET reviews.shop/ from namespace shop → Deployment shop/reviews-v1:8080 and"
                " Deployment shop/reviews-v2:8080, which it reaches neither before nor after"
            ),
        ),
        (
            "httproute-renamed",
            (
                "GET shop.example.com/ from gateway edge/gateway.networking.k8s.io/gateway-name=edge →"
                " 404 NR: its route in HTTPRoute shop/shop is gone"
            ),
        ),
        (
            "referencegrant-added",
            (
                "GET shop.example.com/ from gateway edge/gateway.networking.k8s.io/gateway-name=edge →"
                " 500 NC: no ReferenceGrant lets HTTPRoute shop/shop refer to Service shop2/reviews"
            ),
        ),
        (
            "service-port-renumbered",
            (
                f"GET shop.example.com/ from {EDGE} → 503 NC:"
                " details.shop:80 is not known to the proxy any more"
            ),
        ),
        (
            "deployment-selector-changed",
            "GET details.shop/ from namespace shop → 503 UH: details.shop has no endpoints",
        ),
        (
            "mtls-auto-strict",
            (
                "GET reviews.shop/ from namespace shop → 503 UC:"
                " the two sides do not agree about mutual TLS"
            ),
        ),
        (
            "first-allow-in-two",
            (
                "GET reviews.shop/ from a client without a sidecar → 403 denied:"
                " AuthorizationPolicy shop/allow-client allows other requests alone"
            ),
        ),
        (
            "peerauthentication-renamed",
            (
                "GET reviews.shop/ from a client without a sidecar → shop:8080,"
                " though it is denied before and after"
            ),
        ),
    ],
)
def test_sentences(name: str, expected: str) -> None:
    base, head = scenario_snapshots(name)
    prover = Prover(
        Mesh.of(base, MeshConfig(), World.OPEN), Mesh.of(head, MeshConfig(), World.OPEN)
    )
    found = prover.check(plan([list(steps_of(base, head))]))
    assert expected in [one.sentence for one in found.counterexamples]


def test_lost_requests_are_named() -> None:
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\n"
        "spec: {selector: {app: a}, ports: [{name: http, port: 80}]}\n---\n"
    )
    route = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        "metadata: {name: a, namespace: shop}\nspec:\n  hosts: [a]\n  http:\n"
        "  - {match: [{uri: {prefix: /old}}], route: [{destination: {host: a}}]}\n"
        "  - {match: [{uri: {prefix: /new}}], route: [{destination: {host: a}}]}\n"
    )
    found = change(service + route, service + route.replace("/old", "/newer"))
    proof = found.together()
    assert proof.is_safe
    assert sentences(proof) == []
    assert {one.sentence for one in proof.lost} == {
        (
            "GET a.shop/old from namespace shop was served by pods shop/app=a:80 at /old"
            " and ends in 404 NR"
        ),
        (
            "GET a.shop/old from any other namespace was served by pods shop/app=a:80 at /old"
            " and ends in 404 NR"
        ),
    }
