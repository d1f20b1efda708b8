"""HTTPRoute, GRPCRoute, TLSRoute, TCPRoute and UDPRoute of the Gateway API."""

from meshplan.kinds.kind import Kind

HTTP_ROUTE = Kind(
    group="gateway.networking.k8s.io",
    kind="HTTPRoute",
    plural="httproutes",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha2"),
)

GRPC_ROUTE = Kind(
    group="gateway.networking.k8s.io",
    kind="GRPCRoute",
    plural="grpcroutes",
    scope="Namespaced",
    versions=("v1", "v1alpha2"),
)

TLS_ROUTE = Kind(
    group="gateway.networking.k8s.io",
    kind="TLSRoute",
    plural="tlsroutes",
    scope="Namespaced",
    versions=("v1", "v1alpha3", "v1alpha2"),
)

TCP_ROUTE = Kind(
    group="gateway.networking.k8s.io",
    kind="TCPRoute",
    plural="tcproutes",
    scope="Namespaced",
    versions=("v1", "v1alpha2"),
)

UDP_ROUTE = Kind(
    group="gateway.networking.k8s.io",
    kind="UDPRoute",
    plural="udproutes",
    scope="Namespaced",
    versions=("v1", "v1alpha2"),
)
