"""`portLevelMtls` is for the pods that a selector names."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import PeerAuthentication


@deny("TLS-004", severity="high")
def port_mtls_has_selector(pa: PeerAuthentication, mesh: Mesh) -> Findings:
    """Modes of single ports are in a PeerAuthentication for single workloads.

    Why: `portLevelMtls` counts only where the PeerAuthentication has a selector and is not in the
        root namespace; Istio refuses it elsewhere, and applied past the webhook it is ignored: a port
        that was to stay open to plaintext (probes, metrics) is STRICT like the rest, 503 `UC`.
        The number is that of the container's port, not of the Service's.
    Fix: Add a selector, and put the object into the namespace of the pods.
    See: https://istio.io/latest/docs/reference/config/security/peer_authentication/

    Good:
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {matchLabels: {app: reviews}}
          mtls: {mode: STRICT}
          portLevelMtls: {"8080": {mode: PERMISSIVE}}

    Bad:
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec:
          mtls: {mode: STRICT}
          portLevelMtls: {"8080": {mode: PERMISSIVE}}
    """
    if len(pa.spec.portLevelMtls) == 0:
        return
    if len(pa.spec.selector.matchLabels) == 0:
        yield at(pa.spec.portLevelMtls, "modes of single ports have no effect without a selector")
    elif pa.metadata.namespace == mesh.config().rootNamespace:
        yield at(
            pa.spec.portLevelMtls, "modes of single ports have no effect in the root namespace"
        )
