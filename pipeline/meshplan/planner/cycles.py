"""Cycles that no request tells of: one object gets a version in between, and the graph has to agree.

The prover sees a request by who sends it. That the pods of one Deployment are admitted as one
account before a change, and as another after it, are two requests for it; for their owner it is one
client, and the graph knows.
"""

from collections.abc import Iterator, Mapping, Sequence

from meshplan.bridge import Choice
from meshplan.diff import diff
from meshplan.graph import Cycle, Edge, dependency_graph
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.plan import Apply, simulate
from meshplan.planner.order import Solved
from meshplan.resource import Resource


def bridged_cycles(
    cycles: Sequence[Cycle], choices: Mapping[ResourceId, Choice], base: Mesh
) -> Iterator[Solved]:
    """Ways for cycles in three waves: one object in between, all others, and that one again."""
    for cycle in cycles:
        found = next(_ways(cycle, choices, base), None)
        if found is not None:
            yield found


def _ways(cycle: Cycle, choices: Mapping[ResourceId, Choice], base: Mesh) -> Iterator[Solved]:
    members = [choices[i] for i in cycle.ids if i in choices]
    if len(members) < len(cycle.ids) or any(m.old is None or m.new is None for m in members):
        return
    for member in members:
        others = [m.new for m in members if m is not member and m.new is not None]
        for between in member.between:
            if _is_way(member, between, others, base) and member.new is not None:
                last = Apply(member.new, "")
                waves = ((Apply(between, "", bridge=True),), _applied(others), (last,))
                yield Solved(frozenset(cycle.ids), waves)


def _applied(resources: Sequence[Resource]) -> tuple[Apply, ...]:
    return tuple(Apply(resource, "") for resource in resources)


def _is_way(member: Choice, between: Resource, others: Sequence[Resource], base: Mesh) -> bool:
    """Whether the version in between may come first, the others then, and the last one after them."""
    begun = base.at(simulate([Apply(between, "")], base.snapshot))
    moved = begun.at(simulate(_applied(others), begun.snapshot))
    done = moved.at(simulate([Apply(member.new, "")] if member.new else [], moved.snapshot))
    ids = {resource.id for resource in others}
    first = _edges(base, moved)
    second = _edges(begun, done)
    # None of the others before the one in between, none after its last version, no two in an order.
    return not any(
        edge.first in ids and edge.then in {member.id, *ids} for edge in first
    ) and not any(edge.then in ids and edge.first in {member.id, *ids} for edge in second)


def _edges(before: Mesh, after: Mesh) -> Sequence[Edge]:
    return dependency_graph(diff(before.snapshot, after.snapshot), before, after).edges
