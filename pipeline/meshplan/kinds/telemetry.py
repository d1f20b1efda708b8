"""Telemetry: metrics, traces and access logs of proxies."""

from meshplan.kinds.kind import Kind

TELEMETRY = Kind(
    group="telemetry.istio.io",
    kind="Telemetry",
    plural="telemetries",
    scope="Namespaced",
    versions=("v1", "v1alpha1"),
)
