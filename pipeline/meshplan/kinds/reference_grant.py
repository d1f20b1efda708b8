"""ReferenceGrant: leave to refer to an object of another namespace."""

from meshplan.kinds.gateway_api import GROUP
from meshplan.kinds.kind import Kind

REFERENCE_GRANT = Kind(
    group=GROUP,
    kind="ReferenceGrant",
    plural="referencegrants",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha2"),
    list_keys={"spec.from": (), "spec.to": ()},
)
