"""Fragments of one host at a gateway: their order is their age."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import HTTPRoute, VirtualService


def catches_all(http: HTTPRoute) -> bool:
    return len(http.match) == 0 or any(
        m.uri.prefix == "/" and not m.headers and not m.method and not m.queryParams
        for m in http.match
    )


@warn("HOST-002", severity="medium", refs=("KIA1106",))
def host_shared_at_gateway(vs: VirtualService, mesh: Mesh) -> Findings:
    """Of VirtualServices that share a host at a gateway, none catches everything.

    Why: A gateway puts the rules of all VirtualServices for a host one behind the other, the oldest
        first. A rule that matches everything hides all that come behind it, and which those are
        changes when an object is created anew.
    Fix: Give each fragment a prefix of its own, and let the rule for the rest be in one
        VirtualService that delegates to the others.
    See: https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - match: [{uri: {prefix: /reviews}}]
            route:
            - destination: {host: reviews}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: ratings, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - match: [{uri: {prefix: /ratings}}]
            route:
            - destination: {host: ratings}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: web, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - route:
            - destination: {host: web}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: ratings, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - match: [{uri: {prefix: /ratings}}]
            route:
            - destination: {host: ratings}
    """
    others = {
        found.other
        for found in mesh.host_conflicts(vs.metadata.namespace, vs.metadata.name)
        if found.merged
    }
    if len(others) == 0:
        return
    for http in vs.spec.http:
        if catches_all(http):
            yield at(
                http,
                f"this rule catches everything, and hides those of younger VirtualServices for the same host: {', '.join(sorted(others))}",
            )
