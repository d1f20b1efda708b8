"""The plan of a set of changes: which step in which wave, and what to wait for in between."""

from collections.abc import Mapping, Sequence
from typing import Protocol, assert_never

from meshplan.diff import ChangeSet, Create, Delete, Rename, Replace, Update
from meshplan.graph import DependencyGraph
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Plan, Remove, Step, Wave
from meshplan.planner.gates import gate_after
from meshplan.planner.layers import Group, groups_of, layers_of
from meshplan.planner.words import Words
from meshplan.resource import Resource, Snapshot


class State(Protocol):
    """What the planner asks of a mesh: the objects it is made of."""

    @property
    def snapshot(self) -> Snapshot:
        """All objects of the state."""


def order(changes: ChangeSet, graph: DependencyGraph, base: State, head: State) -> Plan:
    """Waves that lead from `base` to exactly `head`, with no more of them than the edges ask for.

    Any subset of the steps of a wave may be visible as far as the edges tell. The objects of a
    cycle share a wave, in the order that breaks the fewest edges: what is written at once is
    wrong for a moment, what is written one after the other is wrong until the last is written.
    """
    applied, removed = _writes(changes)
    replaced = applied.keys() & removed.keys()
    ids = sorted(applied.keys() | removed.keys())
    groups = groups_of(ids, graph.cycles, removed.keys() - replaced, replaced)
    layers = layers_of(groups, graph.edges)
    words = Words(graph, base.snapshot, head.snapshot, frozenset(removed))
    waves: list[list[Step]] = [[] for _ in range(layers.count)]
    for group in sorted(groups, key=_place_in_wave):
        first = layers.wave[group]
        for subject in group.ids:
            if subject in removed:
                gone = removed[subject]
                why = words.replaced(subject) if subject in replaced else words.removed(subject)
                waves[first].append(Remove(subject, gone.api_version, why))
            if subject in applied:
                late = first + (subject in replaced)
                waves[late].append(Apply(applied[subject], words.applied(subject)))
    return _gated(waves, graph)


def _writes(
    changes: ChangeSet,
) -> tuple[Mapping[ResourceId, Resource], Mapping[ResourceId, Resource]]:
    """What has to be applied, and what removed; both of an object that has to be replaced."""
    applied: dict[ResourceId, Resource] = {}
    removed: dict[ResourceId, Resource] = {}
    for change in changes:
        match change:
            case Create(after) | Update(_, after, _):
                applied[after.id] = after
            case Delete(before):
                removed[before.id] = before
            case Replace(before, after) | Rename(before, after):
                removed[before.id] = before
                applied[after.id] = after
            case _:
                assert_never(change)
    return applied, removed


def _place_in_wave(group: Group) -> tuple[bool, bool, tuple[ResourceId, ...]]:
    """Removals last, and what other objects live in first; nothing depends on this order."""
    holds = group.ids[0].kind in ("Namespace", "CustomResourceDefinition")
    return group.removes, not holds, group.ids


def _gated(waves: Sequence[Sequence[Step]], graph: DependencyGraph) -> Plan:
    steps = [tuple(wave) for wave in waves]
    return Plan(
        tuple(Wave(wave, gate_after(number, steps, graph)) for number, wave in enumerate(steps))
    )
