"""Role, ClusterRole and their bindings."""

from collections.abc import Mapping
from typing import Any

from meshplan.kinds.kind import Default, Kind

GROUP = "rbac.authorization.k8s.io"
_VERSIONS = ("v1", "v1beta1")


def _api_group(subject: Mapping[str, Any]) -> str:
    return "" if subject.get("kind") == "ServiceAccount" else GROUP


#: A role is the union of its rules.
_RULES: Mapping[str, tuple[str, ...]] = {
    "rules": (),
    "rules.apiGroups": (),
    "rules.nonResourceURLs": (),
    "rules.resourceNames": (),
    "rules.resources": (),
    "rules.verbs": (),
}
_SUBJECTS: Mapping[str, tuple[str, ...]] = {"subjects": ("kind", "namespace", "name")}
_BINDING: Mapping[str, Default] = {"roleRef.apiGroup": GROUP, "subjects.apiGroup": _api_group}

ROLE = Kind(
    group=GROUP,
    kind="Role",
    plural="roles",
    scope="Namespaced",
    versions=_VERSIONS,
    list_keys=_RULES,
)

CLUSTER_ROLE = Kind(
    group=GROUP,
    kind="ClusterRole",
    plural="clusterroles",
    scope="Cluster",
    versions=_VERSIONS,
    list_keys=_RULES,
)

ROLE_BINDING = Kind(
    group=GROUP,
    kind="RoleBinding",
    plural="rolebindings",
    scope="Namespaced",
    versions=_VERSIONS,
    list_keys=_SUBJECTS,
    unordered=("subjects",),
    defaults=_BINDING,
    immutable=("roleRef",),
)

CLUSTER_ROLE_BINDING = Kind(
    group=GROUP,
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    scope="Cluster",
    versions=_VERSIONS,
    list_keys=_SUBJECTS,
    unordered=("subjects",),
    defaults=_BINDING,
    immutable=("roleRef",),
)
