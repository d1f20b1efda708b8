"""Every small edit of a mesh with objects of all kinds: no request is lost without a word.

Each value of each object is changed or left out, and each object is deleted. What becomes of some
requests is told by the model of the whole mesh; the prover, which looks at the footprint of the
change alone, has to name every request that is served on one side only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.proof import Prover
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from meshplan.traffic import Outcome, route
from meshplan.traffic.outcome import Direct, Passthrough, Redirect, Served
from meshplan.traffic.request import Request
from support.edits import edited
from support.meshes import with_versions
from support.proofs import plan, steps_of
from support.snapshots import snapshot

WEB = sidecar("web", {"app": "client"})
TESTER = sidecar("web", {"app": "tester"})
SHOP = sidecar("shop", {"app": "reviews", "version": "v1"})
EDGE = gateway("edge", {"istio": "ingress"})
API = gateway("edge", {"gateway.networking.k8s.io/gateway-name": "api"})

MESH = """
kind: Namespace
metadata: {name: shop, labels: {team: a, istio-injection: enabled}}
---
kind: Service
metadata: {name: reviews, namespace: shop, annotations: {networking.istio.io/exportTo: "web,shop,edge"}}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: web}, {name: tcp, port: 9000}]}
---
kind: Service
metadata: {name: ratings, namespace: shop}
spec: {selector: {app: ratings}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Service
metadata: {name: headless, namespace: shop}
spec: {clusterIP: None, selector: {app: ratings}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: ExternalName, externalName: ratings.shop.svc.cluster.local, ports: [{name: http, port: 80}]}
---
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: reviews, version: v1}}
    spec: {serviceAccountName: reviews, containers: [{name: c, ports: [{name: web, containerPort: 8081}]}]}
---
kind: Deployment
metadata: {name: ratings, namespace: shop}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: ratings, version: v1}}
    spec: {containers: [{name: c}]}
---
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  exportTo: ["web", "."]
  trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}
  subsets: [{name: v1, labels: {version: v1}}]
---
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  exportTo: ["web", "."]
  http:
  - match: [{uri: {prefix: /tests}, sourceLabels: {app: tester}, sourceNamespace: web}]
    route: [{destination: {host: reviews, subset: v1}}]
  - match: [{uri: {prefix: /tests}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: reviews}}]
  - match: [{uri: {prefix: /part}}]
    delegate: {name: part, namespace: shop}
  - route: [{destination: {host: reviews, subset: v1}}]
---
kind: VirtualService
metadata: {name: part, namespace: shop}
spec:
  exportTo: ["."]
  http: [{route: [{destination: {host: ratings, port: {number: 80}}}]}]
---
kind: PeerAuthentication
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  mtls: {mode: STRICT}
  portLevelMtls: {9000: {mode: PERMISSIVE}}
---
kind: AuthorizationPolicy
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  rules:
  - {from: [{source: {namespaces: [web, shop]}}], to: [{operation: {methods: [GET]}}]}
  - {from: [{source: {namespaces: [web]}}], to: [{operation: {ports: ["9000"]}}]}
---
kind: AuthorizationPolicy
metadata: {name: deny, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  action: DENY
  rules: [{to: [{operation: {paths: [/secret], ports: ["8081"]}}]}]
---
kind: ServiceEntry
metadata: {name: api, namespace: web}
spec:
  hosts: [api.example.com]
  exportTo: ["."]
  location: MESH_EXTERNAL
  resolution: STATIC
  workloadSelector: {labels: {app: api}}
  ports: [{number: 80, name: http, protocol: HTTP}]
---
kind: WorkloadEntry
metadata: {name: api, namespace: web}
spec: {address: 10.0.0.1, labels: {app: api}}
---
kind: Sidecar
metadata: {name: tester, namespace: web}
spec:
  workloadSelector: {labels: {app: tester}}
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  egress: [{hosts: [shop/reviews.shop.svc.cluster.local, ./*]}]
---
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  selector: {istio: ingress}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*.example.org", "edge/b.example.org"]}
  - {port: {number: 443, name: tls, protocol: HTTPS}, hosts: ["*.example.org"], tls: {mode: SIMPLE, credentialName: cert}}
  - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}
  - {port: {number: 9443, name: pass, protocol: TLS}, hosts: ["p.example.org"], tls: {mode: PASSTHROUGH}}
---
kind: Secret
metadata: {name: cert, namespace: edge}
type: kubernetes.io/tls
---
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec:
  hosts: [a.example.org]
  gateways: [edge/gw]
  http:
  - match: [{uri: {prefix: /go}}]
    redirect: {uri: /gone}
  - rewrite: {authority: inner}
    route: [{destination: {host: ratings}}]
---
kind: VirtualService
metadata: {name: l4, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [edge/gw]
  tcp: [{match: [{port: 9000}], route: [{destination: {host: ratings, port: {number: 80}}}]}]
---
kind: VirtualService
metadata: {name: sni, namespace: shop}
spec:
  hosts: [p.example.org]
  gateways: [edge/gw]
  tls: [{match: [{port: 9443, sniHosts: [p.example.org]}], route: [{destination: {host: ratings, port: {number: 80}}}]}]
---
kind: GatewayClass
metadata: {name: own}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: api, namespace: edge}
spec:
  gatewayClassName: own
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: "*.example.net", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: a}}}}}
  - {name: tcp, port: 9000, protocol: TCP, allowedRoutes: {namespaces: {from: All}, kinds: [{kind: TCPRoute}]}}
  - {name: tls, port: 9443, protocol: TLS, hostname: s.example.net, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}
---
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: api, namespace: edge, sectionName: http}]
  hostnames: [a.example.net]
  rules:
  - matches: [{path: {type: PathPrefix, value: /x}, headers: [{name: x-v, value: "1"}]}]
    backendRefs: [{name: ratings, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /other}}]
    backendRefs: [{name: api, namespace: far, port: 80}]
---
kind: GRPCRoute
metadata: {name: grpc, namespace: shop}
spec:
  parentRefs: [{name: api, namespace: edge}]
  hostnames: [g.example.net]
  rules: [{matches: [{method: {service: pkg.S, method: M}}], backendRefs: [{name: ratings, port: 80}]}]
---
kind: TCPRoute
metadata: {name: tcp, namespace: shop}
spec: {parentRefs: [{name: api, namespace: edge, sectionName: tcp}], rules: [{backendRefs: [{name: ratings, port: 80}]}]}
---
kind: TLSRoute
metadata: {name: tls, namespace: shop}
spec: {parentRefs: [{name: api, namespace: edge}], hostnames: [s.example.net], rules: [{backendRefs: [{name: ratings, port: 80}]}]}
---
kind: HTTPRoute
metadata: {name: mesh, namespace: far}
spec:
  parentRefs: [{group: "", kind: Service, name: api}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /mesh}}]
    backendRefs: [{name: api, port: 80}]
---
kind: Service
metadata: {name: api, namespace: far}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
kind: Pod
metadata: {name: api, namespace: far, labels: {app: api}}
spec: {containers: [{name: c}]}
---
kind: ReferenceGrant
metadata: {name: grant, namespace: far}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: "", kind: Service, name: api}]
"""

Probe = tuple[Proxy, Request]
PROBES: tuple[Probe, ...] = (
    (WEB, Request("reviews.shop")),
    (WEB, Request("reviews.shop.svc.cluster.local", path="/part")),
    (TESTER, Request("reviews.shop", path="/tests")),
    (SHOP, Request("reviews")),
    (WEB, Request("reviews.shop", port=9000, scheme="tcp")),
    (WEB, Request("ratings.shop")),
    (WEB, Request("headless.shop")),
    (WEB, Request("old.shop")),
    (WEB, Request("api.example.com")),
    (WEB, Request("api.far", path="/mesh")),
    (EDGE, Request("a.example.org")),
    (EDGE, Request("a.example.org", path="/go")),
    (EDGE, Request("a.example.org", scheme="https")),
    (EDGE, Request("x", port=9000, scheme="tcp")),
    (EDGE, Request("p.example.org", port=9443, scheme="tls")),
    (API, Request("a.example.net", path="/x", headers={"x-v": "1"})),
    (API, Request("a.example.net", path="/other")),
    (API, Request("g.example.net", path="/pkg.S/M", method="POST")),
    (API, Request("x", port=9000, scheme="tcp")),
    (API, Request("s.example.net", port=9443, scheme="tls")),
)


@cache
def base() -> Mesh:
    return Mesh.of(snapshot(with_versions(MESH)), MeshConfig(), World.CLOSED)


@lru_cache(4)
def asked_of(mesh: Mesh) -> tuple[frozenset[int], frozenset[int]]:
    """The probes that a mesh serves, and those that fail in it.

    What the mesh knows nothing of, and lets pass, is neither.
    """
    found = [route(mesh, asked, proxy) for proxy, asked in PROBES]
    good = frozenset(n for n, outcome in enumerate(found) if is_served(outcome))
    let_pass = frozenset(n for n, outcome in enumerate(found) if isinstance(outcome, Passthrough))
    return good, frozenset(range(len(PROBES))) - good - let_pass


def is_served(found: Outcome) -> bool:
    if isinstance(found, Served):
        return found.wholly
    # A host that nobody declares has no address either.
    return isinstance(found, Redirect | Direct) or (
        isinstance(found, Passthrough) and found.declared
    )


@dataclass(frozen=True)
class Edit:
    """An object that is written otherwise, or (without a manifest) deleted."""

    resource: Resource
    where: str
    manifest: Mapping[str, Any] | None

    def head(self) -> Snapshot:
        others = [r for r in base().snapshot.values() if r.id != self.resource.id]
        if self.manifest is None:
            return Snapshot(others)
        return Snapshot([*others, replace(self.resource, manifest=self.manifest)])


def edits(resource: Resource) -> Iterator[Edit]:
    """The object deleted, and everything that can be changed about one value of it."""
    yield Edit(resource, "", None)
    for where, made in edited(resource.manifest):
        yield Edit(resource, where, made)


def silent(edit: Edit) -> Iterator[str]:
    """Probes that are lost on the way there or back, without a word of the prover."""
    before = base()
    after = before.at(edit.head())
    for one, other in ((before, after), (after, before)):
        lost = asked_of(one)[0] & asked_of(other)[1]
        if not lost:
            continue
        prover = Prover(one, other)
        named = {
            (found.request.client.is_gateway, found.request.request.dialled_port)
            for found in prover.lost()
        }
        hosts = {found.request.request.host_name.partition(".")[0] for found in prover.lost()}
        for number in sorted(lost):
            proxy, asked = PROBES[number]
            is_named = (proxy.kind == "gateway", asked.dialled_port) in named
            if is_named and (asked.scheme != "http" or asked.host_name.partition(".")[0] in hosts):
                continue
            steps = list(steps_of(one.snapshot, other.snapshot))
            if not prover.check(plan([steps])).unknowns:
                yield f"{edit.where or 'deleted'}: {proxy} {asked}"


def test_all_probes_are_served() -> None:
    assert asked_of(base())[0] == frozenset(range(len(PROBES)))


@pytest.mark.parametrize("name", [str(id_) for id_ in base().snapshot])
def test_nothing_is_lost_without_a_word(name: str) -> None:
    (resource,) = (r for r in base().snapshot.values() if str(r.id) == name)
    assert [line for edit in edits(resource) for line in silent(edit)] == []
