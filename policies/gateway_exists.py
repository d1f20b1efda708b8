"""VirtualServices are bound to Gateways by name."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("REF-005", severity="critical", refs=("IST0101", "KIA1102"))
def gateway_exists(vs: VirtualService, mesh: Mesh) -> Findings:
    """A VirtualService is bound to Gateways that exist.

    Why: A name without a namespace means the namespace of the VirtualService. With a wrong one the
        gateway has no route for the host: 404 with the flag `NR`.
    Fix: Write `namespace/name`. The form `name.namespace.svc.cluster.local` still works, a form with
        the domain of the Service of the ingress gateway does not mean that Service.
        Where these manifests are not all there is, a Gateway may live elsewhere, and only
        `world: closed` in the settings makes it a finding.
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
    for name in vs.spec.gateways:
        gateway = mesh.gateway(name, namespace)
        if gateway.missing:
            yield at(name, f"there is no Gateway {gateway.full}")
