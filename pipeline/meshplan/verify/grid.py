"""Concrete requests that stand for all: every text that any version at hand names, and fresh ones.

This enumerates on its own what the prover derives from the matched rules: it collects the literals
of all objects that speak for a host and takes their whole product.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.mesh.service import Port
from meshplan.mesh.workload import Workload
from meshplan.resource import Resource
from meshplan.traffic import Request, Server

#: In no manifest, so that it matches only what matches anything.
FRESH = "zq0"
_ROUTES = frozenset({"VirtualService", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"})
_POLICIES = frozenset({"AuthorizationPolicy", "RequestAuthentication"})


@dataclass(slots=True)
class Literals:
    """The texts that some objects compare parts of a request with."""

    paths: set[str] = field(default_factory=lambda: {"/", f"/{FRESH}"})
    methods: set[str] = field(default_factory=lambda: {"GET"})
    headers: dict[str, set[str | None]] = field(default_factory=dict)
    #: Whether something is compared that literals cannot stand for.
    opaque: bool = False

    def add(self, resource: Resource) -> None:
        """Take in what one object compares with."""
        self._walk(resource.spec)

    def _walk(self, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self._field(key, inner)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for inner in value:
                self._walk(inner)

    def _field(self, key: str, inner: Any) -> None:
        if key == "uri" and isinstance(inner, Mapping):
            self._text(inner, self._path)
        elif key == "path" and isinstance(inner, Mapping):
            self._path(str(inner.get("value", "/")))
            self.opaque |= inner.get("type") == "RegularExpression"
        elif key == "method":
            found = inner if isinstance(inner, Mapping) else {"exact": inner}
            self._text(found, lambda text: self.methods.update({text, text + FRESH, "POST"}))
        elif key in ("headers", "withoutHeaders") and isinstance(inner, Mapping):
            for name, match in inner.items():
                if isinstance(match, Mapping) and name not in ("request", "response"):
                    self._header(str(name).lower(), match)
        elif key == "headers" and isinstance(inner, Sequence) and not isinstance(inner, str):
            for match in inner:
                if isinstance(match, Mapping):
                    self._header(str(match.get("name")).lower(), {"exact": match.get("value")})
        elif key in ("queryParams", "authority", "scheme") and isinstance(inner, Mapping):
            self.opaque = True
        elif key in ("paths", "notPaths") and isinstance(inner, Sequence):
            for text in inner:
                self._path(str(text).replace("*", ""))
                self._path("/" + FRESH + str(text).replace("*", ""))
        elif key in ("methods", "notMethods") and isinstance(inner, Sequence):
            self.methods.update({*map(str, inner), "POST"})
        elif key in ("when", "jwtRules"):
            self.opaque = True
        else:
            self._walk(inner)

    def _header(self, name: str, match: Mapping[str, Any]) -> None:
        values = self.headers.setdefault(name, {None, FRESH})
        self._text(match, lambda text: values.update({text, text + FRESH}))

    def _text(self, match: Mapping[str, Any], add: Any) -> None:
        for kind in ("exact", "prefix"):
            if isinstance(match.get(kind), str):
                add(match[kind])
        self.opaque |= "regex" in match

    def _path(self, text: str) -> None:
        if text.startswith("/"):
            end = "" if text.endswith("/") else "/"
            self.paths |= {text, text + FRESH, f"{text}{end}{FRESH}", text.rstrip("/") or "/"}

    @property
    def size(self) -> int:
        """How many requests the product has."""
        size = len(self.paths) * len(self.methods)
        for values in self.headers.values():
            size *= len(values)
        return size

    def requests(self, host: str, port: int, scheme: str) -> Iterator[Request]:
        """The whole product for one host."""
        names = sorted(self.headers)
        pools = [sorted(self.headers[name], key=lambda v: v or "") for name in names]
        for path, method in product(sorted(self.paths), sorted(self.methods)):
            for values in product(*pools):
                headers = {n: v for n, v in zip(names, values, strict=True) if v is not None}
                yield Request(host, method, path, headers, port, scheme)


def literals(resources: Iterable[Resource]) -> Literals:
    """The texts of all routes and policies among `resources`."""
    found = Literals()
    for resource in resources:
        if resource.id.kind in _ROUTES | _POLICIES:
            found.add(resource)
    return found


def clients(meshes: Sequence[Mesh]) -> tuple[Proxy, ...]:
    """Gateways and sidecars of every kind that any of the states has, and one of neither."""
    found: dict[Proxy, None] = {}
    namespaces = {id_.namespace for mesh in meshes for id_ in mesh.snapshot if id_.namespace}
    for mesh in meshes:
        for gateway in mesh.gateways:
            selector = dict(gateway.selector or {})
            for namespace in sorted({*_homes(mesh, selector), gateway.id.namespace}):
                found[Proxy(ProxyKind.GATEWAY, namespace, selector)] = None
        for workload in mesh.workloads:
            labels = dict(workload.labels)
            account = workload.service_account
            found[Proxy(ProxyKind.SIDECAR, workload.namespace, labels, account)] = None
    for namespace in (*sorted(namespaces), FRESH):
        found[Proxy(ProxyKind.SIDECAR, namespace)] = None
    return tuple(found)


def _homes(mesh: Mesh, selector: Mapping[str, str]) -> set[str]:
    """Where pods with all labels of a selector run."""
    wanted = selector.items()
    return {w.namespace for w in mesh.workloads if wanted <= w.labels.items()}


def concrete(host: str) -> str:
    """A host name that a pattern means."""
    if host == "*":
        return f"{FRESH}.example"
    return f"{FRESH}{host[1:]}" if host.startswith("*") else host


def servers(meshes: Sequence[Mesh]) -> tuple[tuple[Server, frozenset[str]], ...]:
    """Every workload and port that a client may ask directly, with the hosts that lead to it."""
    found: dict[tuple[str, frozenset[tuple[str, str]], int], set[str]] = {}
    for mesh in meshes:
        for service in mesh.registry.services:
            for workload in mesh.workloads_of(service):
                labels = frozenset(workload.labels.items())
                for port in service.ports:
                    number = _listening(port, workload)
                    key = (workload.namespace, labels, number)
                    found.setdefault(key, set()).add(service.host)
    return tuple(
        (Server(namespace, dict(labels), number), frozenset(hosts))
        for (namespace, labels, number), hosts in sorted(found.items(), key=repr)
    )


def _listening(port: Port, workload: Workload) -> int:
    if isinstance(port.target, int):
        return port.target or port.number
    return workload.ports.get(port.target, port.number)


def principals(meshes: Sequence[Mesh]) -> tuple[str, ...]:
    """The identities of all workloads, those that policies name, and one that nobody names."""
    found = {f"cluster.local/ns/{FRESH}/sa/{FRESH}"}
    for mesh in meshes:
        domain = mesh.config.trust_domain
        for workload in mesh.workloads:
            found.add(f"{domain}/ns/{workload.namespace}/sa/{workload.service_account}")
        for policy in mesh.snapshot.of_kind("security.istio.io", "AuthorizationPolicy"):
            found |= {text.replace("*", FRESH) for text in _named(policy.spec)}
    return tuple(sorted(found))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("principals", "notPrincipals"):
                yield from (str(text) for text in inner)
            else:
                yield from _named(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _named(inner)
