"""Small changes, one for each kind of dependency between objects: what is before, what is after,
and the requests that tell them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Request = Mapping[str, Any]

HOST = "reviews.shop.svc.cluster.local"
OTHER = "ratings.shop.svc.cluster.local"


@dataclass(frozen=True)
class Edge:
    """A change."""

    before: str
    after: str
    requests: tuple[Request, ...] = ({"host": HOST},)
    port: int = 80
    gateway: bool = False
    auto_mtls: bool = True
    #: Whether some mixture of old and new loses a request that both ends serve.
    loses: bool = True
    #: Labels of the client's pods.
    labels: Mapping[str, str] = field(default_factory=lambda: {"app": "client"})


def entry(
    name: str = "reviews",
    host: str = HOST,
    *,
    port: int = 80,
    endpoints: Mapping[str, str] | None = None,
    sidecar: bool = False,
    export_to: str = "",
) -> str:
    """A ServiceEntry with an endpoint for each version."""
    found = {"v1": "10.0.0.1", "v2": "10.0.0.2"} if endpoints is None else endpoints
    tls = ", security.istio.io/tlsMode: istio" if sidecar else ""
    written = "".join(
        f"\n  - {{address: {address}, ports: {{http: 8080}}, "
        f"labels: {{app: {name}, version: {version}{tls}}}}}"
        for version, address in found.items()
    )
    return f"""kind: ServiceEntry
metadata: {{name: {name}, namespace: shop}}
spec:
  hosts: [{host}]
  location: MESH_INTERNAL
  resolution: STATIC
  exportTo: [{export_to or "'*'"}]
  ports: [{{number: {port}, name: http, protocol: HTTP}}]
  endpoints: {written or "[]"}"""


def rule(subsets: Mapping[str, str], *, mode: str = "", host: str = HOST) -> str:
    """A DestinationRule with subsets by version, and a TLS mode."""
    listed = "".join(f"\n  - {{name: {n}, labels: {{version: {v}}}}}" for n, v in subsets.items())
    policy = f"  trafficPolicy: {{tls: {{mode: {mode}}}}}\n" if mode else ""
    return f"""kind: DestinationRule
metadata: {{name: reviews, namespace: shop}}
spec:
  host: {host}
{policy}  subsets: {listed or "[]"}"""


def virtual(rules: str, *, name: str = "reviews", host: str = HOST, more: str = "") -> str:
    """A VirtualService with these rules."""
    hosts = f"  hosts: [{host}]\n" if host else ""
    return f"""kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec:
{hosts}{more}  http:
{rules}"""


def to(host: str = HOST, *, subset: str = "", port: int = 0, match: str = "") -> str:
    """A rule of a VirtualService."""
    named = (f", subset: {subset}" if subset else "") + (
        f", port: {{number: {port}}}" if port else ""
    )
    first = f"match: [{match}]\n    route" if match else "route"
    return f"  - {first}: [{{destination: {{host: {host}{named}}}}}]\n"


def together(*texts: str) -> str:
    """Several objects as one text."""
    return "\n---\n".join(texts)


def gateway(*hosts: str, port: int = 8081) -> str:
    """A Gateway with one server."""
    return f"""kind: Gateway
metadata: {{name: gw, namespace: edge}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: {port}, name: http, protocol: HTTP}}
    hosts: [{", ".join(hosts)}]"""


def service(version: str = "", *, app: str = "reviews", port: int = 80) -> str:
    """A Service that selects pods."""
    more = f", version: {version}" if version else ""
    return f"""kind: Service
metadata: {{name: reviews, namespace: shop}}
spec:
  selector: {{app: {app}{more}}}
  ports: [{{name: http, port: {port}, targetPort: 8080}}]"""


def deployment(version: str, *, app: str = "reviews") -> str:
    """Pods of one version."""
    return f"""kind: Deployment
metadata: {{name: reviews-{version}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {app}, version: {version}}}}}
  template:
    metadata: {{labels: {{app: {app}, version: {version}}}}}
    spec: {{containers: [{{name: app, image: app, ports: [{{containerPort: 8080}}]}}]}}"""


def peers(mode: str, *, selector: str = "") -> str:
    """A PeerAuthentication of a namespace, or of some workloads."""
    chosen = f"  selector: {{matchLabels: {{{selector}}}}}\n" if selector else ""
    return f"""kind: PeerAuthentication
metadata: {{name: peers, namespace: shop}}
spec:
{chosen}  mtls: {{mode: {mode}}}"""


def policy(action: str, rules: str, *, name: str = "policy") -> str:
    """An AuthorizationPolicy for reviews."""
    return f"""kind: AuthorizationPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: reviews}}}}
  action: {action}
  rules: {rules}"""


def http_route(backend: str, *, parent: str, hostname: str = "", port: int = 80) -> str:
    """An HTTPRoute to one Service."""
    names = f"  hostnames: [{hostname}]\n" if hostname else ""
    return f"""kind: HTTPRoute
metadata: {{name: route, namespace: shop}}
spec:
  parentRefs: [{parent}]
{names}  rules:
  - backendRefs: [{{name: {backend}, port: {port}}}]"""


def kube(name: str) -> str:
    """A Service of its own with one Deployment."""
    return together(
        f"""kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]""",
        f"""kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: app, image: app, ports: [{{containerPort: 8080}}]}}]}}""",
    )


V1, V2, BOTH = {"v1": "v1"}, {"v2": "v2"}, {"v1": "v1", "v2": "v2"}
_AT_EDGE = "  gateways: [edge/gw]\n"
_IN_EDGE = together("kind: Namespace\nmetadata: {name: edge}", entry())
_LISTENER = """apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  gatewayClassName: istio
  addresses: [{value: gw.edge.svc.cluster.local, type: Hostname}]
  listeners:
  - {name: http, port: 8081, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}
---
kind: Service
metadata: {name: gw, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 8081, targetPort: 8081}]"""
_SIDE = """kind: Sidecar
metadata: {{name: default, namespace: web}}
spec:
  egress: [{{hosts: [{hosts}]}}]"""
_PATHS = (
    {"host": HOST, "path": "/a"},
    {"host": HOST, "path": "/b"},
    {"host": HOST, "path": "/a/c", "method": "POST", "headers": {"x-user": "me"}},
)
_WEB = "cluster.local/ns/web/sa/default"
_GUARDED = together(entry(sidecar=True), rule({}, mode="ISTIO_MUTUAL"), peers("STRICT"))

EDGES: Mapping[str, Edge] = {
    "subset-first-used": Edge(
        together(entry(), virtual(to())),
        together(entry(), rule(V1), virtual(to(subset="v1"))),
    ),
    "subset-no-longer-used": Edge(
        together(entry(), rule(V2), virtual(to(subset="v2"))),
        together(entry(), virtual(to())),
    ),
    "subset-renamed": Edge(
        together(entry(), rule({"blue": "v1"}), virtual(to(subset="blue"))),
        together(entry(), rule({"v1": "v1"}), virtual(to(subset="v1"))),
    ),
    "subset-labels-swapped": Edge(
        together(entry(), rule({"a": "v1", "b": "v2"}), virtual(to(subset="a"))),
        together(entry(), rule({"a": "v2", "b": "v1"}), virtual(to(subset="b"))),
        loses=False,
    ),
    "subset-loses-its-endpoints": Edge(
        together(entry(), rule(BOTH), virtual(to(subset="v1"))),
        together(entry(endpoints={"v2": "10.0.0.2"}), rule(BOTH), virtual(to(subset="v2"))),
    ),
    "weights-shifted-to-a-new-subset": Edge(
        together(entry(), rule(V1), virtual(to(subset="v1"))),
        together(
            entry(),
            rule(BOTH),
            virtual(
                f"  - route:\n    - {{destination: {{host: {HOST}, subset: v1}}, weight: 50}}\n"
                f"    - {{destination: {{host: {HOST}, subset: v2}}, weight: 50}}\n"
            ),
        ),
    ),
    "host-first-routed": Edge(
        together(entry(), virtual(to())),
        together(entry(), entry("ratings", OTHER), virtual(to(OTHER))),
    ),
    "host-replaced": Edge(
        together(
            entry(), entry("ratings", OTHER, endpoints={"v1": "10.0.0.3"}), virtual(to(OTHER))
        ),
        together(
            entry(), entry("other", "o.shop", endpoints={"v1": "10.0.0.4"}), virtual(to("o.shop"))
        ),
    ),
    "destination-port-renumbered": Edge(
        together(entry(), entry("ratings", OTHER, port=80), virtual(to(OTHER, port=80))),
        together(entry(), entry("ratings", OTHER, port=81), virtual(to(OTHER, port=81))),
    ),
    "endpoints-gone": Edge(
        together(entry(), virtual(to())),
        together(entry(endpoints={}), entry("ratings", OTHER), virtual(to(OTHER))),
    ),
    "endpoints-moved": Edge(
        together(entry(endpoints={"v1": "10.0.0.5"})),
        together(entry(endpoints={"v2": "10.0.0.6"})),
        loses=False,
    ),
    "entry-hidden-from-client": Edge(
        together(entry(), entry("ratings", OTHER), virtual(to(OTHER))),
        together(entry(), entry("ratings", OTHER, export_to="."), virtual(to())),
    ),
    "sidecar-narrowed": Edge(
        together(entry(), entry("ratings", OTHER), virtual(to(OTHER)), _SIDE.format(hosts='"*/*"')),
        together(
            entry(),
            entry("ratings", OTHER),
            virtual(to()),
            _SIDE.format(hosts=f'"shop/{HOST}"'),
        ),
    ),
    "delegate-and-subset": Edge(
        together(
            entry(),
            rule(V1),
            virtual("  - delegate: {name: inner}\n"),
            virtual(to(subset="v1"), name="inner", host=""),
        ),
        together(
            entry(),
            rule(V2),
            virtual("  - delegate: {name: other}\n"),
            virtual(to(subset="v2"), name="other", host=""),
        ),
    ),
    "delegate-without-its-object": Edge(
        together(entry(), virtual(f"  - delegate: {{name: inner}}\n{to()}")),
        together(
            entry(),
            rule(V1),
            virtual(f"  - delegate: {{name: inner}}\n{to()}"),
            virtual(to(subset="v1"), name="inner", host=""),
        ),
    ),
    "matches-to-new-subsets": Edge(
        together(entry(), rule(V1), virtual(to(subset="v1"))),
        together(
            entry(),
            rule(BOTH),
            virtual(
                to(subset="v2", match="{uri: {exact: /b}}")
                + to(subset="v2", match="{uri: {prefix: /a/}, headers: {x-user: {exact: me}}}")
                + to(subset="v1")
            ),
        ),
        requests=_PATHS,
    ),
    "rewrite-redirect-answer": Edge(
        together(entry(), virtual(to())),
        together(
            entry(),
            rule(V1),
            virtual(
                "  - match: [{uri: {exact: /b}}]\n    redirect: {uri: /c, redirectCode: 302}\n"
                "  - match: [{method: {exact: POST}}]\n    directResponse: {status: 418}\n"
                f"  - rewrite: {{uri: /new, authority: other}}\n    route: [{{destination: {{host: {HOST}, subset: v1}}}}]\n"
            ),
        ),
        requests=_PATHS,
    ),
    "fault-and-no-catch-all": Edge(
        together(entry(), virtual(to())),
        together(
            entry(),
            virtual(
                "  - match: [{uri: {exact: /b}}]\n"
                "    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}\n"
                f"    route: [{{destination: {{host: {HOST}}}}}]\n"
                + to(match="{uri: {prefix: /a/c}}")
            ),
        ),
        requests=_PATHS,
        loses=False,
    ),
    "host-of-nobody": Edge(
        together(entry()),
        together(entry(), virtual(to(), name="alias", host="alias.example.com")),
        requests=({"host": "alias.example.com"}, {"host": "nobody.example.com"}),
        loses=False,
    ),
    "pods-selected-otherwise": Edge(
        together(service(version="v1"), deployment("v1"), deployment("v2")),
        together(service(version="v2"), deployment("v1"), deployment("v2")),
        loses=False,
        auto_mtls=False,
    ),
    "service-without-pods": Edge(
        together(service(), deployment("v1"), rule(V1), virtual(to(subset="v1"))),
        together(service(), deployment("v2"), rule(BOTH), virtual(to(subset="v2"))),
        auto_mtls=False,
    ),
    "gateway-subset-renamed": Edge(
        together(
            _IN_EDGE,
            gateway("a.example.com"),
            rule(V1),
            virtual(to(subset="v1"), host="a.example.com", more=_AT_EDGE),
        ),
        together(
            _IN_EDGE,
            gateway("a.example.com"),
            rule(V2),
            virtual(to(subset="v2"), host="a.example.com", more=_AT_EDGE),
        ),
        requests=({"host": "a.example.com"}, {"host": "b.example.com"}),
        port=8081,
        gateway=True,
    ),
    "gateway-host-and-service-added": Edge(
        together(
            _IN_EDGE, gateway("a.example.com"), virtual(to(), host="a.example.com", more=_AT_EDGE)
        ),
        together(
            _IN_EDGE,
            entry("ratings", OTHER),
            gateway("a.example.com", "b.example.com"),
            virtual(to(OTHER), host="a.example.com, b.example.com", more=_AT_EDGE),
        ),
        requests=({"host": "a.example.com"}, {"host": "b.example.com"}),
        port=8081,
        gateway=True,
    ),
    "gateway-server-removed": Edge(
        together(
            _IN_EDGE, gateway("a.example.com"), virtual(to(), host="a.example.com", more=_AT_EDGE)
        ),
        together(
            _IN_EDGE,
            gateway("a.example.com", port=8082),
            virtual(to(), host="a.example.com", more=_AT_EDGE),
        ),
        requests=({"host": "a.example.com"},),
        port=8081,
        gateway=True,
        loses=False,
    ),
    "httproute-backend-added": Edge(
        together(
            _LISTENER,
            kube("old"),
            http_route("old", parent="{name: gw, namespace: edge}", hostname="a.example.com"),
        ),
        together(
            _LISTENER,
            kube("new"),
            http_route("new", parent="{name: gw, namespace: edge}", hostname="a.example.com"),
        ),
        requests=({"host": "a.example.com", "path": "/x"}, {"host": "b.example.com"}),
        port=8081,
        gateway=True,
        auto_mtls=False,
    ),
    "httproute-before-its-service": Edge(
        together(
            _LISTENER,
            http_route("new", parent="{name: gw, namespace: edge}", hostname="a.example.com"),
        ),
        together(
            _LISTENER,
            kube("new"),
            http_route("new", parent="{name: gw, namespace: edge}", hostname="a.example.com"),
        ),
        requests=({"host": "a.example.com", "path": "/x"},),
        port=8081,
        gateway=True,
        auto_mtls=False,
        loses=False,
    ),
    "httproute-in-mesh": Edge(
        together(
            kube("reviews"),
            kube("old"),
            http_route("old", parent="{kind: Service, group: '', name: reviews}"),
        ),
        together(
            kube("reviews"),
            kube("new"),
            http_route("new", parent="{kind: Service, group: '', name: reviews}"),
        ),
        auto_mtls=False,
    ),
    "mtls-demanded-and-spoken": Edge(
        together(entry(sidecar=True), rule({}, mode="DISABLE"), peers("PERMISSIVE")),
        together(entry(sidecar=True), rule({}, mode="ISTIO_MUTUAL"), peers("STRICT")),
    ),
    "mtls-given-up": Edge(
        together(entry(sidecar=True), rule({}, mode="ISTIO_MUTUAL"), peers("STRICT")),
        together(entry(sidecar=True), rule({}, mode="DISABLE"), peers("DISABLE")),
    ),
    "mtls-automatic-from-none": Edge(
        together(entry(sidecar=True), peers("DISABLE")),
        together(entry(sidecar=True), peers("STRICT")),
    ),
    "mtls-automatic-permissive-to-strict": Edge(
        together(entry(sidecar=True), peers("PERMISSIVE")),
        together(entry(sidecar=True), peers("STRICT", selector="app: reviews")),
        loses=False,
    ),
    "deny-added": Edge(
        together(_GUARDED),
        together(_GUARDED, policy("DENY", "[{to: [{operation: {paths: [/b]}}]}]")),
        requests=_PATHS,
        loses=False,
    ),
    "allow-by-path-and-method": Edge(
        together(
            _GUARDED, policy("ALLOW", "[{to: [{operation: {paths: ['/a*'], methods: [GET]}}]}]")
        ),
        together(
            _GUARDED,
            policy("ALLOW", "[{to: [{operation: {methods: [POST]}}, {operation: {paths: [/b]}}]}]"),
        ),
        requests=_PATHS,
        loses=False,
    ),
    "allow-by-principal-meets-plaintext": Edge(
        together(entry(sidecar=True), rule({}, mode="DISABLE"), peers("PERMISSIVE")),
        together(
            entry(sidecar=True),
            rule({}, mode="ISTIO_MUTUAL"),
            peers("PERMISSIVE"),
            policy("ALLOW", f"[{{from: [{{source: {{principals: [{_WEB}]}}}}]}}]"),
        ),
    ),
    "allow-by-namespace-moved": Edge(
        together(_GUARDED, policy("ALLOW", "[{from: [{source: {namespaces: [web]}}]}]")),
        together(_GUARDED, policy("ALLOW", "[{from: [{source: {namespaces: [shop]}}]}]")),
        loses=False,
    ),
    "rewrite-meets-policy": Edge(
        together(_GUARDED, virtual(to()), policy("ALLOW", "[{to: [{operation: {paths: [/a]}}]}]")),
        together(
            _GUARDED,
            virtual(
                f"  - rewrite: {{uri: /new}}\n    route: [{{destination: {{host: {HOST}}}}}]\n"
            ),
            policy("ALLOW", "[{to: [{operation: {paths: ['/new*']}}]}]"),
        ),
        requests=({"host": HOST, "path": "/a"},),
    ),
}
