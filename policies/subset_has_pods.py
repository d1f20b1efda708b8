"""A subset is a name for some of the pods of a host; there may be none."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import VirtualService


@warn("REF-002", severity="high", refs=("IST0173", "KIA0203"))
def subset_has_pods(vs: VirtualService, mesh: Mesh) -> Findings:
    """A subset that requests are sent to has pods.

    Why: The cluster of the subset exists, but has no endpoints: 503 with the flag `UH`
        (no healthy upstream). The usual reasons are a label that is on the Deployment and not on
        the template of its pods, and a Deployment with another version label. Nothing is said
        where the pods of the host are not in these manifests.
    Fix: Put the labels of the subset on the template of the pods, or correct the subset.
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
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews-v1, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews, version: v1}}
          template:
            metadata: {labels: {app: reviews, version: v1}}
            spec:
              containers:
              - {name: reviews, image: "reviews:1"}

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
          - {name: v2, labels: {version: v2}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews-v2, namespace: shop, labels: {version: v2}}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata: {labels: {app: reviews}}
            spec:
              containers:
              - {name: reviews, image: "reviews:2"}
    """
    for http in vs.spec.http:
        for route in http.route:
            dest = route.destination
            if dest.host is None or dest.subset is None or route.weight == 0:
                continue
            if mesh.subset(dest.host, dest.subset, vs.metadata.namespace).endpoints == "no":
                yield at(
                    dest.subset, f"no pod of {dest.host} has the labels of subset '{dest.subset}'"
                )
