"""Hosts in the configuration of an application, under REGISTRY_ONLY."""

from meshplan.policy import Findings, Mesh, at, info
from meshplan.policy.k8s import ConfigMap


@info("EGR-002", severity="medium")
def config_hosts_known(config: ConfigMap, mesh: Mesh) -> Findings:
    """Under REGISTRY_ONLY the hosts in a ConfigMap are in the registry.

    Why: As EGR-001: 502 by the route `block_all`, or closed with the flag `UH`. Which workload reads
        the ConfigMap, and whether it calls what is written there, is not known, so this is only
        worth a look.
    Fix: Declare the host with a ServiceEntry, or waive the finding.
    See: https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/

    Good:
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: pay, namespace: shop}
        data: {bank.url: "https://bank.example.com/v1"}

    Bad:
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: pay, namespace: shop}
        data: {bank.url: "https://bank.example.com/v1"}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |
            outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    """
    settings = mesh.config()
    if settings.outboundTrafficPolicy != "REGISTRY_ONLY":
        return
    if config.metadata.namespace == settings.rootNamespace:
        return
    for key, value in config.data.items():
        hosts = {call.host for call in mesh.calls(value, config.metadata.namespace) if call.missing}
        if len(hosts) > 0:
            yield at(
                value,
                f"'{key}' names hosts that no Service or ServiceEntry declares: {', '.join(sorted(hosts))}",
            )
