"""The writes that a set of changes comes to, and the states that they lead through."""

from collections.abc import Mapping
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.diff import ChangeSet, Create, Delete, Rename, Replace, Update
from meshplan.identity import ResourceId
from meshplan.resource import Resource

#: Which writes have been made.
Made = frozenset[ResourceId]


@dataclass(frozen=True, slots=True)
class Writes:
    """Each object that changes, as it was and as it will be; a rename is a creation and a deletion."""

    before: Mapping[ResourceId, Resource]
    after: Mapping[ResourceId, Resource]
    #: Old and new id of what is renamed.
    renamed: tuple[tuple[ResourceId, ResourceId], ...]
    #: Every object that is written, in order.
    ids: tuple[ResourceId, ...]

    def __contains__(self, subject: object) -> bool:
        return subject in self.before or subject in self.after

    def is_created(self, subject: ResourceId) -> bool:
        """Whether only the head has an object."""
        return subject in self.after and subject not in self.before

    def rank(self, subject: ResourceId) -> int:
        """0 for a creation, 1 for an update, 2 for a deletion: the order one would write them in."""
        return 0 if subject not in self.before else 1 if subject in self.after else 2

    def version(self, subject: ResourceId, made: Made) -> Resource | None:
        """An object that changes, in a state."""
        return (self.after if subject in made else self.before).get(subject)


def writes_of(changes: ChangeSet) -> Writes:
    """The writes of `changes`."""
    before: dict[ResourceId, Resource] = {}
    after: dict[ResourceId, Resource] = {}
    renamed: list[tuple[ResourceId, ResourceId]] = []
    for change in changes:
        match change:
            case Create(new):
                after[new.id] = new
            case Delete(old):
                before[old.id] = old
            case Update(old, new) | Replace(old, new):
                before[old.id], after[new.id] = old, new
            case Rename(old, new):
                before[old.id], after[new.id] = old, new
                renamed.append((old.id, new.id))
            case _:
                assert_never(change)
    return Writes(before, after, tuple(renamed), tuple(sorted({*before, *after})))
