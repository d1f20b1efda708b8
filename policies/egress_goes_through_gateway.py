"""An egress gateway sees only what is sent to it."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.istio import Gateway


def covers(hosts: set[str], host: str) -> bool:
    labels = host.split(".")
    return host in hosts or any(
        "*." + ".".join([label for place, label in enumerate(labels) if place > start]) in hosts
        for start, _ in enumerate(labels)
    )


@warn("EGR-007", severity="high")
def egress_goes_through_gateway(
    gw: Gateway, mesh: Mesh, *, selectors: list[str] = ["egressgateway", "egress"]
) -> Findings:
    """A host of an egress gateway has a VirtualService that sends the sidecars there.

    Why: A ServiceEntry and a Gateway alone change nothing: the sidecars go to the host directly, past
        the gateway and its policies, and the log of the gateway stays empty. It takes a
        VirtualService for `mesh` that leads to the gateway (for TLS by `sniHosts`), and one for the
        gateway that leads to the host.
    Fix: Add a VirtualService with `gateways: [mesh, <gateway>]` for the host.
    See: https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/

    Good:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: egress, namespace: edge}
        spec:
          selector: {istio: egressgateway}
          servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [bank.example.com], tls: {mode: PASSTHROUGH}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: bank, namespace: edge}
        spec:
          hosts: [bank.example.com]
          gateways: [mesh, egress]
          tls:
          - match: [{gateways: [mesh], port: 443, sniHosts: [bank.example.com]}]
            route: [{destination: {host: istio-egressgateway.edge.svc.cluster.local, port: {number: 443}}}]
          - match: [{gateways: [egress], port: 443, sniHosts: [bank.example.com]}]
            route: [{destination: {host: bank.example.com, port: {number: 443}}}]

    Bad:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: egress, namespace: edge}
        spec:
          selector: {istio: egressgateway}
          servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [bank.example.com], tls: {mode: PASSTHROUGH}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: edge}
        spec: {hosts: [bank.example.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]}
    """
    routed = {
        host
        for vs in mesh.virtualServices
        for host in vs.spec.hosts
        if len(vs.spec.gateways) == 0 or "mesh" in vs.spec.gateways
    }
    declared = {host for se in mesh.serviceEntries for host in se.spec.hosts}
    if gw.spec.selector.get("istio", "") not in selectors:
        return
    for server in gw.spec.servers:
        for name in server.hosts:
            # `namespace/host` lets VirtualServices of that namespace alone use the server.
            host = (
                "".join([part for place, part in enumerate(name.split("/")) if place > 0]) or name
            )
            if host in declared and not covers(routed, host):
                yield at(name, f"no VirtualService sends sidecars that call {host} to this gateway")
