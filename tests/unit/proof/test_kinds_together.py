"""Changes of several kinds at once, found by hand: an order that loses requests, and one that does not."""

from dataclasses import dataclass

import pytest

from meshplan.plan import wave_to_json
from meshplan.settings import World
from meshplan.verify import verify
from support.meshes import with_versions
from support.proofs import Change, change, plan

BACKENDS = """
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: b, namespace: shop}
spec: {selector: {app: b}, ports: [{name: http, port: 80}]}
---
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {containers: [{name: c}]}
---
kind: Pod
metadata: {name: b, namespace: shop, labels: {app: b}}
spec: {containers: [{name: c}]}
---
"""
INGRESS = """
kind: Deployment
metadata: {name: ingress, namespace: edge}
spec:
  template:
    metadata: {labels: {istio: ingress}}
    spec: {serviceAccountName: ingress, containers: [{name: c}]}
---
"""
EDGE = """
kind: Gateway
metadata: {name: edge, namespace: edge}
spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ["*"]}]}
---
kind: VirtualService
metadata: {name: a, namespace: shop}
spec: {hosts: [a.example.org], gateways: [edge/edge], http: [{route: [{destination: {host: TO}}]}]}
---
kind: AuthorizationPolicy
metadata: {name: none, namespace: shop}
spec: {}
---
kind: AuthorizationPolicy
metadata: {name: in-TO, namespace: shop}
spec: {selector: {matchLabels: {app: TO}}, rules: [{from: [{source: {SOURCE}}]}]}
"""
ROUTES = """
kind: Namespace
metadata: {name: one, labels: {team: ONE}}
---
kind: Namespace
metadata: {name: two, labels: {team: TWO}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: api, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
  - {name: h, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: in}}}}}
---
kind: HTTPRoute
metadata: {name: web, namespace: one}
spec: {parentRefs: [{name: api, namespace: edge}], hostnames: [a.example.org], rules: [{backendRefs: [{name: a, namespace: shop, port: 80}]}]}
---
kind: HTTPRoute
metadata: {name: web, namespace: two}
spec: {parentRefs: [{name: api, namespace: edge}], hostnames: [a.example.org], rules: [{backendRefs: [{name: a, namespace: shop, port: 80}]}]}
---
kind: ReferenceGrant
metadata: {name: grant, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: one}, {group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: two}]
  to: [{group: "", kind: Service}]
"""
#: A wildcard that leads nowhere, for whoever is told of it.
LOST = """
kind: VirtualService
metadata: {name: wild, namespace: shop}
spec: {hosts: ["*.shop.svc.cluster.local"], http: [{route: [{destination: {host: a, subset: gone}}]}]}
---
kind: Sidecar
metadata: {name: NAME, namespace: istio-system}
spec: {workloadSelector: {labels: {app: x}}, egress: [{hosts: ["~/*"]}]}
"""
#: Of a wildcard one name is imported.
MOVED = """
kind: VirtualService
metadata: {name: wild-SIDE, namespace: SIDE}
spec: {hosts: ["*.example.com"], http: [{route: [{destination: {host: a.shop.svc.cluster.local}}]}]}
---
kind: Sidecar
metadata: {name: web, namespace: web}
spec: {egress: [{hosts: [SIDE/x.example.com]}]}
"""


def edge(to: str, source: str) -> str:
    return EDGE.replace("TO", to).replace("SOURCE", source)


@dataclass(frozen=True)
class Together:
    """Two revisions with steps in an order that is not safe, and in one that is."""

    before: str
    after: str
    bad: tuple[str, ...]
    good: tuple[str, ...]

    @property
    def change(self) -> Change:
        one, other = (
            with_versions((BACKENDS + side).strip()) for side in (self.before, self.after)
        )
        return change(one, other, world=World.OPEN)


ACCOUNT = "principals: [cluster.local/ns/edge/sa/ingress]"
IN_BAD = ("VirtualService a", "-AuthorizationPolicy in-a", "AuthorizationPolicy in-b")
IN_GOOD = ("AuthorizationPolicy in-b", "VirtualService a", "-AuthorizationPolicy in-a")
CASES = {
    # As the default account it would be denied after the change, so that nothing could be lost.
    "a gateway runs as the account of its pods": Together(
        INGRESS + edge("a", ACCOUNT), INGRESS + edge("b", ACCOUNT), IN_BAD, IN_GOOD
    ),
    "a gateway without known pods may be whom policies name": Together(
        edge("a", ACCOUNT), edge("b", ACCOUNT), IN_BAD, IN_GOOD
    ),
    "listeners choose routes by labels of namespaces": Together(
        ROUTES.replace("ONE", "in").replace("TWO", "out"),
        ROUTES.replace("ONE", "out").replace("TWO", "in"),
        ("Namespace one", "Namespace two"),
        ("Namespace two", "Namespace one"),
    ),
    # Its clients go where they dial, unless they are told of the wildcard for a while.
    "a Sidecar of the root namespace for some pods is renamed": Together(
        LOST.replace("NAME", "old"),
        LOST.replace("NAME", "new"),
        ("-Sidecar old", "Sidecar new"),
        ("Sidecar new", "-Sidecar old"),
    ),
    "a Sidecar follows a wildcard of which it imports one name": Together(
        MOVED.replace("SIDE", "one"),
        MOVED.replace("SIDE", "two"),
        ("VirtualService wild-two", "-VirtualService wild-one", "Sidecar web"),
        ("VirtualService wild-two", "Sidecar web", "-VirtualService wild-one"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_order_that_loses_requests_is_refuted(name: str) -> None:
    found = CASES[name]
    assert found.change.one_by_one(*found.bad).verdict == "unsafe"


@pytest.mark.parametrize("name", CASES)
def test_the_other_order_is_proven(name: str) -> None:
    found = CASES[name]
    assert found.change.one_by_one(*found.good).verdict == "safe"


@pytest.mark.parametrize("name", CASES)
def test_the_independent_checker_says_the_same(name: str) -> None:
    found = CASES[name]
    made = found.change
    told = []
    for order in (found.bad, found.good):
        written = plan([[step] for step in made.named(*order)])
        waves = [wave_to_json(wave) for wave in written.waves]
        base, head = made.prover.base, made.prover.head
        told.append(verify({"digest": written.digest, "waves": waves}, base, head).verdict)
    assert told == ["refuted", "confirmed"]
