"""The settings of the mesh, as rules see them."""

from fractions import Fraction

from meshplan.kinds.readings import duration
from meshplan.mesh import Mesh
from meshplan.mesh.read import mappings
from meshplan.policy.facts.json import Json
from meshplan.settings import World

#: From here on istiod makes sidecars native by itself, on nodes that are new enough.
_AUTOMATIC = 27
#: From here on native sidecars are a stable part of Kubernetes, and on by default before that.
_STABLE, _ENABLED = 33, 29
#: From here on istiod gives hosts without an address one by itself.
_ALLOCATES = 25
#: Istio's default of `terminationDrainDuration`, in seconds.
_DRAIN = 5


def config(mesh: Mesh) -> Json:
    """`mesh.config()`."""
    found = mesh.config
    return {
        "autoMtls": found.enable_auto_mtls,
        "closed": mesh.world is World.CLOSED,
        "clusterDomain": found.cluster_domain,
        "dnsAddresses": found.dns_capture == "true"
        and (found.dns_auto_allocate == "true" or minor(found.istio_version) >= _ALLOCATES),
        "dnsCapture": found.dns_capture == "true",
        "drainSeconds": _seconds(found.termination_drain),
        "exitsOnZero": found.exit_on_zero_connections == "true",
        "holdApplication": found.hold_application_until_proxy_starts,
        "istioMinor": minor(found.istio_version),
        "kubernetesMinor": minor(found.kubernetes_version),
        "nativeSidecars": _native_sidecars(mesh),
        "outboundTrafficPolicy": found.outbound_traffic_policy,
        "rootNamespace": found.root_namespace,
        "tracing": _tracing(mesh),
        "trustDomain": found.trust_domain,
    }


def minor(version: str) -> int:
    """The second number of a version such as `1.29.1` or `v1.33`; 0 where there is none."""
    parts = version.removeprefix("v").split(".")
    digits = parts[1] if len(parts) > 1 else ""
    return int(digits) if digits.isdecimal() and len(digits) < 6 else 0


def _seconds(text: str) -> int:
    """How long proxies drain, in whole seconds; 5 where it cannot be read."""
    found = duration(text)
    return int(found) if isinstance(found, Fraction) else _DRAIN


def _native_sidecars(mesh: Mesh) -> str:
    """Whether proxies start before, and end after, the containers of their pod.

    `DetectNativeSidecar`; nodes are taken to be as new as the cluster.
    """
    kubernetes = minor(mesh.config.kubernetes_version)
    stated = mesh.config.native_sidecars
    automatic = stated in ("", "auto") and minor(mesh.config.istio_version) >= _AUTOMATIC
    if not automatic and stated != "true":
        return "no"
    if not kubernetes:
        return "unknown"
    return "yes" if kubernetes >= (_STABLE if automatic else _ENABLED) else "no"


def _tracing(mesh: Mesh) -> str:
    """Whether proxies report spans: on, off, unknown."""
    found = mesh.config
    entries = [
        entry
        for resource in mesh.snapshot.of_kind("telemetry.istio.io", "Telemetry")
        if resource.id.namespace == found.root_namespace and not resource.spec.get("selector")
        for entry in mappings(resource.spec.get("tracing"))
    ]
    if entries:
        # What the mesh's Telemetry says wins over the providers of its settings.
        disabled = all(entry.get("disableSpanReporting") is True for entry in entries)
        return "off" if disabled else "on"
    if found.tracing_providers:
        return "on"
    if found.tracing == "off":
        return "off"
    return "off" if mesh.world is World.CLOSED and not found.tracing else "unknown"
