"""A VirtualService may leave a part of its host to another one."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("HOST-003", severity="high", refs=("IST0101",))
def delegate_usable(vs: VirtualService, mesh: Mesh) -> Findings:
    """A delegate exists, is exported to its root, has no hosts, and delegates no further.

    Why: A rule whose delegate cannot be used is left out: its requests go to the next rule, or end in
        404 with the flag `NR`. (Older texts say that delegates are to come: they have been there
        since Istio 1.6.) A delegate must have no `hosts`, must be exported to the namespace of the
        root, and may not delegate itself.
    Fix: Name the delegate with its namespace, take away its hosts, add the namespace of the root to
        its `exportTo`.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: edge}
        spec:
          hosts: [shop.example.com]
          gateways: [public]
          http:
          - match: [{uri: {prefix: /reviews}}]
            delegate: {name: reviews, namespace: shop}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          exportTo: [edge]
          http:
          - route:
            - destination: {host: reviews.shop.svc.cluster.local}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: edge}
        spec:
          hosts: [shop.example.com]
          gateways: [public]
          http:
          - match: [{uri: {prefix: /reviews}}]
            delegate: {name: reviews, namespace: shop}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          exportTo: ["."]
          http:
          - route:
            - destination: {host: reviews.shop.svc.cluster.local}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: [shop.example.com]
          gateways: [edge/public]
          http:
          - delegate: {name: one}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: one, namespace: shop}
        spec:
          http:
          - delegate: {name: two}
    """
    namespace = vs.metadata.namespace
    for http in vs.spec.http:
        name = http.delegate.name
        if name is None:
            continue
        where = http.delegate.namespace or namespace
        found = mesh.delegate(where, name, namespace, vs.metadata.name)
        if found.missing:
            yield at(http.delegate, f"there is no VirtualService {where}/{name} to delegate to")
        elif found.hosts:
            yield at(
                http.delegate,
                f"the delegate {where}/{name} has hosts of its own, so it is not used as a delegate",
            )
        elif found.known and not found.exported:
            yield at(
                http.delegate,
                f"the delegate {where}/{name} is not exported to namespace {namespace}",
            )
        elif found.chained:
            yield at(
                http.delegate,
                f"the delegate {where}/{name} delegates further, which Istio does not follow",
            )
