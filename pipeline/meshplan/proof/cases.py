"""One client and one host, port and scheme: its request classes, and their outcomes in a view."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import namespace_of
from meshplan.mesh.model import Mesh
from meshplan.proof.assumptions import (
    AssumingInbounds,
    Assumptions,
    Memory,
    TokenRules,
    decided,
    is_about_token,
    refuses_token,
    token_rules,
)
from meshplan.proof.conditions import (
    Shift,
    left_open,
    of_filters,
    of_places,
    of_routes,
    shift_of,
    undecidable,
)
from meshplan.proof.scope import Scope, Stages, State
from meshplan.proof.space import RuleList, Space
from meshplan.proof.types import Budget, Client
from meshplan.traffic.clusters import Cluster
from meshplan.traffic.forward import Hop, forward
from meshplan.traffic.inbound import Inbound, Server
from meshplan.traffic.opaque import opaque_inbound, opaque_outbound
from meshplan.traffic.outcome import Denied, Failed, Outcome, Reason, Transport, Unknown
from meshplan.traffic.paths import normalized
from meshplan.traffic.request import Request
from meshplan.traffic.route import Front, Selected, View, admit, carry_out, front, let_in, tables
from meshplan.traffic.table import ClusterName, Forward, Route, VirtualHost

#: Which of the distinct results of each stage a view has.
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Triple:
    """The states that the three stages of a view are from."""

    routes: State
    clusters: State
    servers: State


@dataclass(slots=True)
class Case:
    """Requests of one client that look the same until their path and headers are read."""

    scope: Scope
    client: Client
    base: Request
    stages: Stages
    #: Only for a peer that goes to a workload directly.
    server: Server | None = None
    transport: Transport = Transport.PLAINTEXT
    _fronts: dict[State, Front] = field(default_factory=dict)
    _classes: dict[tuple[frozenset[State], ...], list[Request]] = field(default_factory=dict)
    _distinct: dict[Hashable, list[object]] = field(default_factory=dict)
    _numbers: dict[tuple[Hashable, State], int] = field(default_factory=dict)

    # Stages

    def front(self, state: State) -> Front:
        """What the client's proxy has for the requests, by the routes of a state."""
        found = self._fronts.get(state)
        if found is None:
            assert self.client.proxy is not None  # noqa: S101 - peers without one have no routes
            found = front(self.scope.mesh(state), self.base, self.client.proxy)
            self._fronts[state] = found
        return found

    def clusters(self, state: State, names: Iterable[ClusterName]) -> tuple[Cluster | None, ...]:
        """The clusters of a state."""
        assert self.client.proxy is not None  # noqa: S101
        found = tables(self.scope.mesh(state)).clusters(self.client.proxy)
        return tuple(found.get(name) for name in names)

    def inbound(self, state: State, server: Server) -> Inbound:
        """The server's side in a state."""
        return tables(self.scope.mesh(state)).inbound.of(server)

    # What the stages have in common

    def routes(self, states: Iterable[State]) -> Iterator[Route]:
        """All routes that the requests may take by the routes of some states."""
        for state in states if self.client.proxy is not None else ():
            host = self.front(state).host
            if isinstance(host, VirtualHost):
                yield from host.routes
            elif isinstance(host, Selected):
                yield host.route

    def names(self, states: Iterable[State]) -> tuple[ClusterName, ...]:
        """The clusters of all those routes."""
        return tuple(
            dict.fromkeys(
                target.cluster
                for route in self.routes(states)
                if isinstance(route.action, Forward)
                for target in route.action.targets
            )
        )

    def servers(self, states: Iterable[State], names: Iterable[ClusterName]) -> list[Server]:
        """The workloads that are reached through some clusters in some states."""
        if self.server is not None:
            return [self.server]
        names = tuple(names)
        found: dict[tuple[str, tuple[tuple[str, str], ...], int], Server] = {}
        for state in states:
            for cluster in self.clusters(state, names):
                for up in cluster.upstreams if cluster else ():
                    if up.has_sidecar and not up.opaque:
                        key = (up.namespace, tuple(sorted(up.labels.items())), up.port)
                        found.setdefault(key, Server(up.namespace, up.labels, up.port))
        return list(found.values())

    # Classes

    def classes(
        self,
        routes: frozenset[State],
        clusters: frozenset[State],
        servers: frozenset[State],
        budget: Budget,
    ) -> list[Request]:
        """A request of each class that no view out of these states tells apart.

        Raises BudgetError.
        """
        key = (routes, clusters, servers)
        if key not in self._classes:
            lists = tuple(dict.fromkeys(self._lists(routes, clusters, servers)))
            level = self.scope.mesh(next(iter(servers))).config.path_normalization
            found = Space(lists, level, budget.classes).requests(self.base)
            self._classes[key] = found
        return self._classes[key]

    def _lists(
        self, routes: frozenset[State], clusters: frozenset[State], servers: frozenset[State]
    ) -> Iterator[RuleList]:
        if self.client.proxy is not None:
            for state in sorted(routes):
                found = self.front(state)
                if isinstance(found.host, VirtualHost):
                    yield from of_routes(found.host)
                if found.inbound is not None:
                    yield from of_filters(found.inbound.filters(), [(0, "")])
            yield from self._of_tokens(routes, self._at_gateway)
        shifts = list(dict.fromkeys(self._shifts(routes)))
        for server in self.servers(sorted(clusters), self.names(sorted(routes))):
            yield from self._of_tokens(servers, server)
            for state in sorted(servers):
                filters = self.inbound(state, server).filters(for_tcp=self._is_tcp)
                yield from of_filters(filters, shifts)

    @property
    def _at_gateway(self) -> Server | None:
        """The pods of the client's gateway, as those who ask for tokens."""
        proxy = self.client.proxy
        if proxy is None or not self.client.is_gateway:
            return None
        return Server(proxy.namespace, proxy.labels, 0)

    def _of_tokens(self, states: Iterable[State], server: Server | None) -> Iterator[RuleList]:
        """Where tokens are looked for, if what makes them good changes."""
        if server is None:
            return
        states = sorted(states)
        if len({self.tokens(state, server) for state in states}) > 1:
            for state in states:
                yield of_places(self.inbound(state, server).token_places)

    def tokens(self, state: State, server: Server | None) -> TokenRules:
        """Which tokens are good in a state."""
        if server is None:
            return ()
        return token_rules(self.scope.mesh(state), server.namespace, server.labels)

    def _shifts(self, states: Iterable[State]) -> Iterator[Shift | None]:
        """What becomes of paths before the servers see them."""
        if self.server is not None:
            yield (0, "")
        for route in self.routes(states):
            if isinstance(route.action, Forward):
                yield shift_of(route.action.rewrite, route)

    @property
    def _is_tcp(self) -> bool:
        return self.base.scheme in ("tcp", "tls")

    def is_blind(self, routes: Iterable[State], servers: Iterable[State]) -> bool:
        """Whether some policy looks at what classes do not tell apart."""
        del servers
        for state in routes:
            found = self.front(state).inbound if self.client.proxy is not None else None
            if found is not None and undecidable(found.filters()):
                return True
        return False

    # Clients that have everything in common

    def likeness(
        self,
        routes: frozenset[State],
        clusters: frozenset[State],
        servers: frozenset[State],
    ) -> object:
        """What outcomes depend on besides the request: equal for clients that fare alike."""
        names = self.names(sorted(routes))
        reached = self.servers(sorted(clusters), names)
        asked = [
            self.inbound(state, server).filters(for_tcp=for_tcp)
            for server in reached
            for state in sorted(servers)
            for for_tcp in (False, True)
        ]
        return (
            replace(self.base, principal=""),
            self.server,
            self.transport,
            self.stages,
            [self._front_key(state) for state in sorted(routes)] if self.client.proxy else None,
            [self.clusters(state, names) for state in sorted(clusters)] if names else None,
            [(server.namespace, server.labels, server.port) for server in reached],
            [left_open(filters, self._identity) for filters in asked],
        )

    @property
    def _identity(self) -> str:
        """The identity in the client's certificate."""
        proxy = self.client.proxy
        if proxy is None:
            return self.base.principal
        trust = self.scope.mesh(self.scope.state({})).config.trust_domain
        return f"{trust}/ns/{proxy.namespace}/sa/{proxy.service_account}"

    # Distinct results

    def front_number(self, state: State) -> int:
        """A number for what the routes of a state make of the requests; equal ones share it."""
        if self.client.proxy is None:
            return 0
        return self._number(("front",), state, self._front_key)

    def cluster_number(self, state: State, names: tuple[ClusterName, ...]) -> int:
        """As `front_number`, for clusters and endpoints."""
        if self.client.proxy is None:
            return 0
        return self._number(("clusters", names), state, lambda s: self.clusters(s, names))

    def server_number(self, state: State, servers: list[Server]) -> int:
        """As `front_number`, for the servers."""
        names = tuple((s.namespace, tuple(sorted(s.labels.items())), s.port) for s in servers)
        return self._number(
            ("servers", names), state, lambda s: [self._server_key(s, found) for found in servers]
        )

    def _front_key(self, state: State) -> object:
        found = self.front(state)
        filters = found.inbound.filters() if found.inbound else ()
        places = found.inbound.token_places if found.inbound else ()
        assert self.client.proxy is not None  # noqa: S101
        mesh = self.scope.mesh(state)
        opaque = opaque_outbound(mesh, self.client.proxy)
        tokens = self.tokens(state, self._at_gateway)
        return (found.host, filters, places, tokens, opaque, self._is_nowhere(mesh))

    def _server_key(self, state: State, server: Server) -> object:
        found = self.inbound(state, server)
        opaque = opaque_inbound(self.scope.mesh(state), server.namespace, server.labels)
        return (
            found.peer_mode.mode,
            found.protocol,
            found.filters(for_tcp=self._is_tcp),
            found.token_places,
            self.tokens(state, server),
            opaque,
        )

    def _number(self, stage: Hashable, state: State, result: Callable[[State], object]) -> int:
        key = (stage, state)
        if key not in self._numbers:
            value = result(state)
            known = self._distinct.setdefault(stage, [])
            same = (number for number, other in enumerate(known) if other == value)
            number = next(same, len(known))
            if number == len(known):
                known.append(value)
            self._numbers[key] = number
        return self._numbers[key]

    # Outcomes

    def outcome(
        self, triple: Triple, request: Request, assumptions: Assumptions, memory: Memory
    ) -> Outcome:
        """What happens to a request in a view; raises OpenQuestionError.

        `memory` is kept for the same request.
        """
        view = View(
            self.scope.mesh(triple.routes),
            self.scope.mesh(triple.clusters),
            self.scope.mesh(triple.servers),
        )
        if self.client.proxy is None:
            return self._admitted(triple.servers, request, assumptions)
        if self._is_nowhere(view.routes):
            why = (Reason(None, "there is no such Service"),)
            return Failed(None, "-", "no such host", why=why)
        tokens = self.tokens(triple.routes, self._at_gateway)
        chosen = decided(self.front(triple.routes), request, assumptions, tokens)
        if not isinstance(chosen, Selected):
            outcome = chosen
        elif isinstance(chosen.route.action, Forward):
            inbound = tables(view.servers).inbound
            hop = Hop(
                clusters=tables(view.clusters).clusters(self.client.proxy),
                servers=view.servers,
                inbound=AssumingInbounds(view.servers, inbound, assumptions, memory),
                proxy=self.client.proxy,
            )
            outcome = forward(chosen.route.action, chosen.route, request, hop, chosen.why)
        else:
            outcome = carry_out(view, chosen, request, self.client.proxy)
        opaque = opaque_outbound(view.routes, self.client.proxy)
        if opaque and not isinstance(outcome, Unknown):
            reason = f"{opaque[0]} changes what the proxy does"
            return Unknown(reason, opaque, outcome, outcome.why)
        return outcome

    def _is_nowhere(self, mesh: Mesh) -> bool:
        """Whether a client cannot even find the host: the name of a Service that does not exist."""
        if self.client.is_gateway or not mesh.known.hosts:
            return False
        host = self.scope.topic.host
        namespace = namespace_of(host, mesh.config.cluster_domain)
        if not namespace or host not in mesh.known.hosts or host in mesh.registry.by_host:
            return False
        return ResourceId("", "Service", namespace, host.partition(".")[0]) not in mesh.snapshot

    def _admitted(self, state: State, request: Request, assumptions: Assumptions) -> Outcome:
        """What a workload does with a request of a peer that has no sidecar."""
        assert self.server is not None  # noqa: S101 - peers without a proxy go to a workload
        mesh = self.scope.mesh(state)
        inbound, tokens = self.inbound(state, self.server), self.tokens(state, self.server)
        outcome = admit(mesh, request, self.server, self.transport)
        if refuses_token(inbound, tokens, request, assumptions):
            return Denied(401, "jwt") if not isinstance(outcome, Failed) else outcome
        if not isinstance(outcome, Unknown) or outcome.opaque:
            return outcome
        filters = inbound.filters(for_tcp=self._is_tcp)
        question = ("server", inbound.peer_mode.mode, filters, tokens)
        is_good = bool(tokens) and is_about_token(outcome)
        if is_good or assumptions.ask(question, f"not denied, though {outcome.reason}"):
            path = normalized(request.path, mesh.config.path_normalization) or request.path
            return let_in(replace(request, path=path), self.server, self.transport, outcome.why)
        return Denied(403, "assumed", outcome.why)
