"""Outcomes that depend on which of several objects is older: Git does not know it.

istiod lets the oldest win, by `creationTimestamp`. An object that is applied anew keeps its time,
so the order of a tree says nothing. Where the times of competing objects are not known, all
possible winners are tried, and what differs among them is unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import Outcome, Unknown
from meshplan.traffic.request import Request
from meshplan.traffic.route import Selected, gateway_table, route, select
from meshplan.traffic.table import Forward
from meshplan.traffic.tables import tables

_OLDEST = "0001-01-01T00:00:00Z"
_YOUNGEST = "9999-12-31T23:59:59Z"

#: Objects of which the oldest wins.
Rivals = tuple[ResourceId, ...]


def route_at_any_age(
    mesh: Mesh, request: Request, client: Proxy, behind: Server | None = None
) -> Outcome:
    """As `route`, but unknown where it depends on ages that nobody knows.

    In a closed world the objects are all there is, and those without a time count as equally old,
    as istiod takes them from files.
    """
    outcome = route(mesh, request, client, behind)
    if mesh.world is World.CLOSED or isinstance(outcome, Unknown):
        return outcome
    for group in rivals(mesh, request, client):
        for winner in group:
            other = route(_with_winner(mesh, winner, group), request, client, behind)
            if other != outcome:
                names = " and ".join(map(str, group))
                reason = f"it depends on which is the oldest of {names}"
                return Unknown(reason, otherwise=outcome, why=outcome.why)
    return outcome


def with_ages(snapshot: Snapshot, ages: Mapping[ResourceId, str]) -> Snapshot:
    """The snapshot with creation times (RFC 3339) for some objects, from a cluster or a history."""
    found = {id_: snapshot.get(id_) for id_ in ages}
    return snapshot.with_(*(_aged(r, ages[id_]) for id_, r in found.items() if r is not None))


def rivals(mesh: Mesh, request: Request, client: Proxy) -> tuple[Rivals, ...]:
    """The groups of objects that compete for a request and of which some have no known time."""
    groups = (
        *_of_routes(mesh, request, client),
        tuple(found.id for found in mesh.sidecars(client.namespace, client.labels)),
        *_of_clusters(mesh, request, client),
    )
    return tuple(dict.fromkeys(group for group in groups if _is_open(mesh, group)))


def _of_routes(mesh: Mesh, request: Request, client: Proxy) -> Iterator[Rivals]:
    if client.kind is ProxyKind.GATEWAY:
        table = gateway_table(mesh, request, client)
        found = table.sharing(request.host_name) if table else ()
    else:
        port = request.dialled_port
        listener = mesh.scope(client).listener(port)
        if listener is None:
            return
        found = tables(mesh).sidecar(client, port, listener).claimants(request.host_name)
    # Routes of the Gateway API are merged, each rule keeps the object it is from.
    yield _distinct(id_ for vs in found for id_ in (*(rule.source for rule in vs.made), vs.id))


def _of_clusters(mesh: Mesh, request: Request, client: Proxy) -> Iterator[Rivals]:
    """DestinationRules and services of the clusters that the request is sent to."""
    found = select(mesh, request, client)
    if not isinstance(found, Selected) or not isinstance(found.route.action, Forward):
        return
    for target in found.route.action.targets:
        host = target.cluster.host
        service = mesh.scope(client).service(host)
        if service is None:
            continue
        yield _distinct(same.id for same in mesh.registry.by_host[host])
        rules = mesh.destination_rules.for_host(host, service.namespace, client.namespace)
        yield _distinct(id_ for rule in rules for id_ in rule.sources)


def _is_open(mesh: Mesh, group: Rivals) -> bool:
    times = [creation_time(mesh.snapshot[id_]) for id_ in group]
    return len(group) > 1 and not all(times)


def _distinct(ids: Iterable[ResourceId]) -> Rivals:
    return tuple(dict.fromkeys(ids))


def _with_winner(mesh: Mesh, winner: ResourceId, group: Rivals) -> Mesh:
    """The mesh in which one object of a group is the oldest of it."""
    key = f"the oldest is {winner} of {group}"
    found = mesh.memory.get(key)
    if not isinstance(found, Mesh):
        ages = {
            id_: _OLDEST if id_ == winner else creation_time(mesh.snapshot[id_]) or _YOUNGEST
            for id_ in group
        }
        found = mesh.memory[key] = mesh.at(with_ages(mesh.snapshot, ages))
    return found


def _aged(resource: Resource, time: str) -> Resource:
    metadata = {**resource.metadata, "creationTimestamp": time}
    return replace(resource, manifest={**resource.manifest, "metadata": metadata})
