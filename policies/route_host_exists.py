"""Routes lead to hosts that the mesh knows."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import VirtualService


@deny("REF-003", severity="critical", refs=("IST0101", "KIA1101"))
def route_host_exists(vs: VirtualService, mesh: Mesh) -> Findings:
    """A route leads to a host that a Service or ServiceEntry declares.

    Why: For a host that nobody declares, or that is not exported to the namespace of the client,
        there is no cluster: 503 with the flag `NC`. A short name means a Service in the namespace
        of the VirtualService, and not in that of the client.
    Fix: Write the full name (`reviews.shop.svc.cluster.local`), declare the host, or export it.
        Where these manifests are not all there is, only hosts are named that they themselves hide
        or take away; `world: closed` in the settings makes it all hosts.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          http:
          - route:
            - destination: {host: bank.example.com, port: {number: 80}}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: egress}
        spec:
          hosts: [bank.example.com]
          resolution: DNS
          ports:
          - {number: 80, name: http, protocol: HTTP}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          http:
          - route:
            - destination: {host: bank.example.com, port: {number: 80}}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: egress}
        spec:
          hosts: [bank.example.com]
          exportTo: ["."]
          resolution: DNS
          ports:
          - {number: 80, name: http, protocol: HTTP}
    """
    namespace = vs.metadata.namespace
    for http in vs.spec.http:
        for route in http.route:
            host = route.destination.host
            if host is None:
                continue
            found = mesh.host(host, namespace)
            if found.missing:
                why = (
                    "is not exported to this namespace"
                    if found.hidden
                    else "is declared by no Service and no ServiceEntry"
                )
                yield at(route.destination.host, f"{found.full} {why}")
        mirror = mesh.host(http.mirror.host or "", namespace)
        if http.mirror.host is not None and mirror.missing:
            yield at(http.mirror.host, f"{mirror.full} is not known to this namespace")
        for copy in http.mirrors:
            other = mesh.host(copy.destination.host or "", namespace)
            if copy.destination.host is not None and other.missing:
                yield at(copy.destination.host, f"{other.full} is not known to this namespace")
    for tcp in vs.spec.tcp:
        for target in tcp.route:
            name = target.destination.host
            if name is not None and mesh.host(name, namespace).missing:
                yield at(target.destination.host, f"{name} is not known to this namespace")
    for tls in vs.spec.tls:
        for target in tls.route:
            name = target.destination.host
            if name is not None and mesh.host(name, namespace).missing:
                yield at(target.destination.host, f"{name} is not known to this namespace")
