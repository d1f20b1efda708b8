"""Sidecars report spans; only the application can tie them together."""

from meshplan.policy import Findings, Mesh, at, info
from meshplan.policy.k8s import Deployment


@info("TRACE-001", severity="low")
def tracing_headers_forwarded(
    app: Deployment,
    mesh: Mesh,
    *,
    instrumented: list[str] = ["example.com/forwards-trace-headers"],
) -> Findings:
    """A workload between others says that it hands on the headers of a trace.

    Why: A sidecar cannot know which call belongs to which request. Unless the application copies the
        headers from what comes in to what goes out, each hop is a trace of its own. They are
        `x-request-id`, and `traceparent` with `tracestate` (W3C) or `x-b3-traceid`, `x-b3-spanid`,
        `x-b3-parentspanid`, `x-b3-sampled`, `x-b3-flags` or the single `b3` (B3), by the provider.
        No log flag shows it. This is said only where tracing is on, about workloads that both have
        a Service and call others, and that declare no instrumentation.
    Fix: Use OpenTelemetry's instrumentation, or copy the headers; then say so with one of the
        annotations that the parameter `instrumented` names.
    See: https://istio.io/latest/docs/tasks/observability/distributed-tracing/overview/

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata:
              labels: {app: web, sidecar.istio.io/inject: "true"}
              annotations: {instrumentation.opentelemetry.io/inject-java: "true"}
            spec:
              containers:
              - {name: web, image: "web:1", env: [{name: REVIEWS, value: "http://reviews:9080"}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: mesh, namespace: istio-system}
        spec: {tracing: [{providers: [{name: otel}], randomSamplingPercentage: 5}]}

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
              - {name: web, image: "web:1", env: [{name: REVIEWS, value: "http://reviews:9080"}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: mesh, namespace: istio-system}
        spec: {tracing: [{providers: [{name: otel}], randomSamplingPercentage: 5}]}
    """
    if mesh.config().tracing != "on":
        return
    keys = set(app.metadata.annotations.keys()) | set(app.spec.template.metadata.annotations.keys())
    declared = any(
        k.startswith("instrumentation.opentelemetry.io/") or k in instrumented for k in keys
    )
    workload = mesh.workload("Deployment", app.metadata.namespace, app.metadata.name)
    if declared or workload.injected != "yes" or len(workload.services) == 0 or workload.gateway:
        return
    for container in app.spec.template.spec.containers:
        names = {e.name for e in container.env}
        text = " ".join([e.value or "" for e in container.env] + container.args)
        if any(name.startswith("OTEL_") for name in names):
            continue
        if len(mesh.calls(text, app.metadata.namespace)) > 0:
            yield at(
                container,
                f"container '{container.name}' calls others and does not say that it hands on the headers of a trace",
            )
