"""Concrete requests that stand for all: every text that any version at hand names, and fresh ones.

This enumerates on its own what the prover derives from the matched rules: it collects the literals
of all objects that speak for a host and takes their whole product.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import product
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.resource import Resource
from meshplan.traffic import Request
from meshplan.verify.samples import samples

#: In no manifest, so that it matches only what matches anything.
FRESH = "zq0"
_ROUTES = frozenset({"VirtualService", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"})
_POLICIES = frozenset({"AuthorizationPolicy", "RequestAuthentication"})


#: Keys of conditions that say who sends a request, or to which port.
_OF_SENDERS = frozenset(f"source.{name}" for name in ("principal", "namespace", "serviceAccount"))
_OF_SENDERS |= {"destination.port"}
#: path, query or header, and the name of the parameter or header.
_Part = tuple[str, str]
_PATH = ("path", "")


@dataclass(slots=True)
class Literals:
    """The texts that some objects compare parts of a request with."""

    paths: set[str] = field(default_factory=lambda: {"/", f"/{FRESH}"})
    methods: set[str] = field(default_factory=lambda: {"GET"})
    headers: dict[str, set[str | None]] = field(default_factory=dict)
    queries: dict[str, set[str | None]] = field(default_factory=dict)
    #: Names that clients may ask by, and beginnings of such.
    hosts: set[str] = field(default_factory=set)
    beginnings: set[str] = field(default_factory=set)
    #: Whether it counts in which form a client writes the host.
    by_name: bool = False
    #: Whether something is compared that literals cannot stand for.
    opaque: bool = False
    #: Whether policies look at what no request shows, such as whether a token is valid.
    undecided: bool = False
    #: Of each part that is compared with patterns as well (a path, a header, a parameter): those
    #: patterns, and the literals as they are written.
    patterns: dict[_Part, set[str]] = field(default_factory=dict)
    stated: dict[_Part, set[str]] = field(default_factory=dict)
    folded: bool = False

    def add(self, resource: Resource) -> None:
        """Take in what one object compares with."""
        routes = resource.id.kind in _ROUTES
        self.undecided |= resource.spec.get("action") == "CUSTOM" and not routes
        # The hosts that a route is for are looked at one by one.
        self._walk({k: v for k, v in resource.spec.items() if k != "hosts" or not routes})

    def _walk(self, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self._field(key, inner)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for inner in value:
                self._walk(inner)

    def _field(self, key: str, inner: Any) -> None:
        if isinstance(inner, Mapping):
            self._mapping(key, inner)
        elif isinstance(inner, Sequence) and not isinstance(inner, str):
            self._list(key, inner)
        elif key == "method":
            self._text({"exact": inner}, self._method)
        elif key == "ignoreUriCase":
            self.folded |= bool(inner)

    def _mapping(self, key: str, inner: Mapping[str, Any]) -> None:
        match key:
            case "uri":
                self._text(inner, self._path, _PATH)
            case "path" if inner.get("type") == "RegularExpression":
                self.patterns.setdefault(_PATH, set()).add(str(inner.get("value")))
            case "path":
                self._path(str(inner.get("value", "/")))
            case "method" if inner.keys() & {"service", "method"}:
                self._call(inner)
            case "method":
                self._text(inner, self._method)
            case "headers" | "withoutHeaders" | "queryParams":
                table = self.queries if key == "queryParams" else self.headers
                for name, match in inner.items():
                    if isinstance(match, Mapping) and name not in ("request", "response"):
                        self._compared(table, str(name), match)
            case "authority":
                self._authority(inner)
            case "scheme":
                pass
            case _:
                self._walk(inner)

    def _list(self, key: str, inner: Sequence[Any]) -> None:
        match key:
            case "headers" | "queryParams":
                table = self.queries if key == "queryParams" else self.headers
                for match in inner:
                    if isinstance(match, Mapping):
                        self._compared(table, str(match.get("name")), _stated(match))
            case "paths" | "notPaths":
                for text in inner:
                    self._path(str(text).replace("*", ""))
                    self._path("/" + FRESH + str(text).replace("*", ""))
            case "methods" | "notMethods":
                self.methods.update({*map(str, inner), "POST"})
            case "sniHosts":
                self.hosts.update(concrete(str(text).lower()) for text in inner)
            case "hosts" | "notHosts":
                self._hosts(map(str, inner))
            case "when":
                for condition in inner:
                    if isinstance(condition, Mapping):
                        self._when(str(condition.get("key")), condition)
            case (
                "jwtRules"
                | "requestPrincipals"
                | "notRequestPrincipals"
                | "ipBlocks"
                | "remoteIpBlocks"
            ):
                self.undecided |= bool(inner)
            case "notIpBlocks" | "notRemoteIpBlocks":
                self.undecided |= bool(inner)
            case _:
                self._walk(inner)

    def _when(self, key: str, condition: Mapping[str, Any]) -> None:
        """A condition of a policy; who sends a request, and to which port, is asked elsewhere."""
        if key.startswith("request.headers[") and key.endswith("]"):
            for value in (*(condition.get("values") or ()), *(condition.get("notValues") or ())):
                text = str(value).replace("*", "")
                name = key[len("request.headers[") : -1]
                self._compared(self.headers, name, {"exact": text, "prefix": FRESH + text})
        elif key not in _OF_SENDERS:
            self.undecided = True

    def _call(self, inner: Mapping[str, Any]) -> None:
        """A method of a gRPC service, which is a path; either part may be left open."""
        self.opaque |= inner.get("type") == "RegularExpression"
        for service in {str(inner.get("service", FRESH)), FRESH}:
            for method in {str(inner.get("method", FRESH)), FRESH}:
                self.paths.add(f"/{service}/{method}")
                self.stated.setdefault(_PATH, set()).add(f"/{service}/{method}")

    def _method(self, text: str) -> None:
        self.methods.update({text, text + FRESH, "POST"})

    def _authority(self, match: Mapping[str, Any]) -> None:
        self.by_name = True
        self.opaque |= "regex" in match
        if isinstance(match.get("exact"), str):
            self.hosts.add(match["exact"])
        if isinstance(match.get("prefix"), str):
            self.beginnings.add(match["prefix"])

    def _hosts(self, stated: Iterable[str]) -> None:
        """Hosts of a policy, with a star at either end of some."""
        self.by_name = True
        for text in stated:
            if text.endswith("*"):
                self.beginnings.add(text[:-1])
            else:
                self.hosts.add(concrete(text))

    def _compared(
        self, table: dict[str, set[str | None]], name: str, match: Mapping[str, Any]
    ) -> None:
        name = name.lower() if table is self.headers else name
        if name.startswith("@request.auth"):
            self.opaque = True
            return
        if table is self.headers and name in ("host", ":authority"):
            self._authority(match)
            return
        values = table.setdefault(name, {None, FRESH})
        part = ("header" if table is self.headers else "query", name)
        stated = self.stated.setdefault(part, set())
        stated.update(str(match[kind]) for kind in ("exact", "prefix") if kind in match)
        self._text(match, lambda text: values.update({text, text + FRESH}), part)

    def _text(self, match: Mapping[str, Any], add: Any, part: _Part | None = None) -> None:
        for kind in ("exact", "prefix"):
            if isinstance(match.get(kind), str):
                add(match[kind])
        if "regex" in match and part is not None:
            self.patterns.setdefault(part, set()).add(str(match["regex"]))
        else:
            self.opaque |= "regex" in match

    def complete(self) -> None:
        """Add a text for every way in which the patterns of a part may answer, once all are known."""
        for part, found in self.patterns.items():
            kind, name = part
            texts = samples(sorted(found), sorted(self.stated.get(part, ())), kind)
            is_more = self.folded or any("{" in text for text in self.stated.get(_PATH, ()))
            if texts is None or (kind == "path" and is_more):
                self.opaque = True
            elif kind == "path":
                self.paths |= texts
            else:
                table = self.queries if kind == "query" else self.headers
                table.setdefault(name, {None, FRESH}).update(texts)

    def _path(self, text: str) -> None:
        self.stated.setdefault(_PATH, set()).add(text)
        if text.startswith("/"):
            end = "" if text.endswith("/") else "/"
            self.paths |= {text, text + FRESH, f"{text}{end}{FRESH}", text.rstrip("/") or "/"}

    @property
    def size(self) -> int:
        """How many requests the product has."""
        size = len(self.paths) * len(self.methods)
        for values in (*self.headers.values(), *self.queries.values()):
            size *= len(values)
        return size

    @property
    def is_empty(self) -> bool:
        """Whether nothing in a request is looked at."""
        return self.size == 2 and not (self.opaque or self.undecided or self.by_name)

    def under(self, host: str) -> tuple[str, ...]:
        """A host; where it stands for a wildcard, each name under that which something compares."""
        if not host.startswith(FRESH):
            return (host,)
        end = "" if host == concrete("*") else host.removeprefix(FRESH)
        found = {name for name in self.hosts if name.endswith(end)}
        found |= {
            start if start.endswith(end) and end else f"{start}{FRESH}{end}"
            for start in self.beginnings
        }
        return (host, *sorted(found - {host}))

    def forms(self, host: str, port: int, *, by_routes: bool) -> tuple[str, ...]:
        """The ways to write a host that may fare differently: a Service has short names, which no
        wildcard of a route means (`by_routes`), and the port may be there.
        """
        stem, is_service, _ = host.partition(".svc.")
        short = is_service and (by_routes or self.by_name)
        names = (host, stem.partition(".")[0], stem, f"{stem}.svc") if short else self.under(host)
        return (*names, *(f"{name}:{port}" for name in names)) if self.by_name else names

    def requests(self, hosts: Sequence[str], port: int, scheme: str) -> Iterator[Request]:
        """The whole product for the ways to write one host."""
        headers = tuple(_choices(self.headers))
        queries = tuple(_choices(self.queries))
        for name, path, method in product(hosts, sorted(self.paths), sorted(self.methods)):
            for sent, asked in product(headers, queries):
                query = "&".join(f"{key}={value}" for key, value in asked.items())
                full = f"{path}?{query}" if query else path
                yield Request(name, method, full, sent, port, scheme)


def _choices(table: Mapping[str, set[str | None]]) -> Iterator[dict[str, str]]:
    """Every way to send each of some names with one of its values, or not at all."""
    pools = [sorted(values, key=lambda v: v or "") for values in table.values()]
    for values in product(*pools):
        yield {n: v for n, v in zip(table, values, strict=True) if v is not None}


def _stated(match: Mapping[str, Any]) -> Mapping[str, Any]:
    """A match of the Gateway API in the form that Istio's have."""
    kind = "regex" if match.get("type") == "RegularExpression" else "exact"
    return {kind: match.get("value")}


#: What a route may do that depends on the rest of the request.
_CHANGING = frozenset({"rewrite", "redirect", "urlRewrite", "requestRedirect", "directResponse"})


def rewrites(value: Any) -> bool:
    """Whether a route changes the path or sends the client elsewhere."""
    if isinstance(value, Mapping):
        return not _CHANGING.isdisjoint(value) or any(rewrites(inner) for inner in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(rewrites(inner) for inner in value)
    return False


def literals(resources: Iterable[Resource]) -> Literals:
    """The texts of all routes and policies among `resources`."""
    found = Literals()
    for resource in resources:
        if resource.id.kind in _ROUTES | _POLICIES:
            found.add(resource)
    found.complete()
    return found


def concrete(host: str) -> str:
    """A host name that a pattern means."""
    if host == "*":
        return f"{FRESH}.example"
    return f"{FRESH}{host[1:]}" if host.startswith("*") else host
