"""A VirtualService reaches through a Gateway only the hosts that the Gateway serves to it."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("GW-004", severity="high", refs=("IST0132",))
def gateway_serves_host(vs: VirtualService, mesh: Mesh) -> Findings:
    """A host of a VirtualService is served by one of its Gateways.

    Why: A Gateway lists the hosts of each server, and may keep them to VirtualServices of a
        namespace (`shop/*.example.com`, `./api.example.com`). For any other host the gateway has no
        route: 404 with the flag `NR`.
    Fix: Add the host to the Gateway, or bind the VirtualService to the Gateway that serves it.
    See: https://istio.io/latest/docs/reference/config/networking/gateway/#Server

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
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*.example.com"]}

    Bad:
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
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["edge/*.example.com"]}
    """
    namespace = vs.metadata.namespace
    for host in vs.spec.hosts:
        # Of the gateway `mesh` it is not known: a host may be meant for the sidecars alone.
        served = {mesh.gateway_serves(name, namespace, host) for name in vs.spec.gateways}
        if served == {"no"}:
            yield at(
                host,
                f"none of the gateways serves {host} to namespace {namespace}: {', '.join(sorted(set(vs.spec.gateways)))}",
            )
