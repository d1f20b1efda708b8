"""Init containers run before the sidecar, and their traffic is redirected to it."""

import re

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.k8s import DaemonSet, Deployment, Job, StatefulSet

NETWORK = r"(^|[\s/;&|])(curl|wget|nc|netcat|nslookup|dig|ping|git|apt|apt-get|apk|yum|pip|npm|psql|pg_isready|mysql|mysqladmin|redis-cli|mongo|mongosh|aws|gsutil|az|kubectl|vault|flyway|liquibase|migrate|wait-for|wait-for-it)(\.sh)?(\s|$)"

INJECTED = frozenset({"istio-init", "istio-proxy", "istio-validation"})


@warn("LIFE-002", severity="high")
def init_container_has_network(
    app: Deployment | StatefulSet | DaemonSet | Job, mesh: Mesh
) -> Findings:
    """An init container that needs the network gets it.

    Why: The rules that redirect the pod's traffic are set up before the other init containers run
        (by `istio-init`, or by the CNI plugin before all of them), and the sidecar starts after them:
        their connections are refused, the pod hangs in `Init:Error`. With native sidecars (see
        LIFE-001) the proxy is an init container itself and comes first.
    Fix: Use native sidecars, run the container as user or group 1337 (not redirected), exclude its ports
        (`traffic.sidecar.istio.io/excludeOutboundPorts`), or do the work in the application.
    See: https://istio.io/latest/docs/setup/additional-setup/cni/#compatibility-with-application-init-containers

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
            spec:
              initContainers:
              - name: schema
                image: migrate:1
                command: [sh, -c, "until curl -sf http://db:8080/ready; do sleep 1; done"]
                securityContext: {runAsUser: 1337}
              containers:
              - {name: web, image: "web:1"}
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.24.0}

    Bad:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
            spec:
              initContainers:
              - name: schema
                image: migrate:1
                command: [sh, -c, "until curl -sf http://db:8080/ready; do sleep 1; done"]
              containers:
              - {name: web, image: "web:1"}
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.24.0}
    """
    meta = app.spec.template.metadata
    config = mesh.config()
    stated = meta.annotations.get("sidecar.istio.io/nativeSidecar", config.nativeSidecars)
    native = stated if config.istioMinor >= 24 else config.nativeSidecars
    if native not in {"no", "false"}:
        return
    excluded = "traffic.sidecar.istio.io/excludeOutboundPorts" in meta.annotations
    if excluded or "traffic.sidecar.istio.io/excludeOutboundIPRanges" in meta.annotations:
        return
    if mesh.workload(app.kind, app.metadata.namespace, app.metadata.name).injected != "yes":
        return
    for container in app.spec.template.spec.initContainers:
        if container.name in INJECTED or 1337 in {
            container.securityContext.runAsUser or 0,
            container.securityContext.runAsGroup or 0,
        }:
            continue
        text = " ".join(container.command + container.args + [e.value or "" for e in container.env])
        if re.search(NETWORK, text) or len(mesh.calls(text, app.metadata.namespace)) > 0:
            yield at(
                container,
                f"init container '{container.name}' needs the network, which it has not before the sidecar runs",
            )
