"""Subsets are defined by DestinationRules, and used by VirtualServices."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("REF-001", severity="critical", refs=("IST0101", "KIA1107"))
def subset_exists(vs: VirtualService, mesh: Mesh) -> Findings:
    """A route names a subset that the DestinationRule of its host defines.

    Why: A subset is a cluster of its own in Envoy. Without it every request of the route is
        answered 503 with the flag `NC` and the detail `cluster_not_found`. (Older texts say `NR`:
        Envoy had it so until 1.17.) The cluster has to be there before the first request, so
        the DestinationRule goes first.
    Fix: Define the subset in the DestinationRule that the clients use for this host: the one in
        their own namespace wins, then that of the host's namespace, then the root namespace.
    See: https://istio.io/latest/docs/ops/common-problems/network-issues/

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - route:
            - destination: {host: reviews, subset: v1}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
          subsets:
          - {name: v1, labels: {version: v1}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - route:
            - destination: {host: reviews, subset: v2}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
          subsets:
          - {name: v1, labels: {version: v1}}
    """
    namespace = vs.metadata.namespace
    for http in vs.spec.http:
        for route in http.route:
            host = route.destination.host or ""
            subset = route.destination.subset or ""
            if subset != "" and mesh.subset(host, subset, namespace).missing:
                yield at(
                    route.destination.subset,
                    f"no DestinationRule defines subset '{subset}' of {host}",
                )
        mirror = http.mirror.subset or ""
        if mirror != "" and mesh.subset(http.mirror.host or "", mirror, namespace).missing:
            yield at(
                http.mirror.subset,
                f"no DestinationRule defines subset '{mirror}' of {http.mirror.host or ''}",
            )
        for copy in http.mirrors:
            part = copy.destination.subset or ""
            if part != "" and mesh.subset(copy.destination.host or "", part, namespace).missing:
                yield at(
                    copy.destination.subset,
                    f"no DestinationRule defines subset '{part}' of {copy.destination.host or ''}",
                )
    for tcp in vs.spec.tcp:
        for target in tcp.route:
            host = target.destination.host or ""
            subset = target.destination.subset or ""
            if subset != "" and mesh.subset(host, subset, namespace).missing:
                yield at(
                    target.destination.subset,
                    f"no DestinationRule defines subset '{subset}' of {host}",
                )
    for tls in vs.spec.tls:
        for target in tls.route:
            host = target.destination.host or ""
            subset = target.destination.subset or ""
            if subset != "" and mesh.subset(host, subset, namespace).missing:
                yield at(
                    target.destination.subset,
                    f"no DestinationRule defines subset '{subset}' of {host}",
                )
