"""The states that proxies may be in while a plan is carried out: of all objects, or of a part."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.gateway_api import Grants
from meshplan.mesh.known import Known
from meshplan.plan import simulate
from meshplan.resource import Resource, Snapshot
from meshplan.verify.bearing import ACCESS, OPAQUE, changing
from meshplan.verify.names import GATEWAY_API, dictionaries, kind_of
from meshplan.verify.replay import Stage, Write
from meshplan.verify.speakers import Versions
from meshplan.verify.views import states, step_of

#: Kinds from which controllers make Secrets.
_MAKERS = frozenset({"Certificate", "ExternalSecret", "SealedSecret"})


class World:
    """The states of a plan: those between stages, and those with a part of a stage's writes."""

    def __init__(self, base: Mesh, head: Mesh, stages: Sequence[Stage], small: int):
        self.stages = stages
        self._small = small
        self.versions = _versions(base, head, stages)
        known = _known(base, head, stages)
        self.base, self.head = base.knowing(known), head.knowing(known)
        writes = [w for stage in stages for w in stage.writes]
        self.written = changing(base.snapshot, writes, self.versions)
        self._removed = {w.id for w in writes if w.resource is None}
        self._parts: dict[frozenset[ResourceId], Part] = {}

    def letting_in(self) -> "World":
        """The same without the policies that say who is let in."""
        stages = [
            Stage(stage.wave, _without(stage.writes), _without(stage.settled))
            for stage in self.stages
        ]
        ends = [
            mesh.at(Snapshot(r for r in mesh.snapshot.values() if kind_of(r.id) not in ACCESS))
            for mesh in (self.base, self.head)
        ]
        return World(ends[0], ends[1], stages, self._small)

    def declares(self, host: str) -> bool:
        """Whether a host is declared in every state: by a Service that is never removed, or by a
        ServiceEntry that is not written.
        """
        never = self._removed | {id_ for id_ in self.written if id_.kind == "ServiceEntry"}
        return any(service.id not in never for service in self.base.registry.by_host.get(host, ()))

    @cached_property
    def rests(self) -> tuple[Snapshot, ...]:
        """Everything, before and after each stage."""
        return self._rests(self.base.snapshot)

    @cached_property
    def whole(self) -> "Part":
        """All objects."""
        return Part(self, self.rests)

    def part(self, ids: frozenset[ResourceId]) -> "Part":
        """Some objects alone."""
        if len(self.base.snapshot) <= self._small:
            return self.whole
        if ids not in self._parts:
            start = self.base.snapshot
            few = Snapshot(start[id_] for id_ in ids if id_ in start)
            self._parts[ids] = Part(self, self._rests(few, ids), ids)
        return self._parts[ids]

    def _rests(
        self, start: Snapshot, ids: frozenset[ResourceId] | None = None
    ) -> tuple[Snapshot, ...]:
        rests = [start]
        for stage in self.stages:
            mine = [w for w in stage.settled if ids is None or w.id in ids]
            rests.append(simulate(map(step_of, mine), rests[-1]) if mine else rests[-1])
        return tuple(rests)


class Part:
    """The states of some of the objects."""

    def __init__(
        self, world: World, rests: Sequence[Snapshot], ids: frozenset[ResourceId] | None = None
    ):
        self._world = world
        self._rests = rests
        self._ids = ids
        self._at: dict[tuple[int, tuple[Write, ...]], Mapping[tuple[ResourceId, ...], Mesh]] = {}
        self._meshes: dict[frozenset[int], Mesh] = {}
        self._resting: dict[int, Mesh] = {}

    def rest(self, number: int) -> Mesh:
        """The mesh before a stage; after all of them with the number of stages."""
        if number not in self._resting:
            self._resting[number] = self._mesh(self._rests[number])
        return self._resting[number]

    def _mesh(self, snapshot: Snapshot) -> Mesh:
        """The mesh of a state; one for states of the same objects."""
        # All versions are kept by the world, so that no address is used twice.
        key = frozenset(map(id, snapshot.values()))
        if key not in self._meshes:
            self._meshes[key] = self._world.base.at(snapshot)
        return self._meshes[key]

    def states(self, number: int, mine: tuple[Write, ...]) -> Mapping[tuple[ResourceId, ...], Mesh]:
        """The meshes with each subset of some writes of a stage, all others made."""
        key = (number, mine)
        if key not in self._at:
            stage = self._world.stages[number]
            others = [
                w
                for w in stage.writes
                if w not in mine and (self._ids is None or w.id in self._ids)
            ]
            start = simulate(map(step_of, others), self._rests[number])
            self._at[key] = {
                taken: self._mesh(state) for taken, state in states(Stage(number, mine), start)
            }
        return self._at[key]


def unmodelled(world: World) -> Iterator[str]:
    """What changes with the plan and is not modelled, so that no request can tell."""
    if world.base.config != world.head.config:
        yield "the settings of the mesh itself change, and with them what every proxy does"
    for id_ in sorted(world.written):
        patches = [
            p for v in world.versions[id_] for p in dictionaries(v.spec.get("configPatches"))
        ]
        # One without patches, as of old versions of the API, does nothing.
        is_filter = id_.kind == "EnvoyFilter"
        is_harmless = is_filter and all(p.get("applyTo") == "BOOTSTRAP" for p in patches)
        if kind_of(id_) in OPAQUE and not is_harmless:
            yield f"{id_} changes what proxies do in ways that are not modelled"


def _without(writes: Iterable[Write]) -> tuple[Write, ...]:
    return tuple(write for write in writes if kind_of(write.id) not in ACCESS)


def _known(base: Mesh, head: Mesh, stages: Iterable[Stage]) -> Known:
    """What the tree declares in any state: where that is absent, nobody else has it."""
    added = Snapshot(w.resource for stage in stages for w in stage.writes if w.resource)
    meshes = (base, head, base.at(added))
    hosts, populated = set[str](), set[str]()
    for mesh in meshes:
        for service in mesh.registry.services:
            hosts.add(service.host)
            if service.host not in populated and (
                service.endpoints or any(other.workloads_of(service) for other in meshes)
            ):
                populated.add(service.host)
    objects = {id_: found for mesh in meshes for id_, found in mesh.snapshot.items()}
    # Where a controller makes Secrets, one that leaves the tree may still be there.
    made = {id_.namespace for id_ in objects if id_.kind in _MAKERS}
    secrets = {
        id_ for id_ in objects if kind_of(id_) == ("", "Secret") and id_.namespace not in made
    }
    grants = [
        found for mesh in meshes for found in mesh.snapshot.of_kind(GATEWAY_API, "ReferenceGrant")
    ]
    allowed = Grants(grants).allowed
    return Known(frozenset(hosts), frozenset(populated), frozenset(secrets), allowed)


def _versions(base: Mesh, head: Mesh, stages: Iterable[Stage]) -> Versions:
    """All versions of every object that is at hand."""
    found: dict[ResourceId, tuple[Resource, ...]] = {i: (r,) for i, r in base.snapshot.items()}
    written = [w.resource for stage in stages for w in stage.writes if w.resource]
    for resource in chain(head.snapshot.values(), written):
        known = found.get(resource.id, ())
        if not any(resource is one or resource.manifest == one.manifest for one in known):
            found[resource.id] = (*known, resource)
    return found
