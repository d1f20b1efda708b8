"""From the HTTP rules of a VirtualService to the routes that one class of proxies gets."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.read import at, mapping, number, text
from meshplan.mesh.virtual_service import (
    Destination,
    HttpMatch,
    HttpRule,
    MatchKind,
    Semantics,
    StringMatch,
    VirtualService,
)
from meshplan.mesh.workload import matches_labels
from meshplan.traffic.condition import (
    ANY_PATH,
    ClaimCondition,
    Condition,
    HeaderCondition,
    PathCondition,
    Present,
    QueryCondition,
    SeparatedPrefix,
    TextMatch,
    TokenPlace,
    text_match,
)
from meshplan.traffic.table import (
    Abort,
    Action,
    Answer,
    ClusterName,
    Forward,
    Rewrite,
    Route,
    SendElsewhere,
    Target,
)

#: `retryOn` where no policy is given.
DEFAULT_RETRY_ON = frozenset(
    ("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes")
)

_CLAIMS = "@request.auth.claims"


@dataclass(frozen=True, slots=True)
class RouteContext:
    """Who the routes are for."""

    proxy: Proxy
    #: Port of the listener (of a gateway: of its server).
    port: int
    #: `mesh`, or the name of the gateway.
    gateway: str
    is_tls: bool
    #: The port of a destination that names none, and the host behind an alias.
    resolve: Callable[[Destination], tuple[str, int]]
    #: Where tokens are verified by the proxy.
    token_places: tuple[TokenPlace, ...] = ()


def build_routes(
    mesh: Mesh, virtual_service: VirtualService, context: RouteContext
) -> tuple[Route, ...]:
    """The routes of a VirtualService in order (`BuildHTTPRoutesForVirtualService`).

    What comes behind a route that matches everything is left out.
    """
    routes: list[Route] = []
    for rule in mesh.http_rules(virtual_service):
        if not rule.matches:
            if rule_applies(None, context):
                routes.append(_route(rule, None, virtual_service, context))
            return tuple(routes)
        for match in rule.matches:
            if not rule_applies(match, context):
                continue
            route = _route(rule, match, virtual_service, context)
            routes.append(route)
            if route.is_catch_all:
                return tuple(routes)
    return tuple(routes)


def rule_applies(match: HttpMatch | None, context: RouteContext) -> bool:
    """Whether a match is meant for these proxies at all (`sourceMatchHTTP`)."""
    if match is None:
        return True
    if match.port and match.port != context.port:
        return False
    if match.gateways:
        return context.gateway in match.gateways
    return matches_labels(match.source_labels, context.proxy.labels) and (
        match.source_namespace in ("", context.proxy.namespace)
    )


def _route(
    rule: HttpRule,
    match: HttpMatch | None,
    virtual_service: VirtualService,
    context: RouteContext,
) -> Route:
    semantics = virtual_service.semantics
    conditions = (ANY_PATH,) if match is None else conditions_of(match, semantics, context)
    return Route(
        conditions=conditions,
        action=_action(rule, conditions, semantics, context),
        source=rule.source,
        pointer=match.pointer if match else rule.pointer,
    )


def conditions_of(
    match: HttpMatch, semantics: Semantics, context: RouteContext
) -> tuple[Condition, ...]:
    """What a request has to meet, the path first (`TranslateRouteMatch`)."""
    return (
        _path_condition(match, semantics),
        *(_named(name, found, context, invert=False) for name, found in match.headers.items()),
        *(
            _named(name, found, context, invert=True)
            for name, found in match.without_headers.items()
        ),
        *(
            HeaderCondition(name, text_match(found))
            for name, found in (
                (":method", match.method),
                (":authority", match.authority),
                (":scheme", match.scheme),
            )
            if found is not None
        ),
        *(QueryCondition(name, _present_or(found)) for name, found in match.query.items()),
    )


def _path_condition(match: HttpMatch, semantics: Semantics) -> Condition:
    uri = match.uri
    if uri is None or uri.kind is MatchKind.PRESENT:
        return ANY_PATH
    fold = match.ignore_uri_case
    if semantics is Semantics.GATEWAY_API and uri.kind is MatchKind.PREFIX and uri.value != "/":
        return PathCondition(SeparatedPrefix(uri.value.removesuffix("/"), fold))
    return PathCondition(text_match(uri, ignore_case=fold))


def _named(name: str, match: StringMatch, context: RouteContext, *, invert: bool) -> Condition:
    found = _present_or(match)
    if name.startswith(_CLAIMS):
        return ClaimCondition(name, found, invert, context.token_places)
    missing_as_empty = invert and not isinstance(found, Present)
    return HeaderCondition(name.lower(), found, invert, missing_as_empty)


def _present_or(match: StringMatch) -> TextMatch:
    """`*` is no pattern of RE2, and istiod reads it as presence."""
    if match == StringMatch(MatchKind.REGEX, "*"):
        return Present()
    return text_match(match)


def _action(
    rule: HttpRule,
    conditions: tuple[Condition, ...],
    semantics: Semantics,
    context: RouteContext,
) -> Action:
    abort = _abort(rule.fields.get("fault"))
    if "redirect" in rule.fields:
        return _redirect(mapping(rule.fields["redirect"]), abort, semantics, context)
    if "directResponse" in rule.fields:
        return Answer(number(at(rule.fields, "directResponse", "status")), abort)
    authority = _authority(mapping(rule.fields.get("headers")))
    rewrite = mapping(rule.fields.get("rewrite"))
    single = len(rule.destinations) == 1
    return Forward(
        targets=tuple(
            _target(destination, context)
            for destination in rule.destinations
            if single or destination.weight
        ),
        rewrite=_rewrite(rewrite, conditions, semantics),
        authority=text(rewrite.get("authority")) or authority,
        not_found=500 if semantics is Semantics.GATEWAY_API else 503,
        retry_on=_retry_on(rule.fields.get("retries")),
        abort=abort,
        cors=rule.fields.get("corsPolicy"),
        policy=dict(_policy(rule)),
    )


def _target(destination: Destination, context: RouteContext) -> Target:
    host, port = context.resolve(destination)
    return Target(
        cluster=ClusterName(host, port, destination.subset),
        weight=destination.weight,
        authority=_authority(destination.headers),
        invalid=destination.invalid,
    )


def _authority(headers: Mapping[str, Any]) -> str:
    """The authority that header operations set; `set` wins over `add`."""
    found = ""
    for operation in ("add", "set"):
        for name, value in mapping(at(headers, "request", operation)).items():
            if str(name).lower() in (":authority", "host"):
                found = str(value)
    return found


def _rewrite(
    rewrite: Mapping[str, Any], conditions: tuple[Condition, ...], semantics: Semantics
) -> Rewrite:
    regex = rewrite.get("uriRegexRewrite")
    if isinstance(regex, Mapping):
        return Rewrite(regex=(text(regex.get("match")), text(regex.get("rewrite"))))
    uri = text(rewrite.get("uri"))
    if not uri:
        return Rewrite()
    path = conditions[0]
    if (
        semantics is Semantics.GATEWAY_API
        and uri == "/"
        and isinstance(path, PathCondition)
        and isinstance(path.text, SeparatedPrefix)
    ):
        return Rewrite(regex=(f"^{_quoted(path.text.value)}(/?)(.*)", r"/\2"))
    return Rewrite(prefix=uri)


def _redirect(
    redirect: Mapping[str, Any], abort: Abort | None, semantics: Semantics, context: RouteContext
) -> SendElsewhere:
    """`ApplyRedirect`."""
    scheme = text(redirect.get("scheme"))
    port = number(redirect.get("port"))
    if redirect.get("derivePort") == "FROM_REQUEST_PORT":
        port = context.port
    if (port, scheme or ("https" if context.is_tls else "http")) in ((80, "http"), (443, "https")):
        port = 0
    path = text(redirect.get("uri"))
    prefix = None
    if semantics is Semantics.GATEWAY_API and path.startswith("%PREFIX()%"):
        prefix, path = path.removeprefix("%PREFIX()%"), ""
    return SendElsewhere(
        status=number(redirect.get("redirectCode")) or 301,
        scheme=scheme,
        authority=text(redirect.get("authority")),
        port=port,
        path=path,
        prefix=prefix,
        abort=abort,
    )


def _abort(fault: object) -> Abort | None:
    """`TranslateFault`: an abort without a percentage hits nobody."""
    abort = at(fault, "abort")
    if not isinstance(abort, Mapping):
        return None
    value = at(abort, "percentage", "value")
    percent = float(value) if isinstance(value, int | float) else 0.0
    if "httpStatus" in abort:
        return Abort(number(abort["httpStatus"]), percent)
    return Abort(200, percent) if "grpcStatus" in abort else None


def _retry_on(retries: object) -> frozenset[str]:
    """What is tried again (`ConvertPolicy`)."""
    if not isinstance(retries, Mapping):
        return DEFAULT_RETRY_ON
    if number(retries.get("attempts")) <= 0:
        return frozenset()
    stated = text(retries.get("retryOn"))
    return frozenset(part.strip() for part in stated.split(",")) if stated else DEFAULT_RETRY_ON


def _policy(rule: HttpRule) -> Iterator[tuple[str, str]]:
    """What a rule does besides, in one way of writing."""
    for name in ("timeout", "retries", "headers", "corsPolicy"):
        if name in rule.fields:
            yield name, canonical(rule.fields[name])
    delay = at(rule.fields, "fault", "delay")
    if delay:
        yield "delay", canonical(delay)
    if rule.mirrors:
        yield "mirrors", ", ".join(f"{m.host}|{m.subset}|{m.port}" for m in rule.mirrors)


def canonical(value: object) -> str:
    """A value of a manifest as text, the same for the same value."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)


def _quoted(value: str) -> str:
    """`regexp.QuoteMeta`."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in value)
