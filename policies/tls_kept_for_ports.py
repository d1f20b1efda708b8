"""Settings of a port replace all others, also those that it does not mention."""

from meshplan.policy import Findings, at, warn
from meshplan.policy.istio import DestinationRule, TrafficPolicy


def forgets_tls(policy: TrafficPolicy) -> bool:
    return (
        bool(policy.tls)
        and policy.tls.mode != "DISABLE"
        and any(not port.tls for port in policy.portLevelSettings)
    )


@warn("TLS-003", severity="high")
def tls_kept_for_ports(dr: DestinationRule) -> Findings:
    """Settings of a port repeat the TLS settings that hold for the others.

    Why: An entry of `portLevelSettings` takes the place of the whole policy for its port. Without
        `tls` of its own the port falls back to automatic mutual TLS, and for a host outside of the
        mesh, where TLS was to be originated, to plaintext: 503 with the flag `UC`, or 400 from a
        server that says "plain HTTP request was sent to HTTPS port".
    Fix: Write `tls` into each entry of `portLevelSettings`.
    See: https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-PortTrafficPolicy

    Good:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: bank, namespace: shop}
        spec:
          host: bank.example.com
          trafficPolicy:
            tls: {mode: SIMPLE}
            portLevelSettings:
            - {port: {number: 443}, tls: {mode: SIMPLE}, connectionPool: {tcp: {maxConnections: 10}}}

    Bad:
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: bank, namespace: shop}
        spec:
          host: bank.example.com
          trafficPolicy:
            tls: {mode: SIMPLE}
            portLevelSettings:
            - {port: {number: 443}, connectionPool: {tcp: {maxConnections: 10}}}
    """
    if forgets_tls(dr.spec.trafficPolicy):
        for port in dr.spec.trafficPolicy.portLevelSettings:
            if not port.tls:
                yield at(
                    port,
                    f"port {port.port.number or 0} has settings of its own, so tls.mode {dr.spec.trafficPolicy.tls.mode or '?'} does not hold for it",
                )
    for subset in dr.spec.subsets:
        if forgets_tls(subset.trafficPolicy):
            for entry in subset.trafficPolicy.portLevelSettings:
                if not entry.tls:
                    yield at(
                        entry,
                        f"port {entry.port.number or 0} has settings of its own, so tls.mode {subset.trafficPolicy.tls.mode or '?'} does not hold for it",
                    )
