"""TCP has no host in it: all that is left is the address."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import ServiceEntry


@warn("EGR-009", severity="high", refs=("IST0134",))
def tcp_entry_has_addresses(se: ServiceEntry, mesh: Mesh) -> Findings:
    """A ServiceEntry for TCP outside of the mesh has addresses.

    Why: Without addresses the sidecars listen for the port on every address (`0.0.0.0:PORT`): whatever
        uses the port goes to this one host, and a second ServiceEntry with the same port is ignored.
        With DNS proxying (`ISTIO_META_DNS_CAPTURE: "true"` in the mesh's `proxyMetadata`) hosts get
        addresses of their own where `resolution` is not NONE, by default since Istio 1.25.
    Fix: Add `addresses`, use protocol TLS where the connection has SNI, or turn DNS proxying on.
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
    if mesh.config().dnsCapture and (se.spec.resolution or "NONE") != "NONE":
        return
    for port in se.spec.ports:
        if (port.protocol or "").upper() in {"TCP", "MONGO", "MYSQL", "REDIS"}:
            yield at(
                port,
                f"without addresses sidecars take everything on port {port.number or 0} for {', '.join(sorted(set(se.spec.hosts)))}",
            )
