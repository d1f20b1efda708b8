"""From documents to objects: identities and scopes, and what is no object but configuration."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.kinds import scope_of
from meshplan.kinds.kind import Scope
from meshplan.resource import Document
from meshplan.source.objects import Objects, resources_of

Documents = tuple[Document, ...]

#: API groups and kinds of files that configure a tool and are never sent to a cluster.
_CONFIGURATION_GROUPS = frozenset(
    {
        *("kustomize.config.k8s.io", "skaffold", "kind.x-k8s.io", "k3d.io", "ctlptl.dev"),
        *("backstage.io", "kubeadm.k8s.io", "kubelet.config.k8s.io", "kubeproxy.config.k8s.io"),
        *("audit.k8s.io", "apiserver.config.k8s.io", "builtin", "eksctl.io"),
    }
)
_CONFIGURATION_KINDS = frozenset(
    {("", "Config"), ("client.authentication.k8s.io", "ExecCredential")}
)


@dataclass(frozen=True, slots=True)
class Composer:
    """Turns documents into objects, each tuple of documents once for each namespace."""

    scopes: Mapping[tuple[str, str], Scope]
    #: The documents are kept so that their id stays theirs.
    _done: dict[tuple[int, str], tuple[Documents, Objects]] = field(default_factory=dict)

    def objects(self, documents: Documents, namespace: str) -> Objects:
        """The objects of documents: the identical objects for the identical tuple.

        `namespace` is where a namespaced object goes that names none.
        """
        key = (id(documents), namespace)
        known = self._done.get(key)
        if known is None:
            manifests = [d for d in documents if not is_configuration(d.value)]
            objects = resources_of(manifests, default_namespace=namespace, scope_of=self.scope_of)
            known = self._done[key] = (documents, objects)
        return known[1]

    @property
    def assumed_namespace(self) -> bool:
        """Whether any object got the default namespace."""
        return any(objects.assumed_namespace for _, objects in self._done.values())

    def scope_of(self, group: str, kind: str) -> Scope | None:
        """Where objects of a kind live, also of the kinds that CRDs of the repository define."""
        return scope_of(group, kind) or self.scopes.get((group, kind))


def is_configuration(value: object) -> bool:
    """Whether a document configures a tool (Kustomize, skaffold, kubectl) and is no object."""
    if not isinstance(value, dict):
        return False
    group, _, _ = str(value.get("apiVersion") or "").rpartition("/")
    return group in _CONFIGURATION_GROUPS or (group, str(value.get("kind"))) in _CONFIGURATION_KINDS


def defined_scopes(documents: Iterable[Document]) -> dict[tuple[str, str], Scope]:
    """The scopes of the kinds that CustomResourceDefinitions among documents define."""
    found: dict[tuple[str, str], Scope] = {}
    for document in documents:
        if document.kind != "CustomResourceDefinition":
            continue
        spec = document.value.get("spec")
        names = spec.get("names") if isinstance(spec, Mapping) else None
        if isinstance(spec, Mapping) and isinstance(names, Mapping):
            scope: Scope = "Cluster" if spec.get("scope") == "Cluster" else "Namespaced"
            found[str(spec.get("group")), str(names.get("kind"))] = scope
    return found
