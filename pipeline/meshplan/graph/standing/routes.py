"""A host that a gateway or the sidecars route before and after is routed in between."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from meshplan.graph.clients import ELSEWHERE, export_to, gateway_places, sees
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
        yield from _of_host(host, gateway, keys, sorted_ids(ids, index.writes), index)


def _of_host(
    host: str, gateway: str, keys: tuple[Key, ...], ids: tuple[ResourceId, ...], index: Index
) -> Iterator[Obligation]:
    what = f"clients of {host} {_through(gateway)}"
    failure = "the default route is taken" if gateway == MESH else "404 NR"
    for client in _readers(gateway, ids, index):
        level = partial(_routes, keys, None, client)
        yield Obligation(ids, level, f"{what} rely on some route for it", failure)
        if gateway not in (MESH, "*"):
            for match in sorted(_matches(ids, index)):
                why = f"{what} rely on a route that matches {match}"
                level = partial(_routes, keys, match, client)
                yield Obligation(ids, level, why, failure)


def _readers(
    gateway: str, ids: tuple[ResourceId, ...], index: Index
) -> tuple[str, ...] | tuple[None]:
    """The namespaces of the proxies that may see other routes than each other; None for any."""
    if gateway == MESH:
        named = {subject.namespace for subject in ids}
        for subject in ids:
            for resource in index.versions(subject):
                named.update(export_to(resource))
        return tuple(sorted((named - {"*", ".", "~"}) | {ELSEWHERE}))
    if gateway == "*" or gateway.startswith("gateway.networking"):
        return (None,)
    return gateway_places(gateway, index)


def _through(gateway: str) -> str:
    if gateway == MESH:
        return "in the mesh"
    return "at a gateway" if gateway == "*" else f"at Gateway {'/'.join(gateway.split('/')[-2:])}"


def _routes(keys: tuple[Key, ...], match: str | None, client: str | None, view: View) -> int:
    """Whether a client sees a route for a host, or one with a match."""
    return int(
        any(
            (match is None or match in _matches_of(route))
            and (client is None or sees(client, route, view))
            for route in view.find(*keys)
        )
    )


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
