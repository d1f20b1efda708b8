"""What happens to the requests of a case, worked out once for all views that look the same to them.

A view is three states, but a request sees little of each: the routes that its proxy has for the
host, the clusters that its own route leads to, and the servers behind those. Where these are equal
the outcome is, whichever wave, plan or search asks for it.
"""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.proof.assumptions import (
    AssumingInbounds,
    Assumptions,
    Memory,
    OpenQuestionError,
    TokenRules,
    decided,
    lets_in,
    refuses_token,
)
from meshplan.proof.scope import State
from meshplan.traffic.forward import Hop, forward
from meshplan.traffic.inbound import Inbound, Server
from meshplan.traffic.opaque import opaque_inbound, opaque_outbound
from meshplan.traffic.outcome import (
    Denied,
    Failed,
    Outcome,
    Reason,
    Served,
    Unknown,
)
from meshplan.traffic.request import Request
from meshplan.traffic.route import Selected, View, admit, carry_out, let_in
from meshplan.traffic.table import ClusterName, Forward
from meshplan.traffic.tables import tables

if TYPE_CHECKING:
    from meshplan.identity import ResourceId
    from meshplan.proof.cases import Case


@dataclass(frozen=True, slots=True)
class Triple:
    """The states that the three stages of a view are from."""

    routes: State
    clusters: State
    servers: State


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a front makes of a request, and the clusters that this leads to."""

    outcome: Selected | Outcome
    names: tuple[ClusterName, ...]


class Outcomes:
    """The outcomes of the requests of one case."""

    def __init__(self, case: "Case"):
        self._case = case
        self._chosen: dict[Hashable, _Chosen | OpenQuestionError] = {}
        self._reached: dict[Hashable, tuple[Server, ...]] = {}
        self._found: dict[Hashable, Outcome | OpenQuestionError] = {}

    def asked(self, request: Request, assumptions: Assumptions) -> "Asked":
        """The outcomes of one request under assumptions."""
        key = (
            request.method,
            request.path,
            tuple(sorted(request.headers.items())),
            request.client_ip,
            request.principal,
            frozenset(assumptions.answers.items()),
        )
        return Asked(self, request, assumptions, key)

    def of(self, triple: Triple, asked: "Asked") -> Outcome:
        """What happens to a request in a view; raises OpenQuestionError."""
        key = self._key(triple, asked)
        found = self._found.get(key)
        if found is None:
            self._case.scope.meter.spend(1)
            try:
                found = self.worked_out(triple, asked)
            except OpenQuestionError as question:
                # Not the one that was raised: that keeps all frames that it came through.
                found = OpenQuestionError(question.question, question.words)
            self._found[key] = found
        if isinstance(found, OpenQuestionError):
            raise OpenQuestionError(found.question, found.words)
        return found

    def _key(self, triple: Triple, asked: "Asked") -> Hashable:
        """All of a view that a request sees."""
        case = self._case
        if case.server is not None:
            servers = self._number_of_servers(triple.servers, (case.server,))
            return asked.key, servers
        front = self._number_of_front(triple.routes)
        chosen = self._chosen.get((asked.key, front))
        if chosen is None:
            try:
                chosen = self._choose(triple.routes, asked)
            except OpenQuestionError as question:
                chosen = OpenQuestionError(question.question, question.words)
            self._chosen[asked.key, front] = chosen
        if isinstance(chosen, OpenQuestionError):
            raise OpenQuestionError(chosen.question, chosen.words)
        if not chosen.names:
            return asked.key, front
        clusters = self._number_of_clusters(triple.clusters, chosen.names)
        reached = self._reached.get((chosen.names, clusters))
        if reached is None:
            reached = tuple(case.servers([triple.clusters], chosen.names))
            self._reached[chosen.names, clusters] = reached
        servers = self._number_of_servers(triple.servers, reached)
        return asked.key, front, clusters, servers

    def _choose(self, state: State, asked: "Asked") -> _Chosen:
        case = self._case
        tokens = case.tokens(state, case.at_gateway)
        chosen = decided(case.front(state), asked.request, asked.assumptions, tokens)
        names: tuple[ClusterName, ...] = ()
        if isinstance(chosen, Selected) and isinstance(chosen.route.action, Forward):
            targets = chosen.route.action.targets
            names = tuple(dict.fromkeys(target.cluster for target in targets))
        return _Chosen(chosen, names)

    # What makes a difference to outcomes and to the words in them

    def _number_of_front(self, state: State) -> int:
        case = self._case
        numbers = case.scope.numbers
        base, proxy = case.base, case.client.proxy
        stage = ("told front", base.host, base.port, base.scheme, proxy)

        def told() -> object:
            found = case.front(state)
            return case.front_number(state), found.why, getattr(found.host, "why", ())

        return numbers.of(stage, state, told)

    def _number_of_clusters(self, state: State, names: tuple[ClusterName, ...]) -> int:
        case = self._case
        stage = ("told clusters", names, case.client.proxy)

        def told() -> object:
            assert case.client.proxy is not None  # noqa: S101 - peers without one have no clusters
            found = tables(case.scope.mesh(state)).clusters(case.client.proxy)
            services = [found.service(name.host) for name in names]
            missing = [
                cluster is None and service and (service.id, service.port(name.port) is None)
                for name, cluster, service in zip(
                    names, case.clusters(state, names), services, strict=True
                )
            ]
            return case.cluster_number(state, names), missing

        return case.scope.numbers.of(stage, state, told)

    def _number_of_servers(self, state: State, servers: tuple[Server, ...]) -> int:
        case = self._case
        stage = ("told servers", tuple(server.key for server in servers))

        def told() -> object:
            sources = [case.inbound(state, server).peer_mode.sources for server in servers]
            return case.server_number(state, servers), sources

        return case.scope.numbers.of(stage, state, told)

    # Working out

    def worked_out(self, triple: Triple, asked: "Asked") -> Outcome:
        """The outcome in a view, without a look at what is known; raises OpenQuestionError."""
        case, request, assumptions = self._case, asked.request, asked.assumptions
        scope, proxy = case.scope, case.client.proxy
        if proxy is None:
            return self._admitted(triple.servers, request, assumptions)
        view = View(
            scope.mesh(triple.routes), scope.mesh(triple.clusters), scope.mesh(triple.servers)
        )
        if case.is_nowhere(view.routes):
            why = (Reason(None, "there is no such Service"),)
            return Failed(None, "-", "no such host", why=why)
        chosen = self._choose(triple.routes, asked).outcome
        if not isinstance(chosen, Selected):
            outcome = chosen
        elif isinstance(chosen.route.action, Forward):
            inbound = tables(view.servers).inbound
            hop = Hop(
                clusters=tables(view.clusters).clusters(proxy),
                servers=view.servers,
                inbound=AssumingInbounds(view.servers, inbound, assumptions, asked.memory),
                proxy=proxy,
            )
            outcome = forward(chosen.route.action, chosen.route, request, hop, chosen.why)
        else:
            outcome = carry_out(view, chosen, request, proxy)
        opaque = opaque_outbound(view.routes, proxy)
        if opaque and not isinstance(outcome, Unknown):
            reason = f"{opaque[0]} changes what the proxy does"
            return Unknown(reason, opaque, outcome, outcome.why)
        return outcome

    def _admitted(self, state: State, request: Request, assumptions: Assumptions) -> Outcome:
        """What a workload does with a request of a peer that has no sidecar."""
        case = self._case
        assert case.server is not None  # noqa: S101 - peers without a proxy go to a workload
        mesh, server = case.scope.mesh(state), case.server
        inbound, tokens = case.inbound(state, server), case.tokens(state, server)
        outcome = admit(mesh, request, server, case.transport)
        opaque: tuple[ResourceId, ...] = ()
        if isinstance(outcome, Unknown):
            opaque = opaque_inbound(mesh, server.namespace, server.labels)
            outcome = outcome.otherwise or outcome
        is_refused = isinstance(outcome, Failed)
        if not is_refused and refuses_token(inbound, tokens, request, assumptions):
            outcome = Denied(401, "jwt")
        elif isinstance(outcome, Unknown):
            outcome = self._assumed(inbound, request, (assumptions, tokens), outcome)
        if opaque:
            reason = f"{opaque[0]} changes what the server does"
            return Unknown(reason, opaque, outcome, outcome.why)
        return outcome

    def _assumed(
        self,
        inbound: Inbound,
        request: Request,
        given: tuple[Assumptions, TokenRules],
        unknown: Unknown,
    ) -> Served | Denied:
        """What a workload does with a request of which nobody can decide whether it is let in."""
        case, (assumptions, tokens) = self._case, given
        assert case.server is not None  # noqa: S101 - as above
        filters = inbound.filters(for_tcp=not inbound.protocol.is_http_or_sniffed)
        asked = (request.principal, request.host, "", case.server.port, tokens)
        if lets_in(filters, request, asked, assumptions):
            return let_in(request, case.server, case.transport, unknown.why)
        return Denied(403, "assumed", unknown.why)


class Asked:
    """One request under assumptions, to be looked at in many views."""

    __slots__ = ("_of", "assumptions", "key", "memory", "request")

    def __init__(
        self, outcomes: Outcomes, request: Request, assumptions: Assumptions, key: Hashable
    ):
        self._of = outcomes
        self.request = request
        self.assumptions = assumptions
        self.key = key
        self.memory: Memory = {}

    def __call__(self, triple: Triple) -> Outcome:
        """What happens to it in a view; raises OpenQuestionError."""
        return self._of.of(triple, self)
