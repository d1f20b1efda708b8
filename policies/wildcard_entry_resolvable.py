"""A wildcard is a host that no resolver can look up."""

from meshplan.policy import Findings, at, deny
from meshplan.policy.istio import ServiceEntry


@deny("EGR-003", severity="high", refs=("IST0106",))
def wildcard_entry_resolvable(se: ServiceEntry) -> Findings:
    """A ServiceEntry with a wildcard does not ask for DNS.

    Why: A proxy cannot look `*.example.com` up. Istio refuses the object unless it has endpoints; with
        `resolution: NONE` connections go where the application wanted them to, by SNI or by address.
        (Since Istio 1.28 `DYNAMIC_DNS` looks up the host of each request, at waypoints alone.) The
        webhook refuses it before any log could show a flag.
    Fix: Use `resolution: NONE` with protocol TLS or HTTPS, or name the hosts.
    See: https://istio.io/latest/docs/tasks/traffic-management/egress/wildcard-egress-hosts/

    Good:
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: wiki, namespace: shop}
        spec: {hosts: ["*.example.com"], resolution: NONE, ports: [{number: 443, name: tls, protocol: TLS}]}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: wiki, namespace: shop}
        spec: {hosts: ["*.example.com"], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]}
    """
    if se.spec.resolution not in {"DNS", "DNS_ROUND_ROBIN"} or len(se.spec.endpoints) > 0:
        return
    for host in se.spec.hosts:
        if host.startswith("*"):
            yield at(
                host,
                f"'{host}' cannot be looked up: resolution {se.spec.resolution or 'NONE'} needs hosts without a wildcard, or endpoints",
            )
