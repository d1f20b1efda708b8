"""Peers that go to a workload directly, with and without a certificate: who is let in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from meshplan.mesh.service import Port
from meshplan.mesh.workload import Workload
from meshplan.traffic import Request, Server, admit
from meshplan.traffic.outcome import Transport
from meshplan.verify.grid import FRESH, literals
from meshplan.verify.identities import identities, patterns
from meshplan.verify.names import POLICIES, SIDECAR, kind_of, selector_of
from meshplan.verify.replay import Write
from meshplan.verify.verdict import Break, Report
from meshplan.verify.views import admissions, broken, fate_of
from meshplan.verify.world import World

#: Of pods that do not say on which ports they listen.
_ANY_PORT = 8080

_Key = tuple[str, frozenset[tuple[str, str]], int]


class Doors:
    """Every workload and port whose policies are written."""

    def __init__(self, world: World, report: Report):
        self._world = world
        self._report = report
        root = world.base.config.root_namespace
        self._root = root
        self._policies = [
            i for i in world.versions if kind_of(i) in POLICIES or kind_of(i) == SIDECAR
        ]
        spaces = {i.namespace for i in self._policies if i in world.written}
        self._spaces = None if root in spaces else spaces

    def run(self) -> None:
        """Ask at each of them."""
        if self._spaces is not None and not self._spaces:
            return
        for (namespace, labels, number), host in sorted(self._servers().items(), key=repr):
            server = Server(namespace, dict(labels), number)
            if self._report.is_full:
                return
            self._at(server, host)

    def _servers(self) -> Mapping[_Key, str]:
        """Workloads and ports that a client may ask, each with a host that leads to it.

        A pod may be asked by its address as well, so no Service has to be there.
        """
        found: dict[_Key, str] = {}
        world = self._world
        for number in range(len(world.stages) + 1):
            mesh = world.whole.rest(number)
            for workload in mesh.workloads:
                if self._is_near(workload.namespace):
                    labels = frozenset(workload.labels.items())
                    for listening in workload.ports.values() or (_ANY_PORT,):
                        key = (workload.namespace, labels, listening)
                        found.setdefault(key, f"{FRESH}.{workload.namespace}")
            for service in mesh.registry.services:
                if not self._is_near(service.namespace):
                    continue
                for workload in mesh.workloads_of(service):
                    labels = frozenset(workload.labels.items())
                    for port in service.ports:
                        key = (workload.namespace, labels, _listening(port, workload))
                        known = found.get(key, service.host)
                        is_made_up = known.startswith(f"{FRESH}.")
                        found[key] = service.host if is_made_up else min(service.host, known)
        for namespace, labels in tuple(self._unseen(found)):
            for listening in (_ANY_PORT, *self._ports_named(namespace)):
                key = (namespace, labels, listening)
                found.setdefault(key, f"{FRESH}.{namespace}")
        return found

    def _unseen(self, found: Iterable[_Key]) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
        """Pods that are not in the tree: of a policy without any, and of others that fit to it."""
        world = self._world
        seen = {(namespace, labels) for namespace, labels, _ in found}
        for policy in self._policies:
            if policy not in world.written:
                continue
            spaces = {policy.namespace}
            if policy.namespace == self._root:
                spaces |= {other.namespace for other in self._policies}
            for space in spaces:
                chosen = [
                    selector_of(version.spec)
                    for other in self._policies
                    if other.namespace in (space, self._root)
                    for version in world.versions[other]
                ]
                for own in (selector_of(version.spec) for version in world.versions[policy]):
                    if any(where == space and own.items() <= labels for where, labels in seen):
                        continue
                    for other in chosen:
                        if all(own.get(name, value) == value for name, value in other.items()):
                            yield space, frozenset({**own, **other}.items())

    def _ports_named(self, namespace: str) -> frozenset[int]:
        """The ports that policies of a namespace tell apart."""
        found: set[int] = set()
        for policy in self._policies:
            if policy.namespace in (namespace, self._root):
                for version in self._world.versions[policy]:
                    found.update(_numbers(version.spec))
        return frozenset(found)

    def _is_near(self, namespace: str) -> bool:
        return self._spaces is None or namespace in self._spaces

    def _at(self, server: Server, host: str) -> None:
        world, report = self._world, self._report
        near = [i for i in self._policies if i.namespace in (server.namespace, self._root)]
        if world.written.isdisjoint(near):
            return
        told = literals(chain.from_iterable(world.versions[i] for i in near))
        if told.opaque or told.undecided:
            report.gaps.append(f"{server.namespace} directly: policies tell by more than literals")
        asked = [patterns(v) for i in near for v in world.versions[i]]
        names = identities((world.base, world.head), asked)
        if not report.allows(told.size * (len(names) + 1), f"{server.namespace} directly"):
            return
        stages = [
            (number, tuple(w for w in stage.writes if w.id in near))
            for number, stage in enumerate(world.stages)
        ]
        stages = [(number, mine) for number, mine in stages if mine]
        for number, mine in stages:
            if len(mine) > 2 * report.limits.writes:
                wave = world.stages[number].wave + 1
                report.gaps.append(f"wave {wave} writes too many policies at once")
                return
        for request in told.requests((host,), server.port, "http"):
            self._asked(request, server, Transport.PLAINTEXT, stages)
            for name in names:
                known = replace(request, principal=name)
                self._asked(known, server, Transport.MTLS, stages)

    def _asked(
        self,
        request: Request,
        server: Server,
        transport: Transport,
        stages: list[tuple[int, tuple[Write, ...]]],
    ) -> None:
        world, report = self._world, self._report
        report.requests += 1
        before = fate_of(admit(world.base, request, server, transport))
        after = fate_of(admit(world.head, request, server, transport))
        for number, mine in stages:
            meshes = world.whole.states(number, mine)
            for visible, during in admissions(request, server, transport, meshes):
                report.views += 1
                if invariant := broken(before, during, after):
                    who = f"{request.principal or 'a peer'} ({transport})"
                    address = f"{request.host}:{request.dialled_port}{request.path}"
                    asked = f"{request.method} {address} from {who}"
                    fate = (before, during, after)
                    report.take(Break(world.stages[number], invariant, visible, fate), asked)
                    return


def _numbers(value: Any) -> Iterator[int]:
    """The ports in a policy, wherever it names some."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if (key == "values" and value.get("key") == "destination.port") or key in (
                "ports",
                "notPorts",
                "portLevelMtls",
            ):
                yield from (int(text) for text in inner or () if str(text).isdecimal())
            else:
                yield from _numbers(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _numbers(inner)


def _listening(port: Port, workload: Workload) -> int:
    if isinstance(port.target, int):
        return port.target or port.number
    return workload.ports.get(port.target, port.number)
