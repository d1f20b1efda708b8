"""Pod, and what all kinds with a pod template share."""

from meshplan.kinds.kind import Kind

POD = Kind(
    group="",
    kind="Pod",
    plural="pods",
    scope="Namespaced",
    versions=("v1",),
)
