"""A subset may go when nobody asks for it any more."""

from meshplan.policy import Change, Findings, Mesh, at, fqdn, warn
from meshplan.policy.istio import DestinationRule


@warn("REF-006", severity="critical")
def subset_removed_in_use(dr: Change[DestinationRule], mesh: Mesh) -> Findings:
    """A subset is removed only when no route uses it any more.

    Why: From the moment the DestinationRule is applied the cluster of the subset is gone, and each
        request of the routes that still use it is answered 503 with the flag `NC`.
    Fix: Change the routes first, wait until all proxies have them, then remove the subset. The plan
        of `meshplan diff` does it in this order when one change holds both.
    See: https://istio.io/latest/docs/ops/best-practices/traffic-management/#avoid-503-errors-while-reconfiguring-service-routes

    Good:
        before:
          apiVersion: networking.istio.io/v1
          kind: DestinationRule
          metadata: {name: reviews, namespace: shop}
          spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
          ---
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: reviews, namespace: shop}
          spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}
        after:
          apiVersion: networking.istio.io/v1
          kind: DestinationRule
          metadata: {name: reviews, namespace: shop}
          spec: {host: reviews, subsets: [{name: v2, labels: {version: v2}}]}
          ---
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: reviews, namespace: shop}
          spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v2}}]}]}

    Bad:
        before:
          apiVersion: networking.istio.io/v1
          kind: DestinationRule
          metadata: {name: reviews, namespace: shop}
          spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
          ---
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: reviews, namespace: shop}
          spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}
        after:
          apiVersion: networking.istio.io/v1
          kind: DestinationRule
          metadata: {name: reviews, namespace: shop}
          spec: {host: reviews, subsets: [{name: v2, labels: {version: v2}}]}
          ---
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: reviews, namespace: shop}
          spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}
    """
    used = {
        (fqdn(route.destination.host, vs.metadata.namespace), route.destination.subset)
        for vs in mesh.virtualServices
        for http in vs.spec.http
        for route in http.route
        if route.destination.host is not None and route.destination.subset is not None
    }
    kept = {
        (fqdn(rule.spec.host, rule.metadata.namespace), subset.name)
        for rule in mesh.destinationRules
        for subset in rule.spec.subsets
        if rule.spec.host is not None and subset.name is not None
    }
    if dr.old.spec.host is None:
        return
    host = fqdn(dr.old.spec.host, dr.old.metadata.namespace)
    for subset in dr.old.spec.subsets:
        if (
            subset.name is not None
            and (host, subset.name) in used
            and (host, subset.name) not in kept
        ):
            yield at(
                subset,
                f"subset '{subset.name}' of {host} is removed while a VirtualService still uses it",
            )
