"""From the documents of a target to its snapshot: identities, scopes, and who wins twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshplan.finding import Finding, Severity
from meshplan.identity import ResourceId
from meshplan.kinds import scope_of
from meshplan.kinds.kind import Scope
from meshplan.location import Role
from meshplan.resource import Document, Resource, Snapshot
from meshplan.source.objects import Objects, resources_of

Documents = tuple[Document, ...]
Winners = dict[ResourceId, Resource]

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
    if not isinstance(value, Mapping):
        return False
    group, _, _ = str(value.get("apiVersion") or "").rpartition("/")
    return group in _CONFIGURATION_GROUPS or (group, value.get("kind")) in _CONFIGURATION_KINDS


def defined_scopes(documents: Iterable[Document]) -> dict[tuple[str, str], Scope]:
    """The scopes of the kinds that CustomResourceDefinitions among documents define."""
    found: dict[tuple[str, str], Scope] = {}
    for document in documents:
        value = document.value
        if not isinstance(value, Mapping) or value.get("kind") != "CustomResourceDefinition":
            continue
        spec = value.get("spec")
        names = spec.get("names") if isinstance(spec, Mapping) else None
        if isinstance(spec, Mapping) and isinstance(names, Mapping):
            scope: Scope = "Cluster" if spec.get("scope") == "Cluster" else "Namespaced"
            found[str(spec.get("group")), str(names.get("kind"))] = scope
    return found


def merge(parts: Sequence[Iterable[Resource]]) -> tuple[Snapshot, tuple[Finding, ...]]:
    """All objects of a target; of two with one id the later wins, as with `kubectl apply`."""
    winners: Winners = {}
    twice: dict[ResourceId, list[Resource]] = {}
    for part in parts:
        for resource in part:
            earlier = winners.get(resource.id)
            if earlier is not None:
                twice.setdefault(resource.id, [earlier]).append(resource)
            winners[resource.id] = resource
    findings = tuple(_duplicate(twice[found]) for found in sorted(twice))
    return Snapshot(winners.values()), findings


def _duplicate(defined: Sequence[Resource]) -> Finding:
    *others, winner = defined
    same = all(other.manifest == winner.manifest for other in others)
    # Paths and lines are left to the locations: they change while the problem stays the same.
    if same:
        message = f"{winner.id} is defined {len(defined)} times in one target, each time the same"
        advice = "delete all definitions but one"
    else:
        message = (
            f"{winner.id} is defined {len(defined)} times in one target, with different content; "
            "applied in the order of the files, the last one wins"
        )
        advice = (
            "delete all definitions but one, or keep the variants in folders of their own; "
            "`targets` in .meshplan.yaml says which files belong together"
        )
    return Finding(
        "duplicate-object",
        Severity.INFO if same else Severity.ERROR,
        message,
        (
            winner.origin.location(),
            *(other.origin.location(role=Role.RELATED) for other in others),
        ),
        id=winner.id,
        help=advice,
        key="equal" if same else "different",
    )
