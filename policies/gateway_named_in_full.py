"""A name without a namespace means the own one."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import VirtualService


@warn("SCOPE-005", severity="high")
def gateway_named_in_full(vs: VirtualService, mesh: Mesh) -> Findings:
    """A Gateway of another namespace is named with its namespace.

    Why: A name without a namespace means the namespace of the VirtualService. With a wrong one the
        gateway has no route for the host: 404 with the flag `NR`.
    Fix: Write `namespace/name`, if the Gateway of the other namespace is meant.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - route:
            - destination: {host: web}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: public, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [public]
          http:
          - route:
            - destination: {host: web}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: public, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
    """
    namespace = vs.metadata.namespace
    names = {gw.metadata.name for gw in mesh.gateways}
    for name in vs.spec.gateways:
        gateway = mesh.gateway(name, namespace)
        short = "/" not in name and "." not in name
        if not gateway.known and short and name in names:
            yield at(
                name,
                f"Gateway {gateway.full} is not here, but one of that name in another namespace is",
            )
