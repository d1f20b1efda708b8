"""A Service may go when no route leads to it any more."""

from meshplan.policy import Change, Findings, Mesh, at, fqdn, warn
from meshplan.policy.k8s import Service


@warn("REF-007", severity="critical")
def service_removed_in_use(svc: Change[Service], mesh: Mesh) -> Findings:
    """A Service, or a port of it, is removed only when no route uses it any more.

    Why: With the Service its clusters go: 503 with the flag `NC` for every route that still leads
        to it. Callers inside the cluster lose its name first: their DNS answers NXDOMAIN.
    Fix: Change the routes first; remove the Service in a later change, or apply in the order of the
        plan.
    See: https://istio.io/latest/docs/ops/best-practices/traffic-management/

    Good:
        before:
          apiVersion: v1
          kind: Service
          metadata: {name: ratings, namespace: shop}
          spec: {selector: {app: ratings}, ports: [{name: http, port: 9080}]}
        after:
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: reviews, namespace: shop}
          spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}

    Bad:
        before:
          apiVersion: v1
          kind: Service
          metadata: {name: ratings, namespace: shop}
          spec: {selector: {app: ratings}, ports: [{name: http, port: 9080}]}
        after:
          apiVersion: networking.istio.io/v1
          kind: VirtualService
          metadata: {name: ratings, namespace: shop}
          spec: {hosts: [ratings], http: [{route: [{destination: {host: ratings}}]}]}
    """
    used = {
        fqdn(route.destination.host, vs.metadata.namespace)
        for vs in mesh.virtualServices
        for http in vs.spec.http
        for route in http.route
        if route.destination.host is not None
    }
    used_ports = {
        (fqdn(route.destination.host, vs.metadata.namespace), route.destination.port.number)
        for vs in mesh.virtualServices
        for http in vs.spec.http
        for route in http.route
        if route.destination.host is not None and route.destination.port.number is not None
    }
    if not svc.old:
        return
    host = fqdn(svc.old.metadata.name, svc.old.metadata.namespace)
    if not svc.new:
        if host in used:
            yield at(
                svc.old.metadata.name,
                f"Service {host} is removed while a VirtualService still leads to it",
            )
        return
    kept = {port.port for port in svc.new.spec.ports if port.port is not None}
    for port in svc.old.spec.ports:
        if port.port is not None and port.port not in kept and (host, port.port) in used_ports:
            yield at(
                port,
                f"port {port.port} of {host} is removed while a VirtualService still leads to it",
            )
