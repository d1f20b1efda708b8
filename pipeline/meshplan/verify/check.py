"""`verify`: confirm or refute a plan from the result document and the two revisions alone.

It shares no code with the planner and the prover: it reads the plan as text, replays it, takes
concrete requests from the literals of all versions, and asks the model about each of them in every
view of every stage. It is slower than the prover and gives up openly where there is too much.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.known import Known
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.plan import simulate
from meshplan.resource import Resource
from meshplan.traffic import Request, Server, admit, route
from meshplan.traffic.outcome import Transport
from meshplan.verify.grid import FRESH, Literals, clients, concrete, literals, principals, servers
from meshplan.verify.replay import Json, Stage, Write, replayed
from meshplan.verify.views import Fate, admissions, broken, fate_of, fates, states, step_of

#: Stands between two lists of objects.
_NOBODY = ResourceId("", "", "", "")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is looked at; beyond, the checker says that it could not confirm."""

    requests: int = 200_000
    #: Writes of one stage that can matter to one host.
    writes: int = 5
    refutations: int = 20


@dataclass(frozen=True, slots=True)
class Verification:
    """What the checker found."""

    refutations: tuple[str, ...] = ()
    #: What could not be looked at, in words; a plan with gaps is not confirmed.
    gaps: tuple[str, ...] = ()
    requests: int = 0
    views: int = 0

    @property
    def verdict(self) -> str:
        """confirmed, refuted or unknown."""
        if self.refutations:
            return "refuted"
        return "unknown" if self.gaps else "confirmed"


def verify(plan: Json, base: Mesh, head: Mesh, limits: Limits | None = None) -> Verification:
    """Whether the plan of one target keeps the invariants on the way from `base` to `head`."""
    found = replayed(plan, base.snapshot, head.snapshot)
    if found.faults:
        return Verification(found.faults)
    checker = _Checker(base, head, found.stages, limits or Limits())
    checker.run()
    return Verification(
        tuple(dict.fromkeys(checker.refutations)),
        tuple(dict.fromkeys(checker.gaps)),
        checker.requests,
        checker.views,
    )


@dataclass
class _Checker:
    base: Mesh
    head: Mesh
    stages: Sequence[Stage]
    limits: Limits
    refutations: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    requests: int = 0
    views: int = 0

    def __post_init__(self) -> None:
        self.rests = [self.base.snapshot]
        for stage in self.stages:
            self.rests.append(simulate(map(step_of, stage.writes), self.rests[-1]))
        known = _known([self.head, *(self.base.at(state) for state in self.rests)])
        self.base, self.head = self.base.knowing(known), self.head.knowing(known)
        self.meshes = [self.base, *(self.base.at(state) for state in self.rests[1:-1]), self.head]
        self._versions = _versions(self.base, self.head, self.stages)
        self._at: dict[tuple[int, tuple[ResourceId, ...]], Mesh] = {}

    def run(self) -> None:
        """All hosts, clients and requests that a write can matter to."""
        written = [write for stage in self.stages for write in stage.writes]
        subjects = _Subjects(self._versions, self.meshes)
        hosts = subjects.hosts_of(w.id for w in written)
        proxies = clients(self.meshes)
        for host in sorted(hosts):
            speakers = subjects.speakers(host)
            texts = literals(v for i in speakers for v in self._versions[i])
            if texts.opaque:
                self.gaps.append(f"requests for {host} are compared by more than literals")
            self._host(host, texts, speakers, proxies)
            if len(self.refutations) >= self.limits.refutations:
                return
        self._servers(subjects)

    def _servers(self, subjects: "_Subjects") -> None:
        """Peers that go to a workload directly, with and without a certificate."""
        names = principals(self.meshes)
        for server, hosts in servers(self.meshes):
            speakers = frozenset(i for host in hosts for i in subjects.speakers(host))
            policies = frozenset(i for i in speakers if i.group == "security.istio.io")
            texts = literals(v for i in policies for v in self._versions[i])
            if not any(write.id in policies for stage in self.stages for write in stage.writes):
                continue
            if texts.size * (len(names) + 1) + self.requests > self.limits.requests:
                self.gaps.append(f"there are too many requests for {server.namespace}")
                continue
            for request in texts.requests(min(hosts), server.port, "http"):
                self.requests += 1
                self._asked(request, server, Transport.PLAINTEXT, policies)
                for name in names:
                    known = replace(request, principal=name)
                    self._asked(known, server, Transport.MTLS, policies)

    def _asked(
        self,
        request: Request,
        server: Server,
        transport: Transport,
        policies: frozenset[ResourceId],
    ) -> None:
        before = fate_of(admit(self.base, request, server, transport))
        after = fate_of(admit(self.head, request, server, transport))
        where = f"{request.principal or 'a peer'} ({transport})"
        for number, stage in enumerate(self.stages):
            mine = tuple(write for write in stage.writes if write.id in policies)
            if not mine:
                continue
            if len(mine) > 2 * self.limits.writes:
                self.gaps.append(f"wave {stage.wave + 1} writes too many policies at once")
                continue
            meshes = self._states(number, mine)
            for visible, during in admissions(request, server, transport, meshes):
                self.views += 1
                if invariant := broken(before, during, after):
                    fate = (before, during, after)
                    self._refute(stage, invariant, request, where, visible, fate)
                    return

    def _host(
        self, host: str, texts: Literals, speakers: frozenset[ResourceId], proxies: Iterable[Proxy]
    ) -> None:
        name = concrete(host)
        for proxy in proxies:
            for port, scheme in self._ports(host, proxy):
                if self.requests + texts.size > self.limits.requests:
                    self.gaps.append(f"there are too many requests for {host}")
                    return
                for request in texts.requests(name, port, scheme):
                    self.requests += 1
                    self._request(request, proxy, speakers)

    def _ports(self, host: str, proxy: Proxy) -> set[tuple[int, str]]:
        found: set[tuple[int, str]] = set()
        for mesh in self.meshes:
            if proxy.kind is ProxyKind.GATEWAY:
                for gateway in mesh.gateways_of(proxy):
                    for server in gateway.servers:
                        scheme = "https" if server.tls and server.is_http else "http"
                        found.add((server.port, scheme if server.is_http else "tls"))
            else:
                for service in mesh.registry.by_host.get(host, ()):
                    found |= {
                        (p.number, "http" if p.protocol.is_http_or_sniffed else "tcp")
                        for p in service.ports
                    }
        return found or ({(80, "http")} if proxy.kind is ProxyKind.SIDECAR else set())

    def _request(self, request: Request, proxy: Proxy, speakers: frozenset[ResourceId]) -> None:
        before = fate_of(route(self.base, request, proxy))
        after = fate_of(route(self.head, request, proxy))
        switched = False
        for number, stage in enumerate(self.stages):
            mine = tuple(write for write in stage.writes if write.id in speakers)
            if not mine:
                continue
            if len(mine) > self.limits.writes:
                self.gaps.append(
                    f"wave {stage.wave + 1} writes too much at once for {request.host}"
                )
                continue
            for visible, during in self._views(number, mine, request, proxy):
                self.views += 1
                invariant = broken(before, during, after)
                if invariant:
                    fate = (before, during, after)
                    self._refute(stage, invariant, request, _who(proxy), visible, fate)
                    return
            rest = fate_of(route(self.meshes[number + 1], request, proxy))
            switched = switched or (rest == after != before)
            if switched and rest == before != after:
                fate = (before, rest, after)
                self._refute(stage, "I4", request, _who(proxy), (), fate)
                return

    def _views(
        self, number: int, mine: tuple[Write, ...], request: Request, proxy: Proxy
    ) -> Iterator[tuple[tuple[ResourceId, ...], Fate]]:
        yield from fates(request, proxy, self._states(number, mine))

    def _states(
        self, number: int, mine: tuple[Write, ...]
    ) -> Mapping[tuple[ResourceId, ...], Mesh]:
        """The meshes with each subset of some writes of a stage, all others made."""
        others = [w for w in self.stages[number].writes if w not in mine]
        start = simulate(map(step_of, others), self.rests[number])
        meshes: dict[tuple[ResourceId, ...], Mesh] = {}
        for taken, state in states(Stage(number, mine), start):
            key = (number, (*(w.id for w in mine), _NOBODY, *taken))
            if key not in self._at:
                self._at[key] = self.base.at(state)
            meshes[taken] = self._at[key]
        return meshes

    def _refute(
        self,
        stage: Stage,
        invariant: str,
        request: Request,
        who: str,
        visible: Sequence[ResourceId],
        fate: tuple[Fate, Fate, Fate],
    ) -> None:
        before, during, after = fate
        sentence = (
            f"wave {stage.wave + 1}, with {', '.join(map(str, visible)) or 'nothing'} in force: "
            f"{request.method} {request.host}:{request.dialled_port}{request.path} "
            f"from {who} is {during.text} "
            f"(before: {before.text}, after: {after.text}) [{invariant}]"
        )
        (self.gaps if invariant == "unknown" else self.refutations).append(sentence)


def _known(meshes: Iterable[Mesh]) -> Known:
    """What the tree declares in any state: where that is absent, nobody else has it."""
    hosts, populated = set[str](), set[str]()
    for mesh in meshes:
        for service in mesh.registry.services:
            hosts.add(service.host)
            if service.endpoints or mesh.workloads_of(service):
                populated.add(service.host)
    return Known(frozenset(hosts), frozenset(populated))


def _who(proxy: Proxy) -> str:
    where = "any other namespace" if proxy.namespace == FRESH else proxy.namespace
    return f"{proxy.kind} {where}"


def _versions(
    base: Mesh, head: Mesh, stages: Iterable[Stage]
) -> Mapping[ResourceId, tuple[Resource, ...]]:
    """All versions of every object that is at hand."""
    found: dict[ResourceId, dict[int, Resource]] = {}
    everything = [*base.snapshot.values(), *head.snapshot.values()]
    everything += [w.resource for stage in stages for w in stage.writes if w.resource]
    for resource in everything:
        found.setdefault(resource.id, {})[id(resource)] = resource
    return {id_: tuple(versions.values()) for id_, versions in found.items()}


class _Subjects:
    """Which hosts an object has a say in, and which objects have a say in a host."""

    def __init__(self, versions: Mapping[ResourceId, tuple[Resource, ...]], meshes: Sequence[Mesh]):
        self._names: dict[ResourceId, frozenset[str]] = {}
        mesh = meshes[0]
        everywhere = self._everywhere(meshes)
        for id_, found in versions.items():
            self._names[id_] = frozenset(
                name for version in found for name in _names(version, mesh, everywhere)
            )

    @staticmethod
    def _everywhere(meshes: Sequence[Mesh]) -> Mapping[str, frozenset[str]]:
        """The hosts of the services of each namespace; of all under ""."""
        found: dict[str, set[str]] = {"": set()}
        for mesh in meshes:
            for service in mesh.registry.services:
                found.setdefault(service.namespace, set()).add(service.host)
                found[""].add(service.host)
        return {namespace: frozenset(hosts) for namespace, hosts in found.items()}

    def hosts_of(self, ids: Iterable[ResourceId]) -> frozenset[str]:
        """The hosts to ask for: those of the objects, and those of routes that lead to them."""
        touched = {name for id_ in ids for name in self._names.get(id_, ())}
        for id_, names in self._names.items():
            if id_.kind in ("VirtualService", "HTTPRoute", "GRPCRoute") and names & touched:
                touched |= names
        return frozenset(name for name in touched if not name.startswith("gateway "))

    def speakers(self, host: str) -> frozenset[ResourceId]:
        """The objects that may have a say in requests for a host, directly or one route away."""
        near = {id_ for id_, names in self._names.items() if _covers(names, host)}
        led = {n for id_ in near for n in self._names[id_]}
        return frozenset(id_ for id_, names in self._names.items() if names & led or id_ in near)


def _covers(names: frozenset[str], host: str) -> bool:
    if host in names or "*" in names:
        return True
    return any(
        (n.startswith("*") and host.endswith(n[1:]))
        or (host.startswith("*") and n.endswith(host[1:]))
        for n in names
    )


def _names(
    resource: Resource, mesh: Mesh, everywhere: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """The hosts and gateways that an object speaks of, and the hosts of the services it governs."""
    namespace, kind = resource.id.namespace, resource.id.kind
    if kind == "Service":
        yield f"{resource.id.name}.{namespace}.svc.{mesh.config.cluster_domain}"
    elif resource.id.group in ("security.istio.io", "extensions.istio.io") or kind in (
        "Sidecar",
        "EnvoyFilter",
        "Telemetry",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Pod",
        "WorkloadEntry",
        "Namespace",
        "ReferenceGrant",
    ):
        yield from everywhere.get("" if namespace == mesh.config.root_namespace else namespace, ())
        if kind == "Sidecar":
            yield from everywhere[""]
    elif kind == "Gateway":
        yield f"gateway {namespace}/{resource.id.name}"
    yield from _written(resource.spec, namespace, mesh)


def _written(value: object, namespace: str, mesh: Mesh) -> Iterator[str]:
    """Every text in fields that hold hosts or gateways."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("host", "hosts", "hostnames", "sniHosts", "gateways", "hostname"):
                texts = [inner] if isinstance(inner, str) else inner
                for text in texts if isinstance(texts, Sequence) else ():
                    yield from _resolved(str(text), key, namespace, mesh)
            elif key in ("parentRefs", "backendRefs", "delegate") and inner:
                refs = [inner] if isinstance(inner, Mapping) else inner
                for ref in refs:
                    where = ref.get("namespace") or namespace
                    if key == "backendRefs":
                        yield f"{ref.get('name')}.{where}.svc.{mesh.config.cluster_domain}"
                    else:
                        yield f"gateway {where}/{ref.get('name')}"
            else:
                yield from _written(inner, namespace, mesh)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _written(inner, namespace, mesh)


def _resolved(text: str, key: str, namespace: str, mesh: Mesh) -> Iterator[str]:
    if key == "gateways":
        yield f"gateway {mesh.resolve_gateway(text, namespace)}"
        return
    name = text.rpartition("/")[2]
    yield mesh.resolve_host(name, namespace)
