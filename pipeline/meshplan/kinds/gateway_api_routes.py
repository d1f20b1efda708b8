"""HTTPRoute, GRPCRoute, TLSRoute, TCPRoute and UDPRoute of the Gateway API."""

from collections.abc import Mapping

from meshplan.kinds.gateway_api import GROUP, TO_GATEWAY, TO_SERVICE
from meshplan.kinds.kind import Default, Kind, under
from meshplan.kinds.readings import durations

_KEYS: Mapping[str, tuple[str, ...]] = {
    "spec.parentRefs": ("group", "kind", "namespace", "name", "sectionName", "port"),
    "spec.rules": ("name",),
    "spec.rules.backendRefs": ("group", "kind", "namespace", "name", "port"),
}
_HOST_KEYS: Mapping[str, tuple[str, ...]] = {**_KEYS, "spec.hostnames": ()}
_GRPC_KEYS: Mapping[str, tuple[str, ...]] = {
    **_HOST_KEYS,
    "spec.rules.matches": (),
    "spec.rules.matches.headers": ("name",),
}
_HTTP_KEYS: Mapping[str, tuple[str, ...]] = {
    **_GRPC_KEYS,
    "spec.rules.matches.queryParams": ("name",),
    "spec.rules.retry.codes": (),
}

#: Of the rules themselves the first wins where two are equally specific.
_UNORDERED = ("spec.parentRefs", "spec.rules.backendRefs")
_GRPC_UNORDERED = (*_UNORDERED, "spec.rules.matches.headers")
_HTTP_UNORDERED = (*_GRPC_UNORDERED, "spec.rules.matches.queryParams")
_FILTERS = ("spec.rules.filters", "spec.rules.backendRefs.filters")
_FILTER_KEYS: Mapping[str, tuple[str, ...]] = {
    f"{direction}HeaderModifier.{verb}": ("name",) if verb != "remove" else ()
    for direction in ("request", "response")
    for verb in ("set", "add", "remove")
}
_HTTP_FILTER_KEYS: Mapping[str, tuple[str, ...]] = {
    **_FILTER_KEYS,
    **dict.fromkeys(
        (
            "cors.allowHeaders",
            "cors.allowMethods",
            "cors.allowOrigins",
            "cors.exposeHeaders",
            "externalAuth.grpc.allowedHeaders",
            "externalAuth.http.allowedHeaders",
            "externalAuth.http.allowedResponseHeaders",
        ),
        (),
    ),
}

_DEFAULTS: Mapping[str, Default] = {
    **under("spec.parentRefs", TO_GATEWAY),
    **under("spec.rules.backendRefs", TO_SERVICE),
    "spec.rules.backendRefs.weight": 1,
}
_FILTER_DEFAULTS: Mapping[str, Default] = {
    **under("requestMirror.backendRef", TO_SERVICE),
    "requestMirror.fraction.denominator": 100,
}
_HTTP_FILTER_DEFAULTS: Mapping[str, Default] = {
    **_FILTER_DEFAULTS,
    **under("externalAuth.backendRef", TO_SERVICE),
    "cors.maxAge": 5,
    "requestRedirect.statusCode": 302,
}
_SESSION: Mapping[str, Default] = {
    "spec.rules.sessionPersistence.type": "Cookie",
    "spec.rules.sessionPersistence.cookieConfig.lifetimeType": "Session",
}
_ANY_PATH = {"type": "PathPrefix", "value": "/"}

HTTP_ROUTE = Kind(
    group=GROUP,
    kind="HTTPRoute",
    plural="httproutes",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha2"),
    list_keys={**_HTTP_KEYS, **under(_FILTERS, _HTTP_FILTER_KEYS)},
    unordered=_HTTP_UNORDERED,
    first_wins=("spec.rules",),
    defaults={
        **_DEFAULTS,
        **_SESSION,
        **under(_FILTERS, _HTTP_FILTER_DEFAULTS),
        "spec.rules": [{"matches": [{"path": _ANY_PATH}]}],
        "spec.rules.matches": [{"path": _ANY_PATH}],
        "spec.rules.matches.path": {},
        "spec.rules.matches.path.type": "PathPrefix",
        "spec.rules.matches.path.value": "/",
        "spec.rules.matches.headers.type": "Exact",
        "spec.rules.matches.queryParams.type": "Exact",
    },
    readings=durations(
        "spec.rules.timeouts.request",
        "spec.rules.timeouts.backendRequest",
        "spec.rules.retry.backoff",
        "spec.rules.sessionPersistence.absoluteTimeout",
        "spec.rules.sessionPersistence.idleTimeout",
    ),
)

GRPC_ROUTE = Kind(
    group=GROUP,
    kind="GRPCRoute",
    plural="grpcroutes",
    scope="Namespaced",
    versions=("v1", "v1alpha2"),
    list_keys={**_GRPC_KEYS, **under(_FILTERS, _FILTER_KEYS)},
    unordered=_GRPC_UNORDERED,
    first_wins=("spec.rules",),
    defaults={
        **_DEFAULTS,
        **_SESSION,
        **under(_FILTERS, _FILTER_DEFAULTS),
        "spec.rules.matches.method.type": "Exact",
        "spec.rules.matches.headers.type": "Exact",
    },
    readings=durations(
        "spec.rules.sessionPersistence.absoluteTimeout",
        "spec.rules.sessionPersistence.idleTimeout",
    ),
)


TLS_ROUTE = Kind(
    group=GROUP,
    kind="TLSRoute",
    plural="tlsroutes",
    scope="Namespaced",
    versions=("v1", "v1alpha3", "v1alpha2"),
    list_keys=_HOST_KEYS,
    unordered=_UNORDERED,
    first_wins=("spec.rules",),
    defaults=_DEFAULTS,
)

TCP_ROUTE = Kind(
    group=GROUP,
    kind="TCPRoute",
    plural="tcproutes",
    scope="Namespaced",
    versions=("v1", "v1alpha2"),
    list_keys=_KEYS,
    unordered=_UNORDERED,
    first_wins=("spec.rules",),
    defaults=_DEFAULTS,
)

UDP_ROUTE = Kind(
    group=GROUP,
    kind="UDPRoute",
    plural="udproutes",
    scope="Namespaced",
    versions=("v1", "v1alpha2"),
    list_keys=_KEYS,
    unordered=_UNORDERED,
    first_wins=("spec.rules",),
    defaults=_DEFAULTS,
)
