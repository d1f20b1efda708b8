"""Every version of every object that changes, numbered; states are tuples of numbers."""

from collections.abc import Iterator, Mapping

from meshplan.identity import ResourceId
from meshplan.mesh.workload import workload_kinds, workload_of
from meshplan.resource import Resource, Snapshot

#: Numbers of the versions in the base and at the head.
BASE, HEAD = 0, 1

#: The ids of objects that are not the same in two revisions.
Differing = Mapping[ResourceId, None]


class Versions:
    """The objects that differ between two snapshots, with further versions of them or of others."""

    def __init__(self, base: Snapshot, head: Snapshot, differing: Differing | None = None):
        self.base = base
        self.head = head
        #: What differs between the two, in either direction.
        self.differing = differing if differing is not None else _differing(base, head)
        self._of: dict[ResourceId, list[Resource | None]] = {
            id_: [base.get(id_), head.get(id_)] for id_ in self.differing
        }

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
        for number, found in enumerate(known):
            if _same(found, version):
                return number
        known.append(version)
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

    def all_of(self, id_: ResourceId) -> Iterator[Resource]:
        """Every version of an object; the only one of an object that does not change."""
        known = self._of.get(id_)
        if known is None:
            there = self.base.get(id_)
            if there is not None:
                yield there
            return
        seen: list[Resource] = []
        for found in known:
            if found is not None and not any(found is other for other in seen):
                seen.append(found)
                yield found

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
        for id_ in self._of:
            if (id_.group, id_.kind) == (group, kind):
                yield from self.all_of(id_)


def _differing(base: Snapshot, head: Snapshot) -> Differing:
    found = {id_: None for id_, old in base.items() if not _same(old, head.get(id_))}
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
