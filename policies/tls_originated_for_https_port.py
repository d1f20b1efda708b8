"""Plain HTTP for a port where the server speaks TLS."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import ServiceEntry


@warn("EGR-005", severity="high")
def tls_originated_for_https_port(se: ServiceEntry, mesh: Mesh) -> Findings:
    """Requests in plain HTTP that end at port 443 get TLS on the way.

    Why: With `protocol: HTTP` and port or targetPort 443 the sidecar sends plain HTTP to a server that
        speaks TLS, unless a DestinationRule originates it: 400 from the server, or 503 with the flag
        `UC`. And no rule counts for HTTPS calls to a port 443 that is declared as HTTP: the sidecar
        finds no HTTP in them and lets them pass as if nobody declared the host, or drops them under
        REGISTRY_ONLY.
    Fix: Add a DestinationRule with `tls.mode: SIMPLE` for the port, or declare port 443 as TLS.
    See: https://istio.io/latest/docs/tasks/traffic-management/egress/egress-tls-origination/

    Good:
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          resolution: DNS
          ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: bank, namespace: shop}
        spec: {host: bank.example.com, trafficPolicy: {tls: {mode: SIMPLE}}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          resolution: DNS
          ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]
    """
    if se.spec.location == "MESH_INTERNAL":
        return
    for host in se.spec.hosts:
        for port in se.spec.ports:
            number = port.number or 0
            protocol = (port.protocol or "").upper()
            target = port.targetPort or number
            if protocol not in {"HTTP", "HTTP2", "GRPC"} or target != 443:
                continue
            found = mesh.connection(host, number, "", se.metadata.namespace)
            if found.client == "PLAINTEXT":
                yield at(
                    port,
                    f"plain {protocol} is sent to port 443 of {host}, and no DestinationRule originates TLS",
                )
