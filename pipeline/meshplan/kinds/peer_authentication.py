"""PeerAuthentication: whether a workload's proxy asks for mTLS."""

from meshplan.kinds.kind import Kind

PEER_AUTHENTICATION = Kind(
    group="security.istio.io",
    kind="PeerAuthentication",
    plural="peerauthentications",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
    defaults={
        "spec": {},
        "spec.selector": {},
        "spec.selector.matchLabels": {},
        "spec.mtls": {},
        "spec.mtls.mode": "UNSET",
        "spec.portLevelMtls": {},
        "spec.portLevelMtls.*.mode": "UNSET",
    },
)
