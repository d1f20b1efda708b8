"""A Gateway may go when no VirtualService is bound to it any more."""

from meshplan.policy import Change, Findings, Mesh, at, deny
from meshplan.policy.istio import Gateway


@deny("REF-008", severity="critical")
def gateway_removed_in_use(gw: Change[Gateway], mesh: Mesh) -> Findings:
    """A Gateway is removed only when no VirtualService is bound to it any more.

    Why: The pods of the gateway stop listening for its hosts: connections are refused, or, where
        another Gateway keeps the port open, answered 404 with the flag `NR`.
    Fix: Bind the VirtualServices to another Gateway first.
    See: https://istio.io/latest/docs/ops/common-problems/network-issues/

    Good:
        before:
          apiVersion: networking.istio.io/v1
          kind: Gateway
          metadata: {name: old, namespace: edge}
          spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
        after:
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: shop, namespace: edge}
          spec: {hosts: [shop.example.com], gateways: [public], http: [{route: [{destination: {host: web}}]}]}

    Bad:
        before:
          apiVersion: networking.istio.io/v1
          kind: Gateway
          metadata: {name: old, namespace: edge}
          spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
        after:
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: shop, namespace: edge}
          spec: {hosts: [shop.example.com], gateways: [old], http: [{route: [{destination: {host: web}}]}]}
    """
    used = {
        name if "/" in name else f"{vs.metadata.namespace}/{name}"
        for vs in mesh.virtualServices
        for name in vs.spec.gateways
    }
    if gw.new or not gw.old:
        return
    full = f"{gw.old.metadata.namespace}/{gw.old.metadata.name}"
    if full in used:
        yield at(
            gw.old.metadata.name, f"Gateway {full} is removed while a VirtualService is bound to it"
        )
