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
SECURED = """
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  selector: {istio: ingress}
  servers:
  - port: {number: 443, name: h, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, credentialName: SECRET}
---
kind: VirtualService
metadata: {name: a, namespace: shop}
spec: {hosts: [a.example.org], gateways: [edge/edge], http: [{route: [{destination: {host: a}}]}]}
---
kind: Secret
metadata: {name: SECRET, namespace: WHERE}
"""
CERTIFIED = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: api, namespace: edge}
spec:
  gatewayClassName: istio
  listeners:
  - {name: h, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert, namespace: certs}]}, allowedRoutes: {namespaces: {from: All}}}
---
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec: {parentRefs: [{name: api, namespace: edge}], hostnames: [a.example.org], rules: [{backendRefs: [{name: a, port: 80}]}]}
---
kind: ReferenceGrant
metadata: {name: GRANT, namespace: certs}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: edge}]
  to: [{group: "", kind: Secret}]
"""


UNSEEN = """
kind: Service
metadata: {name: c, namespace: unseen}
spec: {selector: {app: c}, ports: [{name: http, port: 80}]}
---
kind: DestinationRule
metadata: {name: c, namespace: unseen}
spec: {host: c, TLSsubsets: [{name: one, labels: {version: one}}, {name: two, labels: {version: two}}]}
---
kind: VirtualService
metadata: {name: c, namespace: unseen}
spec: {hosts: [c], http: [{route: [{destination: {host: c, subset: TO}}]}]}
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


def policy(name: str, namespace: str, labels: str, spec: str) -> str:
    selector = f"selector: {{matchLabels: {{{labels}}}}}, " if labels else ""
    return (
        f"---\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{{selector}{spec}}}\n"
    )


ONE = policy("one", "unseen", "app: one", "rules: [{from: [{source: {namespaces: [web]}}]}]")
DENIED = "action: DENY, rules: [{to: [{operation: {paths: [/secret]}}]}]"
RENAMED_BAD = ("-AuthorizationPolicy old", "AuthorizationPolicy new")
RENAMED_GOOD = ("AuthorizationPolicy new", "-AuthorizationPolicy old")


def unseen(to: str, policies: str = "", tls: str = "") -> str:
    return UNSEEN.replace("TO", to).replace("TLS", tls) + policies


def peers(mode: str, labels: str) -> str:
    return (
        "---\nkind: PeerAuthentication\nmetadata: {name: p, namespace: unseen}\n"
        f"spec: {{selector: {{matchLabels: {{{labels}}}}}, mtls: {{mode: {mode}}}}}\n"
    )


def renamed(namespace: str) -> Together:
    """Everybody is allowed by a policy with another name; some pods have a narrower one of their own."""
    old, new = (policy(name, namespace, "", "rules: [{}]") for name in ("old", "new"))
    return Together(ONE[4:] + old, ONE[4:] + new, RENAMED_BAD, RENAMED_GOOD)


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
    "a certificate of the tree is not elsewhere": Together(
        SECURED.replace("SECRET", "old").replace("WHERE", "edge"),
        SECURED.replace("SECRET", "new").replace("WHERE", "edge"),
        ("Gateway edge", "Secret new", "-Secret old"),
        ("Secret new", "Gateway edge", "-Secret old"),
    ),
    "gateways without known pods are where their certificates are": Together(
        SECURED.replace("SECRET", "old").replace("WHERE", "ingress"),
        SECURED.replace("SECRET", "new").replace("WHERE", "ingress"),
        ("Gateway edge", "Secret new", "-Secret old"),
        ("Secret new", "Gateway edge", "-Secret old"),
    ),
    "a certificate of another namespace needs its grant": Together(
        CERTIFIED.replace("GRANT", "old"),
        CERTIFIED.replace("GRANT", "new"),
        ("-ReferenceGrant old", "ReferenceGrant new"),
        ("ReferenceGrant new", "-ReferenceGrant old"),
    ),
    "pods that nobody knows have policies of their own": renamed("unseen"),
    "so they have where all of the mesh is allowed": renamed("istio-system"),
    "pods that nobody knows have the labels of two policies": Together(
        policy("old", "unseen", "app: one", DENIED)[4:],
        policy("new", "unseen", "version: v1", DENIED)[4:],
        RENAMED_BAD,
        RENAMED_GOOD,
    ),
    "an account of any namespace is one of a namespace that another policy names": Together(
        policy("old", "shop", "app: a", "action: DENY, rules: [{from: [{source: {namespaces: [web]}}]}]")[4:],
        policy("new", "shop", "app: a", "action: DENY, rules: [{from: [{source: {principals: ['*/sa/two']}}]}]")[4:],
        RENAMED_BAD,
        RENAMED_GOOD,
    ),
    "a route goes to pods that nobody knows, and that have to let it in": Together(
        unseen("one", policy("none", "unseen", "version: two", "rules: []")),
        unseen("two", policy("none", "unseen", "version: two", "rules: [{}]")),
        ("VirtualService c", "AuthorizationPolicy none"),
        ("AuthorizationPolicy none", "VirtualService c"),
    ),
    "so does the mutual TLS that a rule asks for": Together(
        unseen("one", peers("DISABLE", "app: c"), "trafficPolicy: {tls: {mode: DISABLE}}, "),
        unseen("one", peers("PERMISSIVE", "app: c"), "trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}, "),
        ("DestinationRule c", "PeerAuthentication p"),
        ("PeerAuthentication p", "DestinationRule c"),
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
