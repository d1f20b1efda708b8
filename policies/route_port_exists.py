"""Routes lead to ports that their hosts have."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("REF-004", severity="critical", refs=("IST0101", "IST0112"))
def route_port_exists(vs: VirtualService, mesh: Mesh) -> Findings:
    """A route leads to a port of its host, and says which where there are several.

    Why: Each port of a Service is a cluster of its own. A port that the Service lacks, such as that
        of the container, has none: 503 with the flag `NC`. Where no port is named and the Service
        has several, Istio takes the port of the request, which at a gateway is rarely one of them.
    Fix: Name the port of the Service (`port`), not of the container (`targetPort`).
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - route:
            - destination: {host: reviews, port: {number: 9080}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080, targetPort: 8080}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews]
          http:
          - route:
            - destination: {host: reviews, port: {number: 8080}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080, targetPort: 8080}
    """
    gateways = [g for g in vs.spec.gateways if g != "mesh"]
    for http in vs.spec.http:
        for route in http.route:
            dest = route.destination
            if dest.host is None:
                continue
            found = mesh.host(dest.host, vs.metadata.namespace)
            ports = {port.number for port in found.ports}
            if not found.known or len(ports) == 0:
                continue
            if dest.port.number is not None and dest.port.number not in ports:
                yield at(dest.port.number, f"{found.full} has no port {dest.port.number}")
            elif dest.port.number is None and len(ports) > 1 and len(gateways) > 0:
                yield at(
                    dest.host, f"{found.full} has {len(ports)} ports, and the route names none"
                )
