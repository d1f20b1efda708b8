# Written by meshplan/policy/stubs.py from the catalog of fields: change those instead.

from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeAlias, TypeVar

from meshplan.policy import gateway_api, istio, k8s

_Rule = TypeVar("_Rule", bound=Callable[..., Iterator[str | Finding]])
_Kind = TypeVar("_Kind", bound=Resource)
_Severity: TypeAlias = Literal["critical", "high", "medium", "low"]

class Message:
    """An object in a manifest: where it is absent it is empty, false, and all its fields absent."""

    def __bool__(self) -> bool: ...

class Resource(Message):
    """Any object, read by path; what is absent or of another type is None or empty."""

    def text(self, *path: str) -> str | None: ...
    def integer(self, *path: str) -> int | None: ...
    def boolean(self, *path: str) -> bool | None: ...
    def texts(self, *path: str) -> list[str]: ...
    def items(self, *path: str) -> list[Resource]: ...
    def entry(self, *path: str) -> Resource: ...

class Change(Generic[_Kind]):
    """An object before and after: `old` is empty where it comes, `new` where it goes."""

    old: _Kind
    new: _Kind
    op: Literal["CREATE", "UPDATE", "DELETE"]

class Finding:
    """A message with its place."""

Findings: TypeAlias = Iterator[str | Finding]

def deny(
    id: str,
    *,
    severity: _Severity = ...,
    refs: tuple[str, ...] = ...,
    holds: Literal["finally", "always"] = ...,
) -> Callable[[_Rule], _Rule]:
    """A rule whose findings are errors, unless the settings say otherwise."""

def warn(
    id: str,
    *,
    severity: _Severity = ...,
    refs: tuple[str, ...] = ...,
    holds: Literal["finally", "always"] = ...,
) -> Callable[[_Rule], _Rule]:
    """A rule whose findings are warnings, unless the settings say otherwise."""

def info(
    id: str,
    *,
    severity: _Severity = ...,
    refs: tuple[str, ...] = ...,
    holds: Literal["finally", "always"] = ...,
) -> Callable[[_Rule], _Rule]:
    """A rule whose findings are worth knowing, unless the settings say otherwise."""

def at(place: object, message: str, *, fix: str | int | bool | None = None) -> Finding:
    """A finding at a field that the rule has read; `fix` is the value that belongs there."""

def fqdn(host: str, namespace: str) -> str:
    """A host in full, as an object of a namespace means it."""

def host_matches(pattern: str, host: str) -> bool:
    """Whether a host is one of those that a pattern such as `*.example.com` means."""

class ImageRef(Message):
    """The parts of the name of an image."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

def image_ref(image: str) -> ImageRef:
    """The parts of the name of an image."""

class Config(Message):
    autoMtls: bool
    closed: bool
    clusterDomain: str
    dnsAddresses: bool
    dnsCapture: bool
    drainSeconds: int
    exitsOnZero: bool
    holdApplication: bool
    istioMinor: int
    kubernetesMinor: int
    nativeSidecars: str
    outboundTrafficPolicy: str
    rootNamespace: str
    tracing: str
    trustDomain: str

class Host(Message):
    endpoints: int
    external: bool
    full: str
    hidden: bool
    known: bool
    missing: bool
    namespace: str
    ports: list[HostPort]
    resolution: str

class HostPort(Message):
    name: str
    number: int
    protocol: str
    target: str

class Subset(Message):
    endpoints: str
    known: bool
    missing: bool
    others: list[str]
    rule: str

class Connection(Message):
    client: str
    policy: str
    rule: str
    server: str
    works: str

class PeerMode(Message):
    mode: str
    policy: str

class Workload(Message):
    gateway: bool
    injected: str
    known: bool
    services: list[str]

class HostConflict(Message):
    first: str
    gateway: str
    host: str
    merged: bool
    other: str

class Gateway(Message):
    full: str
    known: bool
    missing: bool

class GatewayPort(Message):
    bindable: str
    exposed: str
    services: list[str]
    skipped: str
    target: int
    workloads: list[str]

class Delegate(Message):
    chained: bool
    exported: bool
    hosts: bool
    known: bool
    missing: bool
    shadowed: int

class Call(Message):
    host: str
    known: bool
    missing: bool
    port: int
    scheme: str

class Mesh:
    """All objects of the target, and what the model says."""

    apiServices: list[k8s.APIService]
    authorizationPolicies: list[istio.AuthorizationPolicy]
    backendTLSPolicies: list[gateway_api.BackendTLSPolicy]
    clusterRoleBindings: list[k8s.ClusterRoleBinding]
    clusterRoles: list[k8s.ClusterRole]
    configMaps: list[k8s.ConfigMap]
    cronJobs: list[k8s.CronJob]
    customResourceDefinitions: list[k8s.CustomResourceDefinition]
    daemonSets: list[k8s.DaemonSet]
    deployments: list[k8s.Deployment]
    destinationRules: list[istio.DestinationRule]
    endpointSlices: list[k8s.EndpointSlice]
    endpoints: list[k8s.Endpoints]
    envoyFilters: list[istio.EnvoyFilter]
    gatewayClasses: list[gateway_api.GatewayClass]
    gateways: list[istio.Gateway]
    grpcRoutes: list[gateway_api.GRPCRoute]
    horizontalPodAutoscalers: list[k8s.HorizontalPodAutoscaler]
    httpRoutes: list[gateway_api.HTTPRoute]
    ingressClasses: list[k8s.IngressClass]
    ingresses: list[k8s.Ingress]
    jobs: list[k8s.Job]
    kubernetesGateways: list[gateway_api.Gateway]
    limitRanges: list[k8s.LimitRange]
    listenerSets: list[gateway_api.ListenerSet]
    mutatingWebhookConfigurations: list[k8s.MutatingWebhookConfiguration]
    namespaces: list[k8s.Namespace]
    networkPolicies: list[k8s.NetworkPolicy]
    peerAuthentications: list[istio.PeerAuthentication]
    persistentVolumeClaims: list[k8s.PersistentVolumeClaim]
    persistentVolumes: list[k8s.PersistentVolume]
    podDisruptionBudgets: list[k8s.PodDisruptionBudget]
    pods: list[k8s.Pod]
    priorityClasses: list[k8s.PriorityClass]
    proxyConfigs: list[istio.ProxyConfig]
    referenceGrants: list[gateway_api.ReferenceGrant]
    replicaSets: list[k8s.ReplicaSet]
    replicationControllers: list[k8s.ReplicationController]
    requestAuthentications: list[istio.RequestAuthentication]
    resourceQuotas: list[k8s.ResourceQuota]
    roleBindings: list[k8s.RoleBinding]
    roles: list[k8s.Role]
    rollouts: list[k8s.Rollout]
    secrets: list[k8s.Secret]
    serviceAccounts: list[k8s.ServiceAccount]
    serviceEntries: list[istio.ServiceEntry]
    services: list[k8s.Service]
    sidecars: list[istio.Sidecar]
    statefulSets: list[k8s.StatefulSet]
    storageClasses: list[k8s.StorageClass]
    tcpRoutes: list[gateway_api.TCPRoute]
    telemetries: list[istio.Telemetry]
    tlsRoutes: list[gateway_api.TLSRoute]
    trafficExtensions: list[istio.TrafficExtension]
    udpRoutes: list[gateway_api.UDPRoute]
    validatingWebhookConfigurations: list[k8s.ValidatingWebhookConfiguration]
    virtualServices: list[istio.VirtualService]
    wasmPlugins: list[istio.WasmPlugin]
    workloadEntries: list[istio.WorkloadEntry]
    workloadGroups: list[istio.WorkloadGroup]

    def config(self) -> Config:
        """The settings of the mesh that this run assumes."""

    def host(self, host: str, namespace: str) -> Host:
        """The Service or ServiceEntry that clients of a namespace mean by a host."""

    def subset(self, host: str, subset: str, namespace: str) -> Subset:
        """A subset of a host, as the DestinationRules that clients of a namespace use define it."""

    def connection(self, host: str, port: int, subset: str, namespace: str) -> Connection:
        """What sidecars of a namespace speak to a host, what its pods accept, and whether they meet."""

    def peer_mode(self, kind: str, namespace: str, name: str, port: str) -> PeerMode:
        """What the PeerAuthentications make the pods of a workload accept."""

    def workload(self, kind: str, namespace: str, name: str) -> Workload:
        """What the mesh makes of a workload: its sidecar, its Services, whether it is a gateway."""

    def host_conflicts(self, namespace: str, name: str) -> list[HostConflict]:
        """Other VirtualServices with a host of this one on the same gateway."""

    def gateway(self, gateway: str, namespace: str) -> Gateway:
        """The Gateway that an object of a namespace means."""

    def gateway_serves(self, gateway: str, namespace: str, host: str) -> str:
        """Whether a Gateway lets VirtualServices of a namespace use a host: yes, no, unknown."""

    def gateway_port(self, namespace: str, name: str, port: int) -> GatewayPort:
        """Whether a port of a Gateway is reachable, and its pods can listen on it."""

    def delegate(
        self, delegate_namespace: str, delegate_name: str, namespace: str, name: str
    ) -> Delegate:
        """The delegate that a VirtualService names."""

    def calls(self, text: str, namespace: str) -> list[Call]:
        """The hosts of URLs in a text, and whether the mesh knows them."""
