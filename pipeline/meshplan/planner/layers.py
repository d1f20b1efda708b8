"""In which wave each change is written: as early as its edges allow, deletions as late."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import permutations

from meshplan.dataclass import dataclass
from meshplan.graph import Cycle, Edge
from meshplan.identity import ResourceId

#: Up to this many objects of a cycle every order is tried for the one with the fewest faults.
_TRIED = 7


@dataclass(frozen=True, slots=True)
class Group:
    """Objects that are written together: one object, or all of a cycle in their best order."""

    ids: tuple[ResourceId, ...]
    #: How many waves it takes: two where an object has to be deleted and created again.
    span: int = 1
    #: Whether it only removes.
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Layers:
    """The first wave of each group, from 0, and how many waves there are."""

    groups: tuple[Group, ...]
    wave: Mapping[Group, int]
    count: int


def groups_of(
    ids: Iterable[ResourceId],
    cycles: Sequence[Cycle],
    removed: Collection[ResourceId],
    replaced: Collection[ResourceId],
) -> tuple[Group, ...]:
    """Every object in one group, the objects of a cycle in the same."""
    cyclic = {member for cycle in cycles for member in cycle.ids}
    lists = [_best_order(cycle, removed) for cycle in cycles]
    lists += [(found,) for found in ids if found not in cyclic]
    return tuple(
        Group(
            members,
            span=2 if any(m in replaced for m in members) else 1,
            removes=all(m in removed for m in members),
        )
        for members in sorted(lists)
    )


def layers_of(groups: Sequence[Group], edges: Iterable[Edge]) -> Layers:
    """The waves with the fewest of them: longest paths, then deletions moved back to the end."""
    home = {member: group for group in groups for member in group.ids}
    after: dict[Group, set[Group]] = {group: set() for group in groups}
    waits = dict.fromkeys(groups, 0)
    for edge in edges:
        first, then = home[edge.first], home[edge.then]
        if first is not then and then not in after[first]:
            after[first].add(then)
            waits[then] += 1
    wave = dict.fromkeys(groups, 0)
    sequence = [group for group in groups if not waits[group]]
    for group in sequence:
        for then in after[group]:
            wave[then] = max(wave[then], wave[group] + group.span)
            waits[then] -= 1
            if not waits[then]:
                sequence.append(then)
    count = max((wave[group] + group.span for group in groups), default=0)
    for group in reversed(sequence):
        if group.removes:
            wave[group] = min((wave[then] for then in after[group]), default=count) - group.span
    return Layers(tuple(groups), wave, count)


def _best_order(cycle: Cycle, removed: Collection[ResourceId]) -> tuple[ResourceId, ...]:
    """The order of a cycle that breaks the fewest edges; what grows first, what goes last."""
    ids = sorted(cycle.ids, key=lambda found: (found in removed, found))
    pairs = {(edge.first, edge.then) for edge in cycle.edges}
    if len(ids) <= _TRIED:
        return min(permutations(ids), key=lambda order: _broken(order, pairs))
    order: list[ResourceId] = []
    while ids:
        waiting = {then for first, then in pairs if first in ids}
        chosen = next((found for found in ids if found not in waiting), ids[0])
        ids.remove(chosen)
        order.append(chosen)
    return tuple(order)


def _broken(order: Sequence[ResourceId], pairs: Collection[tuple[ResourceId, ResourceId]]) -> int:
    place = {found: number for number, found in enumerate(order)}
    return sum(place[first] > place[then] for first, then in pairs)
