"""A host that a gateway or the sidecars route before and after is routed in between."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from meshplan.graph.keys import Key
from meshplan.graph.obligation import Obligation
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.identity import ResourceId
from meshplan.kinds.names import MESH
from meshplan.kinds.needs.read import items
from meshplan.mesh.hosts import wildcards_above
from meshplan.resource import Resource


def obligations(index: Index) -> Iterator[Obligation]:
    """For each host of a gateway that two changed routes or more serve: some route, and each match."""
    seen: set[tuple[str, frozenset[ResourceId]]] = set()
    # "*", any gateway, sorts before all others: what is about a certain gateway comes first.
    for key, _ in sorted(index.touched_keys("routed"), reverse=True):
        _, gateway, host = key
        keys = tuple(("routed", gateway, pattern) for pattern in (host, *wildcards_above(host)))
        ids = frozenset(index.touched(*keys))
        if len(ids) < 2 or (host, ids) in seen:
            continue
        seen.add((host, ids))
        together = sorted_ids(ids, index.writes)
        what = f"clients of {host} {_through(gateway)}"
        failure = "the default route is taken" if gateway == MESH else "404 NR"
        why = f"{what} rely on some route for it"
        yield Obligation(together, partial(_routes, keys, None), why, failure)
        if gateway not in (MESH, "*"):
            for match in sorted(_matches(together, index)):
                why = f"{what} rely on a route that matches {match}"
                yield Obligation(
                    together,
                    partial(_routes, keys, match),
                    why,
                    failure,
                )


def _through(gateway: str) -> str:
    if gateway == MESH:
        return "in the mesh"
    return "at a gateway" if gateway == "*" else f"at Gateway {'/'.join(gateway.split('/')[-2:])}"


def _routes(keys: tuple[Key, ...], match: str | None, view: View) -> int:
    """Whether there is a route for a host, or one with a match."""
    found = view.find(*keys)
    return int(any(match is None or match in _matches_of(resource) for resource in found))


def _matches(ids: tuple[ResourceId, ...], index: Index) -> set[str]:
    """The matches that some changed route has before and some has after."""
    before, after = (
        {match for found in ids if found in side for match in _matches_of(side[found])}
        for side in (index.writes.before, index.writes.after)
    )
    return before & after


def _matches_of(resource: Resource) -> set[str]:
    """What the routes of an object match, each in one way of writing it."""
    field, inner = (
        ("http", "match") if resource.id.kind == "VirtualService" else ("rules", "matches")
    )
    found: set[str] = set()
    for _, rule in items(resource.spec.get(field)):
        entries = [entry for _, entry in items(rule.get(inner))]
        found.update(_written(entry) for entry in entries or [{}])
    return found


def _written(match: Mapping[str, Any]) -> str:
    told = {key: value for key, value in match.items() if key not in ("name", "gateways")}
    return json.dumps(told, sort_keys=True, default=str) if told else "everything"
