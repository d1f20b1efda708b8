"""VirtualService: which requests go where."""

from collections.abc import Mapping
from typing import Any

from meshplan.kinds.kind import Kind, paths_under, under
from meshplan.kinds.readings import durations
from meshplan.resource import Manifest

#: The kinds of routes; each is a list of rules, of which the first that matches is taken.
_RULES = ("spec.http", "spec.tls", "spec.tcp")

_DESTINATION = ("destination.host", "destination.subset", "destination.port.number")


def _whole_weight(manifest: Manifest) -> Manifest:
    """A single destination takes everything, whatever its weight says."""
    spec = manifest.get("spec")
    if not isinstance(spec, Mapping):
        return manifest
    rules = {
        name: [_single(rule) for rule in spec[name]]
        for name in ("http", "tls", "tcp")
        if isinstance(spec.get(name), list)
    }
    return {**manifest, "spec": {**spec, **rules}} if rules else manifest


def _single(rule: Any) -> Any:
    route = rule.get("route") if isinstance(rule, Mapping) else None
    if isinstance(route, list) and len(route) == 1 and isinstance(route[0], Mapping):
        return {**rule, "route": [{**route[0], "weight": 100}]}
    return rule


VIRTUAL_SERVICE = Kind(
    group="networking.istio.io",
    kind="VirtualService",
    plural="virtualservices",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    list_keys={
        "spec.hosts": (),
        "spec.gateways": (),
        "spec.exportTo": (),
        "spec.http": ("name",),
        "spec.http.mirrors": _DESTINATION,
        "spec.http.corsPolicy.allowMethods": (),
        "spec.http.corsPolicy.allowHeaders": (),
        "spec.http.corsPolicy.exposeHeaders": (),
        "spec.http.corsPolicy.allowOrigins": (),
        "spec.http.corsPolicy.allowOrigin": (),
    }
    | under(_RULES, {"match": (), "match.gateways": (), "route": _DESTINATION})
    | {
        "spec.tls.match.sniHosts": (),
        "spec.tls.match.destinationSubnets": (),
        "spec.tcp.match.destinationSubnets": (),
    },
    unordered=("spec.http.mirrors", *paths_under(_RULES, ("route",))),
    first_wins=("spec.http",),
    defaults={
        "spec.gateways": ["mesh"],
        "spec.http.timeout": "0s",
        "spec.http.match.ignoreUriCase": False,
        "spec.http.redirect.redirectCode": 301,
        "spec.http.mirrorPercentage": lambda rule: {"value": 100} if rule.get("mirror") else None,
    }
    | under(_RULES, {"route.weight": 0}),
    readings=durations(
        "spec.http.timeout",
        "spec.http.retries.perTryTimeout",
        "spec.http.retries.backoff",
        "spec.http.fault.delay.fixedDelay",
        "spec.http.fault.delay.exponentialDelay",
        "spec.http.corsPolicy.maxAge",
    ),
    rewrite=_whole_weight,
)
