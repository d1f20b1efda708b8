"""A host of the cluster on a gateway to the world."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import VirtualService


@warn("SCOPE-002", severity="high")
def internal_host_exposed(vs: VirtualService, mesh: Mesh) -> Findings:
    """A Service of the mesh is not offered by its own name at a gateway.

    Why: With a gateway and `mesh` in one VirtualService, all its hosts are served at both. Where the
        Gateway takes any host, whoever reaches it gets to the Service by sending
        `Host: reviews.shop.svc.cluster.local`, whatever the public names are for. No flag shows it: the
        requests are served.
    Fix: Use one VirtualService for the gateway, with public hosts, and one for the mesh; let the
        Gateway list its hosts.
    See: https://istio.io/latest/docs/ops/best-practices/security/#avoid-overly-broad-hosts-configurations

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews.example.com]
          gateways: [edge/public]
          http:
          - route:
            - destination: {host: reviews}
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
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews.example.com, reviews.shop.svc.cluster.local]
          gateways: [edge/public, mesh]
          http:
          - route:
            - destination: {host: reviews}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: public, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}
    """
    namespace = vs.metadata.namespace
    gateways = [name for name in vs.spec.gateways if name != "mesh"]
    suffix = f".svc.{mesh.config().clusterDomain}"
    for name in vs.spec.hosts:
        host = mesh.host(name, namespace)
        if host.known and not host.external and host.full.endswith(suffix):
            exposed = sorted(
                {g for g in gateways if mesh.gateway_serves(g, namespace, name) == "yes"}
            )
            if len(exposed) > 0:
                yield at(
                    name,
                    f"{host.full} can be reached through {', '.join(exposed)} by its internal name",
                )
