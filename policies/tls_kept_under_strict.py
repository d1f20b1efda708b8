"""A DestinationRule for many hosts that takes TLS away from all of them."""

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.istio import DestinationRule


@deny("TLS-006", severity="critical", refs=("KIA0207", "KIA0208"))
def tls_kept_under_strict(dr: DestinationRule, mesh: Mesh) -> Findings:
    """A DestinationRule for many hosts does not switch TLS off where STRICT is in force.

    Why: With `tls.mode: DISABLE` for `*.local` or `*.shop.svc.cluster.local` clients speak plaintext
        to every host that has no rule of its own. Under STRICT mutual TLS all of these servers close
        the connection: 503 with the flag `UC`, or `UF` where it is refused at once.
    Fix: Leave `tls` out, or make the PeerAuthentication PERMISSIVE first.
    See: https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/

    Good:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: plain, namespace: istio-system}
        spec: {host: "*.local", trafficPolicy: {tls: {mode: DISABLE}}}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: istio-system}
        spec: {mtls: {mode: PERMISSIVE}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: plain, namespace: istio-system}
        spec: {host: "*.local", trafficPolicy: {tls: {mode: DISABLE}}}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: istio-system}
        spec: {mtls: {mode: STRICT}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: plain, namespace: shop}
        spec: {host: "*.shop.svc.cluster.local", trafficPolicy: {tls: {mode: DISABLE}}}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec: {mtls: {mode: STRICT}}
    """
    strict = {
        pa.metadata.namespace
        for pa in mesh.peerAuthentications
        if pa.spec.mtls.mode == "STRICT" and len(pa.spec.selector.matchLabels) == 0
    }
    host = dr.spec.host or ""
    if not host.startswith("*") or dr.spec.trafficPolicy.tls.mode != "DISABLE":
        return
    config = mesh.config()
    services = f".svc.{config.clusterDomain}"
    if config.rootNamespace in strict and services.endswith(host.removeprefix("*")):
        yield at(
            dr.spec.trafficPolicy.tls.mode,
            f"clients speak plaintext to {host}, and the mesh asks for mutual TLS",
        )
        return
    name = host.removeprefix("*.").removesuffix(services)
    if host == f"*.{name}{services}" and name in strict:
        yield at(
            dr.spec.trafficPolicy.tls.mode,
            f"clients speak plaintext to {host}, and namespace {name} asks for mutual TLS",
        )
