"""A VirtualService is for those gateways that it names, and the sidecars are one of them."""

from meshplan.policy import Findings, Mesh, at, info
from meshplan.policy.istio import VirtualService


@info("SCOPE-001", severity="low")
def in_mesh_clients_pass_by(vs: VirtualService, mesh: Mesh) -> Findings:
    """Rules for a Service of the mesh hold for clients inside the mesh.

    Why: Without `gateways` a VirtualService is for the sidecars (`mesh`). As soon as it names a
        gateway it is for that one alone: clients inside the mesh go past its weights, timeouts and
        retries, straight to all versions. No log line says so.
    Fix: Add `mesh` to `gateways`, or leave it out on purpose and waive this finding.
    See: https://istio.io/latest/docs/reference/config/networking/virtual-service/

    Good:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews.shop.svc.cluster.local]
          gateways: [edge/public, mesh]
          http:
          - route:
            - {destination: {host: reviews, subset: v1}, weight: 90}
            - {destination: {host: reviews, subset: v2}, weight: 10}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews, namespace: shop}
        spec:
          hosts: [reviews.shop.svc.cluster.local]
          gateways: [edge/public]
          http:
          - route:
            - {destination: {host: reviews, subset: v1}, weight: 90}
            - {destination: {host: reviews, subset: v2}, weight: 10}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}
    """
    if len(vs.spec.gateways) == 0 or "mesh" in vs.spec.gateways:
        return
    for name in vs.spec.hosts:
        host = mesh.host(name, vs.metadata.namespace)
        if host.known and not host.external and "*" not in name:
            yield at(
                name,
                f"clients inside the mesh reach {host.full} without these rules: 'mesh' is not among the gateways",
            )
