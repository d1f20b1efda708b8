# Written by meshplan/policy/stubs.py from the catalog of fields: change those instead.

from meshplan.policy import Message, Resource, k8s

class Add(Message):
    name: str | None
    value: str | None

class Address(Message):
    type: str
    value: str | None

class AllowedListener(Message):
    namespaces: AllowedListenerNamespace

class AllowedListenerNamespace(Message):
    from_: str
    selector: Selector

class AllowedRoute(Message):
    kinds: list[Kind]
    namespaces: AllowedRouteNamespace

class AllowedRouteNamespace(Message):
    from_: str
    selector: Selector

class BackendRef(Message):
    group: str | None
    kind: str
    name: str | None
    namespace: str | None
    port: int | None
    weight: int

class BackendTLS(Message):
    clientCertificateRef: ParametersRef

class BackendTLSPolicy(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: BackendTLSPolicySpec

class BackendTLSPolicySpec(Message):
    options: dict[str, str]
    targetRef: TargetRef
    targetRefs: list[SpecTargetRef]
    tls: BackendTLSPolicyTls
    validation: SpecValidation

class BackendTLSPolicyTls(Message):
    caCertRefs: list[InfrastructureParametersRef]
    hostname: str | None
    wellKnownCACerts: str | None

class CookieConfig(Message):
    lifetimeType: str

class Cors(Message):
    allowCredentials: bool | None
    allowHeaders: list[str]
    allowMethods: list[str]
    allowOrigins: list[str]
    exposeHeaders: list[str]
    maxAge: int

class Default(Message):
    validation: Validation

class ExternalAuth(Message):
    backendRef: ExternalAuthBackendRef
    forwardBody: ForwardBody
    grpc: Grpc
    http: Http
    protocol: str | None

class ExternalAuthBackendRef(Message):
    group: str | None
    kind: str
    name: str | None
    namespace: str | None
    port: int | None

class ForwardBody(Message):
    maxSize: int | None

class Fraction(Message):
    denominator: int
    numerator: int | None

class From(Message):
    group: str | None
    kind: str | None
    namespace: str | None

class Frontend(Message):
    default: Default
    perPort: list[PerPort]

class FrontendValidation(Message):
    caCertificateRefs: list[ParametersRef]

class GRPCBackendRef(Message):
    filters: list[GRPCRouteFilter]
    group: str | None
    kind: str
    name: str | None
    namespace: str | None
    port: int | None
    weight: int

class GRPCMethodMatch(Message):
    method: str | None
    service: str | None
    type: str

class GRPCRoute(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: GRPCRouteSpec

class GRPCRouteFilter(Message):
    extensionRef: InfrastructureParametersRef
    requestHeaderModifier: RequestHeaderModifier
    requestMirror: RequestMirror
    responseHeaderModifier: RequestHeaderModifier
    type: str | None

class GRPCRouteMatch(Message):
    headers: list[HeaderMatch]
    method: GRPCMethodMatch

class GRPCRouteRule(Message):
    backendRefs: list[GRPCBackendRef]
    filters: list[GRPCRouteFilter]
    matches: list[GRPCRouteMatch]
    name: str | None
    sessionPersistence: SessionPersistence

class GRPCRouteSpec(Message):
    hostnames: list[str]
    parentRefs: list[ParentReference]
    rules: list[GRPCRouteRule]
    useDefaultGateways: str | None

class Gateway(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: GatewaySpec

class GatewayClass(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: GatewayClassSpec

class GatewayClassSpec(Message):
    controllerName: str | None
    description: str | None
    parametersRef: ParametersRef

class GatewaySpec(Message):
    addresses: list[Address]
    allowedListeners: AllowedListener
    backendTLS: BackendTLS
    defaultScope: str | None
    gatewayClassName: str | None
    infrastructure: Infrastructure
    listeners: list[Listener]
    tls: SpecTls

class Grpc(Message):
    allowedHeaders: list[str]

class HTTPBackendRef(Message):
    filters: list[HTTPRouteFilter]
    group: str | None
    kind: str
    name: str | None
    namespace: str | None
    port: int | None
    weight: int

class HTTPPathMatch(Message):
    type: str
    value: str

class HTTPRoute(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: HTTPRouteSpec

class HTTPRouteFilter(Message):
    cors: Cors
    extensionRef: InfrastructureParametersRef
    externalAuth: ExternalAuth
    requestHeaderModifier: RequestHeaderModifier
    requestMirror: RequestMirror
    requestRedirect: RequestRedirect
    responseHeaderModifier: RequestHeaderModifier
    type: str | None
    urlRewrite: UrlRewrite

class HTTPRouteMatch(Message):
    headers: list[HeaderMatch]
    method: str | None
    path: HTTPPathMatch
    queryParams: list[HeaderMatch]

class HTTPRouteRule(Message):
    backendRefs: list[HTTPBackendRef]
    filters: list[HTTPRouteFilter]
    matches: list[HTTPRouteMatch]
    name: str | None
    retry: Retry
    sessionPersistence: SessionPersistence
    timeouts: Timeout

class HTTPRouteSpec(Message):
    hostnames: list[str]
    parentRefs: list[ParentReference]
    rules: list[HTTPRouteRule]
    useDefaultGateways: str | None

class HeaderMatch(Message):
    name: str | None
    type: str
    value: str | None

class Http(Message):
    allowedHeaders: list[str]
    allowedResponseHeaders: list[str]
    path: str | None

class Infrastructure(Message):
    annotations: dict[str, str]
    labels: dict[str, str]
    parametersRef: InfrastructureParametersRef

class InfrastructureParametersRef(Message):
    group: str | None
    kind: str | None
    name: str | None

class Kind(Message):
    group: str
    kind: str | None

class Listener(Message):
    allowedRoutes: AllowedRoute
    hostname: str | None
    name: str | None
    port: int | None
    protocol: str | None
    tls: Tls

class ListenerSet(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: ListenerSetSpec

class ListenerSetSpec(Message):
    listeners: list[SpecListener]
    parentRef: ParametersRef

class ListenerTls(Message):
    certificateRefs: list[ParametersRef]
    mode: str
    options: dict[str, str]

class MatchExpression(Message):
    key: str | None
    operator: str | None
    values: list[str]

class ParametersRef(Message):
    group: str
    kind: str | None
    name: str | None
    namespace: str | None

class ParentReference(Message):
    group: str
    kind: str
    name: str | None
    namespace: str | None
    port: int | None
    sectionName: str | None

class Path(Message):
    replaceFullPath: str | None
    replacePrefixMatch: str | None
    type: str | None

class PerPort(Message):
    port: int | None
    tls: Default

class ReferenceGrant(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: ReferenceGrantSpec

class ReferenceGrantSpec(Message):
    from_: list[From]
    to: list[InfrastructureParametersRef]

class RequestHeaderModifier(Message):
    add: list[Add]
    remove: list[str]
    set: list[Add]

class RequestMirror(Message):
    backendRef: ExternalAuthBackendRef
    fraction: Fraction
    percent: int | None

class RequestRedirect(Message):
    hostname: str | None
    path: Path
    port: int | None
    scheme: str | None
    statusCode: int

class Retry(Message):
    attempts: int | None
    backoff: str | None
    codes: list[int]

class Selector(Message):
    matchExpressions: list[MatchExpression]
    matchLabels: dict[str, str]

class SessionPersistence(Message):
    absoluteTimeout: str | None
    cookieConfig: CookieConfig
    idleTimeout: str | None
    sessionName: str | None
    type: str

class SpecListener(Message):
    allowedRoutes: AllowedRoute
    hostname: str | None
    name: str | None
    port: int | None
    protocol: str | None
    tls: ListenerTls

class SpecTargetRef(Message):
    group: str | None
    kind: str | None
    name: str | None
    sectionName: str | None

class SpecTls(Message):
    backend: BackendTLS
    frontend: Frontend

class SpecValidation(Message):
    caCertificateRefs: list[InfrastructureParametersRef]
    hostname: str | None
    subjectAltNames: list[SubjectAltName]
    wellKnownCACertificates: str | None

class SubjectAltName(Message):
    hostname: str | None
    type: str | None
    uri: str | None

class TCPRoute(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: TCPRouteSpec

class TCPRouteRule(Message):
    backendRefs: list[BackendRef]
    name: str | None

class TCPRouteSpec(Message):
    parentRefs: list[ParentReference]
    rules: list[TCPRouteRule]
    useDefaultGateways: str | None

class TLSRoute(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: TLSRouteSpec

class TLSRouteSpec(Message):
    hostnames: list[str]
    parentRefs: list[ParentReference]
    rules: list[TCPRouteRule]
    useDefaultGateways: str | None

class TargetRef(Message):
    group: str | None
    kind: str | None
    name: str | None
    namespace: str | None
    sectionName: str | None

class Timeout(Message):
    backendRequest: str | None
    request: str | None

class Tls(Message):
    certificateRefs: list[ParametersRef]
    frontendValidation: FrontendValidation
    mode: str
    options: dict[str, str]

class UDPRoute(Resource):
    apiVersion: str
    kind: str
    metadata: k8s.ObjectMeta
    spec: TCPRouteSpec

class UrlRewrite(Message):
    hostname: str | None
    path: Path

class Validation(Message):
    caCertificateRefs: list[ParametersRef]
    mode: str
