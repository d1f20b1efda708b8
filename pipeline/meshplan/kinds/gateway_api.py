"""GatewayClass, Gateway and listener sets of the Gateway API."""

from meshplan.kinds.kind import Kind

GATEWAY_CLASS = Kind(
    group="gateway.networking.k8s.io",
    kind="GatewayClass",
    plural="gatewayclasses",
    scope="Cluster",
    versions=("v1", "v1beta1", "v1alpha2"),
)

GATEWAY = Kind(
    group="gateway.networking.k8s.io",
    kind="Gateway",
    plural="gateways",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha2"),
)

LISTENER_SET = Kind(
    group="gateway.networking.k8s.io",
    kind="ListenerSet",
    plural="listenersets",
    scope="Namespaced",
    versions=("v1",),
)
