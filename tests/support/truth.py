"""What really happens while a plan is carried out, by the whole mesh of each state."""

from itertools import combinations

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Plan, simulate
from meshplan.settings import World
from meshplan.traffic import View, route_in
from meshplan.traffic.outcome import (
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Redirect,
    Served,
    Transport,
)
from meshplan.traffic.request import Request
from support.random_meshes import Pair, Sent
from support.whole_mesh import declared


class Truth:
    """What really happens, by the whole mesh of each state."""

    def __init__(self, found: Pair, steps: Plan):
        config = MeshConfig()
        sides = (found.base, found.head)
        self.known = declared(*(Mesh.of(side, config, World.OPEN) for side in sides))
        self._mesh = Mesh.of(found.base, config, World.OPEN).knowing(self.known)
        self.base, self.head = self._mesh, self._mesh.at(found.head)
        self.rests = [found.base]
        for wave in steps.waves:
            self.rests.append(simulate(wave.steps, self.rests[-1]))

    def states(self, steps: Plan, number: int) -> list[Mesh]:
        """The states of a wave, one for each subset of its steps."""
        wave = steps.waves[number]
        return [
            self._mesh.at(simulate(chosen, self.rests[number]))
            for count in range(len(wave.steps) + 1)
            for chosen in combinations(wave.steps, count)
        ]

    def outcome(self, view: View, sent: Sent) -> Outcome:
        """What happens to a request; a Service that is taken away has no address."""
        name = full_name(sent)
        if (
            sent.proxy.kind == "sidecar"
            and name in self.known.hosts
            and name.endswith(".svc.cluster.local")
        ):
            service, namespace, *_ = name.split(".")
            there = ResourceId("", "Service", namespace, service) in view.routes.snapshot
            if not there and name not in view.routes.registry.by_host:
                return Failed(None, "-", "no such host")
        return route_in(view, sent.request, sent.proxy)


def full_name(sent: Sent) -> str:
    """What the resolver of a pod makes of a name."""
    host = sent.request.host
    if "." not in host:
        return f"{host}.{sent.proxy.namespace}.svc.cluster.local"
    if host.count(".") == 1:
        return f"{host}.svc.cluster.local"
    return f"{host}.cluster.local" if host.endswith(".svc") else host


def good(outcome: Outcome) -> set[object]:
    """Where requests are served."""
    match outcome:
        case Served(backends):
            return {(b.endpoint, b.path, b.authority) for b in backends if b.kind == "served"}
        case Passthrough():
            return {"where the client dials"}
        case Redirect() | Direct():
            return {outcome}
        case _:
            return set()


def third(outcomes: tuple[Outcome, Outcome, Outcome], asked: Request) -> bool:
    """Whether the second serves where neither the first nor the last does."""
    named: list[set[object]] = [set(), set(), set()]
    for number, outcome in enumerate(outcomes):
        for backend in outcome.backends if isinstance(outcome, Served) else ():
            if backend.kind == "served" and dialled(backend, asked):
                named[number].add(("where the client dials", backend.endpoint))
    before, during, after = (good(outcome) for outcome in outcomes)
    known = before | after | {place for place, _ in named[0] | named[2]}
    excused = {endpoint for place, endpoint in named[1] if place in known}
    left = {end for end in during - known if not (isinstance(end, tuple) and end[0] in excused)}
    return bool(left)


def dialled(backend: Backend, asked: Request) -> bool:
    """Whether the host itself is reached as the client meant it, if only by TLS on its behalf."""
    host, _, port = backend.endpoint.rpartition(":")
    if backend.path != asked.path or asked.host_name != host:
        return False
    if backend.authority.split(":")[0] != host:
        return False
    return backend.transport is Transport.TLS or port == str(asked.dialled_port)


def is_served(outcome: Outcome) -> bool:
    """Whether all requests are served."""
    if isinstance(outcome, Served):
        return outcome.wholly
    return isinstance(outcome, Passthrough | Redirect | Direct)


def is_denied(outcome: Outcome) -> bool:
    """Whether somebody says no."""
    if isinstance(outcome, Failed):
        return outcome.flag in ("UC", "UF", "URX,UC", "URX,UF")
    return isinstance(outcome, Denied)


def breaks(
    before: Outcome, during: Outcome, after: Outcome, asked: Request, *, at_one: bool
) -> bool:
    """I1, I2 and I3, as they are written down.

    A host that becomes one of the mesh, or ceases to be one, is not held to I1 in mixed views.
    """
    excused = not at_one and is_undeclared(before) != is_undeclared(after)
    if is_served(before) and is_served(after) and not is_served(during) and not excused:
        return True
    if third((before, during, after), asked):
        return True
    return is_denied(before) and is_denied(after) and bool(good(during))


def is_undeclared(outcome: Outcome) -> bool:
    """Whether the mesh knows nothing of the host."""
    return isinstance(outcome, Passthrough) and not outcome.declared
