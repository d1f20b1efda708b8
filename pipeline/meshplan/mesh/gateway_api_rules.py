"""The rules of routes of the Gateway API, in the words of VirtualServices."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from meshplan.mesh.read import at, mapping, mappings, number, text, texts
from meshplan.mesh.virtual_service import (
    Destination,
    HttpMatch,
    HttpRule,
    L4Rule,
    MatchKind,
    StringMatch,
)
from meshplan.resource import Resource

#: Follows a reference to a backend.
Backend = Callable[[Mapping[str, Any]], Destination]

_KINDS = {"Exact": MatchKind.EXACT, "RegularExpression": MatchKind.REGEX}
#: The filters of a single backend.
_MODIFIERS = ("RequestHeaderModifier", "ResponseHeaderModifier")


class Unsupported(Exception):  # noqa: N818 - it is no error of ours
    """istiod refuses the rule, and with it the whole route."""


def http_rules(resource: Resource, backend: Backend) -> Iterator[HttpRule]:
    """The rules of an HTTPRoute, one for each match (`convertHTTPRoute`)."""
    for index, rule in enumerate(mappings(resource.spec.get("rules"))):
        pointer = f"/spec/rules/{index}"
        fields = _fields(rule)
        converted = HttpRule(resource.id, pointer, fields=fields)
        converted = _with_backends(converted, rule, backend)
        for number_, match in enumerate(mappings(rule.get("matches"))):
            made = _http_match(match, f"{pointer}/matches/{number_}")
            yield replace(converted, pointer=made.pointer, matches=(made,))
        if not mappings(rule.get("matches")):
            # The API server fills in a prefix of `/` where no match is written.
            any_path = StringMatch(MatchKind.PREFIX, "/")
            yield replace(converted, matches=(HttpMatch(pointer, uri=any_path),))


def grpc_rules(resource: Resource, backend: Backend) -> Iterator[HttpRule]:
    """The rules of a GRPCRoute, one for each match (`convertGRPCRoute`)."""
    for index, rule in enumerate(mappings(resource.spec.get("rules"))):
        pointer = f"/spec/rules/{index}"
        converted = HttpRule(resource.id, pointer, fields=_fields(rule))
        converted = _with_backends(converted, rule, backend)
        for number_, match in enumerate(mappings(rule.get("matches"))):
            place = f"{pointer}/matches/{number_}"
            made = HttpMatch(
                pointer=place,
                uri=_grpc_path(match.get("method")),
                headers=_named_matches(match.get("headers")),
            )
            yield replace(converted, pointer=place, matches=(made,))
        if not mappings(rule.get("matches")):
            yield converted


def l4_rule(resource: Resource, index: int, rule: Mapping[str, Any], backend: Backend) -> L4Rule:
    """A rule of a TLSRoute or TCPRoute, without its matches."""
    destinations = _backends(rule, backend)
    if not destinations:
        destinations = (Destination("", invalid="no backend has any weight"),)
    return L4Rule(resource.id, f"/spec/rules/{index}", (), destinations)


def _with_backends(rule: HttpRule, entry: Mapping[str, Any], backend: Backend) -> HttpRule:
    if not _weight(entry) and "redirect" not in rule.fields:
        # The specification wants 500 where no backend has any weight.
        return replace(rule, fields={**rule.fields, "directResponse": {"status": 500}})
    mirrors = tuple(
        backend(mapping(at(found, "requestMirror", "backendRef")))
        for found in mappings(entry.get("filters"))
        if found.get("type") == "RequestMirror"
    )
    mirrors = tuple(mirror for mirror in mirrors if not mirror.invalid)
    return replace(rule, destinations=_backends(entry, backend), mirrors=mirrors)


def _weight(rule: Mapping[str, Any]) -> int:
    return sum(number(ref.get("weight", 1)) for ref in mappings(rule.get("backendRefs")))


def _backends(rule: Mapping[str, Any], backend: Backend) -> tuple[Destination, ...]:
    """Those with a weight; a single one takes everything (`buildHTTPDestination`)."""
    refs = [ref for ref in mappings(rule.get("backendRefs")) if number(ref.get("weight", 1))]
    if any(f.get("type") not in _MODIFIERS for ref in refs for f in mappings(ref.get("filters"))):
        raise Unsupported
    return tuple(
        replace(
            backend(ref),
            weight=number(ref.get("weight", 1)) if len(refs) > 1 else 0,
            headers=_headers(ref) or {},
        )
        for ref in refs
    )


def _http_match(match: Mapping[str, Any], pointer: str) -> HttpMatch:
    method = text(match.get("method"))
    return HttpMatch(
        pointer=pointer,
        uri=_path(mapping(match.get("path"))),
        method=StringMatch(MatchKind.EXACT, method) if method else None,
        headers=_named_matches(match.get("headers")),
        query=_named_matches(match.get("queryParams")),
    )


def _path(path: Mapping[str, Any]) -> StringMatch:
    value = text(path.get("value")) or "/"
    match path.get("type", "PathPrefix"):
        case "PathPrefix":
            return StringMatch(MatchKind.PREFIX, value.removesuffix("/") or "/")
        case "Exact":
            return StringMatch(MatchKind.EXACT, value)
        case "RegularExpression":
            return StringMatch(MatchKind.REGEX, value)
        case _:
            raise Unsupported


def _grpc_path(method: object) -> StringMatch | None:
    """`createGRPCURIMatch`: `/service/method`."""
    if not isinstance(method, Mapping):
        return None
    service, name = text(method.get("service")), text(method.get("method"))
    if method.get("type", "Exact") == "Exact":
        if not name:
            return StringMatch(MatchKind.PREFIX, f"/{service}/")
        if service:
            return StringMatch(MatchKind.EXACT, f"/{service}/{name}")
    elif not name:
        return StringMatch(MatchKind.REGEX, f"/{service}/.+")
    return StringMatch(MatchKind.REGEX, f"/{service or '[^/]+'}/{name}")


def _named_matches(value: object) -> Mapping[str, StringMatch]:
    found: dict[str, StringMatch] = {}
    for entry in mappings(value):
        kind = _KINDS.get(text(entry.get("type", "Exact")))
        if kind is None:
            raise Unsupported
        found[text(entry.get("name"))] = StringMatch(kind, text(entry.get("value")))
    return found


def _fields(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Filters, timeouts and retries as fields of an HTTP rule."""
    fields: dict[str, Any] = {}
    for entry in mappings(rule.get("filters")):
        match entry.get("type"):
            case "RequestHeaderModifier" | "ResponseHeaderModifier":
                fields["headers"] = _headers(rule)
            case "RequestRedirect":
                fields["redirect"] = _redirect(mapping(entry.get("requestRedirect")))
            case "URLRewrite":
                fields["rewrite"] = _rewrite(mapping(entry.get("urlRewrite")))
            case "CORS":
                # Of every origin: a preflight of another one is answered too (`createCorsFilter`).
                fields["corsPolicy"] = {
                    **mapping(entry.get("cors")),
                    "unmatchedPreflights": "IGNORE",
                }
            case "RequestMirror":
                pass
            case _:
                raise Unsupported
    timeouts = mapping(rule.get("timeouts"))
    if timeouts:
        fields["timeout"] = text(timeouts.get("request")) or text(timeouts.get("backendRequest"))
    retry = rule.get("retry")
    if isinstance(retry, Mapping):
        attempts = retry.get("attempts")
        fields["retries"] = {
            "attempts": attempts if isinstance(attempts, int) else 2,
            "retryOn": "connect-failure,refused-stream,unavailable,cancelled",
        }
    return fields


def _headers(rule: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: dict[str, Any] = {}
    for entry in mappings(rule.get("filters")):
        for side in ("request", "response"):
            modifier = entry.get(f"{side}HeaderModifier")
            if isinstance(modifier, Mapping):
                found[side] = {
                    "set": _pairs(modifier.get("set")),
                    "add": _pairs(modifier.get("add")),
                    "remove": list(texts(modifier.get("remove"))),
                }
    return found or None


def _pairs(value: object) -> Mapping[str, str]:
    """Of several headers of one name the first counts."""
    found: dict[str, str] = {}
    for entry in mappings(value):
        found.setdefault(text(entry.get("name")).lower(), text(entry.get("value")))
    return found


def _redirect(redirect: Mapping[str, Any]) -> Mapping[str, Any]:
    """`createRedirectFilter`."""
    path = mapping(redirect.get("path"))
    made: dict[str, Any] = {"redirectCode": number(redirect.get("statusCode")) or 302}
    for name, field in (("authority", "hostname"), ("scheme", "scheme")):
        if redirect.get(field):
            made[name] = text(redirect[field])
    if redirect.get("port") is not None:
        made["port"] = number(redirect["port"])
    elif not redirect.get("scheme"):
        made["derivePort"] = "FROM_REQUEST_PORT"
    if path.get("type") == "ReplaceFullPath":
        made["uri"] = text(path.get("replaceFullPath"))
    elif path.get("type") == "ReplacePrefixMatch":
        made["uri"] = "%PREFIX()%" + text(path.get("replacePrefixMatch"))
    return made


def _rewrite(rewrite: Mapping[str, Any]) -> Mapping[str, Any]:
    """`createRewriteFilter`."""
    path = mapping(rewrite.get("path"))
    made: dict[str, Any] = {}
    if rewrite.get("hostname"):
        made["authority"] = text(rewrite["hostname"])
    if path.get("type") == "ReplacePrefixMatch":
        made["uri"] = text(path.get("replacePrefixMatch")).removesuffix("/") or "/"
    elif path.get("type") == "ReplaceFullPath":
        made["uriRegexRewrite"] = {"match": "/.*", "rewrite": text(path.get("replaceFullPath"))}
    return made
