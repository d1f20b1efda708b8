"""What becomes of one request in every view of a stage.

A view takes the routes of the client's proxy, its clusters and the servers' listeners each from any
state that the stage leads through. Each of the three is a function of its own state, and what goes
from one to the next are names: so that states are told apart by what comes of them, and what
comes of them is combined, in the place of all triples of states.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.traffic import Outcome, Request, View
from meshplan.traffic.opaque import opaque_outbound, opaque_service
from meshplan.traffic.paths import normalized, refusal
from meshplan.traffic.route import Front, Selected, decide, followed, front
from meshplan.traffic.table import Forward
from meshplan.traffic.tables import tables
from meshplan.verify.bearing import Bearing
from meshplan.verify.replay import Write
from meshplan.verify.views import Fate, Level, Visible, fate_of
from meshplan.verify.world import Part


class TooManyWritesError(Exception):
    """So many writes of a stage bear on one look that not all its states can be looked at."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


class Looks:
    """The states of one stage that each of the three looks can tell apart."""

    def __init__(self, number: int, mine: tuple[Write, ...], bearing: Bearing, most: int):
        self.number = number
        self._mine = mine
        self._bearing = bearing
        self._most = most

    def routes(self, part: Part, asked: str) -> Mapping[Visible, Mesh]:
        """Those in which the client's proxy may take another route for a host in some form."""
        return self._states(part, self._bearing.at_routes(self._mine, asked))

    def clusters(self, part: Part, hosts: frozenset[str]) -> Mapping[Visible, Mesh]:
        """Those in which the clusters of some hosts may be others."""
        return self._states(part, self._bearing.at_clusters(self._mine, hosts))

    def servers(self, part: Part, namespaces: frozenset[str]) -> Mapping[Visible, Mesh]:
        """Those in which servers in some namespaces may let others in."""
        return self._states(part, self._bearing.at_servers(self._mine, namespaces))

    def together(self, part: Part, asked: str) -> Mapping[Visible, Mesh]:
        """All in which anything may be otherwise, for proxies that are at one."""
        return self._states(part, self._bearing.at_once(self._mine, asked))

    def everything(self, part: Part) -> Mapping[Visible, Mesh]:
        """All states."""
        return self._states(part, self._mine)

    def _states(self, part: Part, writes: tuple[Write, ...]) -> Mapping[Visible, Mesh]:
        if len(writes) > self._most:
            raise TooManyWritesError(self.number)
        return part.states(self.number, writes)


class Choices:
    """What proxies choose for requests, and the clusters of that, numbered: the same number for
    the same thing.
    """

    def __init__(self) -> None:
        self.all: list[Selected | Outcome] = []
        self._known: dict[int, int] = {}
        # What was numbered by its address is kept, so that no address is used twice.
        self._kept: list[object] = []
        self._outside: dict[int, tuple[ResourceId, ...]] = {}
        self._fronts: dict[tuple[object, ...], Front] = {}
        self._clusters: dict[tuple[int, int], int] = {}
        self._told: dict[int, list[object]] = {}

    def front(self, mesh: Mesh, request: Request, client: Proxy) -> Front:
        """What a proxy has for a host and a connection, the same whatever else a request has."""
        key = (id(mesh), request.host, request.port, request.scheme, request.sni, request.principal)
        found = self._fronts.get(key)
        if found is None:
            self._kept.append(mesh)
            found = self._fronts[key] = front(mesh, request, client)
        return found

    def outside(self, mesh: Mesh, client: Proxy) -> tuple[ResourceId, ...]:
        """What meets all that a proxy sends on and is not modelled."""
        found = self._outside.get(id(mesh))
        if found is None:
            self._kept.append(mesh)
            found = self._outside[id(mesh)] = opaque_outbound(mesh, client)
        return found

    def number(self, chosen: Selected | Outcome) -> int:
        """The number of a choice."""
        key = chosen.route if isinstance(chosen, Selected) else chosen
        number = self._known.get(id(key))
        if number is None:
            number = next((n for n, one in enumerate(self.all) if _same(chosen, one)), None)
            if number is None:
                number = len(self.all)
                self.all.append(chosen)
            self._known[id(key)] = number
            self._kept.append(key)
        return number

    def clusters(self, number: int, action: Forward, mesh: Mesh, client: Proxy) -> int:
        """The number of what a state has in the place of the clusters of a choice.

        Nothing else of the state is looked at on the way to the endpoints: a target is looked up by
        its name, and its service may be one that is not modelled.
        """
        key = (number, id(mesh))
        if key not in self._clusters:
            self._kept.append(mesh)
            found = tables(mesh).clusters(client)
            got = [found.get(target.cluster) for target in action.targets if not target.invalid]
            told = [(one, opaque_service(mesh, one.service)) if one else None for one in got]
            known = self._told.setdefault(number, [])
            if told not in known:
                known.append(told)
            self._clusters[key] = known.index(told)
        return self._clusters[key]


def _same(one: Selected | Outcome, other: Selected | Outcome) -> bool:
    if isinstance(one, Selected) and isinstance(other, Selected):
        return one.route == other.route
    return one == other


class Asked:
    """One request of one client for a host, in whatever form: what becomes of it in any view."""

    def __init__(
        self,
        request: Request,
        client: Proxy,
        host: str,
        mesh: Mesh,
        choices: Choices,
        *,
        fully: bool = False,
    ):
        self._fully = fully
        path = normalized(request.path, mesh.config.path_normalization)
        self.form = request.host
        self._host = host
        self._bad = path is None
        self._request = request if path in (None, request.path) else replace(request, path=path)
        self._client = client
        self._choices = choices
        self._chosen: dict[int, int] = {}
        self._known: dict[tuple[int, int, int, tuple[ResourceId, ...]], Fate] = {}

    def choice(self, mesh: Mesh) -> int:
        """The number of what the client's proxy chooses in a state."""
        found = self._chosen.get(id(mesh))
        if found is None:
            before = self._choices.front(mesh, self._request, self._client)
            chosen = decide(before, self._request)
            found = self._chosen[id(mesh)] = self._choices.number(chosen)
        return found

    def _has_no_address(self, mesh: Mesh) -> bool:
        """Whether no client finds the host: the tree has the Service in other states alone."""
        host = self._host
        return (
            self._client.kind is ProxyKind.SIDECAR
            and host in mesh.known.hosts
            and host.endswith(f".svc.{mesh.config.cluster_domain}")
            and host not in mesh.registry.by_host
        )

    def at(self, mesh: Mesh) -> Fate:
        """What becomes of it in one state."""
        return self.within(mesh, mesh, mesh)

    def within(self, routes: Mesh, clusters: Mesh, servers: Mesh) -> Fate:
        """What becomes of it with routes, clusters and servers each from a state."""
        if self._bad:
            refused = refusal(self._request.path)
            return Fate(Level.FAILED, text=f"{refused.status} {refused.flag}")
        if self._has_no_address(routes):
            return Fate(Level.FAILED, text="without an address")
        number = self.choice(routes)
        opaque = self._choices.outside(routes, self._client)
        key = (number, id(clusters), id(servers), opaque)
        if key not in self._known:
            view = View(routes, clusters, servers)
            found = followed(view, self._choices.all[number], self._request, self._client)
            self._known[key] = fate_of(found, self._request.path, fully=self._fully)
        return self._known[key]

    def fates(self, looks: Looks, part: Part) -> Iterator[tuple[Visible, Fate]]:
        """The fate in every view of a stage, equal views once.

        Raises TooManyWritesError.
        """
        seen = set[object]()
        for visible, routes in looks.routes(part, self.form).items():
            number = self.choice(routes)
            outside = self._choices.outside(routes, self._client)
            key = (number, outside, self._has_no_address(routes))
            if key in seen:
                continue
            seen.add(key)
            action = self._forward(number)
            if action is None:
                yield visible, self.at(routes)
                continue
            for others, clusters, servers in self._beyond(number, action, looks, part):
                fate = self.within(routes, clusters, servers)
                yield tuple(dict.fromkeys((*visible, *others))), fate

    def _forward(self, number: int) -> Forward | None:
        chosen = self._choices.all[number]
        action = chosen.route.action if isinstance(chosen, Selected) else None
        return action if isinstance(action, Forward) else None

    def _beyond(
        self, number: int, action: Forward, looks: Looks, part: Part
    ) -> Iterator[tuple[Visible, Mesh, Mesh]]:
        """Clusters and servers of every kind that a route may lead to."""
        hosts = frozenset(target.cluster.host.lower() for target in action.targets)
        seen = set[int]()
        for visible, clusters in looks.clusters(part, hosts).items():
            told = self._choices.clusters(number, action, clusters, self._client)
            if told in seen:
                continue
            seen.add(told)
            spaces = self._namespaces(action, clusters)
            for others, servers in looks.servers(part, spaces).items():
                yield (*visible, *others), clusters, servers

    def _namespaces(self, action: Forward, mesh: Mesh) -> frozenset[str]:
        """Where the servers are whose listeners a request may meet."""
        found = [tables(mesh).clusters(self._client).get(t.cluster) for t in action.targets]
        return frozenset(one.namespace for cluster in found if cluster for one in cluster.upstreams)
