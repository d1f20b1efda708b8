"""A delegate sees only what its root lets through."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import VirtualService


@warn("HOST-004", severity="high")
def delegate_routes_reachable(vs: VirtualService, mesh: Mesh) -> Findings:
    """Each rule of a delegate fits a match of its root.

    Why: A match of the delegate has to be a part of one of the root: the same path or a longer
        prefix, the same header. A rule that contradicts it is left out without a word; its requests
        end in another rule, or in 404 with the flag `NR`.
    Fix: Let the prefixes of the delegate begin with that of the root.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - match: [{uri: {prefix: /reviews}}]
            delegate: {name: reviews}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          http:
          - match: [{uri: {prefix: /reviews/v2}}]
            route:
            - destination: {host: reviews}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - match: [{uri: {prefix: /reviews}}]
            delegate: {name: reviews}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          http:
          - match: [{uri: {prefix: /v2}}]
            route:
            - destination: {host: reviews}
    """
    namespace = vs.metadata.namespace
    for http in vs.spec.http:
        where = http.delegate.namespace or namespace
        name = http.delegate.name or ""
        found = mesh.delegate(where, name, namespace, vs.metadata.name)
        if found.shadowed > 0:
            yield at(
                http.delegate,
                f"{found.shadowed} of the rules of {where}/{name} match nothing that gets there",
            )
