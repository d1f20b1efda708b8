"""A container that starts before its sidecar has no network."""

import re

from meshplan.policy import Findings, Mesh, at, info
from meshplan.policy.k8s import DaemonSet, Deployment, StatefulSet


@info("LIFE-001", severity="medium")
def app_starts_after_proxy(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """A workload that calls others waits for its sidecar.

    Why: All traffic of the pod goes through the sidecar from the first moment on. Where containers
        start together, what the application sends before Envoy listens is refused: connection
        refused in the log of the application, nothing in that of the sidecar. With
        `holdApplicationUntilProxyStarts` (since Istio 1.7) the containers wait. Native sidecars
        start first by themselves: Istio uses them by default since 1.27 where Kubernetes is 1.33 or
        newer, and before that with ENABLE_NATIVE_SIDECARS on Kubernetes 1.29 or newer. The annotation
        `sidecar.istio.io/nativeSidecar` says otherwise for a pod (since 1.24).
    Fix: Set `holdApplicationUntilProxyStarts: true` in the mesh's `defaultConfig` or in the pod's
        annotation `proxy.istio.io/config`, or use native sidecars.
    See: https://istio.io/latest/docs/ops/common-problems/injection/#pod-or-containers-start-with-network-issues-if-istio-proxy-is-not-ready

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata:
              labels: {app: web, sidecar.istio.io/inject: "true"}
              annotations:
                proxy.istio.io/config: |
                  holdApplicationUntilProxyStarts: true
            spec:
              containers:
              - name: web
                image: web:1
                env: [{name: REVIEWS, value: "http://reviews:9080"}]
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
              containers:
              - name: web
                image: web:1
                env: [{name: REVIEWS, value: "http://reviews:9080"}]
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.24.0}
    """
    config = mesh.config()
    meta = app.spec.template.metadata
    wanted = meta.annotations.get("sidecar.istio.io/nativeSidecar", config.nativeSidecars)
    native = wanted if config.istioMinor >= 24 else config.nativeSidecars
    if native not in {"no", "false"}:
        return
    stated = meta.annotations.get("proxy.istio.io/config", "")
    held = (
        bool(re.search(r"holdApplicationUntilProxyStarts[\"']?\s*:\s*true", stated))
        if "holdApplicationUntilProxyStarts" in stated
        else config.holdApplication
    )
    if held:
        return
    if mesh.workload(app.kind, app.metadata.namespace, app.metadata.name).injected != "yes":
        return
    for container in app.spec.template.spec.containers:
        text = " ".join([e.value or "" for e in container.env] + container.args + container.command)
        if container.name != "istio-proxy" and len(mesh.calls(text, app.metadata.namespace)) > 0:
            yield at(
                container,
                f"container '{container.name}' may call others before its sidecar is ready",
            )
