"""Every version of every object that changes, numbered; states are tuples of numbers."""

from collections.abc import Iterator, Mapping, Sequence

from meshplan.identity import ResourceId
from meshplan.mesh.views import Views
from meshplan.mesh.workload import Workload, workload_kinds, workload_of
from meshplan.resource import Resource, Snapshot

#: Numbers of the versions in the base and at the head.
BASE, HEAD = 0, 1

#: The ids of objects that are not the same in two revisions.
Differing = Mapping[ResourceId, None]


class Versions:
    """The objects that differ between two snapshots, with further versions of them or of others."""

    def __init__(
        self,
        base: Snapshot,
        head: Snapshot,
        differing: Differing | None = None,
        views: Views | None = None,
    ):
        self.base = base
        self.head = head
        #: What differs between the two, in either direction.
        self.differing = differing if differing is not None else _differing(base, head)
        self._of: dict[ResourceId, list[Resource | None]] = {
            id_: [base.get(id_), head.get(id_)] for id_ in self.differing
        }
        self._of_kind: dict[tuple[str, str], list[ResourceId]] = {}
        for id_ in self._of:
            self._of_kind.setdefault((id_.group, id_.kind), []).append(id_)
        #: The versions of an object that are there, each once.
        self._there: dict[ResourceId, tuple[Resource, ...]] = {}
        #: What was read from the versions.
        self.views = views or Views()

    @property
    def changed(self) -> Mapping[ResourceId, list[Resource | None]]:
        """The versions of each object that has more than one."""
        return self._of

    def number(self, id_: ResourceId, version: Resource | None) -> int:
        """The number of a version, which is a new one if it was not seen before."""
        known = self._of.get(id_)
        if known is None:
            there = self.base.get(id_)
            if _same(there, version):
                return BASE
            known = self._of[id_] = [there, there]
            self._of_kind.setdefault((id_.group, id_.kind), []).append(id_)
        for number, found in enumerate(known):
            if _same(found, version):
                return number
        known.append(version)
        self._there.pop(id_, None)
        return len(known) - 1

    def is_known(self, id_: ResourceId, version: Resource | None) -> bool:
        """Whether a version has a number already."""
        known = self._of.get(id_)
        if known is None:
            return _same(self.base.get(id_), version)
        return any(_same(found, version) for found in known)

    def get(self, id_: ResourceId, number: int) -> Resource | None:
        """A version by its number."""
        return self._of[id_][number]

    def all_of(self, id_: ResourceId) -> tuple[Resource, ...]:
        """Every version of an object; the only one of an object that does not change."""
        known = self._there.get(id_)
        if known is None:
            versions = self._of.get(id_) or (self.base.get(id_),)
            distinct = {id(version): version for version in versions if version is not None}
            known = self._there[id_] = tuple(distinct.values())
        return known

    def of_kind(self, group: str, kind: str) -> Iterator[Resource]:
        """Every version of every object of a kind."""
        for found in self.base.of_kind(group, kind):
            if found.id not in self._of:
                yield found
        yield from self.with_several(group, kind)

    def in_common(self, group: str, kind: str) -> Iterator[Resource]:
        """The objects of a kind that are the same in both revisions, with versions besides or not."""
        for found in self.base.of_kind(group, kind):
            if found.id not in self.differing:
                yield found

    def with_several(self, group: str, kind: str) -> Iterator[Resource]:
        """Every version of every object of a kind that has more than one."""
        for id_ in self.changed_of_kind(group, kind):
            yield from self.all_of(id_)

    def changed_of_kind(self, group: str, kind: str) -> Sequence[ResourceId]:
        """The objects of a kind that have more than one version."""
        return self._of_kind.get((group, kind), ())

    def workload(self, version: Resource) -> Workload | None:
        """The workload that a version makes; None where it makes none."""
        return self.views.of(version, "workload", workload_of)


def _differing(base: Snapshot, head: Snapshot) -> Differing:
    # Most are one and the same object.
    found = {
        id_: None
        for id_, old in base.items()
        if (new := head.get(id_)) is not old and not _same(old, new)
    }
    found.update({id_: None for id_ in head if id_ not in base})
    return found


def _same(one: Resource | None, other: Resource | None) -> bool:
    """Whether two versions are one to the mesh.

    Of what makes pods only that counts which their proxies and Services see of them: a new image is
    rolled out under the same labels, and old pods leave as new ones are ready.
    """
    if one is other:
        return True
    if one is None or other is None:
        return False
    if one.manifest == other.manifest:
        return True
    found = workload_of(one) if (one.id.group, one.id.kind) in _WORKLOADS else None
    return found is not None and found == workload_of(other)


_WORKLOADS = frozenset(workload_kinds()) - {("networking.istio.io", "WorkloadEntry")}
