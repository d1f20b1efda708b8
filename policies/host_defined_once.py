"""One host, several VirtualServices: sidecars take one of them."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("HOST-001", severity="high", refs=("IST0109", "KIA1106"))
def host_defined_once(vs: VirtualService, mesh: Mesh) -> Findings:
    """The sidecars have one VirtualService for a host.

    Why: Of several VirtualServices for a host sidecars use the oldest alone and ignore the rest:
        routes seem to have no effect, and after a restore from backup, where all are equally old,
        others win. Only gateways put the routes of several together. No flag in the log shows it:
        requests are served, by the rules of another object.
    Fix: Put the rules into one VirtualService, let it delegate, or keep them apart by `exportTo`.
    See: https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
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
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - timeout: 2s
            route:
            - destination: {host: reviews}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews-canary, namespace: shop}
        spec:
          hosts: [reviews.shop.svc.cluster.local]
          http:
          - match: [{headers: {canary: {exact: "1"}}}]
            route:
            - destination: {host: reviews, subset: v2}
    """
    others = mesh.host_conflicts(vs.metadata.namespace, vs.metadata.name)
    for host in vs.spec.hosts:
        full = mesh.host(host, vs.metadata.namespace).full
        rivals = {found.other for found in others if found.host == full and not found.merged}
        if len(rivals) > 0:
            yield at(
                host,
                f"sidecars use only the oldest VirtualService for {full}, and there is also {', '.join(sorted(rivals))}",
            )
