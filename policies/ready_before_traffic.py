"""A pod without a readiness probe is ready before its application is."""

from meshplan.policy import Findings, Mesh, at, info
from meshplan.policy.k8s import DaemonSet, Deployment, StatefulSet


@info("LIFE-007", severity="low")
def ready_before_traffic(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """The containers behind a Service have a readiness probe.

    Why: Without one the pod is an endpoint as soon as the process runs: requests reach the sidecar
        before the application listens: 503 on each rollout, with the flag `UF` in the log of the
        server's sidecar.
    Fix: Add a readiness probe. Istio rewrites it, so that it works under STRICT mutual TLS.
    See: https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: web:1
                ports: [{containerPort: 8080}]
                readinessProbe: {httpGet: {path: /ready, port: 8080}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}

    Bad:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - {name: web, image: "web:1", ports: [{containerPort: 8080}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
    """
    workload = mesh.workload(app.kind, app.metadata.namespace, app.metadata.name)
    if len(workload.services) == 0 or workload.gateway:
        return
    for container in app.spec.template.spec.containers:
        if len(container.ports) > 0 and not container.readinessProbe and container.image != "auto":
            yield at(
                container,
                f"container '{container.name}' gets requests before it is ready: it has no readiness probe",
            )
