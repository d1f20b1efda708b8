"""Groups of objects that wait for each other: no order of their two versions is safe."""

from collections.abc import Iterable, Sequence

from meshplan.graph.edge import Cycle, Edge
from meshplan.identity import ResourceId


def cycles_of(edges: Sequence[Edge]) -> tuple[Cycle, ...]:
    """The strongly connected components of more than one object, with the edges inside each."""
    if not _is_cyclic(edges):
        return ()
    import networkx  # noqa: PLC0415 - 110 ms, and almost no change is cyclic

    found: networkx.DiGraph[ResourceId] = networkx.DiGraph()
    found.add_edges_from((edge.first, edge.then) for edge in edges)
    groups = (tuple(sorted(c)) for c in networkx.strongly_connected_components(found) if len(c) > 1)
    return tuple(_cycle(group, edges) for group in sorted(groups))


def _is_cyclic(edges: Iterable[Edge]) -> bool:
    """Whether taking away, again and again, what waits for nothing leaves something over."""
    waits: dict[ResourceId, int] = {}
    followers: dict[ResourceId, set[ResourceId]] = {}
    for edge in edges:
        waits.setdefault(edge.first, 0)
        if edge.then not in followers.setdefault(edge.first, set()):
            followers[edge.first].add(edge.then)
            waits[edge.then] = waits.get(edge.then, 0) + 1
    free = [found for found, count in waits.items() if not count]
    taken = 0
    while free:
        taken += 1
        for follower in followers.get(free.pop(), ()):
            waits[follower] -= 1
            if not waits[follower]:
                free.append(follower)
    return taken < len(waits)


def _cycle(ids: tuple[ResourceId, ...], edges: Iterable[Edge]) -> Cycle:
    members = set(ids)
    inside = tuple(e for e in edges if e.first in members and e.then in members)
    reasons = "; ".join(f"{e.first} before {e.then}, because {e.why} ({e.failure})" for e in inside)
    return Cycle(ids, inside, f"no order of {_listed(ids)} is safe: {reasons}")


def _listed(ids: Sequence[ResourceId]) -> str:
    *most, last = [str(found) for found in ids]
    return f"{', '.join(most)} and {last}" if most else last
