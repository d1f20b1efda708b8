"""ReferenceGrant: leave to refer to an object of another namespace."""

from meshplan.kinds.kind import Kind

REFERENCE_GRANT = Kind(
    group="gateway.networking.k8s.io",
    kind="ReferenceGrant",
    plural="referencegrants",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha2"),
)
