"""The versions of one object between which a planner may move."""

from collections.abc import Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff import Change, Create, Delete, Rename, Replace, Update
from meshplan.identity import ResourceId
from meshplan.resource import Manifest, Resource

#: Marks objects that a plan creates for itself; it removes them again.
TEMPORARY_LABEL = "meshplan.dev/temporary"
#: Begins the names of such objects.
TEMPORARY_PREFIX = "meshplan-bridge-"


@dataclass(frozen=True, slots=True)
class Choice:
    """An object with its version at the base, at the head, and those that may stand in between.

    `old` or `new` is None where the object does not exist there; a temporary object exists in
    neither. `between` is in the order in which they are worth trying.
    """

    id: ResourceId
    old: Resource | None
    new: Resource | None
    between: tuple[Resource, ...] = ()
    #: Whether a field that cannot be changed differs: it has to be deleted and created again.
    recreated: bool = False

    @property
    def temporary(self) -> bool:
        """Whether the object is in neither revision."""
        return self.old is None and self.new is None


def choices_of(change: Change) -> tuple[Choice, ...]:
    """The two ends of a change; a rename is two objects."""
    match change:
        case Create(after):
            return (Choice(after.id, None, after),)
        case Delete(before):
            return (Choice(before.id, before, None),)
        case Update(before, after):
            return (Choice(after.id, before, after),)
        case Replace(before, after):
            return (Choice(after.id, before, after, recreated=True),)
        case Rename(before, after):
            return (Choice(after.id, None, after), Choice(before.id, before, None))


def with_spec(resource: Resource, spec: Mapping[str, Any]) -> Resource:
    """The same object with another `spec`."""
    manifest: Manifest = {**resource.manifest, "spec": dict(spec)}
    return Resource(resource.id, resource.api_version, manifest, resource.origin)


def temporary(
    like: Resource, kind: ResourceId, api_version: str, spec: Mapping[str, Any]
) -> Resource:
    """An object that only the plan knows; it says so in a label."""
    metadata = {
        "name": kind.name,
        "namespace": kind.namespace,
        "labels": {TEMPORARY_LABEL: "true"},
    }
    manifest = {
        "apiVersion": api_version,
        "kind": kind.kind,
        "metadata": metadata,
        "spec": dict(spec),
    }
    return Resource(kind, api_version, manifest, like.origin)
