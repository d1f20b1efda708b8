"""Under REGISTRY_ONLY a host is called only if the mesh knows it."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.k8s import DaemonSet, Deployment, StatefulSet


@warn("EGR-001", severity="high")
def called_hosts_known(app: Deployment | StatefulSet | DaemonSet, mesh: Mesh) -> Findings:
    """Under REGISTRY_ONLY the hosts that a workload calls are in the registry.

    Why: With `outboundTrafficPolicy: REGISTRY_ONLY` a request to a host without Service or
        ServiceEntry is answered 502 by the route `block_all` (HTTP, no flag), or closed by the
        `BlackHoleCluster` (TLS and TCP, flag `UH`).
        (Older texts call it the default: since Istio 1.1 the default is ALLOW_ANY, which lets it
        pass.) A Sidecar may say otherwise: nothing is found in a namespace where one says ALLOW_ANY.
    Fix: Declare the host with a ServiceEntry, one for each port that is used.
        Where these manifests are not all there is, only hosts are named that they themselves take
        away; `world: closed` in the settings makes it all hosts.
    See: https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: pay, namespace: shop}
        spec:
          selector: {matchLabels: {app: pay}}
          template:
            metadata: {labels: {app: pay, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - {name: pay, image: "pay:1", env: [{name: BANK, value: "https://bank.example.com/v1"}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: bank, namespace: shop}
        spec: {hosts: [bank.example.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |
            outboundTrafficPolicy: {mode: REGISTRY_ONLY}

    Bad:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: pay, namespace: shop}
        spec:
          selector: {matchLabels: {app: pay}}
          template:
            metadata: {labels: {app: pay, sidecar.istio.io/inject: "true"}}
            spec:
              containers:
              - {name: pay, image: "pay:1", env: [{name: BANK, value: "https://bank.example.com/v1"}]}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |
            outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    """
    loose = {
        sidecar.metadata.namespace
        for sidecar in mesh.sidecars
        if sidecar.spec.outboundTrafficPolicy.mode == "ALLOW_ANY"
    }
    strict = {
        sidecar.metadata.namespace
        for sidecar in mesh.sidecars
        if sidecar.spec.outboundTrafficPolicy.mode == "REGISTRY_ONLY"
        and not sidecar.spec.workloadSelector
    }
    settings = mesh.config()
    namespace = app.metadata.namespace
    if namespace in loose:
        return
    if namespace not in strict and (
        settings.outboundTrafficPolicy != "REGISTRY_ONLY" or settings.rootNamespace in loose
    ):
        return
    if mesh.workload(app.kind, namespace, app.metadata.name).injected == "no":
        return
    for container in app.spec.template.spec.containers:
        for variable in container.env:
            for call in mesh.calls(variable.value or "", namespace):
                if call.missing:
                    yield at(
                        variable,
                        f"{call.host} is called, and no Service or ServiceEntry declares it",
                    )
        for argument in container.args:
            for call in mesh.calls(argument, namespace):
                if call.missing:
                    yield at(
                        argument,
                        f"{call.host} is called, and no Service or ServiceEntry declares it",
                    )
