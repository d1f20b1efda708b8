"""A match may ask for a gateway only if the VirtualService is bound to it."""

from meshplan.policy import Findings, at, warn
from meshplan.policy.istio import VirtualService


@warn("SCOPE-004", severity="medium")
def match_gateway_listed(vs: VirtualService) -> Findings:
    """A match names only gateways that the VirtualService is bound to.

    Why: The match is looked at only where the VirtualService is bound. A match for another gateway
        never holds, so its rule is dead, and what it was to catch goes to the next rule, or ends in
        404 with the flag `NR`. `mesh` has to be listed as soon as any gateway is.
    Fix: Add the gateway to `spec.gateways`, or take it out of the match.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews.example.com]
          gateways: [edge/public, mesh]
          http:
          - match:
            - {gateways: [mesh], uri: {prefix: /internal}}
            route:
            - destination: {host: reviews}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews.example.com]
          gateways: [edge/public]
          http:
          - match:
            - {gateways: [mesh], uri: {prefix: /internal}}
            route:
            - destination: {host: reviews}
    """
    bound = set(vs.spec.gateways) | {
        name.removeprefix(f"{vs.metadata.namespace}/") for name in vs.spec.gateways
    }
    for http in vs.spec.http:
        for match in http.match:
            for name in match.gateways:
                listed = name in bound or name.removeprefix(f"{vs.metadata.namespace}/") in bound
                if not listed and not (name == "mesh" and len(vs.spec.gateways) == 0):
                    yield at(
                        name,
                        f"the VirtualService is not bound to gateway '{name}', so this never matches",
                    )
