"""What all deployers have in common: a change set goes in, the order they would use comes out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

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


def plan_of(groups: Iterable[Sequence[Step]], waits: str) -> Plan:
    """A plan whose waves are the groups of writes that the deployer sends off together.

    In the deployer's favour it is assumed that a group is in force everywhere before the next one
    is written, although none of them waits for proxies. What is refuted under this assumption is
    refuted without it.
    """
    filled = [tuple(group) for group in groups if group]
    gates = [Gate(GateKind.NONE, waits) for _ in filled]
    return Plan(tuple(Wave(steps, gate) for steps, gate in zip(filled, gates, strict=True)))


def key(found: ResourceId) -> tuple[str, str]:
    """Group and kind."""
    return found.group, found.kind
