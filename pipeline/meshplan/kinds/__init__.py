"""The kinds that meshplan knows: one file for each, or for each tight family."""

from meshplan.kinds import (
    api_service,
    authorization_policy,
    autoscaler,
    backend_tls_policy,
    config,
    custom_resource,
    destination_rule,
    disruption_budget,
    endpoints,
    envoy_filter,
    gateway_api,
    gateway_api_routes,
    ingress,
    istio_gateway,
    job,
    namespace,
    network_policy,
    peer_authentication,
    pod,
    proxy_config,
    quota,
    rbac,
    reference_grant,
    request_authentication,
    rollout,
    scheduling,
    service,
    service_account,
    service_entry,
    sidecar,
    storage,
    telemetry,
    virtual_service,
    wasm_plugin,
    webhook,
    workload,
    workload_entry,
)
from meshplan.kinds.kind import Kind, Scope
from meshplan.kinds.scopes import HOMES, SCOPES

KINDS: tuple[Kind, ...] = (
    virtual_service.VIRTUAL_SERVICE,
    destination_rule.DESTINATION_RULE,
    istio_gateway.GATEWAY,
    service_entry.SERVICE_ENTRY,
    workload_entry.WORKLOAD_ENTRY,
    workload_entry.WORKLOAD_GROUP,
    sidecar.SIDECAR,
    envoy_filter.ENVOY_FILTER,
    proxy_config.PROXY_CONFIG,
    peer_authentication.PEER_AUTHENTICATION,
    request_authentication.REQUEST_AUTHENTICATION,
    authorization_policy.AUTHORIZATION_POLICY,
    telemetry.TELEMETRY,
    wasm_plugin.WASM_PLUGIN,
    wasm_plugin.TRAFFIC_EXTENSION,
    gateway_api.GATEWAY_CLASS,
    gateway_api.GATEWAY,
    gateway_api.LISTENER_SET,
    gateway_api_routes.HTTP_ROUTE,
    gateway_api_routes.GRPC_ROUTE,
    gateway_api_routes.TLS_ROUTE,
    gateway_api_routes.TCP_ROUTE,
    gateway_api_routes.UDP_ROUTE,
    reference_grant.REFERENCE_GRANT,
    backend_tls_policy.BACKEND_TLS_POLICY,
    namespace.NAMESPACE,
    service.SERVICE,
    endpoints.ENDPOINTS,
    endpoints.ENDPOINT_SLICE,
    config.CONFIG_MAP,
    config.SECRET,
    service_account.SERVICE_ACCOUNT,
    storage.PERSISTENT_VOLUME_CLAIM,
    storage.PERSISTENT_VOLUME,
    storage.STORAGE_CLASS,
    pod.POD,
    workload.DEPLOYMENT,
    workload.STATEFUL_SET,
    workload.DAEMON_SET,
    workload.REPLICA_SET,
    workload.REPLICATION_CONTROLLER,
    job.JOB,
    job.CRON_JOB,
    rollout.ROLLOUT,
    rbac.ROLE,
    rbac.CLUSTER_ROLE,
    rbac.ROLE_BINDING,
    rbac.CLUSTER_ROLE_BINDING,
    custom_resource.CUSTOM_RESOURCE_DEFINITION,
    webhook.VALIDATING_WEBHOOK_CONFIGURATION,
    webhook.MUTATING_WEBHOOK_CONFIGURATION,
    api_service.API_SERVICE,
    ingress.INGRESS,
    ingress.INGRESS_CLASS,
    autoscaler.HORIZONTAL_POD_AUTOSCALER,
    disruption_budget.POD_DISRUPTION_BUDGET,
    network_policy.NETWORK_POLICY,
    scheduling.PRIORITY_CLASS,
    quota.RESOURCE_QUOTA,
    quota.LIMIT_RANGE,
)

_BY_NAME = {(entry.group, entry.kind): entry for entry in KINDS}


def kind_of(group: str, kind: str) -> Kind | None:
    """The facts about a kind; None where meshplan has none."""
    return _BY_NAME.get((group, kind))


def scope_of(group: str, kind: str) -> Scope | None:
    """Whether objects of a kind live in namespaces; None where meshplan does not know."""
    known = _BY_NAME.get((group, kind))
    return known.scope if known else SCOPES.get((group, kind))


def home_group(group: str, kind: str) -> str:
    """The group by which an object is known: a Deployment of `extensions` is one of `apps`."""
    return HOMES.get((group, kind), group)


def served(group: str, kind: str, version: str) -> bool | None:
    """Whether some release serves a kind in this version; None for kinds without facts."""
    known = _BY_NAME.get((group, kind))
    return version in known.versions if known else None
