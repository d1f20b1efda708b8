"""What an object relies on, by its kind."""

from collections.abc import Callable, Iterator, Mapping

from meshplan.kinds.names import CLUSTER_DOMAIN
from meshplan.kinds.need import Need
from meshplan.kinds.needs import cluster, gateways, routing, security, workloads
from meshplan.resource import Resource

#: Group and kind of an object to what it relies on besides its namespace and its kind; kinds that
#: are not named here rely on nothing else, or on nothing whose absence harms: a
#: HorizontalPodAutoscaler without its workload, a DestinationRule without its host.
NEEDS: Mapping[tuple[str, str], Callable[[Resource, str], Iterator[Need]]] = {
    ("", "PersistentVolume"): workloads.of_volume,
    ("", "PersistentVolumeClaim"): workloads.of_claim,
    ("", "Pod"): workloads.of_workload,
    ("", "ReplicationController"): workloads.of_workload,
    ("", "Service"): workloads.of_service,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): cluster.of_webhooks,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): cluster.of_webhooks,
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
    ): cluster.of_custom_resource_definition,
    ("apiregistration.k8s.io", "APIService"): cluster.of_api_service,
    ("apps", "DaemonSet"): workloads.of_workload,
    ("apps", "Deployment"): workloads.of_workload,
    ("apps", "ReplicaSet"): workloads.of_workload,
    ("apps", "StatefulSet"): workloads.of_workload,
    ("argoproj.io", "Application"): cluster.of_argo_application,
    ("argoproj.io", "Rollout"): workloads.of_workload,
    ("batch", "CronJob"): workloads.of_workload,
    ("batch", "Job"): workloads.of_workload,
    ("cert-manager.io", "Certificate"): cluster.of_certificate,
    ("extensions", "Ingress"): gateways.of_ingress,
    ("extensions.istio.io", "WasmPlugin"): security.of_wasm_plugin,
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): gateways.of_backend_tls_policy,
    ("gateway.networking.k8s.io", "GRPCRoute"): gateways.of_route,
    ("gateway.networking.k8s.io", "Gateway"): gateways.of_gateway,
    ("gateway.networking.k8s.io", "HTTPRoute"): gateways.of_route,
    ("gateway.networking.k8s.io", "ListenerSet"): gateways.of_listener_set,
    ("gateway.networking.k8s.io", "TCPRoute"): gateways.of_route,
    ("gateway.networking.k8s.io", "TLSRoute"): gateways.of_route,
    ("gateway.networking.k8s.io", "UDPRoute"): gateways.of_route,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): cluster.of_flux,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): cluster.of_flux,
    ("networking.istio.io", "DestinationRule"): routing.of_destination_rule,
    ("networking.istio.io", "Gateway"): gateways.of_istio_gateway,
    ("networking.istio.io", "ServiceEntry"): routing.of_service_entry,
    ("networking.istio.io", "VirtualService"): routing.of_virtual_service,
    ("networking.istio.io", "WorkloadEntry"): routing.of_workload_group,
    ("networking.istio.io", "WorkloadGroup"): routing.of_workload_group,
    ("networking.k8s.io", "Ingress"): gateways.of_ingress,
    ("networking.k8s.io", "IngressClass"): cluster.of_ingress_class,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): cluster.of_binding,
    ("rbac.authorization.k8s.io", "RoleBinding"): cluster.of_binding,
    ("security.istio.io", "AuthorizationPolicy"): security.of_authorization_policy,
    ("telemetry.istio.io", "Telemetry"): security.of_telemetry,
}


def needs_of(resource: Resource, domain: str = CLUSTER_DOMAIN) -> Iterator[Need]:
    """What an object relies on; the same thing may come more than once, at different places."""
    yield from cluster.of_any(resource)
    found = NEEDS.get((resource.id.group, resource.id.kind))
    if found is not None:
        yield from found(resource, domain)
