"""What all deployers have in common: a change set goes in, the order they would use comes out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from meshplan.dataclass import dataclass
from meshplan.diff import Change, ChangeSet, Create, Delete, Rename, Replace, Update
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.resource import Resource, Snapshot


@dataclass(frozen=True, slots=True)
class Options:
    """How a deployer is configured, as far as it changes the order."""

    #: Argo CD: `PruneLast=true` among the Application's sync options.
    prune_last: bool = False


@dataclass(frozen=True, slots=True)
class Deployer:
    """A tool that carries a revision into a cluster, and the order in which it writes."""

    name: str
    title: str
    order: Callable[[ChangeSet, Snapshot, Options], Plan]
    #: What it waits for between two writes, in one sentence.
    waits: str


def written(changes: Iterable[Change]) -> tuple[Resource, ...]:
    """What the deployer writes: every object of the head that is new or differs."""
    return tuple(
        change.after for change in changes if isinstance(change, Create | Update | Replace | Rename)
    )


def pruned(changes: Iterable[Change]) -> tuple[Resource, ...]:
    """What the deployer deletes: every object that only the base has."""
    return tuple(change.before for change in changes if isinstance(change, Delete | Rename))


def apply(resource: Resource, why: str) -> Apply:
    """One write of the head's version."""
    return Apply(resource, why)


def remove(resource: Resource, why: str) -> Remove:
    """One deletion."""
    return Remove(resource.id, resource.api_version, why)


def updated(changes: Iterable[Change]) -> Mapping[ResourceId, Resource]:
    """What is there before and after, in its old version."""
    return {c.after.id: c.before for c in changes if isinstance(c, Update | Replace)}


def words(annotations: Mapping[str, str], name: str) -> frozenset[str]:
    """The words of an annotation that is a list with commas."""
    found = (part.strip() for part in str(annotations.get(name) or "").split(","))
    return frozenset(part for part in found if part)


def plan_of(
    groups: Iterable[Sequence[Step]],
    changes: Iterable[Change],
    waits: str,
    recreated: Mapping[ResourceId, str] = MappingProxyType({}),
) -> Plan:
    """A plan whose waves are the groups of writes that the deployer sends off together.

    In the deployer's favour it is assumed that a group is in force everywhere before the next one
    is written, although none of them waits for proxies. What is refuted under this assumption is
    refuted without it. A change of an immutable field, which the API server refuses, is carried
    out as if it were forced: deleted, then created. So is what the deployer is told to delete and
    create again: `recreated` says why.
    """
    changes = tuple(changes)
    there = updated(changes)
    fixed = "a field that cannot be changed differs"
    reasons = {c.after.id: fixed for c in changes if isinstance(c, Replace)} | dict(recreated)
    filled: list[tuple[Step, ...]] = []
    for group in groups:
        first = tuple(
            remove(there[step.id], reasons[step.id])
            for step in group
            if isinstance(step, Apply) and step.id in reasons and step.id in there
        )
        filled += [steps for steps in (first, tuple(group)) if steps]
    return Plan(tuple(Wave(steps, Gate(GateKind.ASSUMED, waits)) for steps in filled))


def key(found: ResourceId) -> tuple[str, str]:
    """Group and kind."""
    return found.group, found.kind
