"""DestinationRule: subsets of a host, and how to connect to it."""

from collections.abc import Mapping

from meshplan.kinds.kind import Kind, paths_under, under
from meshplan.kinds.readings import durations

#: Where a traffic policy can be, from the host to one port of one subset.
_POLICIES = (
    "spec.trafficPolicy",
    "spec.trafficPolicy.portLevelSettings",
    "spec.subsets.trafficPolicy",
    "spec.subsets.trafficPolicy.portLevelSettings",
)

#: The spans of time in a `connectionPool`; a Sidecar has one as well.
POOL_DURATIONS = (
    "http.idleTimeout",
    "http.http2KeepAlive.interval",
    "http.http2KeepAlive.timeout",
    "tcp.connectTimeout",
    "tcp.idleTimeout",
    "tcp.maxConnectionDuration",
    "tcp.tcpKeepalive.interval",
    "tcp.tcpKeepalive.time",
)

_DURATIONS = (
    *paths_under("connectionPool", POOL_DURATIONS),
    "loadBalancer.consistentHash.httpCookie.ttl",
    "loadBalancer.warmup.duration",
    "loadBalancer.warmupDurationSecs",
    "outlierDetection.baseEjectionTime",
    "outlierDetection.interval",
)

#: The zero of an enumeration is what a field that is left out means.
_DEFAULTS: Mapping[str, object] = {
    "tls.mode": "DISABLE",
    "tls.insecureSkipVerify": False,
    "loadBalancer.simple": lambda balancer: None if "consistentHash" in balancer else "UNSPECIFIED",
    "connectionPool.http.h2UpgradePolicy": "DEFAULT",
    "connectionPool.http.useClientProtocol": False,
}

DESTINATION_RULE = Kind(
    group="networking.istio.io",
    kind="DestinationRule",
    plural="destinationrules",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    list_keys={
        "spec.exportTo": (),
        "spec.subsets": ("name",),
        "spec.trafficPolicy.portLevelSettings": ("port.number",),
        "spec.subsets.trafficPolicy.portLevelSettings": ("port.number",),
    }
    | under(_POLICIES, {"tls.subjectAltNames": ()}),
    unordered=("spec.subsets", *(path for path in _POLICIES if path.endswith("Settings"))),
    defaults=under(_POLICIES, _DEFAULTS) | {"spec.workloadSelector.matchLabels": {}},
    readings=durations(*paths_under(_POLICIES, _DURATIONS)),
)
