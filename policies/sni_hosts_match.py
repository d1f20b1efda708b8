"""A TLS route is chosen by the name in the handshake."""

from meshplan.policy import Findings, at, deny, host_matches
from meshplan.policy.istio import VirtualService


@deny("EGR-008", severity="high", refs=("IST0106",))
def sni_hosts_match(vs: VirtualService) -> Findings:
    """The names of a TLS match are hosts of its VirtualService, and there is at least one.

    Why: Istio refuses a TLS route without a match, a match without `sniHosts`, and names that no
        host of the VirtualService covers. Applied past the webhook, the route is never taken: the connection is closed with the
        flag `NR`, or goes out directly.
    Fix: List the host under `hosts`, and the same name or a part of it under `sniHosts`.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/#TLSMatchAttributes

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: ["*.example.com"]
          tls:
          - match: [{port: 443, sniHosts: [bank.example.com]}]
            route: [{destination: {host: bank.example.com}}]

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          tls:
          - match: [{port: 443, sniHosts: [api.bank.example.com]}]
            route: [{destination: {host: bank.example.com}}]
    """
    for tls in vs.spec.tls:
        if len(tls.match) == 0:
            yield at(tls, "a TLS route needs a match with sniHosts")
        for match in tls.match:
            if len(match.sniHosts) == 0:
                yield at(match, "a TLS match needs sniHosts")
            for name in match.sniHosts:
                if not any(host_matches(host, name) for host in vs.spec.hosts):
                    yield at(name, f"'{name}' is none of the hosts of the VirtualService")
