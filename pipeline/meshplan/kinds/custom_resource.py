"""CustomResourceDefinition: a kind that the API server learns."""

from meshplan.kinds.kind import Kind

CUSTOM_RESOURCE_DEFINITION = Kind(
    group="apiextensions.k8s.io",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    scope="Cluster",
    versions=("v1",),
)
