"""Annotations that let traffic go past the sidecar."""

from meshplan.policy import Findings, Mesh, at, info
from meshplan.policy.k8s import DaemonSet, Deployment, StatefulSet

EXCLUDES = frozenset(
    {
        "traffic.sidecar.istio.io/excludeOutboundIPRanges",
        "traffic.sidecar.istio.io/excludeOutboundPorts",
        "traffic.sidecar.istio.io/excludeInboundPorts",
        "traffic.sidecar.istio.io/excludeInterfaces",
    }
)
#: Not `includeOutboundPorts`: what it names is redirected besides what the ranges say.
INCLUDES = frozenset(
    {
        "traffic.sidecar.istio.io/includeOutboundIPRanges",
        "traffic.sidecar.istio.io/includeInboundPorts",
    }
)


@info("EGR-006", severity="medium")
def traffic_stays_in_the_mesh(
    app: Deployment | StatefulSet | DaemonSet,
    mesh: Mesh,
    *,
    allowed: list[str] = ["169.254.169.254/32"],
) -> Findings:
    """No annotation lets traffic go past the sidecar.

    Why: What is excluded never meets the sidecar: no mutual TLS, no routes, no policy, no log, and
        REGISTRY_ONLY does not hold for it. `excludeOutboundIPRanges: 0.0.0.0/0` and an
        `includeOutboundIPRanges` of the cluster's ranges let all egress pass unseen. Inbound it opens a
        port to plaintext, whatever PeerAuthentication and AuthorizationPolicy say. So there is no flag
        to see either.
    Fix: Declare the destinations with ServiceEntries, and remove the annotation; or waive the finding.
    See: https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/#direct-access-to-external-services

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: pay, namespace: shop}
        spec:
          selector: {matchLabels: {app: pay}}
          template:
            metadata:
              labels: {app: pay}
              annotations: {traffic.sidecar.istio.io/excludeOutboundIPRanges: 169.254.169.254/32}
            spec: {containers: [{name: pay, image: "pay:1"}]}

    Bad:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: pay, namespace: shop}
        spec:
          selector: {matchLabels: {app: pay}}
          template:
            metadata:
              labels: {app: pay}
              annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: "443,5432"}
            spec: {containers: [{name: pay, image: "pay:1"}]}
    """
    workload = mesh.workload(app.kind, app.metadata.namespace, app.metadata.name)
    if workload.injected == "no":
        return
    for key, value in app.spec.template.metadata.annotations.items():
        if key in EXCLUDES and value != "" and value not in allowed:
            yield at(value, f"{key} lets traffic go past the sidecar: {value}")
        elif key in INCLUDES and value != "*":
            yield at(value, f"{key} lets all traffic but this go past the sidecar: {value}")
