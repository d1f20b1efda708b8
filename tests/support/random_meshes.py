"""Small random pairs of revisions, plans between them, and requests that clients may send."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.resource import Origin, Resource, Snapshot
from meshplan.traffic.request import Request

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
NAMESPACES = ("shop", "web", "istio-system")
APPS = ("a", "b")
SUBSETS = ("v1", "v2", "blue")
PATHS = ("/", "/x", "/x/y", "/xy", "/api", "/api/z", "/old")
EXTERNAL = ("out.example.com", "api.shop.test")

Object = dict[str, Any]


def resource(value: Object) -> Resource:
    """An object as a resource."""
    group, _, _ = value["apiVersion"].rpartition("/")
    meta = value["metadata"]
    id_ = ResourceId(group, value["kind"], meta.get("namespace", ""), meta["name"])
    return Resource(id_, value["apiVersion"], value, Origin("random.yaml"))


def _object(group: str, kind: str, namespace: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": f"{group}/v1" if group else "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


class Maker:
    """Makes objects; everything is drawn from a few names, so that they meet."""

    def __init__(self, random: Random):
        self.random = random

    def pick(self, *choices: Any) -> Any:
        """One of some choices."""
        return self.random.choice(choices)

    def chance(self, percent: int) -> bool:
        """Whether something happens."""
        return self.random.randrange(100) < percent

    def host(self) -> str:
        """A host that somebody may serve."""
        name = self.pick("a", "a", "b")
        where = self.pick("shop", "shop", "shop", "web")
        if self.chance(70):
            return f"{name}.shop.svc.cluster.local"
        return self.pick(
            f"{name}.{where}.svc.cluster.local", f"{name}.shop.svc.cluster.local", *EXTERNAL
        )

    def deployment(self, name: str) -> Object:
        app, version = self.pick(*APPS), self.pick("v1", "v2")
        labels = {"app": app, "version": version}
        account = {"serviceAccountName": self.pick("one", "two")} if self.chance(50) else {}
        found = _object(
            "apps",
            "Deployment",
            self.pick("shop", "shop", "shop", "web"),
            name,
            {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "c"}], **account},
                },
            },
        )
        if self.chance(10):
            found["spec"]["replicas"] = 0
        return found

    def service(self, name: str) -> Object:
        port = self.pick(80, 80, 8080)
        spec = {
            "selector": {"app": self.pick(name, *APPS)},
            "ports": [
                {
                    "name": self.pick("http", "http", "http", "tcp", ""),
                    "port": port,
                    "targetPort": 8080,
                }
            ],
        }
        found = _object("", "Service", self.pick("shop", "shop", "web"), name, spec)
        if self.chance(15):
            found["metadata"]["annotations"] = {
                "networking.istio.io/exportTo": self.pick(".", "web", "*")
            }
        return found

    def entry(self, name: str) -> Object:
        spec: Object = {
            "hosts": self.random.sample(EXTERNAL, self.pick(1, 1, 2)),
            "ports": [{"number": self.pick(80, 8080), "name": "http", "protocol": "HTTP"}],
            "resolution": self.pick("STATIC", "DNS", "NONE"),
            "location": self.pick("MESH_INTERNAL", "MESH_EXTERNAL"),
        }
        if spec["resolution"] == "STATIC":
            spec["endpoints"] = [
                {"address": f"10.0.0.{self.pick(1, 2)}", "labels": {"version": "v1"}}
            ]
        if self.chance(20):
            spec["exportTo"] = [self.pick(".", "web", "*")]
        return _object(NETWORKING, "ServiceEntry", self.pick("shop", "web"), name, spec)

    def rule(self, name: str) -> Object:
        names = self.random.sample(SUBSETS, self.pick(0, 1, 2, 3))
        spec: Object = {
            "host": self.pick(self.host(), self.host(), "*.shop.svc.cluster.local", "a", "b"),
            "subsets": [{"name": n, "labels": {"version": self.pick("v1", "v2")}} for n in names],
        }
        if self.chance(30):
            spec["trafficPolicy"] = {
                "tls": {"mode": self.pick("DISABLE", "ISTIO_MUTUAL", "ISTIO_MUTUAL")}
            }
        if self.chance(20):
            spec["exportTo"] = [self.pick(".", "web", "*", "shop")]
        if self.chance(10):
            spec["workloadSelector"] = {"matchLabels": {"app": self.pick(*APPS)}}
        return _object(
            NETWORKING,
            "DestinationRule",
            self.pick("shop", "shop", "web", "istio-system"),
            name,
            spec,
        )

    def match(self) -> Object:
        found: Object = {}
        if self.chance(60):
            kind = self.pick("exact", "prefix", "prefix", "regex")
            value = (
                self.pick(*PATHS)
                if kind != "regex"
                else self.pick("/x.*", "/[a-z]+", "^/api(/.*)?$")
            )
            found["uri"] = {kind: value}
            if self.chance(15):
                found["ignoreUriCase"] = True
        if self.chance(25):
            found["headers"] = {
                "x-v": self.pick({"exact": "1"}, {"prefix": "1"}, {}, {"regex": "1+"})
            }
        if self.chance(10):
            found["withoutHeaders"] = {"x-w": self.pick({"exact": "1"}, {})}
        if self.chance(15):
            found["method"] = {"exact": self.pick("GET", "POST")}
        if self.chance(10):
            found["queryParams"] = {"q": {"exact": "1"}}
        if self.chance(10):
            found["sourceNamespace"] = self.pick("web", "shop")
        if self.chance(10):
            found["sourceLabels"] = {"app": self.pick(*APPS)}
        if self.chance(5):
            found["gateways"] = [self.pick("mesh", "web/gw")]
        return found

    def destination(self) -> Object:
        found: Object = {"host": self.pick(self.host(), self.host(), "a", "b")}
        if self.chance(50):
            found["subset"] = self.pick(*SUBSETS)
        if self.chance(15):
            found["port"] = {"number": self.pick(80, 8080)}
        return found

    def http(self) -> Object:
        found: Object = {}
        if self.chance(60):
            found["match"] = [self.match() for _ in range(self.pick(1, 1, 2))]
        kind = self.random.randrange(20)
        if kind == 0:
            found["redirect"] = {"uri": "/new"}
        elif kind == 1:
            found["directResponse"] = {"status": self.pick(200, 503)}
        else:
            count = self.pick(1, 1, 1, 2)
            found["route"] = [{"destination": self.destination()} for _ in range(count)]
            if count == 2:
                first = self.pick(0, 10, 50, 100)
                found["route"][0]["weight"], found["route"][1]["weight"] = first, 100 - first
            if self.chance(15):
                found["rewrite"] = {"uri": self.pick("/", "/api", "/x")}
            if self.chance(15):
                found["timeout"] = self.pick("1s", "2s")
        return found

    def route(self, name: str) -> Object:
        spec: Object = {
            "hosts": [
                self.pick(
                    self.host(),
                    self.host(),
                    "a",
                    "*.shop.svc.cluster.local",
                    "*.test",
                    "shop.example.com",
                )
            ],
            "http": [self.http() for _ in range(self.pick(1, 1, 2, 3))],
        }
        if self.chance(40):
            spec["gateways"] = self.pick(["web/gw"], ["mesh", "web/gw"], ["web/gw2"])
        if self.chance(15):
            spec["exportTo"] = [self.pick(".", "web", "*")]
        return _object(NETWORKING, "VirtualService", self.pick("shop", "web", "web"), name, spec)

    def gateway(self, name: str) -> Object:
        spec = {
            "selector": {"istio": "ingress"},
            "servers": [
                {
                    "port": {"number": self.pick(80, 80, 8080), "name": "http", "protocol": "HTTP"},
                    "hosts": [
                        self.pick(
                            "*", "shop.example.com", "*.test", "a.shop.svc.cluster.local", "web/*"
                        )
                    ],
                }
            ],
        }
        return _object(NETWORKING, "Gateway", "web", name, spec)

    def sidecar(self, name: str) -> Object:
        hosts = self.random.sample(
            [
                "*/*",
                "./*",
                "shop/*",
                "*/a.shop.svc.cluster.local",
                "~/*",
                "web/*",
                f"*/{EXTERNAL[0]}",
            ],
            self.pick(1, 2),
        )
        spec: Object = {"egress": [{"hosts": hosts}]}
        if self.chance(30):
            spec["workloadSelector"] = {"labels": {"app": self.pick(*APPS)}}
        if self.chance(30):
            spec["outboundTrafficPolicy"] = {"mode": self.pick("REGISTRY_ONLY", "ALLOW_ANY")}
        return _object(
            NETWORKING, "Sidecar", self.pick("web", "web", "shop", "istio-system"), name, spec
        )

    def peer(self, name: str) -> Object:
        spec: Object = {"mtls": {"mode": self.pick("STRICT", "PERMISSIVE", "DISABLE")}}
        if self.chance(40):
            spec["selector"] = {"matchLabels": {"app": self.pick(*APPS)}}
            if self.chance(30):
                spec["portLevelMtls"] = {
                    "8080": {"mode": self.pick("STRICT", "PERMISSIVE", "DISABLE")}
                }
        return _object(
            SECURITY,
            "PeerAuthentication",
            self.pick("shop", "shop", "web", "istio-system"),
            name,
            spec,
        )

    def policy(self, name: str) -> Object:
        rule: Object = {}
        if self.chance(60):
            rule["from"] = [{"source": self.source()}]
        if self.chance(60):
            rule["to"] = [{"operation": self.operation()}]
        if self.chance(15):
            rule["when"] = [{"key": "request.headers[x-v]", "values": [self.pick("1", "1*", "*")]}]
        spec: Object = {"action": self.pick("ALLOW", "ALLOW", "DENY"), "rules": [rule]}
        if self.chance(60):
            spec["selector"] = {"matchLabels": {"app": self.pick(*APPS)}}
        return _object(
            SECURITY,
            "AuthorizationPolicy",
            self.pick("shop", "shop", "web", "istio-system"),
            name,
            spec,
        )

    def source(self) -> Object:
        return self.pick(
            {"namespaces": [self.pick("web", "shop")]},
            {
                "principals": [
                    self.pick(
                        "cluster.local/ns/web/sa/one", "cluster.local/ns/shop/*", "*/sa/two", "*"
                    )
                ]
            },
            {"notNamespaces": ["web"]},
        )

    def operation(self) -> Object:
        return self.pick(
            {"paths": [self.pick("/x", "/x*", "*/z", "/api/*", "*")]},
            {"methods": [self.pick("GET", "POST")]},
            {"notPaths": ["/x*"]},
            {"paths": ["/{*}/y"]},
            {"ports": ["8080"]},
            {"hosts": ["a.shop.svc.cluster.local"]},
        )

    def namespace(self, name: str) -> Object:
        found = _object("", "Namespace", "", name, {})
        del found["metadata"]["namespace"]
        found["metadata"]["labels"] = {"istio-injection": "enabled"}
        return found


_MAKERS = (
    "deployment",
    "service",
    "entry",
    "rule",
    "route",
    "gateway",
    "sidecar",
    "peer",
    "policy",
)
_WEIGHTS = (4, 4, 2, 4, 6, 2, 1, 1, 2)


def _aged(value: Object, serial: int) -> Object:
    time = f"2020-01-01T00:{serial // 60:02d}:{serial % 60:02d}Z"
    return {**value, "metadata": {**value["metadata"], "creationTimestamp": time}}


@dataclass(frozen=True)
class Pair:
    """Two revisions."""

    base: Snapshot
    head: Snapshot

    @property
    def steps(self) -> list[Step]:
        """One step for each object that differs."""
        found: list[Step] = []
        for id_ in sorted({*self.base, *self.head}):
            old, new = self.base.get(id_), self.head.get(id_)
            if new is None:
                assert old is not None
                found.append(Remove(id_, old.api_version, ""))
            elif old is None or old.manifest != new.manifest:
                found.append(Apply(new, ""))
        return found


def pair(random: Random, changes: int) -> Pair:
    """Two revisions that differ in a few objects; every object has a time of creation."""
    make = Maker(random)
    base: dict[ResourceId, Object] = {}
    serial = 0

    def add(to: dict[ResourceId, Object], kind: str) -> None:
        nonlocal serial
        serial += 1
        name = random.choice(("a", "b", "c")) if kind != "gateway" else random.choice(("gw", "gw2"))
        value = getattr(make, kind)(name)
        id_ = resource(value).id
        if id_ not in base:
            to[id_] = _aged(value, serial if to is base else 1000 + serial)

    for name in NAMESPACES:
        value = make.namespace(name)
        base[resource(value).id] = value
    for app in APPS:
        for kind in ("service", "deployment", "deployment"):
            if make.chance(80):
                add(base, kind)
        del app
    for _ in range(random.randrange(3, 9)):
        add(base, random.choices(_MAKERS, _WEIGHTS)[0])
    head = dict(base)
    for _ in range(changes):
        what = random.random()
        candidates = [i for i in sorted(base) if i.kind != "Namespace" and head.get(i) == base[i]]
        if what < 0.3 or not candidates:
            add(head, random.choices(_MAKERS, _WEIGHTS)[0])
        elif what < 0.5:
            del head[random.choice(candidates)]
        else:
            id_ = random.choice(candidates)
            head[id_] = _changed(make, id_, base[id_])
    return Pair(_snapshot(base), _snapshot(head))


_OF_KIND = {
    "Deployment": "deployment",
    "Service": "service",
    "ServiceEntry": "entry",
    "DestinationRule": "rule",
    "VirtualService": "route",
    "Gateway": "gateway",
    "Sidecar": "sidecar",
    "PeerAuthentication": "peer",
    "AuthorizationPolicy": "policy",
}


def _changed(make: Maker, id_: ResourceId, old: Object) -> Object:
    """Another content under the same name; often only a part of it differs."""
    new = getattr(make, _OF_KIND[id_.kind])(id_.name)
    if id_.kind == "VirtualService" and make.chance(60):
        new["spec"]["hosts"] = old["spec"]["hosts"]
        new["spec"].pop("gateways", None)
        if "gateways" in old["spec"]:
            new["spec"]["gateways"] = old["spec"]["gateways"]
    if id_.kind == "DestinationRule" and make.chance(70):
        new["spec"]["host"] = old["spec"]["host"]
    if id_.kind == "Service" and make.chance(50):
        new["spec"]["selector"] = old["spec"]["selector"]
    return {**old, "spec": new["spec"]}


def _snapshot(objects: dict[ResourceId, Object]) -> Snapshot:
    return Snapshot(resource(value) for value in objects.values())


def plan(random: Random, steps: list[Step]) -> Plan:
    """The steps in some order, in some waves, with gates that wait for everything."""
    steps = list(steps)
    random.shuffle(steps)
    waves: list[list[Step]] = []
    for step in steps:
        if waves and random.random() < 0.4 and len(waves[-1]) < 3:
            waves[-1].append(step)
        else:
            waves.append([step])
    return Plan(tuple(Wave(tuple(wave), Gate(GateKind.DRAINED, "")) for wave in waves))


@dataclass(frozen=True)
class Sent:
    """A request and who sends it."""

    proxy: Proxy
    request: Request


def requests(random: Random, found: Pair, count: int) -> Iterator[Sent]:
    """Requests that anybody might send."""
    hosts = [
        *(f"{app}.{where}.svc.cluster.local" for app in APPS for where in ("shop", "web")),
        *EXTERNAL,
        "shop.example.com",
        "other.test",
        "nobody.example.com",
        "a",
        "b.shop",
        "a.shop.svc",
        "c.shop.svc.cluster.local",
    ]
    del found
    for _ in range(count):
        headers = {}
        for name, values in (("x-v", ("1", "11", "2", "")), ("x-w", ("1", "2"))):
            if random.random() < 0.3:
                headers[name] = random.choice(values)
        path = random.choice((*PATHS, "/X", "/q/y", "/x/", "/unknown", "/apiz", "/old/1"))
        if random.random() < 0.15:
            path += random.choice(("?q=1", "?q=2", "?q", "?r=1"))
        at_gateway = random.random() < 0.3
        kind = ProxyKind.GATEWAY if at_gateway else ProxyKind.SIDECAR
        namespace = "web" if at_gateway else random.choice(("web", "shop", "other", "istio-system"))
        labels = (
            {"istio": "ingress"} if at_gateway else random.choice(({}, {"app": "a"}, {"app": "b"}))
        )
        account = "default" if at_gateway else random.choice(("default", "one", "two"))
        yield Sent(
            Proxy(kind, namespace, labels, account),
            Request(
                random.choice(hosts),
                method=random.choice(("GET", "GET", "POST", "OPTIONS")),
                path=path,
                headers=headers,
                port=random.choice((80, 80, 8080)),
            ),
        )
