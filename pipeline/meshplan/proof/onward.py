"""Requests that sidecars send to a gateway of the mesh, as on their way out by an egress gateway.

Two proxies route them, one after the other, and neither knows what the other has in force: as soon
as some client may send a request there, the gateway has to have a route for it. The views of the
second proxy are independent of those of the first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.hosts import namespace_of
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.workload import matches_labels
from meshplan.proof.assumptions import NOTHING, OpenQuestionError
from meshplan.proof.cases import Case
from meshplan.proof.findings import Findings, together
from meshplan.proof.invariants import ends_of
from meshplan.proof.moving import wave_in
from meshplan.proof.outcomes import Triple
from meshplan.proof.scope import Scope, State
from meshplan.proof.topics import TopicCases
from meshplan.proof.types import (
    Budget,
    BudgetError,
    Counterexample,
    Invariant,
    RequestClass,
    Undecided,
)
from meshplan.proof.versions import HEAD, Versions
from meshplan.proof.views import Examination, WaveStates
from meshplan.proof.waves import Moving
from meshplan.proof.words import sentence
from meshplan.traffic.clusters import Cluster
from meshplan.traffic.outcome import Outcome
from meshplan.traffic.request import Request
from meshplan.traffic.table import ClusterName, Forward
from meshplan.traffic.upstreams import Upstream

#: How servers take TLS that ask clients who they are.
_ASKING = frozenset(("ISTIO_MUTUAL", "MUTUAL", "OPTIONAL_MUTUAL"))
#: The states of all waves in a scope, also of those in which nothing of it moves.
_States = Callable[[Scope], Sequence[WaveStates]]


@dataclass(frozen=True)
class Onward:
    """What comes of it when a client's sidecar sends its requests to the pods of a gateway."""

    client: Case
    gateway: Case
    #: By which the gateway is asked.
    host: str
    states: _States
    budget: Budget

    def findings(self) -> Findings:
        """The waves in which requests are sent to the gateway before it serves them, or after."""
        try:
            return Findings(counterexamples=tuple(self._broken()))
        except (BudgetError, OpenQuestionError) as error:
            why = f"what {self.gateway.client} makes of requests that are sent there: {error}"
            asked = RequestClass(self.client.client, self.client.base)
            return Findings(unknowns=(Undecided(why, asked),))

    def _broken(self) -> Iterator[Counterexample]:
        ends = self._ends(self.client)
        if not any(self._sends(end, end) for end in ends):
            return
        served = next(self._served(), None)
        if served is None:
            return
        asked, before, after = served
        waves = zip(self.states(self.client.scope), self.states(self.gateway.scope), strict=True)
        for near, far in waves:
            seen = self._senders(near)
            if seen is None or not (near.moves or far.moves):
                continue
            for during, visible in self._failures(far):
                seen_by = dict(
                    zip(("routes", "clusters", "servers"), (*seen, visible), strict=True)
                )
                yield self._told(asked, near, far, (before, during, after), seen_by)
                break

    def _served(self) -> Iterator[tuple[Request, Outcome, Outcome]]:
        """Requests of the client that are served before and after, the usual one first."""
        _, every = self._near.looked_up
        classes = self.client.classes(every[0], every[1], every[2], self.budget)
        for request in (self.client.base, *classes):
            before, after = (
                self.client.outcomes.asked(request, NOTHING)(Triple(end, end, end))
                for end in self._ends(self.client)
            )
            if _serves(before, request) and _serves(after, request):
                yield request, before, after

    def _told(
        self,
        request: Request,
        near: WaveStates,
        far: WaveStates,
        outcomes: tuple[Outcome, Outcome, Outcome],
        stages: Mapping[str, tuple[ResourceId, ...]],
    ) -> Counterexample:
        asked = RequestClass(self.client.client, request)
        moved = {
            case.scope.ids[position]
            for case, wave in ((self.client, near), (self.gateway, far))
            for position in wave.moving
        }
        return Counterexample(
            near.number,
            tuple(sorted({id_ for seen in stages.values() for id_ in seen})),
            Invariant.AVAILABILITY,
            asked,
            *outcomes,
            f"{sentence(asked, Invariant.AVAILABILITY, *outcomes)}, at {self.gateway.client}",
            # What the gateway needs may come in another wave.
            tuple(sorted(moved | set(self.gateway.scope.ids))),
            stages,
        )

    # The first proxy

    def _senders(
        self, wave: WaveStates
    ) -> tuple[tuple[ResourceId, ...], tuple[ResourceId, ...]] | None:
        """The fewest steps with which clients send requests to the gateway; None if none do.

        Those that their routes see, and those that their clusters see.
        """
        routes, clusters, _ = self._near.parts(wave)
        found = [
            (routes.seen[r], clusters.seen[c])
            for r, route in enumerate(routes.states)
            for c, cluster in enumerate(clusters.states)
            if self._sends(route, cluster)
        ]
        if not found:
            return None
        seen = min(found, key=lambda both: len({*both[0], *both[1]}))
        return self._ids(self.client, seen[0]), self._ids(self.client, seen[1])

    def _sends(self, routes: State, clusters: State) -> bool:
        names = tuple(dict.fromkeys(self._names(routes)))
        found = zip(names, self.client.clusters(clusters, names), strict=True)
        return any(
            self._is_gateway(name.host, cluster, upstream, clusters)
            for name, cluster in found
            if cluster is not None
            for upstream in cluster.upstreams
        )

    def _names(self, routes: State) -> Iterator[ClusterName]:
        """The clusters to which requests for the gateway's host are sent."""
        own = self.client.scope.topic.host
        for route in self.client.routes([routes]):
            if isinstance(route.action, Forward):
                for target in route.action.targets:
                    written = route.action.authority or target.authority
                    if (written.lower().partition(":")[0] or own) == self.host:
                        yield target.cluster

    def _is_gateway(self, host: str, cluster: Cluster, upstream: Upstream, state: State) -> bool:
        proxy = self._proxy
        mesh = self.client.scope.mesh(state)
        if cluster.service is None:
            # The Service of a gateway is often installed by other means.
            near = namespace_of(host, mesh.config.cluster_domain) == proxy.namespace
            return near and host != self.client.scope.topic.host
        own = upstream.namespace == proxy.namespace
        port = self.gateway.base.dialled_port
        ports = (port, mesh.target_port(port, proxy))
        return own and matches_labels(proxy.labels, upstream.labels) and upstream.port in ports

    @property
    def _proxy(self) -> Proxy:
        found = self.gateway.client.proxy
        assert found is not None  # noqa: S101 - gateways are proxies
        return found

    # The second

    def _failures(self, wave: WaveStates) -> Iterator[tuple[Outcome, tuple[ResourceId, ...]]]:
        """Views in which a request that is served in the end is not, those with few steps first."""
        routes, clusters, servers = self._far.parts(wave)
        for request in self._asked:
            found = [
                (sorted({*routes.seen[r], *clusters.seen[c], *servers.seen[s]}), outcome)
                for r, route in enumerate(routes.states)
                for c, cluster in enumerate(clusters.states)
                for s, server in enumerate(servers.states)
                for outcome in [self._asks(request, Triple(route, cluster, server))]
                if not _serves(outcome, request)
            ]
            for seen, outcome in sorted(found, key=lambda one: len(one[0])):
                yield outcome, self._ids(self.gateway, seen)

    @cached_property
    def _asked(self) -> list[Request]:
        """The classes at the gateway that it serves whenever clients send to it for good."""
        _, every = self._far.looked_up
        classes = self.gateway.classes(every[0], every[1], every[2], self.budget)
        kept = [
            gateway
            for client, gateway in zip(
                self._ends(self.client), self._ends(self.gateway), strict=True
            )
            if self._sends(client, client)
        ]
        return [
            request
            for one, principal in product(classes, self._principals)
            for request in [replace(one, principal=principal)]
            if all(_serves(self._asks(request, Triple(s, s, s)), request) for s in kept)
        ]

    @cached_property
    def _principals(self) -> tuple[str, ...]:
        """Whom the gateway may take the client for: by its certificate, where it asks for one."""
        modes = {
            server.tls.mode if server.tls else ""
            for state in self._ends(self.gateway)
            for gateway in self.gateway.scope.mesh(state).gateways_of(self._proxy)
            for server in gateway.servers
            if server.port == self.gateway.base.dialled_port
        }
        if modes.isdisjoint(_ASKING):
            return ("",)
        named = self.client.identity
        return (named,) if modes == {"ISTIO_MUTUAL"} else (named, "")

    def _asks(self, request: Request, view: Triple) -> Outcome:
        return self.gateway.outcomes.asked(request, NOTHING)(view)

    # Both

    @cached_property
    def _near(self) -> Examination:
        return self._examination(self.client)

    @cached_property
    def _far(self) -> Examination:
        return self._examination(self.gateway)

    def _examination(self, case: Case) -> Examination:
        return Examination(case, *self._ends(case), self.states(case.scope), self.budget)

    @staticmethod
    def _ids(case: Case, positions: Iterable[int]) -> tuple[ResourceId, ...]:
        return tuple(case.scope.ids[position] for position in positions)

    @staticmethod
    def _ends(case: Case) -> tuple[State, State]:
        return case.scope.state({}), case.scope.state({}, HEAD)


def _serves(outcome: Outcome, request: Request) -> bool:
    """Whether a request is served; of what is not known it is said elsewhere."""
    ends = ends_of(outcome, request)
    return ends is None or (ends.served and not ends.passed)


def onward(
    clients: TopicCases,
    gateways: Iterable[tuple[str, TopicCases]],
    waves: Sequence[Moving],
    versions: Versions,
    budget: Budget,
) -> Findings:
    """What comes of requests that clients may send to gateways, in the waves of a plan.

    The gateways come with the host by which they are asked.
    """

    def states(scope: Scope) -> list[WaveStates]:
        return [wave_in(scope, wave, versions) for wave in waves]

    return together(
        [
            Onward(client, gateway, host, states, budget).findings()
            for host, cases in gateways
            for gateway in cases.cases(reverse=False)
            for client in clients.cases(reverse=False)
        ]
    )
