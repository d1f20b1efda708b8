"""HTTP routes are for ports that speak HTTP."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import VirtualService


@warn("PORT-004", severity="high")
def route_port_is_http(vs: VirtualService, mesh: Mesh) -> Findings:
    """The hosts of HTTP routes have a port that speaks HTTP.

    Why: Sidecars route requests only on ports whose protocol is HTTP, HTTP/2 or gRPC, or is guessed.
        On a port that is declared as TCP or TLS the `http` part of a VirtualService does nothing:
        no matches, no weights, no retries, no fault. The log shows the plain TCP cluster.
    Fix: Declare the protocol of the port (`appProtocol: http`, or a name that begins with `http`).
    See: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - timeout: 2s
            route:
            - destination: {host: reviews}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - timeout: 2s
            route:
            - destination: {host: reviews}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: tcp-reviews, port: 9080}
    """
    if len(vs.spec.http) == 0 or len(vs.spec.tls) > 0 or len(vs.spec.tcp) > 0:
        return
    if len(vs.spec.gateways) > 0 and "mesh" not in vs.spec.gateways:
        return
    for name in vs.spec.hosts:
        host = mesh.host(name, vs.metadata.namespace)
        protocols = {port.protocol for port in host.ports}
        if (
            host.known
            and len(protocols) > 0
            and protocols <= {"TCP", "TLS", "HTTPS", "Mongo", "MySQL", "Redis", "UDP"}
        ):
            yield at(name, f"no port of {host.full} speaks HTTP, so its http routes do nothing")
