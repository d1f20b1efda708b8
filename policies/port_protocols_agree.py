"""One port, two protocols: the one in its name loses."""

import re

from meshplan.policy import Findings, at, warn
from meshplan.policy.k8s import Service


def family(protocol: str) -> str:
    if protocol in {"http2", "grpc", "grpc-web", "kubernetes.io/h2c"}:
        return "http2"
    if protocol in {"https", "tls", "kubernetes.io/wss"}:
        return "tls"
    if protocol in {"tcp", "mongo", "mysql", "redis"}:
        return "tcp"
    return "http" if protocol in {"http", "kubernetes.io/ws"} else ""


@warn("PORT-003", severity="medium")
def port_protocols_agree(svc: Service) -> Findings:
    """The name of a port and its appProtocol tell the same protocol.

    Why: `appProtocol` wins (since Istio 1.6 and Kubernetes 1.18). Whoever reads the name expects
        routes, retries and metrics of another protocol: HTTP routes for a port that is TCP are
        ignored without a word. No flag shows it: the log has one line per connection, without method
        and path.
    Fix: Let both say the same, or let the name say what the port is for.
    See: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/

    Good:
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: grpc, port: 9080, appProtocol: grpc}

    Bad:
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http-api, port: 9080, appProtocol: tcp}
    """
    for port in svc.spec.ports:
        if port.name is None or port.appProtocol is None:
            continue
        stated = family(port.appProtocol.lower())
        if re.match(r"(http|https|tcp|tls)(-|$)", port.name):
            named = "tls" if re.match(r"(https|tls)(-|$)", port.name) else "http"
            meant = "tcp" if re.match(r"tcp(-|$)", port.name) else named
            if stated != "" and stated.removesuffix("2") != meant:
                yield at(
                    port.appProtocol,
                    f"port '{port.name}' is {port.appProtocol}, whatever its name says",
                )
