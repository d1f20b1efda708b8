"""TLS inside TLS: the application speaks it, and the sidecar again."""

from meshplan.policy import Findings, Mesh, at, fqdn, warn
from meshplan.policy.istio import DestinationRule


@warn("EGR-004", severity="high")
def tls_originated_once(dr: DestinationRule, mesh: Mesh) -> Findings:
    """TLS is originated for ports on which the application does not speak TLS itself.

    Why: `tls.mode: SIMPLE` or `MUTUAL` on a port that is declared as HTTPS or TLS wraps the TLS of the
        application once more: the server sees garbage, the application "wrong version number", and
        the log 503 `UF` or a closed connection. The sidecar must be sent plain HTTP to add TLS.
        (Nothing is said where an HTTP route leads to the port: that is plain HTTP.)
    Fix: Let the application call `http://host:80`, declare port 80 as HTTP with `targetPort: 443`, and
        originate TLS for port 80; or leave TLS to the application and remove `tls`.
    See: https://istio.io/latest/docs/ops/common-problems/network-issues/#double-tls-tls-origination-for-a-tls-request

    Good:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: bank, namespace: shop}
        spec:
          host: bank.example.com
          trafficPolicy:
            portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          resolution: DNS
          ports:
          - {number: 80, name: http, protocol: HTTP, targetPort: 443}
          - {number: 443, name: tls, protocol: TLS}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: bank, namespace: shop}
        spec:
          host: bank.example.com
          trafficPolicy: {tls: {mode: SIMPLE}}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: shop}
        spec:
          hosts: [bank.example.com]
          resolution: DNS
          ports:
          - {number: 443, name: https, protocol: HTTPS}
    """
    routed = {
        fqdn(route.destination.host, vs.metadata.namespace)
        for vs in mesh.virtualServices
        for http in vs.spec.http
        for route in http.route
        if route.destination.host is not None
    }
    host = dr.spec.host
    if host is None or fqdn(host, dr.metadata.namespace) in routed:
        return
    found = mesh.host(host, dr.metadata.namespace)
    encrypted = {port.number for port in found.ports if port.protocol in {"HTTPS", "TLS"}}
    # A port with settings of its own takes nothing from those for all ports.
    own = {port.port.number or 0 for port in dr.spec.trafficPolicy.portLevelSettings}
    others = {port.protocol for port in found.ports if port.number not in own}
    mode = dr.spec.trafficPolicy.tls.mode or ""
    if mode in {"SIMPLE", "MUTUAL"} and len(others) > 0 and others <= {"HTTPS", "TLS"}:
        yield at(
            dr.spec.trafficPolicy.tls.mode,
            f"applications speak TLS to {found.full} themselves: {mode} wraps it once more",
        )
    for port in dr.spec.trafficPolicy.portLevelSettings:
        number = port.port.number or 0
        if (port.tls.mode or "") in {"SIMPLE", "MUTUAL"} and number in encrypted:
            yield at(
                port.tls.mode,
                f"applications speak TLS to port {number} of {found.full} themselves: {port.tls.mode or ''} wraps it once more",
            )
