"""Since Istio 1.10 the sidecar hands requests to the pod's own address, and before that to localhost."""

import re

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.k8s import Container, DaemonSet, Deployment, StatefulSet

LOCAL = r"(^|\s)-{1,2}(bind|bind-address|bind-addr|bind_ip|address|addr|listen|listen-address|listen-addr|host|http-address|http-host|http-addr|server\.address|server-address|server\.host)[=\s](127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(\s|$)"
NAMES = frozenset(
    {
        "BIND",
        "BIND_ADDR",
        "BIND_ADDRESS",
        "BIND_HOST",
        "BIND_IP",
        "HTTP_ADDR",
        "HTTP_ADDRESS",
        "HTTP_HOST",
        "LISTEN",
        "LISTEN_ADDR",
        "LISTEN_ADDRESS",
        "LISTEN_HOST",
        "SERVER_ADDRESS",
        "SERVER_HOST",
    }
)


def says_localhost(container: Container) -> bool:
    return bool(re.search(LOCAL, " ".join(container.command + container.args)))


@warn("BIND-001", severity="high")
def app_listens_for_sidecar(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """The application listens where its sidecar looks for it.

    Why: Up to Istio 1.9 the sidecar handed requests to 127.0.0.1: an application bound to the address
        of the pod alone was not reached. Since 1.10 it hands them to the pod's own address, as
        without a sidecar: an application bound to localhost is not reached. Both ways it is 503, with
        the flag `UF` in the log of the server's sidecar (connection refused), though a probe from
        inside the container passes.
    Fix: Listen on `0.0.0.0` (or `[::]`), which works everywhere. For an application that cannot, a
        Sidecar with `ingress` and `defaultEndpoint: 127.0.0.1:PORT` leads there.
    See: https://istio.io/latest/blog/2021/upcoming-networking-changes/

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - {name: web, image: "web:1", args: ["--bind-address=0.0.0.0:8080", "--db", "localhost"]}
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
            metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - {name: web, image: "web:1", args: ["--bind-address", "127.0.0.1:8080"]}
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
            metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - name: web
                image: web:1
                env: [{name: BIND_ADDRESS, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.9.9}
    """
    redirected = {
        sidecar.metadata.namespace for sidecar in mesh.sidecars if len(sidecar.spec.ingress) > 0
    }
    namespace = app.metadata.namespace
    workload = mesh.workload(app.kind, namespace, app.metadata.name)
    if workload.injected != "yes" or len(workload.services) == 0 or workload.gateway:
        return
    if namespace in redirected:
        return
    new = mesh.config().istioMinor >= 10
    for container in app.spec.template.spec.containers:
        if new and says_localhost(container):
            yield at(
                container,
                f"container '{container.name}' listens on localhost, where its sidecar does not look since Istio 1.10",
            )
        for variable in container.env:
            value = variable.value or ""
            local = bool(re.match(r"(127\.0\.0\.1|localhost)(:|$)", value))
            own = variable.valueFrom.fieldRef.fieldPath == "status.podIP"
            if variable.name in NAMES and new and local:
                yield at(
                    variable,
                    f"{variable.name} makes container '{container.name}' listen on localhost, where its sidecar does not look since Istio 1.10",
                )
            elif variable.name in NAMES and own and not new:
                yield at(
                    variable,
                    f"{variable.name} makes container '{container.name}' listen on the pod's address, where its sidecar does not look before Istio 1.10",
                )
