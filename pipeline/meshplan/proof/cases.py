"""One client and one host, port and scheme: its request classes, and their outcomes in a view."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.mesh.hosts import namespace_of
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import ProxyKind
from meshplan.proof.assumptions import TokenRules, token_rules
from meshplan.proof.conditions import (
    Shift,
    asks_for_whole_path,
    left_open,
    of_filters,
    of_places,
    of_routes,
    shift_of,
    undecidable,
)
from meshplan.proof.outcomes import Outcomes
from meshplan.proof.scope import Scope, Stages, State
from meshplan.proof.space import RuleList, Space
from meshplan.proof.types import Budget, Client
from meshplan.traffic.clusters import Cluster
from meshplan.traffic.inbound import Inbound, Server
from meshplan.traffic.opaque import opaque_inbound, opaque_outbound, opaque_service
from meshplan.traffic.outcome import Transport
from meshplan.traffic.request import Request
from meshplan.traffic.route import Front, Selected, front
from meshplan.traffic.table import ClusterName, Forward, Route, VirtualHost
from meshplan.traffic.tables import tables


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
    _classes: dict[Hashable, list[Request]] = field(default_factory=dict)
    outcomes: Outcomes = field(init=False)

    def __post_init__(self) -> None:
        self.outcomes = Outcomes(self)

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
        found: dict[Hashable, Server] = {}
        for state in states:
            for cluster in self.clusters(state, names):
                for up in cluster.upstreams if cluster else ():
                    if up.has_sidecar:
                        server = Server(up.namespace, up.labels, up.port)
                        found.setdefault(server.key, server)
        return list(found.values())

    # Classes

    def classes(
        self,
        routes: Sequence[State],
        clusters: Sequence[State],
        servers: Sequence[State],
        budget: Budget,
    ) -> list[Request]:
        """A request of each class that no view out of these states tells apart.

        Raises BudgetError.
        """
        reached = self.servers(clusters, self.names(routes))
        key = (
            tuple(dict.fromkeys(self.front_number(state) for state in routes)),
            tuple(server.key for server in reached),
            tuple(dict.fromkeys(self.server_number(state, reached) for state in servers)),
        )
        if key not in self._classes:
            lists = tuple(dict.fromkeys(self._lists(routes, clusters, servers)))
            level = self.scope.mesh(servers[0]).config.path_normalization
            found = Space(lists, level, budget.classes).requests(self.base)
            self._classes[key] = found
        return self._classes[key]

    def _lists(
        self, routes: Sequence[State], clusters: Sequence[State], servers: Sequence[State]
    ) -> Iterator[RuleList]:
        if self.client.proxy is not None:
            for state in routes:
                found = self.front(state)
                if isinstance(found.host, VirtualHost):
                    yield from of_routes(found.host)
                if found.inbound is not None:
                    yield from of_filters(found.inbound.filters(), [(0, "")])
            gateway = self.at_gateway
            if gateway is not None:
                yield from self._of_tokens(routes, gateway)
        shifts = list(dict.fromkeys(self._shifts(routes)))
        for server in self.servers(clusters, self.names(routes)):
            yield from self._of_tokens(servers, server)
            for state in servers:
                filters = self.inbound(state, server).filters(for_tcp=self.base.is_connection)
                yield from of_filters(filters, shifts)

    @property
    def at_gateway(self) -> Server | None:
        """The pods of the client's gateway, as those who ask for tokens."""
        proxy = self.client.proxy
        if proxy is None or proxy.kind is not ProxyKind.GATEWAY:
            return None
        return Server(proxy.namespace, proxy.labels, self.base.dialled_port)

    def _of_tokens(self, states: Sequence[State], server: Server) -> Iterator[RuleList]:
        """Where tokens are looked for, if what makes them good changes."""
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

    def is_blind(
        self, routes: Sequence[State], clusters: Sequence[State], servers: Sequence[State]
    ) -> bool:
        """Whether some route or policy looks at what classes do not tell apart."""
        for state in routes if self.client.proxy is not None else ():
            found = self.front(state).inbound
            if found is not None and undecidable(found.filters()):
                return True
        if any(asks_for_whole_path(route.conditions) for route in self.routes(routes)):
            return True
        return any(
            undecidable(self.inbound(state, server).filters())
            for server in self.servers(clusters, self.names(routes))
            for state in servers
        )

    # Clients that have everything in common

    def likeness(
        self,
        routes: Sequence[State],
        clusters: Sequence[State],
        servers: Sequence[State],
    ) -> Hashable:
        """What outcomes depend on besides the request: equal for clients that fare alike."""
        names = self.names(routes)
        reached = self.servers(clusters, names)
        base = self.base
        return (
            (base.host, base.port, base.scheme, base.method, base.path, base.sni, base.client_ip),
            self.server and self.server.key,
            self.transport,
            self.stages,
            tuple(self.front_number(state) for state in routes),
            names,
            tuple(self.cluster_number(state, names) for state in clusters),
            tuple(server.key for server in reached),
            tuple(self._left_open(state, one) for one in reached for state in servers),
        )

    def _left_open(self, state: State, server: Server) -> int:
        """A number for what the policies of a server still ask who knows who the client is."""
        identity = self.identity

        def left() -> object:
            inbound = self.inbound(state, server)
            return [left_open(inbound.filters(for_tcp=t), identity) for t in (False, True)]

        subject = (server.key, self.server_number(state, (server,)), identity)
        return self.scope.numbers.of("left open", subject, left)

    @property
    def identity(self) -> str:
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
        base = self.base
        stage = ("front", base.host, base.port, base.scheme)
        subject = (self.client.proxy, state)
        return self.scope.numbers.of(stage, subject, lambda: self._front_key(state))

    def cluster_number(self, state: State, names: tuple[ClusterName, ...]) -> int:
        """As `front_number`, for clusters and endpoints."""
        if not names:
            return 0
        stage, subject = ("clusters", names), (self.client.proxy, state)
        return self.scope.numbers.of(stage, subject, lambda: self._cluster_keys(state, names))

    def server_number(self, state: State, servers: Iterable[Server]) -> int:
        """As `front_number`, for the servers."""
        found = tuple(servers)
        stage = ("servers", tuple(server.key for server in found))
        return self.scope.numbers.of(
            stage, state, lambda: [self._server_key(state, server) for server in found]
        )

    def _front_key(self, state: State) -> object:
        found = self.front(state)
        filters = found.inbound.filters() if found.inbound else ()
        assert self.client.proxy is not None  # noqa: S101
        mesh = self.scope.mesh(state)
        opaque = opaque_outbound(mesh, self.client.proxy)
        tokens = self.tokens(state, self.at_gateway)
        return (found.host, filters, tokens, opaque, self.is_nowhere(mesh))

    def _cluster_keys(self, state: State, names: tuple[ClusterName, ...]) -> object:
        mesh = self.scope.mesh(state)
        return [
            found and (found, opaque_service(mesh, found.service))
            for found in self.clusters(state, names)
        ]

    def _server_key(self, state: State, server: Server) -> object:
        found = self.inbound(state, server)
        opaque = opaque_inbound(self.scope.mesh(state), server.namespace, server.labels)
        return (
            found.peer_mode.mode,
            found.protocol,
            # Which of them count for connections follows from them.
            found.filters(),
            # So does where tokens are looked for.
            self.tokens(state, server),
            opaque,
        )

    def is_nowhere(self, mesh: Mesh) -> bool:
        """Whether a client cannot even find the host: the name of a Service that does not exist."""
        host = self.scope.topic.host
        if self.client.is_gateway or host not in mesh.known.hosts or host in mesh.registry.by_host:
            return False
        return bool(namespace_of(host, mesh.config.cluster_domain))
