"""VirtualServices as written, with all names in full; also what Gateway API routes become."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.hosts import resolve_gateway_name, resolve_short_name
from meshplan.mesh.read import at, labels, mapping, mappings, number, text, texts
from meshplan.resource import Resource

#: The name that stands for the sidecars in `gateways`.
MESH_GATEWAY = "mesh"


class Semantics(StrEnum):
    """Which API a route is from; Envoy is told slightly different things for each."""

    ISTIO = "istio"
    GATEWAY_API = "gateway"


class MatchKind(StrEnum):
    """How a text is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"
    #: Only that it is there: an empty match.
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class StringMatch:
    """A condition on a text."""

    kind: MatchKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests go: a host in full, a subset, a port (0 where none is named), a weight."""

    host: str
    subset: str = ""
    port: int = 0
    weight: int = 0
    #: `headers` of the destination as written.
    headers: Mapping[str, Any] = field(default_factory=dict)
    #: Why the reference cannot be followed: only for routes of the Gateway API.
    invalid: str = ""


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """One match of an HTTP rule; all that it says has to be true."""

    pointer: str
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: Mapping[str, StringMatch] = field(default_factory=dict)
    without_headers: Mapping[str, StringMatch] = field(default_factory=dict)
    query: Mapping[str, StringMatch] = field(default_factory=dict)
    ignore_uri_case: bool = False
    port: int = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    source_namespace: str = ""
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpRule:
    """One entry of `http`."""

    #: The object that wrote it (of a delegate, the delegate), and where in it.
    source: ResourceId
    pointer: str
    #: No matches: every request.
    matches: tuple[HttpMatch, ...] = ()
    destinations: tuple[Destination, ...] = ()
    mirrors: tuple[Destination, ...] = ()
    #: Namespace and name of the VirtualService that it delegates to.
    delegate: tuple[str, str] | None = None
    #: What it does besides, as written: redirect, directResponse, rewrite, timeout, retries, fault,
    #: headers, corsPolicy.
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class L4Match:
    """One match of a TLS or TCP rule."""

    pointer: str
    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    source_namespace: str = ""
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class L4Rule:
    """One entry of `tls` or `tcp`."""

    source: ResourceId
    pointer: str
    matches: tuple[L4Match, ...]
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class VirtualService:
    """Who a VirtualService is for; its rules are read when they are asked for."""

    id: ResourceId
    #: In full; none for a delegate.
    hosts: tuple[str, ...]
    #: `mesh`, or `namespace/name`.
    gateways: tuple[str, ...]
    #: As written; empty for the default of the mesh.
    export_to: frozenset[str]
    created: str
    resource: Resource
    semantics: Semantics = Semantics.ISTIO
    #: The rules of one that is made from routes of the Gateway API.
    made: tuple[HttpRule, ...] = ()
    made_tls: tuple[L4Rule, ...] = ()
    made_tcp: tuple[L4Rule, ...] = ()
    #: The name by which it is ordered; "" for that of the object.
    name: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Sorts the oldest first (`sortConfigByCreationTime`)."""
        return self.created, self.name or self.id.name, self.id.namespace

    @property
    def namespace(self) -> str:
        """Where it is written."""
        return self.id.namespace


def virtual_service_of(resource: Resource, domain: str) -> VirtualService:
    """A VirtualService with hosts and gateways in full (`resolveVirtualServiceShortnames`)."""
    spec = resource.spec
    namespace = resource.id.namespace
    gateways = texts(spec.get("gateways")) or (MESH_GATEWAY,)
    return VirtualService(
        id=resource.id,
        hosts=tuple(resolve_short_name(h, namespace, domain) for h in texts(spec.get("hosts"))),
        gateways=tuple(resolve_gateway_name(name, namespace) for name in gateways),
        export_to=frozenset(texts(spec.get("exportTo"))),
        created=creation_time(resource),
        resource=resource,
    )


_FIELDS = (
    "redirect",
    "directResponse",
    "rewrite",
    "timeout",
    "retries",
    "fault",
    "headers",
    "corsPolicy",
)


def http_rules_of(resource: Resource, domain: str) -> tuple[HttpRule, ...]:
    """The HTTP rules of a VirtualService as written, before delegation."""
    return tuple(
        _http_rule(resource, index, rule, domain)
        for index, rule in _numbered(resource.spec.get("http"))
    )


def _http_rule(resource: Resource, index: int, rule: Mapping[str, Any], domain: str) -> HttpRule:
    namespace = resource.id.namespace
    pointer = f"/spec/http/{index}"
    delegate = rule.get("delegate")
    mirrors = [mapping(entry.get("destination")) for entry in mappings(rule.get("mirrors"))]
    if isinstance(rule.get("mirror"), Mapping):
        mirrors.insert(0, rule["mirror"])
    return HttpRule(
        source=resource.id,
        pointer=pointer,
        matches=tuple(
            _http_match(match, f"{pointer}/match/{number_}", namespace)
            for number_, match in _numbered(rule.get("match"))
        ),
        destinations=_destinations(rule.get("route"), namespace, domain),
        mirrors=tuple(destination_of(entry, namespace, domain) for entry in mirrors),
        delegate=(text(delegate.get("namespace")) or namespace, text(delegate.get("name")))
        if isinstance(delegate, Mapping)
        else None,
        fields={key: rule[key] for key in _FIELDS if rule.get(key) is not None},
    )


def _http_match(match: Mapping[str, Any], pointer: str, namespace: str) -> HttpMatch:
    return HttpMatch(
        pointer=pointer,
        uri=_optional(match.get("uri")),
        scheme=_optional(match.get("scheme")),
        method=_optional(match.get("method")),
        authority=_optional(match.get("authority")),
        headers=_string_matches(match.get("headers")),
        without_headers=_string_matches(match.get("withoutHeaders")),
        query=_string_matches(match.get("queryParams")),
        ignore_uri_case=match.get("ignoreUriCase") is True,
        port=number(match.get("port")),
        source_labels=labels(match.get("sourceLabels")),
        source_namespace=text(match.get("sourceNamespace")),
        gateways=tuple(resolve_gateway_name(g, namespace) for g in texts(match.get("gateways"))),
    )


def l4_rules_of(resource: Resource, kind: str, domain: str) -> tuple[L4Rule, ...]:
    """The rules under `tls` or `tcp` of a VirtualService."""
    namespace = resource.id.namespace
    return tuple(
        L4Rule(
            source=resource.id,
            pointer=f"/spec/{kind}/{index}",
            matches=tuple(
                _l4_match(match, f"/spec/{kind}/{index}/match/{at_}", namespace)
                for at_, match in _numbered(rule.get("match"))
            ),
            destinations=_destinations(rule.get("route"), namespace, domain),
        )
        for index, rule in _numbered(resource.spec.get(kind))
    )


def _l4_match(match: Mapping[str, Any], pointer: str, namespace: str) -> L4Match:
    return L4Match(
        pointer=pointer,
        sni_hosts=texts(match.get("sniHosts")),
        destination_subnets=texts(match.get("destinationSubnets")),
        port=number(match.get("port")),
        source_labels=labels(match.get("sourceLabels")),
        source_namespace=text(match.get("sourceNamespace")),
        gateways=tuple(resolve_gateway_name(g, namespace) for g in texts(match.get("gateways"))),
    )


def destination_of(
    entry: Mapping[str, Any],
    namespace: str,
    domain: str,
    weight: int = 0,
    headers: Mapping[str, Any] | None = None,
) -> Destination:
    """A `destination` with its host in full."""
    return Destination(
        host=resolve_short_name(text(entry.get("host")), namespace, domain),
        subset=text(entry.get("subset")),
        port=number(at(entry, "port", "number")),
        weight=weight,
        headers=headers or {},
    )


def _destinations(value: object, namespace: str, domain: str) -> tuple[Destination, ...]:
    return tuple(
        destination_of(
            mapping(entry.get("destination")),
            namespace,
            domain,
            number(entry.get("weight")),
            mapping(entry.get("headers")),
        )
        for entry in mappings(value)
    )


def _numbered(value: object) -> Iterable[tuple[int, Mapping[str, Any]]]:
    return enumerate(mappings(value))


def string_match_of(value: object) -> StringMatch:
    """A StringMatch; an empty one only asks for presence."""
    found = mapping(value)
    for kind in (MatchKind.EXACT, MatchKind.PREFIX, MatchKind.REGEX):
        if isinstance(found.get(kind.value), str):
            return StringMatch(kind, found[kind.value])
    return StringMatch(MatchKind.PRESENT)


def _optional(value: object) -> StringMatch | None:
    return string_match_of(value) if isinstance(value, Mapping) else None


def _string_matches(value: object) -> Mapping[str, StringMatch]:
    return {str(name): string_match_of(match) for name, match in mapping(value).items()}
