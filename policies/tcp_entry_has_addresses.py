"""TCP has no host in it: all that is left is the address."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import ServiceEntry


@warn("EGR-009", severity="high", refs=("IST0134",))
def tcp_entry_has_addresses(se: ServiceEntry, mesh: Mesh) -> Findings:
    """A ServiceEntry for TCP has addresses.

    Why: Without addresses the sidecars listen for the port on every address (`0.0.0.0:PORT`): whatever
        uses the port goes to this one host, and a second ServiceEntry with the same port is ignored.
        A port without a protocol is taken for TCP where it is not found to be HTTP. With DNS proxying
        (`ISTIO_META_DNS_CAPTURE: "true"` in the mesh's `proxyMetadata`) hosts get addresses of their
        own since Istio 1.25 (before that with `ISTIO_META_DNS_AUTO_ALLOCATE: "true"`), where
        `resolution` is not NONE and no label `networking.istio.io/enable-autoallocate-ip: "false"`
        forbids it. No flag shows it: connections succeed, at the wrong host, and the log names the
        cluster of this entry.
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
    if len(se.spec.addresses) > 0:
        return
    stated = se.metadata.labels.get("networking.istio.io/enable-autoallocate-ip", "")
    given = (se.spec.resolution or "NONE") != "NONE" and stated.lower() != "false"
    if mesh.config().dnsAddresses and given:
        return
    for port in se.spec.ports:
        if (port.protocol or "").upper() in {"", "TCP", "MONGO", "MYSQL", "REDIS"}:
            yield at(
                port,
                f"without addresses sidecars take everything on port {port.number or 0} for {', '.join(sorted(set(se.spec.hosts)))}",
            )
