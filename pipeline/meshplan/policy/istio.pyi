# Written by meshplan/policy/stubs.py from the catalog of fields: change those instead.

from meshplan.policy import Message, Resource, k8s

class Abort(Message):
    grpcStatus: str | None
    http2Error: str | None
    httpStatus: int | None
    percentage: Percent

class AccessLogging(Message):
    disabled: bool | None
    filter: AccessLoggingFilter
    match: AccessLoggingMatch
    providers: list[SubFilter]

class AccessLoggingFilter(Message):
    expression: str | None

class AccessLoggingMatch(Message):
    mode: str | None

class Attribute(Message):
    name: str | None
    value: str | None

class AuthorizationPolicy(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: AuthorizationPolicySpec

class AuthorizationPolicySpec(Message):
    action: str | None
    provider: SubFilter
    rules: list[Rule]
    selector: WorkloadSelector
    targetRef: TargetRef
    targetRefs: list[TargetRef]

class BackendUtilization(Message):
    errorUtilizationPenaltyPercent: int | None
    metricNamesForComputingUtilization: list[str]
    weightExpirationPeriod: str | None
    weightStabilizationPeriod: str | None
    weightUpdatePeriod: str | None

class Body(Message):
    bytes: str | None
    string: str | None

class ClientTLSSettings(Message):
    caCertificates: str | None
    caCrl: str | None
    clientCertificate: str | None
    credentialName: str | None
    insecureSkipVerify: bool | None
    mode: str | None
    privateKey: str | None
    sni: str | None
    subjectAltNames: list[str]

class Cluster(Message):
    name: str | None
    portNumber: int | None
    service: str | None
    subset: str | None

class Condition(Message):
    key: str | None
    notValues: list[str]
    values: list[str]

class ConfigPatch(Message):
    applyTo: str | None
    match: Match
    patch: Patch

class ConnectionPoolSettings(Message):
    http: HTTPSettings
    tcp: TCPSettings

class ConsistentHash(Message):
    httpCookie: HttpCookie
    httpHeaderName: str | None
    httpQueryParameterName: str | None
    maglev: Maglev
    minimumRingSize: int | None
    ringHash: RingHash
    useSourceIp: bool | None

class CorsPolicy(Message):
    allowCredentials: bool | None
    allowHeaders: list[str]
    allowMethods: list[str]
    allowOrigin: list[str]
    allowOrigins: list[StringMatch]
    exposeHeaders: list[str]
    maxAge: str | None
    unmatchedPreflights: str | None

class CustomTag(Message):
    environment: Environment
    formatter: Formatter
    header: Environment
    literal: Formatter

class Delay(Message):
    exponentialDelay: str | None
    fixedDelay: str | None
    percent: int | None
    percentage: Percent

class Delegate(Message):
    name: str | None
    namespace: str | None

class Destination(Message):
    host: str | None
    port: PortSelector
    subset: str | None

class DestinationRule(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: DestinationRuleSpec

class DestinationRuleSpec(Message):
    exportTo: list[str]
    host: str | None
    subsets: list[Subset]
    trafficPolicy: TrafficPolicy
    workloadSelector: WorkloadSelector

class Distribute(Message):
    from_: str | None
    to: dict[str, int]

class Env(Message):
    name: str | None
    value: str | None
    valueFrom: str | None

class Environment(Message):
    defaultValue: str | None
    name: str | None

class EnvoyFilter(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: EnvoyFilterSpec

class EnvoyFilterSpec(Message):
    configPatches: list[ConfigPatch]
    priority: int | None
    targetRefs: list[TargetRef]
    workloadSelector: SpecWorkloadSelector

class Exec(Message):
    command: list[str]

class Failover(Message):
    from_: str | None
    to: str | None

class Filter(Message):
    name: str | None
    subFilter: SubFilter

class FilterChain(Message):
    applicationProtocols: str | None
    destinationPort: int | None
    filter: Filter
    name: str | None
    sni: str | None
    transportProtocol: str | None
    transportSocket: str | None

class Formatter(Message):
    value: str | None

class FromHeader(Message):
    name: str | None
    prefix: str | None

class Gateway(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: GatewaySpec

class GatewaySpec(Message):
    selector: dict[str, str]
    servers: list[Server]

class Grpc(Message):
    port: int | None
    service: str | None

class HTTPDirectResponse(Message):
    body: Body
    status: int | None

class HTTPFaultInjection(Message):
    abort: Abort
    delay: Delay

class HTTPMatchRequest(Message):
    authority: StringMatch
    gateways: list[str]
    headers: dict[str, StringMatch]
    ignoreUriCase: bool | None
    method: StringMatch
    name: str | None
    port: int | None
    queryParams: dict[str, StringMatch]
    scheme: StringMatch
    sourceLabels: dict[str, str]
    sourceNamespace: str | None
    statPrefix: str | None
    uri: StringMatch
    withoutHeaders: dict[str, StringMatch]

class HTTPMirrorPolicy(Message):
    destination: Destination
    percentage: Percent

class HTTPRedirect(Message):
    authority: str | None
    derivePort: str | None
    port: int | None
    prefixRewrite: str | None
    redirectCode: int | None
    scheme: str | None
    uri: str | None

class HTTPRetry(Message):
    attempts: int | None
    backoff: str | None
    perTryTimeout: str | None
    retryIgnorePreviousHosts: bool | None
    retryOn: str | None
    retryRemoteLocalities: bool | None

class HTTPRewrite(Message):
    authority: str | None
    uri: str | None
    uriRegexRewrite: UriRegexRewrite

class HTTPRoute(Message):
    corsPolicy: CorsPolicy
    delegate: Delegate
    directResponse: HTTPDirectResponse
    fault: HTTPFaultInjection
    headers: Headers
    match: list[HTTPMatchRequest]
    mirror: Destination
    mirrorPercent: int | None
    mirrorPercentage: Percent
    mirror_percent: int | None
    mirrors: list[HTTPMirrorPolicy]
    name: str | None
    redirect: HTTPRedirect
    retries: HTTPRetry
    rewrite: HTTPRewrite
    route: list[HTTPRouteDestination]
    timeout: str | None

class HTTPRouteDestination(Message):
    destination: Destination
    headers: Headers
    weight: int | None

class HTTPSettings(Message):
    h2UpgradePolicy: str | None
    http1MaxPendingRequests: int | None
    http2KeepAlive: Http2KeepAlive
    http2MaxRequests: int | None
    idleTimeout: str | None
    maxConcurrentStreams: int | None
    maxRequestsPerConnection: int | None
    maxRetries: int | None
    useClientProtocol: bool | None

class HeaderOperations(Message):
    add: dict[str, str]
    remove: list[str]
    set: dict[str, str]

class Headers(Message):
    request: HeaderOperations
    response: HeaderOperations

class Http2KeepAlive(Message):
    interval: str | None
    timeout: str | None

class HttpCookie(Message):
    attributes: list[Attribute]
    name: str | None
    path: str | None
    ttl: str | None

class HttpGet(Message):
    host: str | None
    httpHeaders: list[Attribute]
    path: str | None
    port: int | None
    scheme: str | None

class Image(Message):
    imageType: str | None

class IstioEgressListener(Message):
    bind: str | None
    captureMode: str | None
    hosts: list[str]
    localhostServerTls: LocalhostServerTls
    port: ServiceEntryPort

class IstioIngressListener(Message):
    bind: str | None
    captureMode: str | None
    connectionPool: ConnectionPoolSettings
    defaultEndpoint: str | None
    localhostClientTls: LocalhostClientTls
    port: ServiceEntryPort
    tls: ServerTLSSettings

class JWTRule(Message):
    audiences: list[str]
    forwardOriginalToken: bool | None
    fromCookies: list[str]
    fromHeaders: list[FromHeader]
    fromParams: list[str]
    issuer: str | None
    jwks: str | None
    jwksUri: str | None
    jwks_uri: str | None
    outputClaimToHeaders: list[OutputClaimToHeader]
    outputPayloadToHeader: str | None
    presence: str | None
    spaceDelimitedClaims: list[str]
    timeout: str | None

class L4MatchAttributes(Message):
    destinationSubnets: list[str]
    gateways: list[str]
    port: int | None
    sourceLabels: dict[str, str]
    sourceNamespace: str | None
    sourceSubnet: str | None

class Listener(Message):
    filterChain: FilterChain
    listenerFilter: str | None
    name: str | None
    portName: str | None
    portNumber: int | None

class LoadBalancerSettings(Message):
    backendUtilization: BackendUtilization
    consistentHash: ConsistentHash
    localityLbSetting: LocalityLbSetting
    simple: str | None
    warmup: Warmup
    warmupDurationSecs: str | None
    zoneAwareLbSetting: ZoneAwareLbSetting

class Localhost(Message):
    clientTls: LocalhostClientTls
    serverTls: LocalhostServerTls

class LocalhostClientTls(Message):
    caCertificates: str | None
    clientCertificate: str | None
    mode: str | None
    privateKey: str | None
    sni: str | None
    subjectAltNames: list[str]

class LocalhostServerTls(Message):
    caCertificates: str | None
    cipherSuites: list[str]
    credentialName: str | None
    httpsRedirect: bool | None
    maxProtocolVersion: str | None
    minProtocolVersion: str | None
    mode: str | None
    privateKey: str | None
    serverCertificate: str | None
    subjectAltNames: list[str]
    verifyCertificateHash: list[str]
    verifyCertificateSpki: list[str]

class LocalityLbSetting(Message):
    distribute: list[Distribute]
    enabled: bool | None
    failover: list[Failover]
    failoverPriority: list[str]

class Lua(Message):
    inlineCode: str | None

class Maglev(Message):
    tableSize: int | None

class Match(Message):
    cluster: Cluster
    context: str | None
    listener: Listener
    proxy: Proxy
    routeConfiguration: RouteConfiguration
    waypoint: Waypoint

class Metadata(Message):
    annotations: dict[str, str]
    labels: dict[str, str]

class Metric(Message):
    overrides: list[Override]
    providers: list[SubFilter]
    reportingInterval: str | None

class MutualTLS(Message):
    mode: str | None

class Operation(Message):
    hosts: list[str]
    methods: list[str]
    notHosts: list[str]
    notMethods: list[str]
    notPaths: list[str]
    notPorts: list[str]
    paths: list[str]
    ports: list[str]

class OutboundTrafficPolicy(Message):
    egressProxy: Destination
    mode: str | None

class OutlierDetection(Message):
    baseEjectionTime: str | None
    consecutive5xxErrors: int | None
    consecutiveErrors: int | None
    consecutiveGatewayErrors: int | None
    consecutiveLocalOriginFailures: int | None
    interval: str | None
    maxEjectionPercent: int | None
    minHealthPercent: int | None
    outlierDetectionHttpErrorCodes: list[int]
    splitExternalLocalOriginErrors: bool | None

class OutputClaimToHeader(Message):
    claim: str | None
    header: str | None

class Override(Message):
    disabled: bool | None
    match: OverrideMatch
    tagOverrides: dict[str, TagOverride]

class OverrideMatch(Message):
    customMetric: str | None
    metric: str | None
    mode: str | None

class Patch(Message):
    filterClass: str | None
    operation: str | None
    value: Resource

class PeerAuthentication(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: PeerAuthenticationSpec

class PeerAuthenticationSpec(Message):
    mtls: MutualTLS
    portLevelMtls: dict[str, MutualTLS]
    selector: WorkloadSelector

class Percent(Message):
    value: float | None

class PortSelector(Message):
    number: int | None

class PortTrafficPolicy(Message):
    connectionPool: ConnectionPoolSettings
    loadBalancer: LoadBalancerSettings
    outlierDetection: OutlierDetection
    port: PortSelector
    tls: ClientTLSSettings

class Probe(Message):
    exec: Exec
    failureThreshold: int | None
    grpc: Grpc
    httpGet: HttpGet
    initialDelaySeconds: int | None
    periodSeconds: int | None
    successThreshold: int | None
    tcpSocket: TcpSocket
    timeoutSeconds: int | None

class Proxy(Message):
    metadata: dict[str, str]
    proxyVersion: str | None

class ProxyConfig(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: ProxyConfigSpec

class ProxyConfigSpec(Message):
    concurrency: int | None
    environmentVariables: dict[str, str]
    image: Image
    selector: WorkloadSelector

class ProxyProtocol(Message):
    version: str | None

class RequestAuthentication(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: RequestAuthenticationSpec

class RequestAuthenticationSpec(Message):
    jwtRules: list[JWTRule]
    selector: WorkloadSelector
    targetRef: TargetRef
    targetRefs: list[TargetRef]

class RetryBudget(Message):
    budgetInterval: str | None
    minRetryConcurrency: int | None
    percent: float | None

class RingHash(Message):
    minimumRingSize: int | None

class Route(Message):
    action: str | None
    name: str | None

class RouteConfiguration(Message):
    gateway: str | None
    name: str | None
    portName: str | None
    portNumber: int | None
    vhost: Vhost

class RouteDestination(Message):
    destination: Destination
    weight: int | None

class Rule(Message):
    from_: list[RuleFrom]
    to: list[RuleTo]
    when: list[Condition]

class RuleFrom(Message):
    source: Source

class RuleTo(Message):
    operation: Operation

class Server(Message):
    bind: str | None
    defaultEndpoint: str | None
    hosts: list[str]
    name: str | None
    port: ServiceEntryPort
    tls: ServerTLSSettings

class ServerTLSSettings(Message):
    caCertCredentialName: str | None
    caCertificates: str | None
    caCrl: str | None
    cipherSuites: list[str]
    credentialName: str | None
    credentialNames: list[str]
    ecdhCurves: list[str]
    httpsRedirect: bool | None
    insecureSkipVerify: bool | None
    maxProtocolVersion: str | None
    minProtocolVersion: str | None
    mode: str | None
    privateKey: str | None
    serverCertificate: str | None
    subjectAltNames: list[str]
    tlsCertificates: list[TlsCertificate]
    verifyCertificateHash: list[str]
    verifyCertificateSpki: list[str]

class ServiceEntry(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: ServiceEntrySpec

class ServiceEntryPort(Message):
    name: str | None
    number: int | None
    protocol: str | None
    targetPort: int | None

class ServiceEntrySpec(Message):
    addresses: list[str]
    endpoints: list[WorkloadEntrySpec]
    exportTo: list[str]
    hosts: list[str]
    location: str | None
    ports: list[ServiceEntryPort]
    resolution: str | None
    subjectAltNames: list[str]
    workloadSelector: SpecWorkloadSelector

class Sidecar(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: SidecarSpec

class SidecarSpec(Message):
    egress: list[IstioEgressListener]
    inboundConnectionPool: ConnectionPoolSettings
    ingress: list[IstioIngressListener]
    localhost: Localhost
    outboundTrafficPolicy: OutboundTrafficPolicy
    workloadSelector: SpecWorkloadSelector

class Source(Message):
    ipBlocks: list[str]
    namespaces: list[str]
    notIpBlocks: list[str]
    notNamespaces: list[str]
    notPrincipals: list[str]
    notRemoteIpBlocks: list[str]
    notRequestPrincipals: list[str]
    notServiceAccounts: list[str]
    notTrustDomains: list[str]
    principals: list[str]
    remoteIpBlocks: list[str]
    requestPrincipals: list[str]
    serviceAccounts: list[str]
    trustDomains: list[str]

class SpecMatch(Message):
    mode: str | None
    ports: list[PortSelector]

class SpecWorkloadSelector(Message):
    labels: dict[str, str]

class StringMatch(Message):
    exact: str | None
    prefix: str | None
    regex: str | None

class SubFilter(Message):
    name: str | None

class Subset(Message):
    labels: dict[str, str]
    name: str | None
    trafficPolicy: TrafficPolicy

class TCPRoute(Message):
    match: list[L4MatchAttributes]
    route: list[RouteDestination]

class TCPSettings(Message):
    connectTimeout: str | None
    idleTimeout: str | None
    maxConnectionDuration: str | None
    maxConnections: int | None
    tcpKeepalive: TcpKeepalive

class TLSMatchAttributes(Message):
    destinationSubnets: list[str]
    gateways: list[str]
    port: int | None
    sniHosts: list[str]
    sourceLabels: dict[str, str]
    sourceNamespace: str | None

class TLSRoute(Message):
    match: list[TLSMatchAttributes]
    route: list[RouteDestination]

class TagOverride(Message):
    operation: str | None
    value: str | None

class TargetRef(Message):
    group: str | None
    kind: str | None
    name: str | None
    namespace: str | None

class TcpKeepalive(Message):
    interval: str | None
    probes: int | None
    time: str | None

class TcpSocket(Message):
    host: str | None
    port: int | None

class Telemetry(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: TelemetrySpec

class TelemetrySpec(Message):
    accessLogging: list[AccessLogging]
    metrics: list[Metric]
    selector: WorkloadSelector
    targetRef: TargetRef
    targetRefs: list[TargetRef]
    tracing: list[Tracing]

class TlsCertificate(Message):
    caCertificates: str | None
    privateKey: str | None
    serverCertificate: str | None

class Tracing(Message):
    customTags: dict[str, CustomTag]
    disableContextPropagation: bool | None
    disableSpanReporting: bool | None
    enableIstioTags: bool | None
    match: AccessLoggingMatch
    providers: list[SubFilter]
    randomSamplingPercentage: float | None
    useRequestIdForTraceSampling: bool | None

class TrafficExtension(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: TrafficExtensionSpec

class TrafficExtensionSpec(Message):
    lua: Lua
    match: list[SpecMatch]
    phase: str | None
    priority: int | None
    selector: WorkloadSelector
    targetRefs: list[TargetRef]
    wasm: Wasm

class TrafficPolicy(Message):
    connectionPool: ConnectionPoolSettings
    loadBalancer: LoadBalancerSettings
    outlierDetection: OutlierDetection
    portLevelSettings: list[PortTrafficPolicy]
    proxyProtocol: ProxyProtocol
    retryBudget: RetryBudget
    tls: ClientTLSSettings
    tunnel: Tunnel

class Tunnel(Message):
    protocol: str | None
    targetHost: str | None
    targetPort: int | None

class UriRegexRewrite(Message):
    match: str | None
    rewrite: str | None

class Vhost(Message):
    domainName: str | None
    name: str | None
    route: Route

class VirtualService(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: VirtualServiceSpec

class VirtualServiceSpec(Message):
    exportTo: list[str]
    gateways: list[str]
    hosts: list[str]
    http: list[HTTPRoute]
    tcp: list[TCPRoute]
    tls: list[TLSRoute]

class VmConfig(Message):
    env: list[Env]

class Warmup(Message):
    aggression: float | None
    duration: str | None
    minimumPercent: float | None

class Wasm(Message):
    failStrategy: str | None
    imagePullPolicy: str | None
    imagePullSecret: str | None
    pluginConfig: Resource
    pluginName: str | None
    sha256: str | None
    type: str | None
    url: str | None
    verificationKey: str | None
    vmConfig: VmConfig

class WasmPlugin(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: WasmPluginSpec

class WasmPluginSpec(Message):
    failStrategy: str | None
    imagePullPolicy: str | None
    imagePullSecret: str | None
    match: list[SpecMatch]
    phase: str | None
    pluginConfig: Resource
    pluginName: str | None
    priority: int | None
    selector: WorkloadSelector
    sha256: str | None
    targetRef: TargetRef
    targetRefs: list[TargetRef]
    type: str | None
    url: str | None
    verificationKey: str | None
    vmConfig: VmConfig

class Waypoint(Message):
    filter: Filter
    portNumber: int | None
    route: SubFilter

class WorkloadEntry(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: WorkloadEntrySpec

class WorkloadEntrySpec(Message):
    address: str | None
    labels: dict[str, str]
    locality: str | None
    network: str | None
    ports: dict[str, int]
    serviceAccount: str | None
    weight: int | None

class WorkloadGroup(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: WorkloadGroupSpec

class WorkloadGroupSpec(Message):
    metadata: Metadata
    probe: Probe
    template: WorkloadEntrySpec

class WorkloadSelector(Message):
    matchLabels: dict[str, str]

class ZoneAwareLbSetting(Message):
    enabled: bool | None
    failover: list[Failover]
    failoverPriority: list[str]
    minClusterSize: int | None
