"""Two Gateways, one pod, one port: the older one wins."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import Gateway


@deny("GW-003", severity="high", refs=("IST0145", "KIA0301"))
def gateway_servers_agree(gw: Gateway, mesh: Mesh) -> Findings:
    """The servers of all Gateways of the same pods go together.

    Why: istiod puts the servers of all Gateways that select the same pods together. A server that
        asks for another protocol on a port, or for a host that another one already has with TLS,
        is left out with a line in the log of istiod alone. Requests end in 404 `NR`, or in the
        certificate of the other server.
    Fix: Use one Gateway for a host and port, or give the servers the same protocol.
    See: https://istio.io/latest/docs/ops/common-problems/network-issues/

    Good:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: one, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["a.example.com"]}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: one, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ["a.example.com"]}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: two, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 8080, name: tcp, protocol: TCP}, hosts: ["*"]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: istio-ingressgateway, namespace: edge}
        spec:
          selector: {matchLabels: {istio: ingressgateway}}
          template:
            metadata: {labels: {istio: ingressgateway}}
            spec:
              containers:
              - {name: istio-proxy, image: auto}
    """
    for server in gw.spec.servers:
        number = server.port.number
        if number is not None:
            found = mesh.gateway_port(gw.metadata.namespace, gw.metadata.name, number)
            if found.skipped != "":
                yield at(server.port, f"a server on port {number} is left out: {found.skipped}")
