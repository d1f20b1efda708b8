"""What each kind of object has a bearing on, found by hand for a small mesh."""

from collections.abc import Iterable

import pytest

from meshplan.proof.types import Topic, TopicKind
from support.meshes import with_versions
from support.proofs import change

MESH = """
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: ratings, namespace: shop}
spec: {selector: {app: ratings}, ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {name: old, namespace: far}
spec: {type: ExternalName, externalName: reviews.shop.svc.cluster.local, ports: [{name: http, port: 80}]}
---
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec: {template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: [{name: c}]}}}
---
kind: Pod
metadata: {name: lone, namespace: shop, labels: {app: lone}}
spec: {containers: [{name: c}]}
---
kind: Pod
metadata: {name: ingress, namespace: edge, labels: {istio: ingress}}
spec: {containers: [{name: c}]}
---
kind: ServiceEntry
metadata: {name: ext, namespace: web}
spec:
  hosts: [Ext.example.net, "*.ext.example.net"]
  resolution: STATIC
  workloadSelector: {labels: {app: vm}}
  ports: [{number: 80, name: http, protocol: HTTP}]
---
kind: WorkloadEntry
metadata: {name: vm, namespace: web}
spec: {address: 10.0.0.1, labels: {app: vm}}
---
kind: ServiceEntry
metadata: {name: written, namespace: web}
spec:
  hosts: [written.example.net]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 10.0.0.2, labels: {app: written}}]
---
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec:
  hosts: [a.example.org]
  gateways: [edge/gw]
  http:
  - {match: [{uri: {prefix: /part}}], delegate: {name: part, namespace: web}}
  - {match: [{uri: {prefix: /own}}], delegate: {name: own}}
  - route: [{destination: {host: ratings}}]
    mirror: {host: ext.example.net}
---
kind: VirtualService
metadata: {name: part, namespace: web}
spec: {http: [{route: [{destination: {host: reviews.shop.svc.cluster.local}}]}]}
---
kind: VirtualService
metadata: {name: own, namespace: shop}
spec: {http: [{route: [{destination: {host: reviews}}]}]}
---
kind: VirtualService
metadata: {name: both, namespace: shop}
spec:
  hosts: [b.example.org]
  gateways: [mesh, edge/gw]
  http: [{route: [{destination: {host: reviews}}], mirrors: [{destination: {host: ratings}}]}]
---
kind: VirtualService
metadata: {name: wild, namespace: web}
spec:
  hosts: ["*.shop.svc.cluster.local"]
  tcp: [{route: [{destination: {host: written.example.net}}]}]
---
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  selector: {istio: ingress}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*.example.org"]}
  - {port: {number: 443, name: tls, protocol: HTTPS}, hosts: [Alone.example.com], tls: {mode: SIMPLE, credentialName: cert}}
  - {port: {number: 444, name: tls2, protocol: HTTPS}, hosts: [two.example.com], tls: {mode: SIMPLE, credentialNames: [one, two]}}
---
kind: Secret
metadata: {name: cert, namespace: edge}
---
kind: Secret
metadata: {name: two, namespace: edge}
---
kind: Secret
metadata: {name: unused, namespace: edge}
---
kind: Secret
metadata: {name: api, namespace: edge}
---
kind: GatewayClass
metadata: {name: own}
spec: {controllerName: istio.io/gateway-controller}
---
kind: GatewayClass
metadata: {name: other}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: api, namespace: edge}
spec:
  gatewayClassName: own
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: L.example.io, allowedRoutes: {namespaces: {from: All}}}
  - {name: any, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: api}]}}
---
kind: HTTPRoute
metadata: {name: named, namespace: shop}
spec:
  parentRefs: [{name: api, namespace: edge}]
  hostnames: [N.example.io]
  rules: [{backendRefs: [{name: ratings, port: 80}]}]
---
kind: GRPCRoute
metadata: {name: bare, namespace: edge}
spec:
  parentRefs: [{name: api}]
  rules: [{backendRefs: [{name: reviews, namespace: shop, port: 80}]}]
---
kind: HTTPRoute
metadata: {name: mesh, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: ratings}]
  rules: [{backendRefs: [{name: ratings, port: 80}]}]
---
kind: HTTPRoute
metadata: {name: outer, namespace: web}
spec:
  parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: ext}]
  rules: [{backendRefs: [{group: networking.istio.io, kind: Hostname, name: written.example.net, port: 80}]}]
---
kind: ReferenceGrant
metadata: {name: grant, namespace: shop}
spec: {from: [{group: gateway.networking.k8s.io, kind: GRPCRoute, namespace: edge}], to: [{group: "", kind: Service}]}
"""

REVIEWS, RATINGS = "mesh reviews.shop.svc.cluster.local", "mesh ratings.shop.svc.cluster.local"
OLD = "mesh old.far.svc.cluster.local"
A, B = "gateway a.example.org", "gateway b.example.org"
BOTH = {B, "mesh b.example.org"}
WILD = "mesh *.shop.svc.cluster.local"
EXT = {"mesh ext.example.net", "mesh *.ext.example.net"}
WRITTEN = "mesh written.example.net"
LISTENERS = {"gateway l.example.io", "gateway *"}
NAMED = "gateway n.example.io"
#: The routes for a wildcard that covers reviews and ratings, with what stands for them.
COVERED = {WILD, REVIEWS, RATINGS, OLD}
#: All that sends to a service.
TO_REVIEWS = {REVIEWS, A, OLD, *BOTH, *LISTENERS, *COVERED}
TO_RATINGS = {RATINGS, A, *BOTH, NAMED, *COVERED}
GATEWAY = {"gateway *.example.org", A, B, "gateway alone.example.com", "gateway two.example.com"}
API = {*LISTENERS, NAMED}


def named(topics: Iterable[Topic]) -> set[str]:
    """Topics in words: the kind, and a host or pods."""
    found = set()
    for topic in topics:
        shown = ",".join(f"{k}={v}" for k, v in topic.labels)
        pods = f"{topic.namespace}/{shown}"
        found.add(f"{topic.kind} {pods if topic.kind is TopicKind.SERVER else topic.host}")
    return found


def reach(text: str, *, created: bool = False) -> set[str]:
    """What it has a bearing on that an object of the mesh is deleted, or another one created."""
    whole = with_versions(MESH)
    if created:
        found = change(whole, f"{whole}\n---\n{with_versions(text.strip())}")
    else:
        documents = whole.split("\n---\n")
        kind, name = text.split()
        starts = tuple(f"kind: {kind}\nmetadata: {{name: {name}{end}" for end in ",}")
        left = [d for d in documents if not any(start in d for start in starts)]
        assert len(left) == len(documents) - 1, text
        found = change(whole, "\n---\n".join(left))
    reached = (found.prover._footprint.topics(step.id) for step in found.steps)
    return named(topic for topics in reached for topic in topics)


@pytest.mark.parametrize(
    ("object_", "topics"),
    [
        ("Service reviews", TO_REVIEWS),
        ("Service ratings", TO_RATINGS),
        ("Service old", {OLD}),
        ("Deployment reviews", TO_REVIEWS),
        ("Pod lone", set()),
        ("Pod ingress", GATEWAY),
        ("ServiceEntry ext", {*EXT, A}),
        ("WorkloadEntry vm", {*EXT, A}),
        ("ServiceEntry written", {WRITTEN, *COVERED, *EXT}),
        ("VirtualService edge", {A}),
        ("VirtualService part", {A}),
        ("VirtualService own", {A}),
        ("VirtualService both", BOTH),
        ("VirtualService wild", COVERED),
        ("Gateway gw", GATEWAY),
        ("Secret cert", GATEWAY),
        ("Secret two", GATEWAY),
        ("Secret unused", set()),
        ("Secret api", API),
        ("GatewayClass own", API),
        ("GatewayClass other", set()),
        ("Gateway api", API),
        ("HTTPRoute named", {NAMED}),
        ("GRPCRoute bare", LISTENERS),
        ("HTTPRoute mesh", {RATINGS}),
        ("HTTPRoute outer", EXT),
        ("ReferenceGrant grant", LISTENERS),
    ],
)  # fmt: skip
def test_what_goes(object_: str, topics: set[str]) -> None:
    assert reach(object_) == topics


def rule(host: str) -> str:
    return f"kind: DestinationRule\nmetadata: {{name: r, namespace: shop}}\nspec: {{host: {host}}}"


def policy(kind: str, namespace: str, spec: str) -> str:
    return f"kind: {kind}\nmetadata: {{name: p, namespace: {namespace}}}\nspec: {{{spec}}}"


def of_reviews(selector: str = "matchLabels: {app: reviews}") -> str:
    return f"selector: {{{selector}}}"


AT_REVIEWS = "server shop/app=reviews,version=v1"
ENDPOINTS = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: reviews, namespace: shop}"
SLICE = (
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
    "metadata: {name: x, namespace: shop, labels: {kubernetes.io/service-name: reviews}}"
)
NAMESPACE = "kind: Namespace\nmetadata: {name: %s}"


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        (rule("ratings"), TO_RATINGS),
        (rule("'*.shop.svc.cluster.local'"), TO_REVIEWS | TO_RATINGS),
        (rule("written.example.net"), {WRITTEN, *COVERED, *EXT}),
        (ENDPOINTS, TO_REVIEWS),
        (SLICE, TO_REVIEWS),
        (NAMESPACE % "edge", GATEWAY),
        (NAMESPACE % "empty", set()),
        # Nobody can tell which pods it makes.
        ("kind: Deployment\nmetadata: {name: x, namespace: shop}\nspec: {template: none}", set()),
        ("kind: ConfigMap\nmetadata: {name: x, namespace: shop}\nspec: {selector: {app: reviews}}", set()),
        (NAMESPACE % "web", {*EXT, A, WRITTEN, *COVERED}),
        (NAMESPACE % "far", {OLD}),
        (policy("AuthorizationPolicy", "shop", of_reviews()), {*TO_REVIEWS, AT_REVIEWS}),
        (
            policy("PeerAuthentication", "shop", "mtls: {mode: STRICT}"),
            # The pods of ratings are not in the tree.
            {*TO_REVIEWS, *TO_RATINGS, AT_REVIEWS, "server shop/app=lone", "server shop/app=ratings"},
        ),
        (
            policy("AuthorizationPolicy", "istio-system", of_reviews()),
            {*TO_REVIEWS, AT_REVIEWS},
        ),
        (
            policy("AuthorizationPolicy", "shop", of_reviews("matchLabels: {app: nobody}")),
            {"server shop/app=nobody"},
        ),
        (
            policy("AuthorizationPolicy", "istio-system", of_reviews("matchLabels: {app: nobody}")),
            {"server istio-system/app=nobody"},
        ),
        (
            policy("AuthorizationPolicy", "web", of_reviews("matchLabels: {app: written}")),
            {WRITTEN, *COVERED, *EXT, "server web/app=written"},
        ),
        (
            policy("AuthorizationPolicy", "edge", of_reviews("matchLabels: {istio: ingress}")),
            {*GATEWAY, "server edge/istio=ingress"},
        ),
        (
            policy(
                "AuthorizationPolicy",
                "edge",
                "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: api}]",
            ),
            {*API, "server edge/gateway.networking.k8s.io/gateway-name=api", *GATEWAY, "server edge/istio=ingress"},
        ),
    ],
)  # fmt: skip
def test_what_comes(text: str, topics: set[str]) -> None:
    assert reach(text, created=True) == topics


SIDECAR = "kind: Sidecar\nmetadata: {name: s, namespace: web}\nspec: {%s}"
#: Every host that sidecars know.
EVERYTHING = {*COVERED, *EXT, WRITTEN, "mesh b.example.org"}


def updated(before: str, after: str) -> set[str]:
    """What it has a bearing on that an object is written otherwise."""
    base, head = (f"{with_versions(MESH)}\n---\n{with_versions(one)}" for one in (before, after))
    found = change(base, head)
    reached = (found.prover._footprint.topics(step.id) for step in found.steps)
    return named(topic for topics in reached for topic in topics)


@pytest.mark.parametrize(
    ("before", "after", "topics"),
    [
        (
            "egress: [{hosts: [shop/reviews.shop.svc.cluster.local]}]",
            "egress: [{hosts: [shop/Ratings.shop.svc.cluster.local]}]",
            {REVIEWS, RATINGS, WILD},
        ),
        (
            "egress: [{hosts: ['*/written.example.net', '*/*.ext.example.net']}]",
            "egress: [{hosts: [./*.example.net]}]",
            {WRITTEN, *EXT, "mesh *.example.net"},
        ),
        ("egress: [{hosts: ['~/*']}]", "egress: [{hosts: [shop/*]}]", EVERYTHING),
        ("egress: [{hosts: [web/written.example.net]}]", "", EVERYTHING),
        # Whom it is not for any more imports everything.
        (
            "egress: [{hosts: [web/written.example.net]}]",
            "workloadSelector: {labels: {a: b}}, egress: [{hosts: [web/written.example.net]}]",
            EVERYTHING,
        ),
        (
            "egress: [{hosts: [web/written.example.net]}]",
            "egress: [{hosts: [web/written.example.net]}], outboundTrafficPolicy: {mode: REGISTRY_ONLY}",
            {WRITTEN, "mesh *"},
        ),
        (
            "egress: [{hosts: [web/written.example.net]}]",
            "egress: [{hosts: [web/written.example.net]}], ingress: [{port: {number: 80, protocol: HTTP, name: h}}]",
            {WRITTEN, *EXT, A},
        ),
    ],
)  # fmt: skip
def test_sidecars(before: str, after: str, topics: set[str]) -> None:
    found = updated(SIDECAR % before, SIDECAR % after)
    # That a host is routed at gateways alone may be overlooked.
    assert topics <= found <= topics | {"mesh a.example.org"}
    assert topics == EVERYTHING or "mesh a.example.org" not in found


def test_a_route_for_a_wildcard_at_one_listener() -> None:
    """Hosts of listeners under it are routed by it."""
    listener = "edge/api~istio-autogenerated-k8s-gateway~http"
    text = (
        "kind: VirtualService\nmetadata: {name: w, namespace: shop}\n"
        f"spec: {{hosts: ['*.example.io'], gateways: [{listener}], http: [{{redirect: {{uri: /}}}}]}}"
    )
    assert reach(text, created=True) == {*LISTENERS, "gateway *.example.io"}
    at_gateway = text.replace(listener, "edge/gw").replace("*.example.io", "*.example.com")
    assert reach(at_gateway, created=True) == {
        "gateway *",
        "gateway *.example.com",
        "gateway alone.example.com",
        "gateway two.example.com",
    }


def test_a_rule_for_destinations_that_nobody_declares() -> None:
    route = with_versions(
        "kind: VirtualService\nmetadata: {name: v, namespace: web}\n"
        "spec: {hosts: [v.example.com], http: [{route: [{destination: {host: x.none.net}}]}]}"
    )
    found = change(route, "\n---\n".join((route, with_versions(rule('"*.none.net"')))))
    reached = (found.prover._footprint.topics(step.id) for step in found.steps)
    assert named(topic for topics in reached for topic in topics) == {
        "mesh *.none.net",
        "mesh x.none.net",
        "mesh v.example.com",
    }
