"""Sidecar: what the proxies of a namespace or workload can see."""

from meshplan.kinds.destination_rule import POOL_DURATIONS
from meshplan.kinds.kind import Kind, paths_under
from meshplan.kinds.readings import durations

SIDECAR = Kind(
    group="networking.istio.io",
    kind="Sidecar",
    plural="sidecars",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    list_keys={
        "spec.ingress": ("port.number",),
        "spec.egress.hosts": (),
    },
    unordered=("spec.ingress",),
    defaults={
        "spec.workloadSelector.labels": {},
        "spec.egress.captureMode": "DEFAULT",
        "spec.ingress.captureMode": "DEFAULT",
    },
    readings=durations(
        *paths_under(("spec.inboundConnectionPool", "spec.ingress.connectionPool"), POOL_DURATIONS)
    ),
)
