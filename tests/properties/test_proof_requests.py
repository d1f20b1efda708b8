"""A hundred thousand random requests at each scenario: every one fares as its class does.

The versions are those of the base, of the head, and of all bridges of the plan. Requests are drawn
around the words of the manifests. Those that differ only in what no manifest names are one to every
proxy, so that they are asked about once. What a class is, is told without the prover: which route
each version takes, and what each of its servers' policies says.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

import pytest

from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Apply, Plan, simulate
from meshplan.planner.solve import solve
from meshplan.proof import Prover
from meshplan.proof.assumptions import NOTHING, decided
from meshplan.proof.cases import Case
from meshplan.proof.scope import State, normal
from meshplan.proof.types import DEFAULT_BUDGET
from meshplan.resource import Snapshot
from meshplan.settings import World
from meshplan.traffic import Outcome, View, admit, route_in
from meshplan.traffic.outcome import Failed, Redirect, Served, Transport
from meshplan.traffic.paths import normalized, rewritten
from meshplan.traffic.request import Request
from meshplan.traffic.route import Selected
from meshplan.traffic.table import Forward
from support.scenarios import SCENARIOS, scenario_snapshots

REQUESTS = 100_000
METHODS = ("GET", "POST", "DELETE", "OPTIONS")
IDENTITIES = ("cluster.local/ns/web/sa/one", "cluster.local/ns/x/sa/y")


@dataclass(frozen=True)
class Words:
    """What the manifests of a change name, found by walking through them."""

    objects: Sequence[Mapping[str, Any]]

    @cached_property
    def text(self) -> str:
        return json.dumps(self.objects)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Everything that starts like a path, and the methods of gRPC."""
        found = dict.fromkeys(
            leaf.rstrip("*")
            for leaf in leaves(self.objects)
            if leaf.startswith("/") and " " not in leaf
        )
        for match in values(self.objects, "method"):
            if isinstance(match, dict):
                service, method = match.get("service", "pkg.Any"), match.get("method", "Any")
                found[f"/{service}/{method}"] = None
        return tuple(found)

    @cached_property
    def methods(self) -> bool:
        """Whether any names a method of HTTP."""
        return any(leaf in METHODS for leaf in leaves(self.objects))

    @cached_property
    def headers(self) -> Mapping[str, tuple[str, ...]]:
        """The headers that are named, with the values beside them."""
        found: dict[str, tuple[str, ...]] = {}
        for key in ("headers", "withoutHeaders"):
            for named in values(self.objects, key):
                pairs = named.items() if isinstance(named, dict) else ()
                for name, value in pairs:
                    if name not in ("request", "response"):
                        found[name.lower()] = (*found.get(name.lower(), ()), *leaves(value))
                for one in named if isinstance(named, list) else ():
                    found[one["name"].lower()] = (one["value"],)
        for leaf in leaves(self.objects):
            if leaf.startswith("request.headers["):
                found.setdefault(leaf[16:-1].lower(), ())
        if "jwtRules" in self.text:
            found["authorization"] = ()
        return found

    @cached_property
    def queries(self) -> tuple[str, ...]:
        """The parameters of the query that are named."""
        return tuple(n for found in values(self.objects, "queryParams") for n in found)

    def read(self, query: str) -> str:
        """A query without the parameters that nobody reads."""
        return "&".join(part for part in query.split("&") if part.split("=")[0] in self.queries)


def leaves(value: object) -> Iterator[str]:
    """All texts within."""
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from leaves(one)
        case list() | tuple():
            for one in value:
                yield from leaves(one)


def values(value: object, key: str) -> Iterator[Any]:
    """All that stands under a key, wherever that is."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name == key:
                yield one
            yield from values(one, key)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from values(one, key)


def drawn(random: Random, words: Words, count: int) -> Iterator[Request]:
    """Random requests, of which those are taken together that nobody tells apart.

    Each part is drawn for itself from a thousand; what no manifest names is left out of it then.
    """
    paths = [path_of(random, words) if words.paths else "/" for _ in range(1000)]
    methods = METHODS if words.methods else ("GET",)
    queries = [words.read(query_of(random, words)) for _ in range(1000)]
    headers = [tuple(sorted(headers_of(random, words).items())) for _ in range(1000)]
    parts = (random.choices(one, k=count) for one in (paths, methods, queries, headers))
    for path, method, query, named in sorted(set(zip(*parts, strict=True))):
        asked = path + ("?" + query if query else "")
        yield Request("", method=method, path=asked, headers=dict(named))


def path_of(random: Random, words: Words) -> str:
    """A path around the words of the manifests, which proxies leave as it is."""
    paths = [*words.paths, "/", "/x", "/x/y", "/admin"]
    while True:
        path = random.choice(paths)
        match random.randrange(6):
            case 0:
                path += random.choice(("x", "/", "/x", "1", ".js"))
            case 1:
                path = path[: random.randrange(1, len(path) + 1)]
            case 2:
                path = random.choice(paths) + path
            case 3 if random.random() < 0.2:
                path = path.swapcase()
            case _:
                pass
        if normalized(path, "BASE") == path:
            return path


def query_of(random: Random, words: Words) -> str:
    """Parameters that are named, and others."""
    names = (*words.queries, "z")
    return "&".join(f"{random.choice(names)}={random.choice('12')}" for _ in range(2))


def headers_of(random: Random, words: Words) -> dict[str, str]:
    """Headers that are named, with values near those that are."""
    found: dict[str, str] = {}
    for name, known in words.headers.items():
        if random.random() < 0.5:
            value = random.choice((*known, "1", ""))
            found[name] = random.choice((value, value, value + "x", value[:-1]))
    return found


@dataclass(frozen=True)
class Fixture:
    """A change with the states between the waves of its plan."""

    prover: Prover
    rests: tuple[Snapshot, ...]
    words: Words

    @classmethod
    def of(cls, base: Snapshot, head: Snapshot) -> "Fixture":
        before = Mesh.of(base, MeshConfig(), World.CLOSED)
        after = before.at(head)
        changes = diff(base, head)
        plan = solve(changes, dependency_graph(changes, before, after), before, after).plan
        written = [step.resource for step in plan.steps if isinstance(step, Apply)]
        rests = tuple(states(base, head, plan))
        objects = [r.manifest for one in (*rests,) for r in one.values()]
        return cls(Prover(before, after, extra_versions=written), rests, Words(objects))

    def cases(self) -> Iterator[Case]:
        for topic in self.prover.topics_of(self.prover._versions.changed):
            yield from self.prover.cases_of(topic).cases(reverse=False)

    def at(self, case: Case) -> tuple[State, ...]:
        """The states of a case, one for each state of the whole."""
        number = self.prover._versions.number
        return tuple(
            case.scope.state({id_: number(id_, rest.get(id_)) for id_ in case.scope.ids})
            for rest in self.rests
        )


def states(base: Snapshot, head: Snapshot, plan: Plan) -> Iterator[Snapshot]:
    """The base, what is there after each wave, and the head."""
    yield base
    rest = base
    for wave in plan.waves:
        rest = simulate(wave.steps, rest)
        yield rest
    yield head


@dataclass
class Fates:
    """What becomes of the requests of a case, in every version of what decides."""

    case: Case
    at: tuple[State, ...]

    def __post_init__(self) -> None:
        stages, case = self.case.stages, self.case
        self.routes = sorted({normal(state, stages.routes) for state in self.at})
        clusters = sorted({normal(state, stages.clusters) for state in self.at})
        self.servers = sorted({normal(state, stages.servers) for state in self.at})
        self.reached = case.servers(clusters, case.names(self.routes))
        self.known: dict[object, Request] = {}
        found = case.classes(self.routes, clusters, self.servers, DEFAULT_BUDGET)
        for request in found:
            self.known.setdefault(self.of(request), request)

    def of(self, request: Request) -> object:
        """Which routes and which policies decide on a request; not what they say."""
        found: list[object] = []
        asked: dict[tuple[str, str], None] = {}
        if self.case.client.proxy is None:
            asked[request.path, request.host] = None
        for state in self.routes if self.case.client.proxy else ():
            chosen = decided(self.case.front(state), request, NOTHING)
            if not isinstance(chosen, Selected):
                found.append(type(chosen).__name__)
                continue
            found.append((chosen.route.source, chosen.route.pointer))
            if isinstance(action := chosen.route.action, Forward):
                path = rewritten(request.path, action.rewrite, chosen.route)
                assert path is not None
                asked[path, action.authority or request.host] = None
        for path, host in asked:
            seen = replace(request, host=host, path=path)
            found.extend(self._admissions(seen))
        return tuple(found)

    def _admissions(self, seen: Request) -> Iterator[object]:
        for server in self.reached:
            for state in self.servers:
                inbound = self.case.inbound(state, server)
                for transport in (Transport.PLAINTEXT, Transport.MTLS):
                    for principal in IDENTITIES:
                        admission = inbound.admit(seen, transport, principal)
                        yield admission.verdict, admission.policy

    def outcomes(self, request: Request) -> tuple[object, ...]:
        """What becomes of a request in every state, by the model of the whole."""
        return tuple(blurred(outcome) for outcome in self._outcomes(request))

    def _outcomes(self, request: Request) -> Iterator[Outcome]:
        proxy = self.case.client.proxy
        for state in self.at:
            mesh = self.case.scope.mesh(state)
            if proxy is not None:
                yield route_in(View(mesh, mesh, mesh), request, proxy)
            else:
                assert self.case.server is not None
                yield admit(mesh, request, self.case.server, self.case.transport)


def blurred(outcome: Outcome) -> object:
    """An outcome without the path, which every request brings along."""
    match outcome:
        case Served(backends) | Failed(backends=backends):
            shown = tuple(replace(backend, path="") for backend in backends)
            return replace(outcome, backends=shown)
        case Redirect():
            return replace(outcome, location="")
        case _:
            return outcome


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_a_hundred_thousand_requests(name: str) -> None:
    fixture = Fixture.of(*scenario_snapshots(name))
    found = list(drawn(Random(name), fixture.words, REQUESTS))
    cases = list(fixture.cases())
    assert cases
    for case in cases:
        fates = Fates(case, fixture.at(case))
        expected = {fate: fates.outcomes(one) for fate, one in fates.known.items()}
        for one in found:
            asked = replace(case.base, method=one.method, path=one.path, headers=one.headers)
            fate = fates.of(asked)
            assert fate in expected, (case.client, asked)
            assert fates.outcomes(asked) == expected[fate], (case.client, asked, fates.known[fate])


@pytest.mark.parametrize(
    ("name", "least"),
    [("deny-renamed", 20), ("header-route-to-new-subset", 3), ("grpcroute-method-moved", 20)],
)
def test_what_is_named_tells_requests_apart(name: str, least: int) -> None:
    sides = scenario_snapshots(name)
    words = Words([found.manifest for side in sides for found in side.values()])
    assert len(list(drawn(Random(1), words, 2000))) > least
