"""A Gateway that serves none of the hosts of a VirtualService that is bound to it."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import VirtualService


@warn("GW-005", severity="medium", refs=("IST0132",))
def gateway_serves_something(vs: VirtualService, mesh: Mesh) -> Findings:
    """Each Gateway of a VirtualService serves at least one of its hosts.

    Why: The binding has no effect: through this Gateway the hosts are answered 404 with the flag
        `NR`. Often the Gateway has been changed and the VirtualService was left behind.
    Fix: Add a host of the VirtualService to the Gateway, or take the Gateway out of `gateways`.
    See: https://istio.io/latest/docs/reference/config/analysis/ist0132/

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com, shop.example.org]
          gateways: [edge/com, edge/org]
          http:
          - route:
            - destination: {host: web}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: com, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: org, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.org"]}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/com, edge/org]
          http:
          - route:
            - destination: {host: web}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: com, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: org, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.org"]}
    """
    namespace = vs.metadata.namespace
    for name in vs.spec.gateways:
        served = {mesh.gateway_serves(name, namespace, host) for host in vs.spec.hosts}
        if served == {"no"}:
            yield at(name, f"gateway {name} serves none of the hosts to namespace {namespace}")
