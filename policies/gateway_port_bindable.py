"""Ports below 1024 are for root, or for whoever the pod lets."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import Gateway


@deny("GW-002", severity="high")
def gateway_port_bindable(gw: Gateway, mesh: Mesh) -> Findings:
    """The pods of a Gateway are able to listen on its ports.

    Why: A gateway that does not run as root cannot bind a port below 1024, unless the pod sets the
        sysctl `net.ipv4.ip_unprivileged_port_start`. istiod sends the listener, Envoy refuses it
        (`cannot bind '0.0.0.0:443': Permission denied` in its log, rejected LDS in istiod's), and
        connections are refused. Istio's own charts lead port 80 to 8080 and 443 to 8443 since
        1.6; the chart `gateway` sets the sysctl since 1.12, and so does the injection template for
        gateways (`inject.istio.io/templates: gateway`) since 1.21. No line of an access log shows it.
    Fix: Set the sysctl in the pod's securityContext, or a `targetPort` of 1024 and above.
    See: https://istio.io/latest/docs/setup/additional-setup/gateway/

    Good:
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: public, namespace: edge}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: shop}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: istio-ingressgateway, namespace: istio-system}
        spec:
          selector: {matchLabels: {istio: ingressgateway}}
          template:
            metadata: {labels: {istio: ingressgateway}}
            spec:
              securityContext:
                runAsUser: 1337
                sysctls:
                - {name: net.ipv4.ip_unprivileged_port_start, value: "0"}
              containers:
              - {name: istio-proxy, image: auto}

    Bad:
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
          selector: {istio: ingressgateway}
          ports:
          - {name: https, port: 443, targetPort: 443}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: istio-ingressgateway, namespace: istio-system}
        spec:
          selector: {matchLabels: {istio: ingressgateway}}
          template:
            metadata: {labels: {istio: ingressgateway}}
            spec:
              securityContext: {runAsUser: 1337}
              containers:
              - {name: istio-proxy, image: auto}
    """
    for server in gw.spec.servers:
        number = server.port.number
        if number is None:
            continue
        found = mesh.gateway_port(gw.metadata.namespace, gw.metadata.name, number)
        if found.bindable == "no":
            yield at(
                server.port.number,
                f"the pods of the gateway may not listen on port {found.target}: {', '.join(sorted(found.workloads))}",
            )
