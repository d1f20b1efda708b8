"""Since Istio 1.10 the sidecar hands requests to the pod's own address, and before that to localhost."""

import re

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import Sidecar
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


def leads_to_localhost(sidecar: Sidecar) -> bool:
    return any(
        re.match(r"127\.0\.0\.1:|\[::1\]:|unix:", listener.defaultEndpoint or "")
        for listener in sidecar.spec.ingress
    )


@warn("BIND-001", severity="high")
def app_listens_for_sidecar(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """The application listens where its sidecar looks for it.

    Why: Up to Istio 1.9 the sidecar handed requests to 127.0.0.1: an application bound to the address
        of the pod alone was not reached. Since 1.10 it hands them to the pod's own address, as
        without a sidecar: an application bound to localhost is not reached. Both ways it is 503, with
        the flag `UF` in the log of the server's sidecar (connection refused), though a probe from
        inside the container passes.
    Fix: Listen on `0.0.0.0` (or `[::]`), which works everywhere. For an application that cannot, a
        Sidecar with `ingress` and `defaultEndpoint: 127.0.0.1:PORT` leads there: in a namespace with
        such a Sidecar nothing is found.
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
        sidecar.metadata.namespace for sidecar in mesh.sidecars if leads_to_localhost(sidecar)
    }
    namespace = app.metadata.namespace
    workload = mesh.workload(app.kind, namespace, app.metadata.name)
    if workload.injected != "yes" or len(workload.services) == 0 or workload.gateway:
        return
    new = mesh.config().istioMinor >= 10
    if new and namespace in redirected:
        return
    for container in app.spec.template.spec.containers:
        if new and says_localhost(container):
            yield at(
                container,
                f"container '{container.name}' listens on localhost, where its sidecar does not look since Istio 1.10",
            )
        for variable in container.env:
            if variable.name not in NAMES:
                continue
            if new and re.match(r"(127\.0\.0\.1|localhost|\[::1\])(:|$)", variable.value or ""):
                yield at(
                    variable,
                    f"{variable.name} makes container '{container.name}' listen on localhost, where its sidecar does not look since Istio 1.10",
                )
            if not new and variable.valueFrom.fieldRef.fieldPath == "status.podIP":
                yield at(
                    variable,
                    f"{variable.name} makes container '{container.name}' listen on the pod's address, where its sidecar does not look before Istio 1.10",
                )
