"""At the end of a pod all containers are told to stop at the same time."""

import re

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.k8s import Container, DaemonSet, Deployment, StatefulSet

#: `sleep` of more than the five seconds that the proxy drains by default.
LONG = r"sleep\s+([6-9]|[1-9][0-9]+)"


def text_of(container: Container) -> str:
    return " ".join(container.lifecycle.preStop.exec.command)


@warn("LIFE-003", severity="medium")
def proxy_outlives_app(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """The sidecar drains at least as long as the application takes to stop.

    Why: On SIGTERM the sidecar drains for `terminationDrainDuration` (5 s), then it ends, though the
        application may still be in its preStop hook or finish requests: what it sends after that is
        refused, and its open requests end in 503 with the flag `UC`. A native sidecar ends after all
        the other containers.
    Fix: Set `terminationDrainDuration` in the annotation `proxy.istio.io/config`, or for all in the
        mesh's `defaultConfig`, to as long as the application takes, or `EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true"` (since Istio 1.12), a preStop hook
        of the container `istio-proxy` of your own, or use native sidecars.
    See: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata:
              labels: {app: web, sidecar.istio.io/inject: "true"}
              annotations: {proxy.istio.io/config: "terminationDrainDuration: 25s"}
            spec:
              containers:
              - name: web
                image: web:1
                lifecycle: {preStop: {exec: {command: [sleep, "20"]}}}
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
                lifecycle: {preStop: {exec: {command: [sleep, "20"]}}}
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.24.0}
    """
    meta = app.spec.template.metadata
    config = mesh.config()
    wanted = meta.annotations.get("sidecar.istio.io/nativeSidecar", config.nativeSidecars)
    native = wanted if config.istioMinor >= 24 else config.nativeSidecars
    if native not in {"no", "false"}:
        return
    stated = meta.annotations.get("proxy.istio.io/config", "")
    if "terminationDrainDuration" in stated or "EXIT_ON_ZERO_ACTIVE_CONNECTIONS" in stated:
        return
    containers = app.spec.template.spec.containers
    if config.exitsOnZero or any(
        c.name == "istio-proxy" and c.lifecycle.preStop for c in containers
    ):
        return
    if mesh.workload(app.kind, app.metadata.namespace, app.metadata.name).injected != "yes":
        return
    for container in containers:
        seconds = container.lifecycle.preStop.sleep.seconds or 0
        said = config.drainSeconds <= 5 and re.search(LONG, text_of(container))
        if seconds > config.drainSeconds or said:
            yield at(
                container.lifecycle.preStop,
                f"container '{container.name}' takes longer to stop than its sidecar, which ends after {config.drainSeconds}s",
            )
