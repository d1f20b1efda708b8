"""Groups of objects that wait for each other: no order of their two versions is safe."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from meshplan.graph.edge import Cycle, Edge
from meshplan.identity import ResourceId

#: How many reasons a sentence gives for one pair of objects before it counts the rest.
_REASONS = 8


def cycles_of(edges: Sequence[Edge]) -> tuple[Cycle, ...]:
    """The strongly connected components of more than one object, with the edges inside each."""
    followers = followers_of(edges)
    left = _within_cycles(followers)
    inside = {first: followers[first] & left for first in left}
    groups = _pairs(inside)
    if left.difference(*groups):
        import networkx  # noqa: PLC0415 - 80 ms, and few changes have a cycle of more than two

        found: networkx.DiGraph[ResourceId] = networkx.DiGraph()
        found.add_edges_from((first, then) for first in sorted(left) for then in inside[first])
        components = networkx.strongly_connected_components(found)
        groups = [tuple(sorted(c)) for c in components if len(c) > 1]
    return tuple(_cycle(group, edges) for group in sorted(groups))


def _within_cycles(followers: Mapping[ResourceId, set[ResourceId]]) -> set[ResourceId]:
    """What lies on cycles or between them: what waits for nothing goes, and what nothing waits for.

    Again and again, until nothing more can go.
    """
    leaders: dict[ResourceId, set[ResourceId]] = {}
    for first, group in followers.items():
        for then in group:
            leaders.setdefault(then, set()).add(first)
    left = {*followers, *leaders}
    for before, after in ((leaders, followers), (followers, leaders)):
        waits = {found: len(before.get(found, set()) & left) for found in left}
        free = [found for found, count in waits.items() if not count]
        while free:
            found = free.pop()
            left.discard(found)
            for other in after.get(found, set()) & left:
                waits[other] -= 1
                if not waits[other]:
                    free.append(other)
    return left


def _pairs(followers: Mapping[ResourceId, set[ResourceId]]) -> list[tuple[ResourceId, ...]]:
    """The components of two: each waits for the other, and for nothing else that is left."""
    return [
        (first, then)
        for first, (then, *more) in ((f, [*group]) for f, group in followers.items() if group)
        if not more and first < then and followers[then] == {first}
    ]


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
