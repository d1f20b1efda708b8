"""Telemetry: metrics, traces and access logs of proxies."""

from meshplan.kinds.kind import Kind, under
from meshplan.kinds.readings import durations

TELEMETRY = Kind(
    group="telemetry.istio.io",
    kind="Telemetry",
    plural="telemetries",
    scope="Namespaced",
    versions=("v1", "v1alpha1"),
    list_keys={"spec.targetRefs": ("group", "kind", "name")}
    | under(("spec.metrics", "spec.tracing", "spec.accessLogging"), {"providers": ("name",)}),
    unordered=(
        "spec.targetRefs",
        "spec.metrics.providers",
        "spec.tracing.providers",
        "spec.accessLogging.providers",
    ),
    defaults={
        "spec": {},
        "spec.selector": {},
        "spec.selector.matchLabels": {},
        "spec.tracing.match.mode": "CLIENT_AND_SERVER",
        "spec.metrics.overrides.match.mode": "CLIENT_AND_SERVER",
        "spec.accessLogging.match.mode": "CLIENT_AND_SERVER",
    },
    readings=durations("spec.metrics.reportingInterval"),
)
