"""Fragments of one host at a gateway: what catches everything comes last, and once."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import HTTPMatchRequest, HTTPRoute, VirtualService


def is_anything(match: HTTPMatchRequest) -> bool:
    """Whether each request fits it, at each gateway."""
    return (
        (not match.uri or match.uri.prefix == "/" or match.uri.regex == ".*")
        and not match.authority
        and not match.headers
        and not match.method
        and not match.queryParams
        and not match.scheme
        and not match.withoutHeaders
        and len(match.gateways) == 0
        and match.port is None
        and not match.sourceLabels
        and match.sourceNamespace is None
    )


def catches_all(http: HTTPRoute) -> bool:
    return not http.delegate and (
        len(http.match) == 0 or any(is_anything(match) for match in http.match)
    )


@warn("HOST-002", severity="medium", refs=("KIA1106",))
def host_shared_at_gateway(vs: VirtualService, mesh: Mesh) -> Findings:
    """Of VirtualServices that share a host at a gateway, one at most catches everything.

    Why: A gateway puts the rules of all VirtualServices for a host one behind the other, the oldest
        first, and those that match everything behind all others. Of several such rules only that of
        the oldest VirtualService is ever used, and which that is changes when an object is created
        anew. No flag in the log shows it: requests are served, by another rule.
    Fix: Give each fragment a prefix of its own, and let the rule for the rest be in one
        VirtualService.
    See: https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services

    Good:
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
          - match: [{uri: {prefix: /}}]
            route:
            - destination: {host: ratings}
    """
    catching = {
        f"{one.metadata.namespace}/{one.metadata.name}"
        for one in mesh.virtualServices
        for http in one.spec.http
        if catches_all(http)
    }
    others = {
        found.other
        for found in mesh.host_conflicts(vs.metadata.namespace, vs.metadata.name)
        if found.merged and found.other in catching
    }
    if len(others) == 0:
        return
    for http in vs.spec.http:
        if catches_all(http):
            yield at(
                http,
                f"of the rules that catch everything only the oldest is used, and there is also that of {', '.join(sorted(others))}",
            )
