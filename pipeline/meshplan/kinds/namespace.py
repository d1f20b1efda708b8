"""Namespace."""

from meshplan.kinds.kind import Kind

NAMESPACE = Kind(
    group="",
    kind="Namespace",
    plural="namespaces",
    scope="Cluster",
    versions=("v1",),
)
