"""Whether the objects of a kind live in namespaces, for kinds without a file of their own.

Sources: `+genclient:nonNamespaced` in k8s.io/api, and the CRDs of the projects.
"""

from collections.abc import Iterator, Mapping

from meshplan.kinds.kind import Scope

#: Kinds of Kubernetes; the core group is called v1 here.
_KUBERNETES = """
v1 Namespaced: Binding Event PodTemplate
v1 Cluster: ComponentStatus Node
admissionregistration.k8s.io Cluster: MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
admissionregistration.k8s.io Cluster: ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
apps Namespaced: ControllerRevision
authentication.k8s.io Cluster: SelfSubjectReview TokenReview
authorization.k8s.io Namespaced: LocalSubjectAccessReview
authorization.k8s.io Cluster: SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview
certificates.k8s.io Namespaced: PodCertificateRequest
certificates.k8s.io Cluster: CertificateSigningRequest ClusterTrustBundle
coordination.k8s.io Namespaced: Lease LeaseCandidate
events.k8s.io Namespaced: Event
extensions Namespaced: DaemonSet Deployment Ingress NetworkPolicy ReplicaSet
extensions Cluster: PodSecurityPolicy
flowcontrol.apiserver.k8s.io Cluster: FlowSchema PriorityLevelConfiguration
internal.apiserver.k8s.io Cluster: StorageVersion
networking.k8s.io Cluster: IPAddress ServiceCIDR
node.k8s.io Cluster: RuntimeClass
policy Namespaced: Eviction
policy Cluster: PodSecurityPolicy
resource.k8s.io Namespaced: ResourceClaim ResourceClaimTemplate
resource.k8s.io Cluster: DeviceClass DeviceTaintRule ResourceSlice
scheduling.k8s.io Namespaced: PodGroup Workload
settings.k8s.io Namespaced: PodPreset
storage.k8s.io Namespaced: CSIStorageCapacity
storage.k8s.io Cluster: CSIDriver CSINode VolumeAttachment VolumeAttributesClass
storagemigration.k8s.io Cluster: StorageVersionMigration
"""

#: Kinds of meshes and gateways, their earlier releases and experiments included.
_MESH = """
access.smi-spec.io Namespaced: TrafficTarget
appmesh.k8s.aws Namespaced: BackendGroup GatewayRoute VirtualGateway VirtualNode VirtualRouter
appmesh.k8s.aws Namespaced: VirtualService
appmesh.k8s.aws Cluster: Mesh
authentication.istio.io Namespaced: Policy
authentication.istio.io Cluster: MeshPolicy
flagger.app Namespaced: AlertProvider Canary MetricTemplate
gateway.networking.k8s.io Namespaced: BackendLBPolicy ReferencePolicy
gateway.networking.x-k8s.io Namespaced: XBackend XBackendTrafficPolicy XListenerSet
gateway.networking.x-k8s.io Cluster: XMesh
inference.networking.k8s.io Namespaced: InferencePool
inference.networking.x-k8s.io Namespaced: InferenceModel InferenceObjective InferencePool
install.istio.io Namespaced: IstioOperator
kiali.io Namespaced: Kiali OSSMConsole
maistra.io Namespaced: ServiceMeshControlPlane ServiceMeshMember ServiceMeshMemberRoll
networking.internal.knative.dev Namespaced: Certificate Ingress ServerlessService
networking.internal.knative.dev Cluster: ClusterDomainClaim
networking.x-k8s.io Namespaced: BackendPolicy Gateway HTTPRoute TCPRoute TLSRoute UDPRoute
networking.x-k8s.io Cluster: GatewayClass
rbac.istio.io Namespaced: RbacConfig ServiceRole ServiceRoleBinding
rbac.istio.io Cluster: ClusterRbacConfig
sailoperator.io Cluster: Istio IstioCNI IstioRevision IstioRevisionTag ZTunnel
serving.knative.dev Namespaced: Configuration DomainMapping Revision Route Service
split.smi-spec.io Namespaced: TrafficSplit
"""

#: Kinds of common operators, mostly of those that have cluster-scoped ones: of a kind that is
#: unknown, and whose object names no namespace, namespaced is the better guess.
_OPERATORS = """
acme.cert-manager.io Namespaced: Challenge Order
apiextensions.crossplane.io Cluster: CompositeResourceDefinition Composition CompositionRevision
apiextensions.crossplane.io Cluster: EnvironmentConfig Usage
argoproj.io Namespaced: AnalysisRun AnalysisTemplate AppProject Application ApplicationSet
argoproj.io Namespaced: CronWorkflow EventBus EventSource Experiment Sensor Workflow
argoproj.io Namespaced: WorkflowTemplate
argoproj.io Cluster: ClusterAnalysisTemplate ClusterWorkflowTemplate
cert-manager.io Namespaced: Certificate CertificateRequest Issuer
cert-manager.io Cluster: ClusterIssuer
certmanager.k8s.io Namespaced: Certificate CertificateRequest Issuer
certmanager.k8s.io Cluster: ClusterIssuer
cilium.io Namespaced: CiliumEndpoint CiliumEnvoyConfig CiliumLocalRedirectPolicy
cilium.io Namespaced: CiliumNetworkPolicy
cilium.io Cluster: CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPPeerConfig
cilium.io Cluster: CiliumBGPPeeringPolicy CiliumCIDRGroup CiliumClusterwideEnvoyConfig
cilium.io Cluster: CiliumClusterwideNetworkPolicy CiliumEgressGatewayPolicy CiliumIdentity
cilium.io Cluster: CiliumL2AnnouncementPolicy CiliumLoadBalancerIPPool CiliumNode
config.openshift.io Cluster: APIServer Authentication Build ClusterOperator ClusterVersion
config.openshift.io Cluster: Console DNS FeatureGate Image Infrastructure Ingress Network OAuth
config.openshift.io Cluster: OperatorHub Project Proxy Scheduler
crd.projectcalico.org Namespaced: NetworkPolicy NetworkSet
crd.projectcalico.org Cluster: BGPConfiguration BGPPeer ClusterInformation FelixConfiguration
crd.projectcalico.org Cluster: GlobalNetworkPolicy GlobalNetworkSet HostEndpoint IPPool
crd.projectcalico.org Cluster: KubeControllersConfiguration
external-secrets.io Namespaced: ExternalSecret PushSecret SecretStore
external-secrets.io Cluster: ClusterExternalSecret ClusterPushSecret ClusterSecretStore
fluxcd.controlplane.io Namespaced: FluxInstance FluxReport ResourceSet ResourceSetInputProvider
helm.toolkit.fluxcd.io Namespaced: HelmRelease
image.toolkit.fluxcd.io Namespaced: ImagePolicy ImageRepository ImageUpdateAutomation
karpenter.k8s.aws Cluster: EC2NodeClass
karpenter.sh Cluster: NodeClaim NodePool
keda.sh Namespaced: ScaledJob ScaledObject TriggerAuthentication
keda.sh Cluster: ClusterTriggerAuthentication
kubeflow.org Namespaced: Notebook PodDefault PVCViewer
kubeflow.org Cluster: Profile
kustomize.toolkit.fluxcd.io Namespaced: Kustomization
kyverno.io Namespaced: CleanupPolicy Policy PolicyException
kyverno.io Cluster: ClusterCleanupPolicy ClusterPolicy GlobalContextEntry
logging.banzaicloud.io Namespaced: ClusterFlow ClusterOutput Flow Output
logging.banzaicloud.io Cluster: Logging
machineconfiguration.openshift.io Cluster: ContainerRuntimeConfig KubeletConfig MachineConfig
machineconfiguration.openshift.io Cluster: MachineConfigPool
metacontroller.k8s.io Namespaced: ControllerRevision
metacontroller.k8s.io Cluster: CompositeController DecoratorController
monitoring.coreos.com Namespaced: Alertmanager AlertmanagerConfig PodMonitor Probe Prometheus
monitoring.coreos.com Namespaced: PrometheusAgent PrometheusRule ScrapeConfig ServiceMonitor
monitoring.coreos.com Namespaced: ThanosRuler
monitoring.googleapis.com Namespaced: OperatorConfig PodMonitoring Rules
monitoring.googleapis.com Cluster: ClusterNodeMonitoring ClusterPodMonitoring ClusterRules
monitoring.googleapis.com Cluster: GlobalRules
notification.toolkit.fluxcd.io Namespaced: Alert Provider Receiver
operators.coreos.com Namespaced: CatalogSource ClusterServiceVersion InstallPlan
operators.coreos.com Namespaced: OperatorCondition OperatorGroup Subscription
operators.coreos.com Cluster: OLMConfig Operator
pkg.crossplane.io Cluster: Configuration ConfigurationRevision ControllerConfig
pkg.crossplane.io Cluster: DeploymentRuntimeConfig Function FunctionRevision ImageConfig Lock
pkg.crossplane.io Cluster: Provider ProviderRevision
project.openshift.io Cluster: Project ProjectRequest
route.openshift.io Namespaced: Route
security.openshift.io Cluster: RangeAllocation SecurityContextConstraints
serving.kserve.io Namespaced: InferenceGraph InferenceService LLMInferenceService
serving.kserve.io Namespaced: LLMInferenceServiceConfig ServingRuntime TrainedModel
serving.kserve.io Cluster: ClusterServingRuntime ClusterStorageContainer
snapshot.storage.k8s.io Namespaced: VolumeSnapshot
snapshot.storage.k8s.io Cluster: VolumeSnapshotClass VolumeSnapshotContent
source.toolkit.fluxcd.io Namespaced: Bucket ExternalArtifact GitRepository HelmChart
source.toolkit.fluxcd.io Namespaced: HelmRepository OCIRepository
spire.spiffe.io Cluster: ClusterFederatedTrustDomain ClusterSPIFFEID ClusterStaticEntry
templates.gatekeeper.sh Cluster: ConstraintTemplate
trainer.kubeflow.org Namespaced: TrainJob TrainingRuntime
trainer.kubeflow.org Cluster: ClusterTrainingRuntime
trust.cert-manager.io Cluster: Bundle
"""


def _entries() -> Iterator[tuple[tuple[str, str], Scope]]:
    for line in f"{_KUBERNETES}{_MESH}{_OPERATORS}".split("\n"):
        place, _, kinds = line.partition(":")
        group = "" if place.startswith("v1 ") else place.partition(" ")[0]
        scope: Scope = "Cluster" if place.endswith(" Cluster") else "Namespaced"
        for kind in kinds.split():
            yield (group, kind), scope


SCOPES: Mapping[tuple[str, str], Scope] = dict(_entries())

#: Kinds that were served by two groups at once: an object of the one is an object of the other.
HOMES: Mapping[tuple[str, str], str] = {
    ("events.k8s.io", "Event"): "",
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "Deployment"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("extensions", "PodSecurityPolicy"): "policy",
    ("extensions", "ReplicaSet"): "apps",
}
