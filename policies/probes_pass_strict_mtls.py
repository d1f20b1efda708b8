"""The kubelet has no certificate."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.k8s import DaemonSet, Deployment, StatefulSet


@deny("TLS-005", severity="critical")
def probes_pass_strict_mtls(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """Under STRICT mutual TLS probes are rewritten to go past it.

    Why: The kubelet asks in plaintext. Istio rewrites HTTP and gRPC probes so that the agent answers
        on port 15020, by default since 1.7. Where that is switched off, a pod under STRICT fails its
        probes: it never gets ready (503 with the flag `UH` for its clients), or is restarted again
        and again.
    Fix: Remove the annotation `sidecar.istio.io/rewriteAppHTTPProbers: "false"`, or open the port of
        the probes with `portLevelMtls`.
    See: https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata: {labels: {app: reviews, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - name: reviews
                image: reviews:1
                readinessProbe: {httpGet: {path: /ready, port: 8080}}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec: {mtls: {mode: STRICT}}

    Bad:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata:
              labels: {app: reviews, sidecar.istio.io/inject: "true"}
              annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "false"}
            spec:
              containers:
              - name: reviews
                image: reviews:1
                readinessProbe: {httpGet: {path: /ready, port: 8080}}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec: {mtls: {mode: STRICT}}
    """
    meta = app.spec.template.metadata
    if meta.annotations.get("sidecar.istio.io/rewriteAppHTTPProbers", "true") != "false":
        return
    if mesh.workload(app.kind, app.metadata.namespace, app.metadata.name).injected == "no":
        return
    for container in app.spec.template.spec.containers:
        ready = mesh.peer_mode(
            app.kind,
            app.metadata.namespace,
            app.metadata.name,
            container.readinessProbe.httpGet.port or "",
        )
        if container.readinessProbe.httpGet and ready.mode == "STRICT":
            yield at(
                container.readinessProbe,
                f"the readiness probe of '{container.name}' is plaintext, and {ready.policy} asks for mutual TLS",
            )
        alive = mesh.peer_mode(
            app.kind,
            app.metadata.namespace,
            app.metadata.name,
            container.livenessProbe.httpGet.port or "",
        )
        if container.livenessProbe.httpGet and alive.mode == "STRICT":
            yield at(
                container.livenessProbe,
                f"the liveness probe of '{container.name}' is plaintext, and {alive.policy} asks for mutual TLS",
            )
