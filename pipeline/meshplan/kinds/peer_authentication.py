"""PeerAuthentication: whether a workload's proxy asks for mTLS."""

from meshplan.kinds.kind import Kind

PEER_AUTHENTICATION = Kind(
    group="security.istio.io",
    kind="PeerAuthentication",
    plural="peerauthentications",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
)
