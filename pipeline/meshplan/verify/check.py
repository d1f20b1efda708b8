"""`verify`: confirm or refute a plan from the result document and the two revisions alone.

It shares no code with the planner and the prover: it reads the plan as text, replays it, takes
concrete requests from the literals of all versions, and asks the model about each of them in every
view of every stage. Where there is too much to look at, it says so and does not confirm.

What a request meets before and after is asked of the whole mesh. The states in between are asked of
the objects that have a say in the request; where those alone answer differently for the two ends,
the states in between are asked of the whole mesh as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, product

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.settings import World as Settings
from meshplan.traffic import Request
from meshplan.verify.bearing import Bearing, is_steady
from meshplan.verify.callers import Caller, Callers, TooManyLabelsError
from meshplan.verify.doors import Doors
from meshplan.verify.grid import FRESH, Literals, literals, rewrites
from meshplan.verify.looks import Asked, Choices, Looks, TooManyWritesError
from meshplan.verify.names import POLICIES, SIDECAR, WORKLOADS, kind_of
from meshplan.verify.ports import passed_names, ports_of
from meshplan.verify.relay import onward, passed_on, relays
from meshplan.verify.replay import Json, Stage, replayed
from meshplan.verify.speakers import Say, Speakers
from meshplan.verify.verdict import Break, Limits, Report, Verification
from meshplan.verify.views import Fate, Level, broken
from meshplan.verify.world import Part, World, unmodelled


def verify(plan: Json, base: Mesh, head: Mesh, limits: Limits | None = None) -> Verification:
    """Whether the plan of one target keeps the invariants on the way from `base` to `head`."""
    found = replayed(plan, base.snapshot, head.snapshot)
    if found.faults:
        return Verification(found.faults)
    report = Report(limits or Limits())
    _Checker(base, head, found.stages, report).run()
    return Verification(
        tuple(dict.fromkeys(report.refutations)),
        tuple(dict.fromkeys(report.gaps)),
        report.requests,
        report.views,
    )


class _Checker:
    def __init__(self, base: Mesh, head: Mesh, stages: Sequence[Stage], report: Report):
        self.world = World(base, head, stages, report.limits.small)
        self.report = report
        self._told: dict[tuple[ResourceId, ...], Literals] = {}
        self._relays = relays(self.world)
        self._speakers = Speakers(self.world.versions, self.world.base)

    def run(self) -> None:
        """All hosts, clients and requests that a write can matter to."""
        world = self.world
        self.report.gaps += unmodelled(world)
        meshes = (world.base, world.head)
        speakers = self._speakers
        callers = Callers(meshes, world.versions, speakers, world.written)
        spaces = self._namespaces_told()
        for host in sorted(speakers.hosts()):
            say = speakers.of(host)
            try:
                if not say.objects.isdisjoint(world.written):
                    self._host(say, callers.of(say))
                elif spaces:
                    self._host(say, callers.of(say, spaces))
            except TooManyLabelsError:
                self.report.gaps.append(f"clients of {host} are told apart by too many labels")
            if self.report.is_full:
                return
        Doors(world, self.report).run()

    def _namespaces_told(self) -> frozenset[str]:
        """Namespaces whose clients are told something new, whatever they ask for."""
        world = self.world
        told = {
            i.namespace for i in world.written if kind_of(i) == SIDECAR or kind_of(i) in POLICIES
        }
        if world.base.config.root_namespace in told:
            told |= {id_.namespace for id_ in world.versions} | {FRESH}
        gateways = {id_.namespace for id_ in world.versions if id_.kind == "Gateway"}
        moved = {id_.namespace for id_ in world.written if kind_of(id_) in WORKLOADS}
        services = {id_.namespace for id_ in world.written if id_.kind == "Service"}
        if any(id_.kind in ("Secret", "ReferenceGrant") for id_ in world.written):
            return frozenset(told | gateways)
        return frozenset(told | (gateways & (moved | services)))

    def _host(self, say: Say, callers: Iterable[Caller]) -> None:
        """All requests for one host, of each class of clients to whom a write can matter."""
        world, report = self.world, self.report
        for caller in callers:
            ids = say.objects | caller.objects | self._others(say, caller)
            if ids.isdisjoint(world.written):
                continue
            try:
                self._client(say, caller, ids)
            except TooManyWritesError as error:
                wave = world.stages[error.number].wave + 1
                report.gaps.append(f"wave {wave} writes too much at once for {say.host}")

    def _others(self, say: Say, caller: Caller) -> frozenset[ResourceId]:
        """Objects that are not about a host and yet have a say in what a client makes of it.

        With a Sidecar a client has what its routes for other hosts lead to. And in a closed world it
        depends on all services of a port whether a host is looked up there that nobody declares.
        """
        world, found = self.world, frozenset[ResourceId]()
        if any(kind_of(id_) == SIDECAR for id_ in caller.objects):
            found |= frozenset(self._speakers.senders(say.destinations))
        is_closed = world.base.world is Settings.CLOSED
        if caller.proxy.kind is ProxyKind.SIDECAR and is_closed and not world.declares(say.host):
            found |= {i for i in world.versions if i.kind in ("Service", "ServiceEntry")}
        return found

    def _way(
        self, say: Say, caller: Caller, ids: frozenset[ResourceId], *, in_any_case: bool = False
    ) -> "_Way":
        """The stages with a write that can matter to the requests of a client for a host."""
        world = self._letting_in if in_any_case else self.world
        root = world.base.config.root_namespace
        others = self._others(say, caller)
        bearing = Bearing(self.world.versions, self._speakers, root, say, caller, others)
        stages, changing = [], ids & world.written
        for number, stage in enumerate(world.stages):
            if mine := tuple(w for w in stage.writes if w.id in changing):
                stages.append(Looks(number, mine, bearing, self.report.limits.writes))
        # Only of a Service nobody has the address where it is not: an entry may be for one elsewhere.
        name, _, rest = say.host.partition(".")
        is_service = ResourceId("", "Service", rest.partition(".svc.")[0], name) in world.versions
        return _Way(
            say.host if is_service else "", world, world.part(ids), stages, in_any_case=in_any_case
        )

    def _client(self, say: Say, caller: Caller, ids: frozenset[ResourceId]) -> None:
        """All requests of a class of clients for one host."""
        report, versions = self.report, self.world.versions
        is_gateway = caller.proxy.kind is ProxyKind.GATEWAY
        policies = (*say.policies, *(caller.objects if is_gateway else ()))
        told, by_policies = self._texts((*say.routes, *policies)), self._texts(policies)
        if told.opaque:
            report.gaps.append(f"requests for {say.host} are compared by more than literals")
        routes = chain.from_iterable(versions[i] for i in say.routes)
        rewritten = any(rewrites(version.spec) for version in routes)
        way = self._way(say, caller, ids)
        self._ask(say, caller, way, told, alike=by_policies.is_empty and not rewritten)
        if not told.undecided:
            return
        # Nobody can tell from a request whether such policies let it in. If they say the same in
        # all states it is enough that requests fare as before or after where all are let in.
        if not is_steady(ids & self.world.written, versions):
            report.gaps.append(f"who may ask for {say.host} is told by more than requests")
            return
        way = self._way(say, caller, ids, in_any_case=True)
        self._ask(say, caller, way, self._texts(say.routes), alike=not rewritten)

    def _ask(self, say: Say, caller: Caller, way: "_Way", told: Literals, *, alike: bool) -> None:
        """The product of all texts that something compares with, on every port."""
        ports = sorted(ports_of(way.world, way.part, say, caller.proxy))
        # On a port without HTTP the name does not count, on the same port of another Service it does.
        by_name = say.by_pattern or any(not scheme.startswith("http") for _, scheme in ports)
        for port, scheme in ports:
            # Without HTTP nothing can be compared but names, addresses and ports.
            is_http = scheme.startswith("http")
            texts = told if is_http else Literals()
            names = (say.host,) if is_http else told.under(say.host)
            forms = [f for name in names for f in texts.forms(name, port, by_routes=by_name)]
            if caller.proxy.kind is ProxyKind.GATEWAY and scheme == "tls":
                forms += passed_names(self.world, say)
            if self.report.allows(told.size * len(forms), say.host):
                requests = texts.requests(forms, port, scheme)
                self._requests(requests, caller.proxy, way, alike=alike)

    @cached_property
    def _letting_in(self) -> World:
        return self.world.letting_in()

    def _texts(self, ids: tuple[ResourceId, ...]) -> Literals:
        """The texts that some objects compare with, in all their versions."""
        if ids not in self._told:
            versions = chain.from_iterable(self.world.versions[i] for i in ids)
            self._told[ids] = literals(versions)
        return self._told[ids]

    def _requests(
        self, requests: Iterable[Request], proxy: Proxy, way: "_Way", *, alike: bool
    ) -> None:
        """Ask for some requests of one client; those of one class once, where they fare `alike`."""
        report, known = self.report, dict[tuple[int, ...], int]()
        choices = Choices()
        for request in requests:
            report.requests += 1
            fully = way.in_any_case
            asked = Asked(request, proxy, way.host, way.world.base, choices, fully=fully)
            chosen = tuple(asked.choice(m) for m in way.meshes(asked.form)) if alike else ()
            if alike and chosen in known:
                report.views += known[chosen]
                continue
            before = report.views
            found = self._refuted(asked, way)
            if found is None and proxy.kind is not ProxyKind.GATEWAY and self._relays:
                found = self._lost_onward(request, proxy, asked, way)
            known[chosen] = report.views - before
            if found is not None:
                # Whether such a request is let in is not known, so that it refutes nothing.
                unknown = replace(found, invariant="unknown") if fully else found
                report.take(unknown, _words(request, proxy))

    def _refuted(self, asked: Asked, way: "_Way") -> Break | None:
        """The first view in which a request fares as it must not, or in which that is not known."""
        world, part = way.world, self._part(asked, way)
        before, after = asked.at(world.base), asked.at(world.head)
        switched = False
        for looks in way.stages:
            number = looks.number
            for visible, during in asked.fates(looks, part):
                self.report.views += 1
                invariant = broken(before, during, after)
                if way.in_any_case and not _is_between(before, during, after):
                    invariant = "unknown"
                if invariant:
                    return Break(world.stages[number], invariant, visible, (before, during, after))
            if before.level != after.level and Level.PASSED in (before.level, after.level):
                for visible, mesh in looks.together(part, asked.form).items():
                    during = asked.at(mesh)
                    if invariant := broken(before, during, after, at_one=True):
                        fate = (before, during, after)
                        return Break(world.stages[number], invariant, visible, fate)
            rest = asked.at(part.rest(number + 1))
            switched = switched or (rest == after != before)
            if switched and rest == before != after:
                return Break(world.stages[number], "I4", (), (before, rest, after))
        return None

    def _part(self, asked: Asked, way: "_Way") -> Part:
        """The objects that answer for a request: all where a part answers otherwise at the ends."""
        world, part = way.world, way.part
        ends = ((part.rest(0), world.base), (part.rest(len(world.stages)), world.head))
        if part is world.whole or all(asked.at(one) == asked.at(whole) for one, whole in ends):
            return part
        return world.whole

    def _lost_onward(
        self, request: Request, sender: Proxy, asked: Asked, way: "_Way"
    ) -> Break | None:
        """A stage in which a sidecar may send a request to a gateway that does not route it."""
        world, part = way.world, way.part
        before, after = asked.at(world.base), asked.at(world.head)
        for mesh, fate in ((world.base, before), (world.head, after)):
            onwards = [onward(request, sender, to, mesh) for to in passed_on(fate, self._relays)]
            if any(one.level < Level.SERVED for one in (fate, *onwards)):
                return None
        for looks in way.stages:
            states = looks.everything(part)
            sent = {to: v for v, m in states.items() for to in passed_on(asked.at(m), self._relays)}
            for (to, visible), (other, mesh) in product(sent.items(), states.items()):
                self.report.views += 1
                during = onward(request, sender, to, mesh)
                if during.level < Level.SERVED:
                    seen = tuple(dict.fromkeys((*visible, *other)))
                    return Break(world.stages[looks.number], "I1", seen, (before, during, after))
        return None


class _Way:
    """The stages that matter to the requests of one client, and the states that they lead through."""

    def __init__(
        self, host: str, world: World, part: Part, stages: Sequence[Looks], *, in_any_case: bool
    ):
        #: The host, if it is that of a Service.
        self.host = host
        self.world = world
        #: Whether it leads to servers and through gateways whomever they let in.
        self.in_any_case = in_any_case
        self.part = part
        self.stages = stages
        self._meshes: dict[bool, tuple[Mesh, ...]] = {}

    def meshes(self, form: str) -> tuple[Mesh, ...]:
        """The states in which a client may choose in its own way, each once.

        It depends on the form of the host only whether it is the name of a cluster.
        """
        key = "outbound_" in form
        if key not in self._meshes:
            found = {
                id(mesh): mesh
                for looks in self.stages
                for mesh in (
                    *looks.routes(self.part, form).values(),
                    self.part.rest(looks.number + 1),
                )
            }
            self._meshes[key] = tuple(found.values())
        return self._meshes[key]


def _is_between(before: Fate, during: Fate, after: Fate) -> bool:
    """Whether a request fares as at one of the ends, or fails where it fails at one of them: then
    whoever lets it in or not, no invariant is broken.
    """
    least = min(before.level, after.level)
    return during in (before, after) or max(during.level, least) <= Level.FAILED


def _words(request: Request, proxy: Proxy) -> str:
    where = "any other namespace" if proxy.namespace == FRESH else proxy.namespace
    address = f"{request.host}:{request.dialled_port}{request.path}"
    return f"{request.method} {address} from {proxy.kind} {where}"
