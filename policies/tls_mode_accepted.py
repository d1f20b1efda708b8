"""Both ends of a connection have to agree about TLS."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import DestinationRule


@deny("TLS-002", severity="critical", refs=("KIA0207", "KIA0208", "KIA0505", "KIA0506"))
def tls_mode_accepted(dr: DestinationRule, mesh: Mesh) -> Findings:
    """What a DestinationRule makes clients speak is what the pods accept.

    Why: `DISABLE` towards a pod under STRICT: the sidecar of the server closes the connection, 503
        with the flag `UC` (`UF` where it is refused at once). `ISTIO_MUTUAL` towards a pod without a
        sidecar, or under DISABLE: the handshake meets plaintext, 503 with the flag `UF` and
        `TLS_error:…WRONG_VERSION_NUMBER` as the reason.
    Fix: Leave `tls` out, so that automatic mutual TLS decides for each pod, or change the
        PeerAuthentication. Between two changes PERMISSIVE takes both.
    See: https://istio.io/latest/docs/ops/common-problems/network-issues/#503-errors-after-setting-destination-rule

    Good:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec: {host: reviews, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata: {labels: {app: reviews, sidecar.istio.io/inject: "true"}}
            spec: {containers: [{name: reviews, image: "reviews:1"}]}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec: {mtls: {mode: STRICT}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews, namespace: shop}
        spec: {host: reviews, trafficPolicy: {tls: {mode: DISABLE}}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          template:
            metadata: {labels: {app: reviews, sidecar.istio.io/inject: "true"}}
            spec: {containers: [{name: reviews, image: "reviews:1"}]}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec: {mtls: {mode: STRICT}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: legacy, namespace: shop}
        spec: {host: legacy, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: legacy, namespace: shop}
        spec: {selector: {app: legacy}, ports: [{name: http, port: 9080}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: legacy, namespace: shop}
        spec:
          selector: {matchLabels: {app: legacy}}
          template:
            metadata: {labels: {app: legacy, sidecar.istio.io/inject: "false"}}
            spec: {containers: [{name: legacy, image: "legacy:1"}]}
    """
    host = dr.spec.host
    if host is None:
        return
    namespace = dr.metadata.namespace
    whole = mesh.connection(host, 0, "", namespace)
    own = f"{namespace}/{dr.metadata.name}"
    if dr.spec.trafficPolicy.tls and whole.works == "no" and whole.rule == own:
        yield at(
            dr.spec.trafficPolicy.tls.mode,
            f"clients speak {whole.client} to {host}, and its pods accept {whole.server} ({whole.policy})",
        )
    for subset in dr.spec.subsets:
        if subset.name is not None and subset.trafficPolicy.tls:
            part = mesh.connection(host, 0, subset.name, namespace)
            if part.works == "no" and part.rule == own:
                yield at(
                    subset.trafficPolicy.tls.mode,
                    f"clients speak {part.client} to subset '{subset.name}' of {host}, and its pods accept {part.server} ({part.policy})",
                )
