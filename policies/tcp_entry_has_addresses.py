"""TCP has no host in it: all that is left is the address."""

from meshplan.policy import Findings, at, warn
from meshplan.policy.istio import ServiceEntry


@warn("EGR-009", severity="high", refs=("IST0134",))
def tcp_entry_has_addresses(se: ServiceEntry) -> Findings:
    """A ServiceEntry for TCP outside of the mesh has addresses.

    Why: Without addresses the sidecars listen for the port on every address (`0.0.0.0:PORT`): whatever
        uses the port goes to this one host, and a second ServiceEntry with the same port is ignored.
        With Istio's DNS proxying (`ISTIO_META_DNS_CAPTURE`, and automatic addresses by default since
        1.25) the sidecars assign addresses by themselves where `resolution` is not NONE.
    Fix: Add `addresses`, use protocol TLS where the connection has SNI, or turn DNS proxying on and
        waive the finding.
    See: https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/

    Good:
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: db, namespace: shop}
        spec:
          hosts: [db.example.com]
          addresses: [192.0.2.7/32]
          resolution: DNS
          ports: [{number: 5432, name: tcp-postgres, protocol: TCP}]

    Bad:
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: db, namespace: shop}
        spec:
          hosts: [db.example.com]
          resolution: DNS
          ports: [{number: 5432, name: tcp-postgres, protocol: TCP}]
    """
    if len(se.spec.addresses) > 0 or se.spec.workloadSelector:
        return
    for port in se.spec.ports:
        if (port.protocol or "").upper() in {"TCP", "MONGO", "MYSQL", "REDIS"}:
            yield at(
                port,
                f"without addresses sidecars take everything on port {port.number or 0} for {', '.join(sorted(set(se.spec.hosts)))}",
            )
