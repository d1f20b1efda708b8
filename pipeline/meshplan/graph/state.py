"""The objects of every state between two revisions, found by key, without copying a snapshot."""

from collections.abc import Hashable, Iterable, Iterator

from meshplan.graph.keys import FAMILIES, Family, Key, keys_of, pod_labels
from meshplan.graph.writes import Made, Writes
from meshplan.identity import ResourceId
from meshplan.kinds.need import Labels
from meshplan.mesh.config import MeshConfig
from meshplan.resource import Resource, Snapshot

#: Groups of the objects that operators read the mesh configuration from.
_OPERATORS = ("install.istio.io", "operator.istio.io", "sailoperator.io")


_Table = dict[Key, list[ResourceId]]


class Index:
    """Which objects have which keys, in any version. A family is indexed when it is first asked for."""

    def __init__(self, head: Snapshot, writes: Writes, configs: tuple[MeshConfig, MeshConfig]):
        self.writes = writes
        self._changed = frozenset(writes.ids)
        self.configs = configs
        self.domain = configs[1].cluster_domain
        #: What the mesh configuration is read from, of that which changes.
        self.configuring = frozenset(found for found in writes.ids if _configures(found))
        self._head = head
        self._ends: tuple[View, View] | None = None
        self._tables: dict[Key, _Table] = {}
        self._pod_places: tuple[str, ...] | None = None
        self._places: dict[tuple[str, str], dict[str, list[Resource]]] = {}
        self._touched: dict[Key, dict[ResourceId, None]] = {}
        self._keys: tuple[dict[ResourceId, frozenset[Key]], ...] = ({}, {})
        for keys_in, versions in zip(self._keys, (writes.before, writes.after), strict=True):
            for subject, resource in versions.items():
                keys_in[subject] = frozenset(keys_of(resource, self.domain))
                for key in keys_in[subject]:
                    self._touched.setdefault(key, {})[subject] = None

    @property
    def ends(self) -> tuple["View", "View"]:
        """The states before and after all writes."""
        if self._ends is None:
            self._ends = View(self, frozenset()), View(self, frozenset(self.writes.ids))
        return self._ends

    def touched(self, *keys: Key) -> Iterator[ResourceId]:
        """The objects that change and that have, before or after, one of the keys."""
        for key in keys:
            yield from self._touched.get(key, ())

    def touched_keys(self, family: str) -> Iterator[tuple[Key, tuple[ResourceId, ...]]]:
        """Every key of a family that objects which change have, with those objects."""
        for key, ids in self._touched.items():
            if key[0] == family:
                yield key, tuple(ids)

    def ids(self, *keys: Key) -> Iterator[ResourceId]:
        """All objects that have, in any version, one of the keys; some come twice."""
        for key in keys:
            yield from self._table(key).get(key, ())
            yield from self._touched.get(key, ())

    def _table(self, key: Key) -> "_Table":
        """The unchanged objects of a family, or of those of it that the key can be about."""
        family = FAMILIES[key[0]]
        part = (key[0], key[1]) if family.by_namespace else key[:1]
        if part not in self._tables:
            self._tables[part] = self._indexed(family, part[1] if family.by_namespace else None)
        return self._tables[part]

    def pod_keys(self, namespace: str | None, name: str, value: str) -> tuple[Key, ...]:
        """The keys of workloads whose pods have a label; `namespace` None means anywhere."""
        if namespace is not None:
            return (("pod", namespace, name, value),)
        if self._pod_places is None:
            kinds = FAMILIES["pod"].kinds
            places = {place for kind in kinds for place in self._by_place(kind)}
            self._pod_places = tuple(sorted(places | {found.namespace for found in self._changed}))
        return tuple(("pod", place, name, value) for place in self._pod_places)

    def keys_of(self, resource: Resource) -> Iterator[Key]:
        """The keys of one version of an object."""
        return keys_of(resource, self.domain)

    @property
    def places(self) -> tuple[str, ...]:
        """The namespaces in which there is a Service, before or after."""
        services = self._by_place(("", "Service"))
        return tuple(sorted({*services, *(found.namespace for found in self._changed)}))

    def unchanged(self, group: str, kind: str) -> Iterator[ResourceId]:
        """The objects of a kind that do not change."""
        for resource in self._head.of_kind(group, kind):
            if resource.id not in self._changed:
                yield resource.id

    def _indexed(self, family: Family, namespace: str | None) -> "_Table":
        found: _Table = {}
        for kind in family.kinds:
            resources: Iterable[Resource] = self._head.of_kind(*kind)
            if namespace is not None:
                resources = self._by_place(kind).get(namespace, ())
            for resource in resources:
                if resource.id not in self._changed:
                    for key in family.keys(resource, self.domain):
                        found.setdefault(key, []).append(resource.id)
        return found

    def _by_place(self, kind: tuple[str, str]) -> dict[str, list[Resource]]:
        if kind not in self._places:
            found: dict[str, list[Resource]] = {}
            for resource in self._head.of_kind(*kind):
                found.setdefault(resource.id.namespace, []).append(resource)
            self._places[kind] = found
        return self._places[kind]

    def versions(self, subject: ResourceId) -> Iterator[Resource]:
        """An object as it was and as it will be, once where it does not change."""
        if subject not in self._changed:
            found = self._head.get(subject)
            if found is not None:
                yield found
        for versions in (self.writes.before, self.writes.after):
            if subject in versions:
                yield versions[subject]

    def has(self, subject: ResourceId, made: Made, keys: Iterable[Key]) -> bool:
        """Whether an object that has one of the keys in some version has it in this state."""
        if subject not in self._changed:
            return True
        own = self._keys[subject in made].get(subject, frozenset())
        return any(key in own for key in keys)

    def get(self, subject: ResourceId, made: Made) -> Resource | None:
        """An object in a state."""
        if subject in self._changed:
            return self.writes.version(subject, made)
        return self._head.get(subject)


class View:
    """One state: the objects that change are new where they have been made, else old."""

    def __init__(self, index: Index, made: Made):
        self.index = index
        self.made = made
        #: The mesh configuration of the state.
        self.config = index.configs[index.configuring <= made]
        #: What has been worked out about the state, by whoever did.
        self.memory: dict[Hashable, object] = {}

    def get(self, subject: ResourceId) -> Resource | None:
        """An object of the state."""
        return self.index.get(subject, self.made)

    def find(self, *keys: Key) -> Iterator[Resource]:
        """The objects of the state that have one of the keys; each once."""
        for subject in dict.fromkeys(self.index.ids(*keys)):
            resource = self.get(subject)
            if resource is not None and self.index.has(subject, self.made, keys):
                yield resource

    def pods(self, namespace: str | None, labels: Labels) -> Iterator[Resource]:
        """The workloads whose pods have all of `labels`; `namespace` None means anywhere."""
        if labels:
            name, value = min(labels)
            for resource in self.find(*self.index.pod_keys(namespace, name, value)):
                if labels <= pod_labels(resource):
                    yield resource


def _configures(subject: ResourceId) -> bool:
    if subject.kind == "ConfigMap":
        return subject.group == "" and subject.name.split("-")[0] == "istio"
    return subject.group in _OPERATORS and subject.kind in ("IstioOperator", "Istio")


def sorted_ids(ids: Iterable[ResourceId], writes: Writes) -> tuple[ResourceId, ...]:
    """Objects in the order in which one would write them: creations, updates, deletions."""
    return tuple(sorted(set(ids), key=lambda found: (writes.rank(found), found)))
