"""Requests of a route go where they went before or where they go after, and nowhere else."""

from collections.abc import Iterator, Mapping
from typing import Any

from meshplan.graph.clients import namespaces_of
from meshplan.graph.keys import pod_labels
from meshplan.graph.obligation import Obligation
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.graph.traffic import backends, host_keys, subset_labels, surroundings
from meshplan.identity import ResourceId
from meshplan.kinds.names import host_name
from meshplan.kinds.needs.read import items, mapping, number, text
from meshplan.kinds.needs.routing import clients_of
from meshplan.mesh.service import MeshService
from meshplan.resource import Resource

#: Where a route can lead: a host and what is behind it.
_Places = frozenset[tuple[str, str]]


def obligations(index: Index) -> Iterator[Obligation]:
    """For each changed VirtualService that leads to hosts whose rules change too."""
    writes = index.writes
    for subject in writes.ids:
        before, after = writes.before.get(subject), writes.after.get(subject)
        if subject.kind != "VirtualService" or before is None or after is None:
            continue
        for number_, (old, new) in enumerate(_paired(before, after)):
            hosts = {host for route in (old, new) for host, _ in _targets(route, subject, index)}
            ids = {found for host in hosts for found in index.touched(*host_keys(host))}
            if not ids:
                continue
            together = sorted_ids({*ids, subject}, writes)
            clients = clients_of(after)
            places = {place for host in hosts for place in namespaces_of(clients, host, index)}
            for client in sorted(places):
                yield from _of_route(together, subject, number_, (old, new), client, index)


def _paired(
    before: Resource, after: Resource
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The routes of two versions that match the same requests, by place."""
    old = [route for _, route in items(before.spec.get("http"))]
    new = [route for _, route in items(after.spec.get("http"))]
    for one, other in zip(old, new, strict=False):
        if one.get("match") == other.get("match"):
            yield one, other


def _targets(
    route: Mapping[str, Any], subject: ResourceId, index: Index
) -> Iterator[tuple[str, str]]:
    """Host and subset of each destination that gets requests."""
    entries = [entry for _, entry in items(route.get("route"))]
    for entry in entries:
        destination = mapping(entry.get("destination"))
        name = text(destination.get("host"))
        if name and not (len(entries) > 1 and number(entry.get("weight")) == 0):
            host = host_name(name, subject.namespace, index.domain)
            yield host, text(destination.get("subset"))


def _of_route(
    ids: tuple[ResourceId, ...],
    subject: ResourceId,
    place: int,
    routes: tuple[Mapping[str, Any], Mapping[str, Any]],
    client: str,
    index: Index,
) -> Iterator[Obligation]:
    """One route, if its requests are served before and after."""
    ends = (View(index, frozenset()), View(index, frozenset(ids)))
    old, new = (
        _places(route, subject, view, client) for route, view in zip(routes, ends, strict=True)
    )
    if not old or not new:
        return

    def level(view: View) -> int:
        route = routes[subject in view.made]
        return int(_places(route, subject, view, client) <= old | new)

    why = f"http[{place}] of {subject} sends requests to pods of the old or of the new version only"
    yield Obligation(ids, level, why, "requests go to other pods", subject)


def _places(route: Mapping[str, Any], subject: ResourceId, view: View, client: str) -> _Places:
    found: set[tuple[str, str]] = set()
    for host, subset in _targets(route, subject, view.index):
        labels = (
            subset_labels(host, subset, view, client) if subset else frozenset[tuple[str, str]]()
        )
        if labels is None:
            continue
        service = surroundings(host, view).service(host, client)
        if service is not None:
            found.update((host, name) for name in backends(service, labels, view))
            if not _pods_are_known(service, view.index):
                found.add((host, str(sorted(labels))))
    return frozenset(found)


def _pods_are_known(service: MeshService, index: Index) -> bool:
    """Whether some version of some workload is behind a service; else labels stand for pods."""
    if service.selector is None:
        return False
    selector = frozenset(service.selector.items())
    name, value = min(selector)
    return any(
        selector <= pod_labels(version)
        for subject in index.ids(("pod", service.namespace, name, value))
        for version in index.versions(subject)
    )
