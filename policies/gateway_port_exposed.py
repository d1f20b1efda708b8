"""A Gateway opens a port of its pods; a Service has to lead there."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import Gateway


@deny("GW-001", severity="high", refs=("IST0162",))
def gateway_port_exposed(gw: Gateway, mesh: Mesh) -> Findings:
    """A port of a Gateway is a port of the Service in front of its pods.

    Why: The pods of the gateway listen, but nobody gets there: the load balancer refuses the
        connection, and no log of any proxy shows it. The number in the Gateway is that of the
        Service (`port`), which istiod turns into the one of the pods (`targetPort`); where no Service
        has it, it is that of the pods.
    Fix: Add the port to the Service of the gateway (with Helm: `service.ports`), or use one that
        it has.
    See: https://istio.io/latest/docs/reference/config/analysis/ist0162/

    Good:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: public, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: shop}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: istio-ingressgateway, namespace: istio-system}
        spec:
          type: LoadBalancer
          selector: {istio: ingressgateway}
          ports:
          - {name: https, port: 443, targetPort: 8443}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: public, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 9443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: shop}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: istio-ingressgateway, namespace: istio-system}
        spec:
          type: LoadBalancer
          selector: {istio: ingressgateway}
          ports:
          - {name: https, port: 443, targetPort: 8443}
    """
    for server in gw.spec.servers:
        number = server.port.number
        if number is None:
            continue
        found = mesh.gateway_port(gw.metadata.namespace, gw.metadata.name, number)
        if found.exposed == "no":
            yield at(
                server.port.number,
                f"no Service in front of the gateway has port {number}: {', '.join(sorted(found.services))}",
            )
