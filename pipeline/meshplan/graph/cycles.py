"""Groups of objects that wait for each other: no order of their two versions is safe."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from meshplan.graph.edge import Cycle, Edge
from meshplan.identity import ResourceId

#: How many reasons a sentence gives for one pair of objects before it counts the rest.
_REASONS = 8


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
    followers = followers_of(edges)
    waits = dict.fromkeys(followers, 0)
    for group in followers.values():
        for follower in group:
            waits[follower] = waits.get(follower, 0) + 1
    free = [found for found, count in waits.items() if not count]
    taken = 0
    while free:
        taken += 1
        for follower in followers.get(free.pop(), ()):
            waits[follower] -= 1
            if not waits[follower]:
                free.append(follower)
    return taken < len(waits)


def closes_cycle(edge: Edge, followers: Mapping[ResourceId, Collection[ResourceId]]) -> bool:
    """Whether `first` has to wait for `then` already."""
    seen, waiting = {edge.then}, [edge.then]
    while waiting:
        for follower in followers.get(waiting.pop(), ()):
            if follower == edge.first:
                return True
            if follower not in seen:
                seen.add(follower)
                waiting.append(follower)
    return False


def followers_of(edges: Iterable[Edge]) -> dict[ResourceId, set[ResourceId]]:
    """Which objects wait for each."""
    found: dict[ResourceId, set[ResourceId]] = {}
    for edge in edges:
        found.setdefault(edge.first, set()).add(edge.then)
    return found


def _cycle(ids: tuple[ResourceId, ...], edges: Iterable[Edge]) -> Cycle:
    members = set(ids)
    inside = tuple(e for e in edges if e.first in members and e.then in members)
    reasons: dict[tuple[ResourceId, ResourceId], list[str]] = {}
    for edge in inside:
        text = f"{edge.why} (else {edge.failure})"
        reasons.setdefault((edge.first, edge.then), []).append(text)
    told = "; ".join(
        f"{first} would have to come before {then}, because {_some(texts)}"
        for (first, then), texts in sorted(reasons.items())
    )
    *most, last = [str(found) for found in ids]
    return Cycle(ids, inside, f"no order of {', '.join(most)} and {last} is safe: {told}")


def _some(texts: Sequence[str]) -> str:
    shown = " and ".join(texts[:_REASONS])
    return shown + (f" and {len(texts) - _REASONS} reasons more" if len(texts) > _REASONS else "")
