"""`*` is a host for gateways."""

from meshplan.policy import Findings, at, deny
from meshplan.policy.istio import VirtualService


@deny("SCOPE-003", severity="high")
def wildcard_in_the_mesh(vs: VirtualService) -> Findings:
    """A VirtualService for the sidecars names hosts, not everything.

    Why: Istio refuses the host `*` for `mesh` (the webhook says so; applied past it, istiod leaves the
        object out). It is easily written by forgetting `gateways`, as then `mesh` is meant. The log
        shows requests that are routed as if it were not there.
    Fix: Name the gateway that it is for, or name the hosts.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: ["*"]
          gateways: [public]
          http:
          - route:
            - destination: {host: web}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: shop, namespace: shop}
        spec:
          hosts: ["*"]
          http:
          - route:
            - destination: {host: web}
    """
    if len(vs.spec.gateways) > 0 and "mesh" not in vs.spec.gateways:
        return
    for host in vs.spec.hosts:
        if host == "*":
            yield at(
                host, "the host '*' is not allowed for the sidecars: name a gateway, or the hosts"
            )
