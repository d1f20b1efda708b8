"""Small random pairs of revisions in which objects of several kinds change that belong together."""

from dataclasses import dataclass
from random import Random
from typing import Any

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import Proxy, ProxyKind, gateway
from meshplan.resource import Snapshot
from meshplan.traffic.inbound import Server
from meshplan.traffic.request import Request
from support.random_meshes import (
    APPS,
    EXTERNAL,
    NAMESPACES,
    NETWORKING,
    PATHS,
    SECURITY,
    Maker,
    Object,
    Pair,
    resource,
)

GATEWAY_API = "gateway.networking.k8s.io"
ACCOUNTS = ("default", "one", "two")
#: Kinds of which several change at once, by the methods that make them.
TOGETHER = (
    ("route", "sidecar"),
    ("gateway", "policy"),
    ("api_route", "grant", "service"),
    ("peer", "rule"),
    ("entry", "sidecar", "rule"),
    ("machine", "entry"),
    ("tokens", "policy", "route"),
    ("namespace", "peer", "policy"),
    ("gateway", "route", "ingress"),
    ("listeners", "api_route", "grant", "namespace"),
    ("secret", "gateway", "listeners"),
    ("deployment", "policy", "peer"),
    ("policy", "policy", "peer"),
    ("sidecar", "service", "entry"),
)
_MORE = ("service", "entry", "rule", "route", "route", "policy", "peer", "api_route")


def _made(group: str, kind: str, namespace: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "spec": spec}


class KindMaker(Maker):
    """Makes objects of more kinds."""

    def namespace(self, name: str) -> Object:
        found = super().namespace(name)
        labels = found["metadata"]["labels"] = {}
        if self.chance(60):
            labels["istio-injection"] = self.pick("enabled", "enabled", "disabled")
        if self.chance(50):
            labels["team"] = self.pick("a", "b")
        return found

    def machine(self, name: str) -> Object:
        labels = {"app": self.pick(*APPS, "vm"), "version": self.pick("v1", "v2")}
        spec: Object = {"address": f"10.1.0.{self.pick(1, 2)}", "labels": labels}
        return _made(NETWORKING, "WorkloadEntry", self.pick("shop", "web"), name, spec)

    def entry(self, name: str) -> Object:
        found = super().entry(name)
        if self.chance(30):
            found["spec"]["hosts"] = [self.pick("a.shop.svc.cluster.local", *EXTERNAL)]
        if found["spec"]["resolution"] == "STATIC" and self.chance(50):
            del found["spec"]["endpoints"]
            found["spec"]["workloadSelector"] = {"labels": {"app": self.pick(*APPS, "vm")}}
        return found

    def tokens(self, name: str) -> Object:
        rule = {"issuer": self.pick("me", "you"), "fromHeaders": [{"name": "x-v"}]}
        spec: Object = {"jwtRules": [rule]}
        if self.chance(60):
            spec["selector"] = {"matchLabels": {"app": self.pick(*APPS)}}
        return _made(SECURITY, "RequestAuthentication", "shop", name, spec)

    def policy(self, name: str) -> Object:
        found = super().policy(name)
        if self.chance(20):
            found["spec"]["rules"] = self.pick([{}], [])
        if self.chance(20):
            found["spec"]["selector"] = {"matchLabels": {"version": self.pick("v1", "v2")}}
        elif self.chance(15):
            found["metadata"]["namespace"] = "web"
            found["spec"]["selector"] = {"matchLabels": {"istio": "ingress"}}
        return found

    def gateway(self, name: str) -> Object:
        found = super().gateway(name)
        found["metadata"]["namespace"] = self.pick("web", "web", "shop")
        both = {"istio": "ingress", "zone": "a"}
        found["spec"]["selector"] = self.pick({"istio": "ingress"}, {"zone": "a"}, both)
        if self.chance(40):
            secret = self.pick("cert1", "cert2")
            found["spec"]["servers"].append(
                {
                    "port": {"number": 443, "name": "tls", "protocol": "HTTPS"},
                    "hosts": [self.pick("*", "shop.example.com")],
                    "tls": {"mode": "SIMPLE", "credentialName": secret},
                }
            )
        return found

    def ingress(self, name: str) -> Object:
        labels = self.pick({"istio": "ingress"}, {"istio": "ingress", "zone": "a"}, {"zone": "a"})
        pods = {"serviceAccountName": self.pick(*ACCOUNTS), "containers": [{"name": "c"}]}
        template = {"metadata": {"labels": labels}, "spec": pods}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        return _made("apps", "Deployment", "web", f"ingress-{name}", spec)

    def listeners(self, name: str) -> Object:
        del name
        by_label = {"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}
        listener: Object = {
            "name": "http",
            "port": 80,
            "protocol": "HTTP",
            "allowedRoutes": {"namespaces": self.pick({"from": "All"}, {"from": "Same"}, by_label)},
        }
        secured = {
            "name": "https",
            "port": 443,
            "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"name": "cert1", "namespace": "shop"}]},
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
        both = [listener, secured] if self.chance(50) else [listener]
        spec = {"gatewayClassName": "istio", "listeners": both}
        return _made(GATEWAY_API, "Gateway", "web", "api", spec)

    def api_route(self, name: str) -> Object:
        at_gateway = {"name": "api", "namespace": "web"}
        at_service = {"group": "", "kind": "Service", "name": "a", "namespace": "shop"}
        backend = {"name": self.pick(*APPS), "namespace": "shop", "port": self.pick(80, 8080)}
        rule: Object = {"backendRefs": [backend]}
        if self.chance(50):
            rule["matches"] = [{"path": {"type": "PathPrefix", "value": self.pick("/x", "/api")}}]
        parent = self.pick(at_gateway, at_gateway, at_service)
        spec: Object = {"parentRefs": [parent], "rules": [rule]}
        if self.chance(50):
            spec["hostnames"] = [self.pick("shop.example.com", "*.example.com")]
        return _made(GATEWAY_API, "HTTPRoute", self.pick("shop", "web"), name, spec)

    def grant(self, name: str) -> Object:
        kind, to = self.pick(("HTTPRoute", "Service"), ("Gateway", "Secret"))
        spec = {
            "from": [{"group": GATEWAY_API, "kind": kind, "namespace": "web"}],
            "to": [{"group": "", "kind": to}],
        }
        return _made(GATEWAY_API, "ReferenceGrant", "shop", name, spec)

    def secret(self, name: str) -> Object:
        del name
        found = _made("", "Secret", self.pick("web", "shop"), self.pick("cert1", "cert2"), {})
        return {**found, "apiVersion": "v1"}


class _Making:
    """Two revisions in the making."""

    def __init__(self, random: Random):
        self.random = random
        self.make = KindMaker(random)
        self.base: dict[ResourceId, Object] = {}
        self.head: dict[ResourceId, Object] = {}
        #: By which method each object was made.
        self.by: dict[ResourceId, str] = {}
        self.serial = 0

    def made(self, kind: str) -> tuple[ResourceId, Object]:
        """Another object, younger than those before it."""
        self.serial += 1
        name = self.make.pick("gw", "gw2") if kind == "gateway" else self.make.pick("a", "b", "c")
        value = getattr(self.make, kind)(name)
        time = f"2020-01-01T00:{self.serial // 60:02d}:{self.serial % 60:02d}Z"
        value = {**value, "metadata": {**value["metadata"], "creationTimestamp": time}}
        id_ = resource(value).id
        self.by[id_] = kind
        return id_, value

    def begin(self, kinds: tuple[str, ...], *, hidden: bool) -> None:
        """What is there before; `hidden` leaves the pods out."""
        for name in NAMESPACES:
            value = self.make.namespace(name)
            self.base[resource(value).id] = value
            self.by[resource(value).id] = "namespace"
        pods = ["deployment", "deployment", "ingress"] if not hidden else []
        more = [self.make.pick(*_MORE) for _ in range(self.make.pick(2, 3, 4))]
        wanted = ["service", "service", "gateway", "route", *pods, *kinds, *kinds, *more]
        for kind in wanted:
            if kind != "namespace":
                id_, value = self.made(kind)
                self.base.setdefault(id_, value)
        self.head = dict(self.base)

    def change(self, kind: str) -> None:
        """An object of a kind is written otherwise, deleted, created or renamed."""
        there = [i for i in sorted(self.base) if self.by[i] == kind and self.head.get(i)]
        id_, value = self.made(kind) if kind != "namespace" else (None, None)
        choice = self.random.random()
        if not there or (choice < 0.2 and kind != "namespace"):
            if id_ is not None and value is not None and id_ not in self.base:
                self.head[id_] = value
            return
        old = self.random.choice(there)
        if choice < 0.35 and kind != "namespace":
            del self.head[old]
        elif choice < 0.5 and kind != "namespace":
            renamed = self.head.pop(old)
            metadata = {**renamed["metadata"], "name": f"{old.name}-n"}
            metadata["creationTimestamp"] = "2021-01-01T00:00:00Z"
            new = {**renamed, "metadata": metadata}
            self.head[resource(new).id] = new
        elif kind == "namespace":
            labels = self.make.namespace(old.name)["metadata"]["labels"]
            metadata = {**self.head[old]["metadata"], "labels": labels}
            self.head[old] = {**self.head[old], "metadata": metadata}
        elif value is not None:
            self.head[old] = {**self.head[old], "spec": value["spec"]}


def pair_of_kinds(random: Random) -> Pair:
    """Two revisions between which some kinds change that belong together."""
    making = _Making(random)
    kinds = random.choice(TOGETHER)
    making.begin(kinds, hidden=random.random() < 0.4)
    for kind in random.sample([*kinds, *kinds], random.choice((2, 2, 3))):
        making.change(kind)
    sides = (making.base, making.head)
    return Pair(*(Snapshot(resource(value) for value in side.values()) for side in sides))


@dataclass(frozen=True)
class Asking:
    """A request through a proxy, or at a server's door."""

    request: Request
    proxy: Proxy | None = None
    server: Server | None = None


def anybody(random: Random, found: Pair, count: int) -> list[Asking]:
    """Requests of anybody who may be there."""
    gateways = [*_gateways(found), gateway("web", {f"{GATEWAY_API}/gateway-name": "api"})]
    return [_anybody(random, gateways) for _ in range(count)]


def _gateways(found: Pair) -> list[Proxy]:
    """The pods that open a Gateway; where none is known, any with the labels of one selector."""
    pods: dict[Proxy, None] = {}
    for side in (found.base, found.head):
        for one in side.of_kind("apps", "Deployment"):
            template: Any = one.spec["template"]
            if one.id.name.startswith("ingress-"):
                labels, account = template["metadata"]["labels"], template["spec"]
                kind, where = ProxyKind.GATEWAY, one.id.namespace
                pods[Proxy(kind, where, labels, account["serviceAccountName"])] = None
    selectors = ({"istio": "ingress"}, {"zone": "a"})
    return [*pods] or [
        Proxy(ProxyKind.GATEWAY, "web", labels, account)
        for labels in selectors
        for account in ACCOUNTS
    ]


def _anybody(random: Random, gateways: list[Proxy]) -> Asking:
    headers = {"x-v": random.choice(("1", "2"))} if random.random() < 0.3 else {}
    path, method = random.choice((*PATHS, "/unknown")), random.choice(("GET", "GET", "POST"))
    asked: dict[str, Any] = {"method": method, "path": path, "headers": headers}
    choice = random.random()
    if choice < 0.3:
        port, scheme = random.choice(((80, "http"), (80, "http"), (443, "https")))
        host = random.choice(("shop.example.com", "other.test", "x.example.com"))
        return Asking(Request(host, port=port, scheme=scheme, **asked), random.choice(gateways))
    if choice < 0.5:
        labels = {"app": random.choice(APPS), "version": random.choice(("v1", "v2"))}
        named = (f"{where}/sa/{who}" for where in ("web", "shop", "x") for who in ACCOUNTS)
        principal = random.choice(["", *(f"cluster.local/ns/{one}" for one in named)])
        request = Request("a.shop.svc.cluster.local", port=8080, principal=principal, **asked)
        return Asking(request, server=Server("shop", labels, 8080))
    where = random.choice(("web", "shop", "x", "istio-system"))
    labels = random.choice(({}, {"app": "a"}, {"app": "b"}))
    proxy = Proxy(ProxyKind.SIDECAR, where, labels, random.choice(ACCOUNTS))
    names = [f"{app}.{space}.svc.cluster.local" for app in "abc" for space in ("shop", "web")]
    host = random.choice((*names, *EXTERNAL, "shop.example.com", "a", "b.shop"))
    return Asking(Request(host, port=random.choice((80, 80, 8080)), **asked), proxy)
