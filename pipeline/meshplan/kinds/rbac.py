"""Role, ClusterRole and their bindings."""

from meshplan.kinds.kind import Kind

ROLE = Kind(
    group="rbac.authorization.k8s.io",
    kind="Role",
    plural="roles",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha1"),
)

CLUSTER_ROLE = Kind(
    group="rbac.authorization.k8s.io",
    kind="ClusterRole",
    plural="clusterroles",
    scope="Cluster",
    versions=("v1", "v1beta1", "v1alpha1"),
)

ROLE_BINDING = Kind(
    group="rbac.authorization.k8s.io",
    kind="RoleBinding",
    plural="rolebindings",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha1"),
)

CLUSTER_ROLE_BINDING = Kind(
    group="rbac.authorization.k8s.io",
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    scope="Cluster",
    versions=("v1", "v1beta1", "v1alpha1"),
)
