"""Protocols in which the server speaks first, on ports that Istio would look into."""

import re

from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.k8s import Service

SERVER_FIRST = r"(mysql|mariadb|smtp|smtps|submission|ftp|ssh|sftp|pop3|imap|nntp|irc)"
NUMBERS = frozenset({21, 22, 110, 119, 143, 587, 3307, 6667, 33060})


@deny("PORT-002", severity="high")
def port_server_first(svc: Service, mesh: Mesh) -> Findings:
    """A protocol in which the server speaks first is declared as TCP.

    Why: A sidecar that has to guess waits for the first bytes of the client, and the client waits
        for those of the server: the connection hangs until `protocolDetectionTimeout` or for ever,
        and the log shows it with no bytes and the flag `DC` when the client has given up. Of these
        protocols Istio knows only ports 25, 53, 3306 and 27017 by itself.
    Fix: Name the port `tcp-…` (or `mysql-…`), or set `appProtocol: tcp`. Under PERMISSIVE mutual
        TLS the server's sidecar waits as well: set STRICT or DISABLE for that port.
    See: https://istio.io/latest/docs/ops/deployment/application-requirements/

    Good:
        apiVersion: v1
        kind: Service
        metadata: {name: git, namespace: shop}
        spec:
          selector: {app: git}
          ports:
          - {name: tcp-ssh, port: 22}

    Bad:
        apiVersion: v1
        kind: Service
        metadata: {name: git, namespace: shop}
        spec:
          selector: {app: git}
          ports:
          - {name: ssh, port: 22}
    """
    host = mesh.host(
        f"{svc.metadata.name}.{svc.metadata.namespace}.svc.{mesh.config().clusterDomain}",
        svc.metadata.namespace,
    )
    sniffed = {port.number for port in host.ports if port.protocol == ""}
    for port in svc.spec.ports:
        number = port.port or 0
        if number not in sniffed:
            continue
        name = port.name or ""
        if re.match(SERVER_FIRST, name):
            yield at(
                port.name,
                f"port {number} ('{name}') is of a protocol in which the server speaks first, and is not declared as TCP",
            )
        elif number in NUMBERS:
            yield at(
                port.port,
                f"on port {number} the server speaks first, and it is not declared as TCP",
            )
