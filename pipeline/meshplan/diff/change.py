"""The changes that there can be between two snapshots of one target."""

from collections.abc import Iterator
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.resource import Resource


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; `before` or `after` is ABSENT where the field is not there."""

    #: As in `spec.subsets[name=v2].labels.version`. `[name=v2]` is the item of that identity,
    #: `[=x]` the member x of a set, `[3]` the fourth item of the after list (of the before list if
    #: the item itself is gone), and `[order]` at the end the order of the items.
    path: str
    before: Any
    after: Any


class Absent:
    """The value of a field that is not there, as opposed to null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Create:
    """An object that only the head has."""

    after: Resource


@dataclass(frozen=True, slots=True)
class Delete:
    """An object that only the base has."""

    before: Resource


@dataclass(frozen=True, slots=True)
class Update:
    """An object that both have, with another meaning."""

    before: Resource
    after: Resource
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """An update that Kubernetes only takes as a deletion and a creation: an immutable field."""

    before: Resource
    after: Resource
    fields: tuple[FieldChange, ...]
    immutable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """A deletion and a creation of the same canonical content under another name."""

    before: Resource
    after: Resource


Change = Create | Delete | Update | Replace | Rename


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The changes of one target, in the order of the ids of their objects."""

    changes: tuple[Change, ...] = ()

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


def id_of(change: Change) -> ResourceId:
    """The object a change is about; of a rename, the new one."""
    return change.before.id if isinstance(change, Delete) else change.after.id
