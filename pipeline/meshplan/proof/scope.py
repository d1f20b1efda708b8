"""One topic with all that has a say in it: states of its changed objects, and meshes of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.workload import matches_labels, workload_kinds
from meshplan.proof.index import DISCOVERY, EXTENSIONS, GATEWAY_API, NETWORKING, ROUTES, SECURITY
from meshplan.proof.meter import Meter
from meshplan.proof.numbers import Numbers
from meshplan.proof.types import Client, Topic
from meshplan.proof.versions import BASE, Versions
from meshplan.resource import Resource, Snapshot

#: The version of each changed object of a scope.
State = tuple[int, ...]

_WORKLOADS = frozenset(workload_kinds())
_SERVICES = frozenset((("", "Service"), (NETWORKING, "ServiceEntry")))
_ENDPOINTS = frozenset((("", "Endpoints"), (DISCOVERY, "EndpointSlice")))
_ROUTING = frozenset(
    ((NETWORKING, "VirtualService"), *((GATEWAY_API, kind) for kind in (*ROUTES, "ReferenceGrant")))
)
_GATEWAYS = frozenset(
    ((NETWORKING, "Gateway"), (GATEWAY_API, "Gateway"), (GATEWAY_API, "GatewayClass"))
)
_OPAQUE = frozenset(((NETWORKING, "EnvoyFilter"), (EXTENSIONS, "WasmPlugin")))
_SIDECAR = (NETWORKING, "Sidecar")
_NAMESPACE = ("", "Namespace")


@dataclass(frozen=True, slots=True)
class Stages:
    """Which changed objects of a scope each stage looks at, by position."""

    routes: tuple[int, ...]
    clusters: tuple[int, ...]
    servers: tuple[int, ...]

    @property
    def everything(self) -> frozenset[int]:
        """Those that any stage looks at."""
        return frozenset((*self.routes, *self.clusters, *self.servers))


class Scope:
    """The changed objects around a topic, and the unchanged ones."""

    def __init__(
        self,
        topic: Topic,
        ids: Iterable[ResourceId],
        versions: Versions,
        mesh: Mesh,
        *,
        meter: Meter,
        reverse_ages: bool,
        selective: bool,
    ):
        self.topic = topic
        self._versions = versions
        self._mesh = mesh
        everything = tuple(ids)
        self.ids = tuple(sorted(id_ for id_ in everything if id_ in versions.changed))
        context = [versions.base[id_] for id_ in everything if id_ not in versions.changed]
        self.positions = {id_: position for position, id_ in enumerate(self.ids)}
        self._reverse = reverse_ages
        by_name = sorted(everything, key=lambda id_: (id_.name, id_.namespace), reverse=True)
        self._ranks = {id_: rank for rank, id_ in enumerate(by_name)}
        #: Whether some proxies do not import everything.
        self._selective = selective
        #: The unchanged objects.
        self.context = [self._aged(found, created=False) for found in context]
        #: Of what the stages make of the states of this scope.
        self.numbers = Numbers(meter)
        self.meter = meter
        self._meshes: dict[State, Mesh] = {}
        self._aged_versions: dict[tuple[int, int], Resource | None] = {}

    def state(self, numbers: Mapping[ResourceId, int], default: int = BASE) -> State:
        """The state in which objects have versions by number, others that of `default`."""
        return tuple(numbers.get(id_, default) for id_ in self.ids)

    def all_versions(self) -> Iterator[tuple[Resource | None, ...]]:
        """Of each changed object all versions by number, as they are in the revisions."""
        for id_ in self.ids:
            yield tuple(self._versions.changed[id_])

    def mesh(self, state: State) -> Mesh:
        """The mesh of a state."""
        found = self._meshes.get(state)
        if found is None:
            own = (self._version(position, number) for position, number in enumerate(state))
            resources = (*self.context, *(r for r in own if r is not None))
            found = self._meshes[state] = self._mesh.at(Snapshot(resources))
        return found

    def stages(self, client: Client) -> Stages:
        """What matters to each stage for a client."""
        root = self._mesh.config.root_namespace
        proxy = client.proxy
        own = {proxy.namespace, root} if proxy and not client.is_gateway else set()
        at_gateway = self._pods_of(proxy) if proxy and client.is_gateway else None
        return Stages(
            tuple(self._matching(lambda id_: _for_routes(id_, own, at_gateway))),
            tuple(self._matching(lambda id_: _for_clusters(id_, own, imports=self._selective))),
            tuple(self._matching(_for_servers)),
        )

    def _pods_of(self, proxy: Proxy) -> frozenset[ResourceId]:
        """The workloads that may be a gateway's own pods: they say on which ports it listens."""
        return frozenset(
            id_
            for id_ in self.ids
            for version in self._versions.all_of(id_)
            for found in (self._versions.workload(version),)
            if found is not None
            and found.namespace == proxy.namespace
            and matches_labels(proxy.labels, found.labels)
        )

    def _matching(self, wanted: Callable[[ResourceId], bool]) -> Iterator[int]:
        return (position for position, id_ in enumerate(self.ids) if wanted(id_))

    def _version(self, position: int, number: int) -> Resource | None:
        key = (position, number)
        if key not in self._aged_versions:
            id_ = self.ids[position]
            found = self._versions.get(id_, number)
            if found is not None:
                before = self._versions.base.get(id_)
                if before is not None and not creation_time(found) and creation_time(before):
                    found = _with_time(found, creation_time(before))
                found = self._aged(found, created=before is None)
            self._aged_versions[key] = found
        return self._aged_versions[key]

    def _aged(self, resource: Resource, *, created: bool) -> Resource:
        """A resource with a creation time where the plan or the order of ages gives it one.

        Without a time objects count as the oldest, and their names decide; `reverse_ages` turns
        that order round: then they are younger than those that have a time.
        """
        if creation_time(resource):
            return resource
        rank = self._ranks[resource.id]
        if created:
            # The youngest of all; of several created ones the names decide again.
            return _with_time(resource, _time(9999, rank if self._reverse else 0))
        return _with_time(resource, _time(9998, rank)) if self._reverse else resource


def normal(state: State, kept: Iterable[int]) -> State:
    """A state in which only some positions matter; the others are as in the base."""
    wanted = set(kept)
    return tuple(n if position in wanted else BASE for position, n in enumerate(state))


def between(
    before: State, moves: Sequence[tuple[int, tuple[int, ...]]]
) -> Iterator[tuple[State, tuple[int, ...]]]:
    """Every state that moves may lead to, with the positions that have moved, the fewest first."""
    for count in range(len(moves) + 1):
        for chosen in combinations(moves, count):
            for versions in product(*(found for _, found in chosen)):
                state = list(before)
                for (position, _), version in zip(chosen, versions, strict=True):
                    state[position] = version
                yield tuple(state), tuple(position for position, _ in chosen)


def _for_routes(id_: ResourceId, own: set[str], at_gateway: frozenset[ResourceId] | None) -> bool:
    """Whether routes may look at an object; `at_gateway` are the pods of the client, if it is one."""
    kind = _kind(id_)
    if kind in _SERVICES or kind in _ROUTING or kind == _NAMESPACE or kind in _OPAQUE:
        return True
    if kind in _GATEWAYS:
        return True
    if at_gateway is not None:
        return id_ in at_gateway or kind[0] == SECURITY or kind == ("", "Secret")
    return kind == _SIDECAR and id_.namespace in own


def _for_clusters(id_: ResourceId, own: set[str], *, imports: bool) -> bool:
    kind = _kind(id_)
    if kind in _SERVICES or kind in _ENDPOINTS or kind in _WORKLOADS or kind == _NAMESPACE:
        return True
    if kind in ((NETWORKING, "DestinationRule"), (SECURITY, "PeerAuthentication")):
        return True
    # What sends to a host brings its clusters along, where a Sidecar says what is imported.
    return imports and (kind in _ROUTING or (kind == _SIDECAR and id_.namespace in own))


def _for_servers(id_: ResourceId) -> bool:
    kind = _kind(id_)
    if kind[0] == SECURITY or kind in (_NAMESPACE, _SIDECAR):
        return True
    return kind in _SERVICES or kind in _WORKLOADS or kind in _OPAQUE


def _kind(id_: ResourceId) -> tuple[str, str]:
    return id_.group, id_.kind


def _time(year: int, rank: int) -> str:
    """A time that rises with a rank, which is below the seconds of a day."""
    return f"{year:04d}-01-01T{rank // 3600 % 24:02d}:{rank // 60 % 60:02d}:{rank % 60:02d}Z"


def _with_time(resource: Resource, time: str) -> Resource:
    metadata = {**resource.metadata, "creationTimestamp": time}
    return replace(resource, manifest={**resource.manifest, "metadata": metadata})
