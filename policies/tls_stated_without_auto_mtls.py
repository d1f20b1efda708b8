"""A traffic policy without `tls` is safe as long as mutual TLS is automatic."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import DestinationRule


@deny("TLS-001", severity="critical", refs=("KIA0401", "KIA0501"))
def tls_stated_without_auto_mtls(dr: DestinationRule, mesh: Mesh) -> Findings:
    """Without automatic mutual TLS a DestinationRule says what its clients speak.

    Why: With `enableAutoMtls: true`, the default since Istio 1.5, a client speaks mutual TLS to
        every pod that has a sidecar, whether there is a DestinationRule or not: leaving `tls` out
        is safe. (Older texts warn of it, and write `mtls`; the field is `trafficPolicy.tls`.) With
        `enableAutoMtls: false` it means plaintext, and a server under STRICT closes the connection:
        503 with the flag `UC`, or `UF` where the connection is refused at once.
    Fix: Set `trafficPolicy.tls.mode: ISTIO_MUTUAL`, or switch automatic mutual TLS on.
    See: https://istio.io/latest/docs/ops/configuration/traffic-management/tls-configuration/

    Good:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
          trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata: {labels: {app: reviews, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - {name: reviews, image: "reviews:1"}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: istio-system}
        spec: {mtls: {mode: STRICT}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec:
          host: reviews
          trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata: {labels: {app: reviews, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - {name: reviews, image: "reviews:1"}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: istio-system}
        spec: {mtls: {mode: STRICT}}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |
            enableAutoMtls: false
    """
    if dr.spec.host is None or dr.spec.trafficPolicy.tls or mesh.config().autoMtls:
        return
    namespace = dr.metadata.namespace
    found = mesh.connection(dr.spec.host, 0, "", namespace)
    if (
        found.works == "no"
        and found.client == "PLAINTEXT"
        and found.rule == f"{namespace}/{dr.metadata.name}"
    ):
        yield at(
            dr.spec.trafficPolicy,
            f"clients speak plaintext to {dr.spec.host}, and {found.policy} asks for mutual TLS: set tls.mode",
        )
