"""The plan of a set of changes: which step in which wave, and what to wait for in between."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, assert_never

from meshplan.dataclass import dataclass
from meshplan.diff import ChangeSet, Create, Delete, Rename, Replace, Update
from meshplan.graph import Cycle, DependencyGraph
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.planner.gates import gate_after
from meshplan.planner.layers import Group, groups_of, layers_of
from meshplan.planner.words import Block, Words, listed
from meshplan.resource import Resource, Snapshot


class State(Protocol):
    """What the planner asks of a mesh: the objects it is made of."""

    @property
    def snapshot(self) -> Snapshot:
        """All objects of the state."""


@dataclass(frozen=True, slots=True)
class Solved:
    """Objects for which a way was searched and found: they are written in these waves."""

    ids: frozenset[ResourceId]
    waves: tuple[tuple[Step, ...], ...]
    #: What becomes of a request without them.
    instead: str = ""

    @property
    def written(self) -> frozenset[ResourceId]:
        """The objects, and those that are only there for a while."""
        return frozenset(step.id for wave in self.waves for step in wave)


def order(
    changes: ChangeSet,
    graph: DependencyGraph,
    base: State,
    head: State,
    solved: Sequence[Solved] = (),
) -> Plan:
    """Waves that lead from `base` to exactly `head`, with no more of them than the edges ask for.

    Any subset of the steps of a wave may be visible as far as the edges tell. A solved set is one
    block that takes as many waves as it has. The objects of any other cycle share a wave, in the
    order that breaks the fewest edges: what is written at once is wrong for a moment, what is
    written one after the other is wrong until the last is written.
    """
    applied, removed = _writes(changes)
    replaced = applied.keys() & removed.keys()
    ids = sorted(applied.keys() | removed.keys())
    inside: Mapping[ResourceId, Solved] = {i: found for found in solved for i in found.ids}
    groups = _groups(ids, graph, inside, removed.keys() - replaced, replaced)
    layers = layers_of(groups, graph.edges)
    words = Words(graph, base.snapshot, head.snapshot, frozenset(removed))
    waves: list[list[Step]] = [[] for _ in range(layers.count)]
    for group in sorted(groups, key=_place_in_wave):
        first = layers.wave[group]
        if group.ids[0] in inside:
            found = inside[group.ids[0]]
            for number, steps in enumerate(found.waves):
                block = _block(found, number)
                waves[first + number] += [_told(step, words, block) for step in steps]
            continue
        for subject in group.ids:
            if subject in removed:
                gone = removed[subject]
                why = words.replaced(subject) if subject in replaced else words.removed(subject)
                waves[first].append(Remove(subject, gone.api_version, why))
            if subject in applied:
                late = first + (subject in replaced)
                waves[late].append(Apply(applied[subject], words.applied(subject)))
    return Plan(tuple(Wave(tuple(w), _gate(n, waves, graph, inside)) for n, w in enumerate(waves)))


def _groups(
    ids: Sequence[ResourceId],
    graph: DependencyGraph,
    inside: Mapping[ResourceId, Solved],
    removed: frozenset[ResourceId] | set[ResourceId],
    replaced: frozenset[ResourceId] | set[ResourceId],
) -> tuple[Group, ...]:
    """As `groups_of`, with a solved set in the place of the cycles that it meets."""
    distinct = {found.ids: found for found in inside.values()}
    among = set(ids)
    blocks = [Cycle(tuple(sorted(members & among)), (), "") for members in distinct]
    blocks += [cycle for cycle in graph.cycles if not any(i in inside for i in cycle.ids)]
    return tuple(
        replace(group, span=len(inside[group.ids[0]].waves), removes=False)
        if group.ids[0] in inside
        else group
        for group in groups_of(ids, blocks, removed, replaced)
    )


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


def _block(found: Solved, number: int) -> Block:
    """A wave of a solved set, and what comes before and after it."""
    earlier = frozenset(step.id for wave in found.waves[:number] for step in wave)
    later = frozenset(step.id for wave in found.waves[number + 1 :] for step in wave)
    return Block(found.ids, earlier, later, found.instead)


def _told(step: Step, words: Words, block: Block) -> Step:
    """The step with its reason."""
    match step:
        case Apply(bridge=True):
            return replace(step, why="in between, so that old and new both find what they need")
        case Apply():
            return replace(step, why=words.placed(step.id, block))
        case Remove(bridge=True):
            return replace(step, why="it was only there for the changes before")
        case Remove():
            return replace(step, why=words.removed(step.id, block))
        case _:
            assert_never(step)


def _gate(
    number: int,
    waves: Sequence[Sequence[Step]],
    graph: DependencyGraph,
    inside: Mapping[ResourceId, Solved],
) -> Gate:
    """As the edges ask for; inside a block every proxy has to have taken over each wave."""
    gate = gate_after(number, waves, graph)
    if number == len(waves) - 1:
        return gate
    waited_for = set(gate.ids)
    later = {step.id for wave in waves[number + 1 :] for step in wave}
    steps = [
        step.id
        for step in waves[number]
        if step.id not in waited_for
        and (step.bridge or (step.id in inside and inside[step.id].written & later))
    ]
    if not steps:
        return gate
    why = f"the proxies have to have taken over {listed([str(i) for i in sorted(steps)])}"
    kind = GateKind.PROXIES if gate.kind in (GateKind.NONE, GateKind.ESTABLISHED) else gate.kind
    reasons = "; ".join(reason for reason in (gate.why, why) if reason)
    return Gate(kind, reasons, tuple(sorted({*gate.ids, *steps})))
