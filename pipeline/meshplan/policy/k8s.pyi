# Written by meshplan/policy/stubs.py from the catalog of fields: change those instead.

from meshplan.policy import Message, Resource

class APIService(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: APIServiceSpec

class APIServiceSpec(Message):
    caBundle: str | None
    group: str | None
    groupPriorityMinimum: int | None
    insecureSkipTLSVerify: bool
    service: ServiceReference
    version: str | None
    versionPriority: int | None

class AWSElasticBlockStoreVolumeSource(Message):
    fsType: str | None
    partition: int | None
    readOnly: bool | None
    volumeID: str | None

class Affinity(Message):
    nodeAffinity: NodeAffinity
    podAffinity: PodAffinity
    podAntiAffinity: PodAntiAffinity

class AggregationRule(Message):
    clusterRoleSelectors: list[LabelSelector]

class AppArmorProfile(Message):
    localhostProfile: str | None
    type: str | None

class AzureDiskVolumeSource(Message):
    cachingMode: str
    diskName: str | None
    diskURI: str | None
    fsType: str
    kind: str
    readOnly: bool

class AzureFilePersistentVolumeSource(Message):
    readOnly: bool | None
    secretName: str | None
    secretNamespace: str | None
    shareName: str | None

class AzureFileVolumeSource(Message):
    readOnly: bool | None
    secretName: str | None
    shareName: str | None

class CSIPersistentVolumeSource(Message):
    controllerExpandSecretRef: SecretReference
    controllerPublishSecretRef: SecretReference
    driver: str | None
    fsType: str | None
    nodeExpandSecretRef: SecretReference
    nodePublishSecretRef: SecretReference
    nodeStageSecretRef: SecretReference
    readOnly: bool | None
    volumeAttributes: dict[str, str]
    volumeHandle: str | None

class CSIVolumeSource(Message):
    driver: str | None
    fsType: str | None
    nodePublishSecretRef: LocalObjectReference
    readOnly: bool | None
    volumeAttributes: dict[str, str]

class Capabilities(Message):
    add: list[str]
    drop: list[str]

class CephFSPersistentVolumeSource(Message):
    monitors: list[str]
    path: str | None
    readOnly: bool | None
    secretFile: str | None
    secretRef: SecretReference
    user: str | None

class CephFSVolumeSource(Message):
    monitors: list[str]
    path: str | None
    readOnly: bool | None
    secretFile: str | None
    secretRef: LocalObjectReference
    user: str | None

class CinderPersistentVolumeSource(Message):
    fsType: str | None
    readOnly: bool | None
    secretRef: SecretReference
    volumeID: str | None

class CinderVolumeSource(Message):
    fsType: str | None
    readOnly: bool | None
    secretRef: LocalObjectReference
    volumeID: str | None

class ClientIPConfig(Message):
    timeoutSeconds: int

class ClusterRole(Resource):
    aggregationRule: AggregationRule
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    rules: list[PolicyRule]

class ClusterRoleBinding(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    roleRef: RoleRef
    subjects: list[Subject]

class ClusterTrustBundleProjection(Message):
    labelSelector: LabelSelector
    name: str | None
    optional: bool | None
    path: str | None
    signerName: str | None
    user: int | None

class ConfigMap(Resource):
    apiVersion: str
    binaryData: dict[str, str]
    data: dict[str, str]
    immutable: bool
    kind: str
    metadata: ObjectMeta

class ConfigMapEnvSource(Message):
    name: str | None
    optional: bool | None

class ConfigMapKeySelector(Message):
    key: str | None
    name: str | None
    optional: bool | None

class ConfigMapProjection(Message):
    items: list[KeyToPath]
    name: str | None
    optional: bool | None

class ConfigMapVolumeSource(Message):
    defaultMode: int
    defaultUser: int | None
    items: list[KeyToPath]
    name: str | None
    optional: bool | None

class Container(Message):
    args: list[str]
    command: list[str]
    env: list[EnvVar]
    envFrom: list[EnvFromSource]
    image: str | None
    imagePullPolicy: str | None
    lifecycle: Lifecycle
    livenessProbe: Probe
    name: str
    ports: list[ContainerPort]
    readinessProbe: Probe
    resizePolicy: list[ContainerResizePolicy]
    resources: ResourceRequirements
    restartPolicy: str | None
    restartPolicyRules: list[ContainerRestartRule]
    securityContext: SecurityContext
    startupProbe: Probe
    stdin: bool
    stdinOnce: bool
    terminationMessagePath: str
    terminationMessagePolicy: str
    tty: bool
    volumeDevices: list[VolumeDevice]
    volumeMounts: list[VolumeMount]
    workingDir: str | None

class ContainerPort(Message):
    containerPort: int | None
    hostIP: str | None
    hostPort: int | None
    name: str | None
    protocol: str

class ContainerResizePolicy(Message):
    resourceName: str | None
    restartPolicy: str | None

class ContainerResourceMetricSource(Message):
    container: str | None
    name: str
    target: MetricTarget

class ContainerRestartRule(Message):
    action: str | None
    exitCodes: ContainerRestartRuleOnExitCodes

class ContainerRestartRuleOnExitCodes(Message):
    operator: str | None
    values: list[int]

class CronJob(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: CronJobSpec

class CronJobSpec(Message):
    concurrencyPolicy: str
    failedJobsHistoryLimit: int
    jobTemplate: JobTemplateSpec
    schedule: str | None
    startingDeadlineSeconds: int | None
    successfulJobsHistoryLimit: int
    suspend: bool
    timeZone: str | None

class CrossVersionObjectReference(Message):
    apiVersion: str | None
    kind: str | None
    name: str

class CustomResourceColumnDefinition(Message):
    description: str | None
    format: str | None
    jsonPath: str | None
    name: str
    priority: int
    type: str | None

class CustomResourceConversion(Message):
    strategy: str
    webhook: WebhookConversion

class CustomResourceDefinition(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: CustomResourceDefinitionSpec

class CustomResourceDefinitionNames(Message):
    categories: list[str]
    kind: str | None
    listKind: str | None
    plural: str | None
    shortNames: list[str]
    singular: str | None

class CustomResourceDefinitionSpec(Message):
    conversion: CustomResourceConversion
    group: str | None
    names: CustomResourceDefinitionNames
    preserveUnknownFields: bool
    scope: str | None
    versions: list[CustomResourceDefinitionVersion]

class CustomResourceDefinitionVersion(Message):
    additionalPrinterColumns: list[CustomResourceColumnDefinition]
    deprecated: bool | None
    deprecationWarning: str | None
    name: str
    schema: CustomResourceValidation
    selectableFields: list[SelectableField]
    served: bool | None
    storage: bool | None
    subresources: CustomResourceSubresources

class CustomResourceSubresourceScale(Message):
    labelSelectorPath: str | None
    specReplicasPath: str | None
    statusReplicasPath: str | None

class CustomResourceSubresources(Message):
    scale: CustomResourceSubresourceScale

class CustomResourceValidation(Message):
    openAPIV3Schema: Resource

class DaemonSet(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: DaemonSetSpec

class DaemonSetSpec(Message):
    minReadySeconds: int
    revisionHistoryLimit: int
    selector: LabelSelector
    template: PodTemplateSpec
    updateStrategy: DaemonSetUpdateStrategy

class DaemonSetUpdateStrategy(Message):
    rollingUpdate: RollingUpdateDaemonSet
    type: str

class Deployment(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: DeploymentSpec

class DeploymentSpec(Message):
    minReadySeconds: int
    paused: bool
    progressDeadlineSeconds: int
    replicas: int
    revisionHistoryLimit: int
    selector: LabelSelector
    strategy: DeploymentStrategy
    template: PodTemplateSpec

class DeploymentStrategy(Message):
    rollingUpdate: RollingUpdateDeployment
    type: str

class DownwardAPIProjection(Message):
    items: list[DownwardAPIVolumeFile]

class DownwardAPIVolumeFile(Message):
    fieldRef: ObjectFieldSelector
    mode: int | None
    path: str | None
    resourceFieldRef: ResourceFieldSelector
    user: int | None

class DownwardAPIVolumeSource(Message):
    defaultMode: int
    defaultUser: int | None
    items: list[DownwardAPIVolumeFile]

class EmptyDirVolumeSource(Message):
    medium: str | None
    mode: int | None
    sizeLimit: str | None

class Endpoint(Message):
    addresses: list[str]
    conditions: EndpointConditions
    deprecatedTopology: dict[str, str]
    hints: EndpointHints
    hostname: str | None
    nodeName: str | None
    targetRef: ObjectReference
    zone: str | None

class EndpointAddress(Message):
    hostname: str | None
    ip: str | None
    nodeName: str | None
    targetRef: ObjectReference

class EndpointConditions(Message):
    ready: bool | None
    serving: bool | None
    terminating: bool | None

class EndpointHints(Message):
    forNodes: list[ForNode]
    forZones: list[ForZone]

class EndpointPort(Message):
    appProtocol: str | None
    name: str | None
    port: int | None
    protocol: str

class EndpointSlice(Resource):
    addressType: str | None
    apiVersion: str
    endpoints: list[Endpoint]
    kind: str
    metadata: ObjectMeta
    ports: list[EndpointPort]

class EndpointSubset(Message):
    addresses: list[EndpointAddress]
    notReadyAddresses: list[EndpointAddress]
    ports: list[EndpointPort]

class Endpoints(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    subsets: list[EndpointSubset]

class EnvFromSource(Message):
    configMapRef: ConfigMapEnvSource
    prefix: str | None
    secretRef: SecretEnvSource

class EnvVar(Message):
    name: str
    value: str | None
    valueFrom: EnvVarSource

class EnvVarSource(Message):
    configMapKeyRef: ConfigMapKeySelector
    fieldRef: ObjectFieldSelector
    fileKeyRef: FileKeySelector
    resourceFieldRef: ResourceFieldSelector
    secretKeyRef: SecretKeySelector

class EphemeralContainer(Message):
    args: list[str]
    command: list[str]
    env: list[EnvVar]
    envFrom: list[EnvFromSource]
    image: str | None
    imagePullPolicy: str | None
    lifecycle: Lifecycle
    livenessProbe: Probe
    name: str
    ports: list[ContainerPort]
    readinessProbe: Probe
    resizePolicy: list[ContainerResizePolicy]
    resources: ResourceRequirements
    restartPolicy: str | None
    restartPolicyRules: list[ContainerRestartRule]
    securityContext: SecurityContext
    startupProbe: Probe
    stdin: bool
    stdinOnce: bool
    targetContainerName: str | None
    terminationMessagePath: str
    terminationMessagePolicy: str
    tty: bool
    volumeDevices: list[VolumeDevice]
    volumeMounts: list[VolumeMount]
    workingDir: str | None

class EphemeralVolumeSource(Message):
    volumeClaimTemplate: PersistentVolumeClaimTemplate

class EvictionResponder(Message):
    name: str
    priority: int | None

class ExecAction(Message):
    command: list[str]

class ExternalMetricSource(Message):
    metric: MetricIdentifier
    target: MetricTarget

class FCVolumeSource(Message):
    fsType: str | None
    lun: int | None
    readOnly: bool | None
    targetWWNs: list[str]
    wwids: list[str]

class FileKeySelector(Message):
    key: str | None
    optional: bool
    path: str | None
    volumeName: str | None

class FlexPersistentVolumeSource(Message):
    driver: str | None
    fsType: str | None
    options: dict[str, str]
    readOnly: bool | None
    secretRef: SecretReference

class FlexVolumeSource(Message):
    driver: str | None
    fsType: str | None
    options: dict[str, str]
    readOnly: bool | None
    secretRef: LocalObjectReference

class FlockerVolumeSource(Message):
    datasetName: str | None
    datasetUUID: str | None

class ForNode(Message):
    name: str

class ForZone(Message):
    name: str

class GCEPersistentDiskVolumeSource(Message):
    fsType: str | None
    partition: int | None
    pdName: str | None
    readOnly: bool | None

class GRPCAction(Message):
    mode: str | None
    port: int | None
    service: str | None

class GitRepoVolumeSource(Message):
    directory: str | None
    repository: str | None
    revision: str | None

class GlusterfsPersistentVolumeSource(Message):
    endpoints: str | None
    endpointsNamespace: str | None
    path: str | None
    readOnly: bool | None

class GlusterfsVolumeSource(Message):
    endpoints: str | None
    path: str | None
    readOnly: bool | None

class HPAScalingPolicy(Message):
    periodSeconds: int | None
    type: str | None
    value: int | None

class HPAScalingRules(Message):
    policies: list[HPAScalingPolicy]
    selectPolicy: str | None
    stabilizationWindowSeconds: int | None
    tolerance: str | None

class HTTPGetAction(Message):
    host: str | None
    httpHeaders: list[HTTPHeader]
    path: str
    port: str | None
    protocol: str | None
    scheme: str

class HTTPHeader(Message):
    name: str
    value: str | None

class HTTPIngressPath(Message):
    backend: IngressBackend
    path: str | None
    pathType: str | None

class HTTPIngressRuleValue(Message):
    paths: list[HTTPIngressPath]

class HorizontalPodAutoscaler(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: HorizontalPodAutoscalerSpec

class HorizontalPodAutoscalerBehavior(Message):
    scaleDown: HPAScalingRules
    scaleUp: HPAScalingRules

class HorizontalPodAutoscalerSpec(Message):
    behavior: HorizontalPodAutoscalerBehavior
    maxReplicas: int | None
    metrics: list[MetricSpec]
    minReplicas: int
    scaleTargetRef: CrossVersionObjectReference

class HostAlias(Message):
    hostnames: list[str]
    ip: str | None

class HostPathVolumeSource(Message):
    path: str | None
    type: str | None

class IPBlock(Message):
    cidr: str | None
    except_: list[str]

class ISCSIPersistentVolumeSource(Message):
    chapAuthDiscovery: bool | None
    chapAuthSession: bool | None
    fsType: str | None
    initiatorName: str | None
    iqn: str | None
    iscsiInterface: str
    lun: int | None
    portals: list[str]
    readOnly: bool | None
    secretRef: SecretReference
    targetPortal: str | None

class ISCSIVolumeSource(Message):
    chapAuthDiscovery: bool | None
    chapAuthSession: bool | None
    fsType: str | None
    initiatorName: str | None
    iqn: str | None
    iscsiInterface: str
    lun: int | None
    portals: list[str]
    readOnly: bool | None
    secretRef: LocalObjectReference
    targetPortal: str | None

class ImageVolumeSource(Message):
    pullPolicy: str | None
    reference: str | None

class Ingress(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: IngressSpec

class IngressBackend(Message):
    resource: TypedLocalObjectReference
    service: IngressServiceBackend

class IngressClass(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: IngressClassSpec

class IngressClassParametersReference(Message):
    apiGroup: str | None
    kind: str | None
    name: str
    namespace: str | None
    scope: str

class IngressClassSpec(Message):
    controller: str | None
    parameters: IngressClassParametersReference

class IngressRule(Message):
    host: str | None
    http: HTTPIngressRuleValue

class IngressServiceBackend(Message):
    name: str
    port: ServiceBackendPort

class IngressSpec(Message):
    defaultBackend: IngressBackend
    ingressClassName: str | None
    rules: list[IngressRule]
    tls: list[IngressTLS]

class IngressTLS(Message):
    hosts: list[str]
    secretName: str | None

class Job(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: JobSpec

class JobSchedulingConfiguration(Message):
    disruptionMode: WorkloadPodGroupDisruptionMode
    resourceClaims: list[WorkloadPodGroupResourceClaim]
    schedulingConstraints: WorkloadPodGroupSchedulingConstraints
    schedulingPolicy: WorkloadPodGroupSchedulingPolicy

class JobSpec(Message):
    activeDeadlineSeconds: int | None
    backoffLimit: int
    backoffLimitPerIndex: int | None
    completionMode: str
    completions: int | None
    managedBy: str | None
    manualSelector: bool
    maxFailedIndexes: int | None
    parallelism: int
    podFailurePolicy: PodFailurePolicy
    podReplacementPolicy: str | None
    scheduling: JobSchedulingConfiguration
    selector: LabelSelector
    successPolicy: SuccessPolicy
    suspend: bool
    template: PodTemplateSpec
    ttlSecondsAfterFinished: int | None

class JobTemplateSpec(Message):
    metadata: ObjectMeta
    spec: JobSpec

class KeyToPath(Message):
    key: str | None
    mode: int | None
    path: str | None
    user: int | None

class LabelSelector(Message):
    matchExpressions: list[LabelSelectorRequirement]
    matchLabels: dict[str, str]

class LabelSelectorRequirement(Message):
    key: str | None
    operator: str | None
    values: list[str]

class Lifecycle(Message):
    postStart: LifecycleHandler
    preStop: LifecycleHandler
    stopSignal: str | None

class LifecycleHandler(Message):
    exec: ExecAction
    httpGet: HTTPGetAction
    sleep: SleepAction
    tcpSocket: TCPSocketAction

class LimitRange(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: LimitRangeSpec

class LimitRangeItem(Message):
    default: dict[str, str]
    defaultRequest: dict[str, str]
    max: dict[str, str]
    maxLimitRequestRatio: dict[str, str]
    min: dict[str, str]
    type: str | None

class LimitRangeSpec(Message):
    limits: list[LimitRangeItem]

class LocalObjectReference(Message):
    name: str | None

class LocalVolumeSource(Message):
    fsType: str | None
    path: str | None

class MatchCondition(Message):
    expression: str | None
    name: str

class MetricIdentifier(Message):
    name: str
    selector: LabelSelector

class MetricSpec(Message):
    containerResource: ContainerResourceMetricSource
    external: ExternalMetricSource
    object: ObjectMetricSource
    pods: PodsMetricSource
    resource: ResourceMetricSource
    type: str | None

class MetricTarget(Message):
    averageUtilization: int | None
    averageValue: str | None
    type: str | None
    value: str | None

class MutatingWebhook(Message):
    admissionReviewVersions: list[str]
    clientConfig: WebhookClientConfig
    failurePolicy: str
    matchConditions: list[MatchCondition]
    matchPolicy: str
    name: str
    namespaceSelector: LabelSelector
    objectSelector: LabelSelector
    reinvocationPolicy: str
    rules: list[RuleWithOperations]
    sideEffects: str | None
    timeoutSeconds: int

class MutatingWebhookConfiguration(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    webhooks: list[MutatingWebhook]

class NFSVolumeSource(Message):
    path: str | None
    readOnly: bool
    server: str | None

class Namespace(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: NamespaceSpec

class NamespaceSpec(Message):
    finalizers: list[str]

class NetworkPolicy(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: NetworkPolicySpec

class NetworkPolicyEgressRule(Message):
    ports: list[NetworkPolicyPort]
    to: list[NetworkPolicyPeer]

class NetworkPolicyIngressRule(Message):
    from_: list[NetworkPolicyPeer]
    ports: list[NetworkPolicyPort]

class NetworkPolicyPeer(Message):
    ipBlock: IPBlock
    namespaceSelector: LabelSelector
    podSelector: LabelSelector

class NetworkPolicyPort(Message):
    endPort: int | None
    port: str | None
    protocol: str

class NetworkPolicySpec(Message):
    egress: list[NetworkPolicyEgressRule]
    ingress: list[NetworkPolicyIngressRule]
    podSelector: LabelSelector
    policyTypes: list[str]

class NodeAffinity(Message):
    preferredDuringSchedulingIgnoredDuringExecution: list[PreferredSchedulingTerm]
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector

class NodeSelector(Message):
    nodeSelectorTerms: list[NodeSelectorTerm]

class NodeSelectorRequirement(Message):
    key: str | None
    operator: str | None
    values: list[str]

class NodeSelectorTerm(Message):
    matchExpressions: list[NodeSelectorRequirement]
    matchFields: list[NodeSelectorRequirement]

class ObjectFieldSelector(Message):
    apiVersion: str
    fieldPath: str | None

class ObjectMeta(Message):
    annotations: dict[str, str]
    creationTimestamp: str | None
    deletionGracePeriodSeconds: int | None
    deletionTimestamp: str | None
    finalizers: list[str]
    generateName: str | None
    generation: int | None
    labels: dict[str, str]
    name: str
    namespace: str
    resourceVersion: str | None
    uid: str | None

class ObjectMetricSource(Message):
    describedObject: CrossVersionObjectReference
    metric: MetricIdentifier
    target: MetricTarget

class ObjectReference(Message):
    apiVersion: str | None
    fieldPath: str | None
    kind: str | None
    name: str | None
    namespace: str | None
    resourceVersion: str | None
    uid: str | None

class PersistentVolume(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: PersistentVolumeSpec

class PersistentVolumeClaim(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: PersistentVolumeClaimSpec

class PersistentVolumeClaimSpec(Message):
    accessModes: list[str]
    dataSource: TypedLocalObjectReference
    dataSourceRef: TypedObjectReference
    resources: VolumeResourceRequirements
    selector: LabelSelector
    storageClassName: str | None
    volumeAttributesClassName: str | None
    volumeMode: str
    volumeName: str | None

class PersistentVolumeClaimTemplate(Message):
    metadata: ObjectMeta
    spec: PersistentVolumeClaimSpec

class PersistentVolumeClaimVolumeSource(Message):
    claimName: str | None
    readOnly: bool

class PersistentVolumeSpec(Message):
    accessModes: list[str]
    awsElasticBlockStore: AWSElasticBlockStoreVolumeSource
    azureDisk: AzureDiskVolumeSource
    azureFile: AzureFilePersistentVolumeSource
    capacity: dict[str, str]
    cephfs: CephFSPersistentVolumeSource
    cinder: CinderPersistentVolumeSource
    claimRef: ObjectReference
    csi: CSIPersistentVolumeSource
    fc: FCVolumeSource
    flexVolume: FlexPersistentVolumeSource
    flocker: FlockerVolumeSource
    gcePersistentDisk: GCEPersistentDiskVolumeSource
    glusterfs: GlusterfsPersistentVolumeSource
    hostPath: HostPathVolumeSource
    iscsi: ISCSIPersistentVolumeSource
    local: LocalVolumeSource
    mountOptions: list[str]
    nfs: NFSVolumeSource
    nodeAffinity: VolumeNodeAffinity
    persistentVolumeReclaimPolicy: str
    photonPersistentDisk: PhotonPersistentDiskVolumeSource
    portworxVolume: PortworxVolumeSource
    quobyte: QuobyteVolumeSource
    rbd: RBDPersistentVolumeSource
    scaleIO: ScaleIOPersistentVolumeSource
    storageClassName: str | None
    storageos: StorageOSPersistentVolumeSource
    volumeAttributesClassName: str | None
    volumeMode: str
    vsphereVolume: VsphereVirtualDiskVolumeSource

class PhotonPersistentDiskVolumeSource(Message):
    fsType: str | None
    pdID: str | None

class Pod(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: PodSpec

class PodAffinity(Message):
    preferredDuringSchedulingIgnoredDuringExecution: list[WeightedPodAffinityTerm]
    requiredDuringSchedulingIgnoredDuringExecution: list[PodAffinityTerm]

class PodAffinityTerm(Message):
    labelSelector: LabelSelector
    matchLabelKeys: list[str]
    mismatchLabelKeys: list[str]
    namespaceSelector: LabelSelector
    namespaces: list[str]
    topologyKey: str | None

class PodAntiAffinity(Message):
    preferredDuringSchedulingIgnoredDuringExecution: list[WeightedPodAffinityTerm]
    requiredDuringSchedulingIgnoredDuringExecution: list[PodAffinityTerm]

class PodCertificateProjection(Message):
    certificateChainPath: str | None
    credentialBundlePath: str | None
    keyPath: str | None
    keyType: str | None
    maxExpirationSeconds: int | None
    signerName: str | None
    user: int | None
    userAnnotations: dict[str, str]

class PodDNSConfig(Message):
    nameservers: list[str]
    options: list[PodDNSConfigOption]
    searches: list[str]

class PodDNSConfigOption(Message):
    name: str | None
    value: str | None

class PodDisruptionBudget(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: PodDisruptionBudgetSpec

class PodDisruptionBudgetSpec(Message):
    maxUnavailable: str | None
    minAvailable: str | None
    selector: LabelSelector
    unhealthyPodEvictionPolicy: str | None

class PodFailurePolicy(Message):
    rules: list[PodFailurePolicyRule]

class PodFailurePolicyOnExitCodesRequirement(Message):
    containerName: str | None
    operator: str | None
    values: list[int]

class PodFailurePolicyOnPodConditionsPattern(Message):
    type: str | None

class PodFailurePolicyRule(Message):
    action: str | None
    onExitCodes: PodFailurePolicyOnExitCodesRequirement
    onPodConditions: list[PodFailurePolicyOnPodConditionsPattern]

class PodOS(Message):
    name: str

class PodReadinessGate(Message):
    conditionType: str | None

class PodResourceClaim(Message):
    name: str
    resourceClaimName: str | None
    resourceClaimTemplateName: str | None

class PodSchedulingGate(Message):
    name: str

class PodSchedulingGroup(Message):
    podGroupName: str | None

class PodSecurityContext(Message):
    appArmorProfile: AppArmorProfile
    fsGroup: int | None
    fsGroupChangePolicy: str | None
    runAsGroup: int | None
    runAsNonRoot: bool | None
    runAsUser: int | None
    seLinuxChangePolicy: str | None
    seLinuxOptions: SELinuxOptions
    seccompProfile: SeccompProfile
    supplementalGroups: list[int]
    supplementalGroupsPolicy: str | None
    sysctls: list[Sysctl]
    windowsOptions: WindowsSecurityContextOptions

class PodSpec(Message):
    activeDeadlineSeconds: int | None
    affinity: Affinity
    automountServiceAccountToken: bool | None
    containers: list[Container]
    dnsConfig: PodDNSConfig
    dnsPolicy: str
    enableServiceLinks: bool
    ephemeralContainers: list[EphemeralContainer]
    evictionResponders: list[EvictionResponder]
    hostAliases: list[HostAlias]
    hostIPC: bool
    hostNetwork: bool
    hostPID: bool
    hostUsers: bool | None
    hostname: str | None
    hostnameOverride: str | None
    imagePullSecrets: list[LocalObjectReference]
    initContainers: list[Container]
    nodeName: str | None
    nodeSelector: dict[str, str]
    os: PodOS
    overhead: dict[str, str]
    preemptionPolicy: str | None
    priority: int | None
    priorityClassName: str | None
    readinessGates: list[PodReadinessGate]
    resourceClaims: list[PodResourceClaim]
    resources: ResourceRequirements
    restartPolicy: str
    runtimeClassName: str | None
    schedulerName: str
    schedulingGates: list[PodSchedulingGate]
    schedulingGroup: PodSchedulingGroup
    securityContext: PodSecurityContext
    serviceAccount: str | None
    serviceAccountName: str | None
    setHostnameAsFQDN: bool | None
    shareProcessNamespace: bool | None
    subdomain: str | None
    terminationGracePeriodSeconds: int
    tolerations: list[Toleration]
    topologySpreadConstraints: list[TopologySpreadConstraint]
    volumes: list[Volume]

class PodTemplateSpec(Message):
    metadata: ObjectMeta
    spec: PodSpec

class PodsMetricSource(Message):
    metric: MetricIdentifier
    target: MetricTarget

class PolicyRule(Message):
    apiGroups: list[str]
    nonResourceURLs: list[str]
    resourceNames: list[str]
    resources: list[str]
    verbs: list[str]

class PortworxVolumeSource(Message):
    fsType: str | None
    readOnly: bool | None
    volumeID: str | None

class PreferredSchedulingTerm(Message):
    preference: NodeSelectorTerm
    weight: int | None

class PriorityClass(Resource):
    apiVersion: str
    description: str | None
    globalDefault: bool
    kind: str
    metadata: ObjectMeta
    preemptionPolicy: str
    value: int | None

class Probe(Message):
    exec: ExecAction
    failureThreshold: int
    grpc: GRPCAction
    httpGet: HTTPGetAction
    initialDelaySeconds: int
    periodSeconds: int
    successThreshold: int
    tcpSocket: TCPSocketAction
    terminationGracePeriodSeconds: int | None
    timeoutSeconds: int

class ProjectedVolumeSource(Message):
    defaultMode: int
    defaultUser: int | None
    sources: list[VolumeProjection]

class QuobyteVolumeSource(Message):
    group: str | None
    readOnly: bool | None
    registry: str | None
    tenant: str | None
    user: str | None
    volume: str | None

class RBDPersistentVolumeSource(Message):
    fsType: str | None
    image: str | None
    keyring: str
    monitors: list[str]
    pool: str
    readOnly: bool | None
    secretRef: SecretReference
    user: str

class RBDVolumeSource(Message):
    fsType: str | None
    image: str | None
    keyring: str
    monitors: list[str]
    pool: str
    readOnly: bool | None
    secretRef: LocalObjectReference
    user: str

class ReplicaSet(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: ReplicaSetSpec

class ReplicaSetSpec(Message):
    minReadySeconds: int
    replicas: int
    selector: LabelSelector
    template: PodTemplateSpec

class ReplicationController(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: ReplicationControllerSpec

class ReplicationControllerSpec(Message):
    minReadySeconds: int
    replicas: int
    selector: dict[str, str]
    template: PodTemplateSpec

class ResourceClaim(Message):
    name: str
    request: str | None

class ResourceFieldSelector(Message):
    containerName: str | None
    divisor: str | None
    resource: str | None

class ResourceMetricSource(Message):
    name: str
    target: MetricTarget

class ResourceQuota(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: ResourceQuotaSpec

class ResourceQuotaSpec(Message):
    hard: dict[str, str]
    scopeSelector: ScopeSelector
    scopes: list[str]

class ResourceRequirements(Message):
    claims: list[ResourceClaim]
    limits: dict[str, str]
    requests: dict[str, str]

class Role(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    rules: list[PolicyRule]

class RoleBinding(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    roleRef: RoleRef
    subjects: list[Subject]

class RoleRef(Message):
    apiGroup: str
    kind: str | None
    name: str

class RollingUpdateDaemonSet(Message):
    maxSurge: str | None
    maxUnavailable: str | None

class RollingUpdateDeployment(Message):
    maxSurge: str | None
    maxUnavailable: str | None

class RollingUpdateStatefulSetStrategy(Message):
    maxUnavailable: str | None
    partition: int

class Rollout(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: RolloutSpec

class RolloutSpec(Message):
    minReadySeconds: int
    paused: bool
    replicas: int
    revisionHistoryLimit: int
    selector: LabelSelector
    strategy: Resource
    template: PodTemplateSpec
    workloadRef: CrossVersionObjectReference

class RuleWithOperations(Message):
    apiGroups: list[str]
    apiVersions: list[str]
    operations: list[str]
    resources: list[str]
    scope: str

class SELinuxOptions(Message):
    level: str | None
    role: str | None
    type: str | None
    user: str | None

class ScaleIOPersistentVolumeSource(Message):
    fsType: str
    gateway: str | None
    protectionDomain: str | None
    readOnly: bool | None
    secretRef: SecretReference
    sslEnabled: bool | None
    storageMode: str
    storagePool: str | None
    system: str | None
    volumeName: str | None

class ScaleIOVolumeSource(Message):
    fsType: str
    gateway: str | None
    protectionDomain: str | None
    readOnly: bool | None
    secretRef: LocalObjectReference
    sslEnabled: bool | None
    storageMode: str
    storagePool: str | None
    system: str | None
    volumeName: str | None

class ScopeSelector(Message):
    matchExpressions: list[ScopedResourceSelectorRequirement]

class ScopedResourceSelectorRequirement(Message):
    operator: str | None
    scopeName: str | None
    values: list[str]

class SeccompProfile(Message):
    localhostProfile: str | None
    type: str | None

class Secret(Resource):
    apiVersion: str
    data: dict[str, str]
    immutable: bool
    kind: str
    metadata: ObjectMeta
    stringData: dict[str, str]
    type: str

class SecretEnvSource(Message):
    name: str | None
    optional: bool | None

class SecretKeySelector(Message):
    key: str | None
    name: str | None
    optional: bool | None

class SecretProjection(Message):
    items: list[KeyToPath]
    name: str | None
    optional: bool | None

class SecretReference(Message):
    name: str | None
    namespace: str | None

class SecretVolumeSource(Message):
    defaultMode: int
    defaultUser: int | None
    items: list[KeyToPath]
    optional: bool | None
    secretName: str | None

class SecurityContext(Message):
    allowPrivilegeEscalation: bool | None
    appArmorProfile: AppArmorProfile
    capabilities: Capabilities
    privileged: bool | None
    procMount: str | None
    readOnlyRootFilesystem: bool | None
    runAsGroup: int | None
    runAsNonRoot: bool | None
    runAsUser: int | None
    seLinuxOptions: SELinuxOptions
    seccompProfile: SeccompProfile
    windowsOptions: WindowsSecurityContextOptions

class SelectableField(Message):
    jsonPath: str | None

class Service(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: ServiceSpec

class ServiceAccount(Resource):
    apiVersion: str
    automountServiceAccountToken: bool | None
    imagePullSecrets: list[LocalObjectReference]
    kind: str
    metadata: ObjectMeta
    secrets: list[ObjectReference]

class ServiceAccountTokenProjection(Message):
    audience: str | None
    expirationSeconds: int
    path: str | None
    user: int | None

class ServiceBackendPort(Message):
    name: str | None
    number: int | None

class ServicePort(Message):
    appProtocol: str | None
    name: str | None
    nodePort: int | None
    port: int | None
    protocol: str
    targetPort: str | None

class ServiceReference(Message):
    name: str
    namespace: str | None
    path: str | None
    port: int

class ServiceSpec(Message):
    allocateLoadBalancerNodePorts: bool | None
    clusterIP: str | None
    clusterIPs: list[str]
    externalIPs: list[str]
    externalName: str | None
    externalTrafficPolicy: str | None
    healthCheckNodePort: int | None
    internalTrafficPolicy: str | None
    ipFamilies: list[str]
    ipFamilyPolicy: str | None
    loadBalancerClass: str | None
    loadBalancerIP: str | None
    loadBalancerSourceRanges: list[str]
    ports: list[ServicePort]
    publishNotReadyAddresses: bool
    selector: dict[str, str]
    sessionAffinity: str
    sessionAffinityConfig: SessionAffinityConfig
    trafficDistribution: str | None
    type: str

class SessionAffinityConfig(Message):
    clientIP: ClientIPConfig

class SleepAction(Message):
    seconds: int | None

class StatefulSet(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    spec: StatefulSetSpec

class StatefulSetOrdinals(Message):
    start: int | None

class StatefulSetPersistentVolumeClaimRetentionPolicy(Message):
    whenDeleted: str
    whenScaled: str

class StatefulSetSpec(Message):
    minReadySeconds: int
    ordinals: StatefulSetOrdinals
    persistentVolumeClaimRetentionPolicy: StatefulSetPersistentVolumeClaimRetentionPolicy
    podManagementPolicy: str
    replicas: int
    revisionHistoryLimit: int
    selector: LabelSelector
    serviceName: str | None
    template: PodTemplateSpec
    updateStrategy: StatefulSetUpdateStrategy
    volumeClaimTemplates: list[PersistentVolumeClaim]

class StatefulSetUpdateStrategy(Message):
    rollingUpdate: RollingUpdateStatefulSetStrategy
    type: str

class StorageClass(Resource):
    allowVolumeExpansion: bool | None
    allowedTopologies: list[TopologySelectorTerm]
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    mountOptions: list[str]
    parameters: dict[str, str]
    provisioner: str | None
    reclaimPolicy: str
    volumeBindingMode: str

class StorageOSPersistentVolumeSource(Message):
    fsType: str | None
    readOnly: bool | None
    secretRef: ObjectReference
    volumeName: str | None
    volumeNamespace: str | None

class StorageOSVolumeSource(Message):
    fsType: str | None
    readOnly: bool | None
    secretRef: LocalObjectReference
    volumeName: str | None
    volumeNamespace: str | None

class Subject(Message):
    apiGroup: str | None
    kind: str | None
    name: str
    namespace: str | None

class SuccessPolicy(Message):
    rules: list[SuccessPolicyRule]

class SuccessPolicyRule(Message):
    succeededCount: int | None
    succeededIndexes: str | None

class Sysctl(Message):
    name: str
    value: str | None

class TCPSocketAction(Message):
    host: str | None
    port: str | None

class Toleration(Message):
    effect: str | None
    key: str | None
    operator: str | None
    tolerationSeconds: int | None
    value: str | None

class TopologyConstraint(Message):
    key: str | None

class TopologySelectorLabelRequirement(Message):
    key: str | None
    values: list[str]

class TopologySelectorTerm(Message):
    matchLabelExpressions: list[TopologySelectorLabelRequirement]

class TopologySpreadConstraint(Message):
    labelSelector: LabelSelector
    matchLabelKeys: list[str]
    maxSkew: int | None
    minDomains: int | None
    nodeAffinityPolicy: str | None
    nodeTaintsPolicy: str | None
    topologyKey: str | None
    whenUnsatisfiable: str | None

class TypedLocalObjectReference(Message):
    apiGroup: str | None
    kind: str | None
    name: str

class TypedObjectReference(Message):
    apiGroup: str | None
    kind: str | None
    name: str
    namespace: str | None

class ValidatingWebhook(Message):
    admissionReviewVersions: list[str]
    clientConfig: WebhookClientConfig
    failurePolicy: str
    matchConditions: list[MatchCondition]
    matchPolicy: str
    name: str
    namespaceSelector: LabelSelector
    objectSelector: LabelSelector
    rules: list[RuleWithOperations]
    sideEffects: str | None
    timeoutSeconds: int

class ValidatingWebhookConfiguration(Resource):
    apiVersion: str
    kind: str
    metadata: ObjectMeta
    webhooks: list[ValidatingWebhook]

class Volume(Message):
    awsElasticBlockStore: AWSElasticBlockStoreVolumeSource
    azureDisk: AzureDiskVolumeSource
    azureFile: AzureFileVolumeSource
    cephfs: CephFSVolumeSource
    cinder: CinderVolumeSource
    configMap: ConfigMapVolumeSource
    csi: CSIVolumeSource
    downwardAPI: DownwardAPIVolumeSource
    emptyDir: EmptyDirVolumeSource
    ephemeral: EphemeralVolumeSource
    fc: FCVolumeSource
    flexVolume: FlexVolumeSource
    flocker: FlockerVolumeSource
    gcePersistentDisk: GCEPersistentDiskVolumeSource
    gitRepo: GitRepoVolumeSource
    glusterfs: GlusterfsVolumeSource
    hostPath: HostPathVolumeSource
    image: ImageVolumeSource
    iscsi: ISCSIVolumeSource
    name: str
    nfs: NFSVolumeSource
    persistentVolumeClaim: PersistentVolumeClaimVolumeSource
    photonPersistentDisk: PhotonPersistentDiskVolumeSource
    portworxVolume: PortworxVolumeSource
    projected: ProjectedVolumeSource
    quobyte: QuobyteVolumeSource
    rbd: RBDVolumeSource
    scaleIO: ScaleIOVolumeSource
    secret: SecretVolumeSource
    storageos: StorageOSVolumeSource
    vsphereVolume: VsphereVirtualDiskVolumeSource

class VolumeDevice(Message):
    devicePath: str | None
    name: str

class VolumeMount(Message):
    bindMountOptions: list[str]
    mountPath: str | None
    mountPropagation: str | None
    name: str
    readOnly: bool
    recursiveReadOnly: str | None
    subPath: str | None
    subPathExpr: str | None

class VolumeNodeAffinity(Message):
    required: NodeSelector

class VolumeProjection(Message):
    clusterTrustBundle: ClusterTrustBundleProjection
    configMap: ConfigMapProjection
    downwardAPI: DownwardAPIProjection
    podCertificate: PodCertificateProjection
    secret: SecretProjection
    serviceAccountToken: ServiceAccountTokenProjection

class VolumeResourceRequirements(Message):
    limits: dict[str, str]
    requests: dict[str, str]

class VsphereVirtualDiskVolumeSource(Message):
    fsType: str | None
    storagePolicyID: str | None
    storagePolicyName: str | None
    volumePath: str | None

class WebhookClientConfig(Message):
    caBundle: str | None
    service: ServiceReference
    url: str | None

class WebhookConversion(Message):
    clientConfig: WebhookClientConfig
    conversionReviewVersions: list[str]

class WeightedPodAffinityTerm(Message):
    podAffinityTerm: PodAffinityTerm
    weight: int | None

class WindowsSecurityContextOptions(Message):
    gmsaCredentialSpec: str | None
    gmsaCredentialSpecName: str | None
    hostProcess: bool | None
    runAsUserName: str | None

class WorkloadPodGroupDisruptionMode(Message):
    all: Resource
    single: Resource

class WorkloadPodGroupGangSchedulingPolicy(Message):
    minCount: int | None

class WorkloadPodGroupResourceClaim(Message):
    name: str
    resourceClaimName: str | None
    resourceClaimTemplateName: str | None

class WorkloadPodGroupSchedulingConstraints(Message):
    topology: list[TopologyConstraint]

class WorkloadPodGroupSchedulingPolicy(Message):
    basic: Resource
    gang: WorkloadPodGroupGangSchedulingPolicy
