"""The protocol of a port decides what Istio can do with its traffic."""

import re

from meshplan.policy import Findings, at, warn
from meshplan.policy.k8s import Service

DECLARED = r"(http|http2|https|grpc|grpc-web|mongo|mysql|redis|tcp|tls|udp)(-.*)?"
WELL_KNOWN = frozenset({25, 53, 3306, 27017})


@warn("PORT-001", severity="medium", refs=("IST0118", "KIA0601"))
def port_protocol_declared(
    svc: Service,
    *,
    ignored: list[str] = ["istio-system", "kube-node-lease", "kube-public", "kube-system"],
) -> Findings:
    """A port of a Service declares its protocol.

    Why: Where neither `appProtocol` nor the name of the port tells a protocol, the sidecars look at
        the first bytes of each connection. What they recognise as HTTP is routed as HTTP; all else
        is TCP: no routes, no retries, no HTTP metrics, and one line `- - "-"` per connection in the
        log. A protocol in which the server speaks first hangs, as there is nothing to look at.
        Ports 25, 53, 3306 and 27017 are taken for TCP without looking.
    Fix: Set `appProtocol`, or begin the name with the protocol: `http`, `grpc-api`, `tcp-admin`.
        The names of container ports mean nothing here, nor do those of a gateway's Service.
    See: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/

    Good:
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: http, port: 9080, targetPort: 8080}
          - {name: api, port: 9090, appProtocol: grpc}
          - {name: dns, port: 5353, protocol: UDP}

    Bad:
        apiVersion: v1
        kind: Service
        metadata: {name: reviews, namespace: shop}
        spec:
          selector: {app: reviews}
          ports:
          - {name: web, port: 9080, targetPort: 8080}
          - {port: 9090}
    """
    if svc.metadata.namespace in ignored or svc.spec.type == "ExternalName":
        return
    if (
        "istio" in svc.spec.selector
        or "gateway.networking.k8s.io/gateway-name" in svc.spec.selector
    ):
        return
    for port in svc.spec.ports:
        number = port.port or 0
        if port.appProtocol or port.protocol != "TCP" or number in WELL_KNOWN:
            continue
        if port.name is None:
            yield f"port {number} has no name and no appProtocol, so Istio has to guess its protocol"
        elif not re.fullmatch(DECLARED, port.name):
            yield at(
                port.name,
                f"the name of port {number}, '{port.name}', does not begin with a protocol",
            )
