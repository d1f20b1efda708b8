"""Request classes: no request fares otherwise than the one that stands for its class."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.proof import Prover
from meshplan.proof.assumptions import NOTHING, OpenQuestionError, decided
from meshplan.proof.cases import Case
from meshplan.proof.scope import normal
from meshplan.proof.types import DEFAULT_BUDGET
from meshplan.proof.versions import HEAD
from meshplan.resource import Snapshot
from meshplan.settings import World
from meshplan.traffic.outcome import Transport
from meshplan.traffic.paths import normalized, rewritten
from meshplan.traffic.request import Request
from meshplan.traffic.route import Selected
from meshplan.traffic.table import Forward
from support.random_meshes import pair
from support.snapshots import snapshot

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"

RICH = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a, version: v1}}
    spec: {containers: [{name: c}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: shop}
spec: {host: a, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a]
  http:
  - match:
    - {uri: {exact: /login}, method: {exact: POST}}
    - {uri: {prefix: /api/v1}, headers: {x-canary: {exact: "true"}}}
    - {uri: {regex: "/items/[0-9]+(/details)?"}, queryParams: {debug: {exact: "1"}}}
    route: [{destination: {host: a, subset: v1}}]
    rewrite: {uri: /internal}
  - match: [{uri: {prefix: /API}, ignoreUriCase: true, withoutHeaders: {x-old: {}}}]
    rewrite: {uri: /}
    route: [{destination: {host: a}}]
  - match: [{uri: {regex: "^/static/.*\\\\.(js|css)$"}}, {headers: {cookie: {regex: "(.*; )?beta=1(;.*)?"}}}]
    route: [{destination: {host: a, subset: v1}}]
  - match: [{headers: {user-agent: {prefix: curl}}}, {queryParams: {v: {regex: "[12]"}}}]
    redirect: {uri: /sorry}
  - route: [{destination: {host: a}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow, namespace: shop}
spec:
  selector: {matchLabels: {app: a}}
  rules:
  - to: [{operation: {paths: ["/internal*", "/items/*", "/{*}/details"], methods: [GET, POST]}}]
  - to: [{operation: {paths: ["*.js"], notMethods: [DELETE]}}]
    when: [{key: "request.headers[x-canary]", notValues: ["false*"]}]
  - from: [{source: {namespaces: [web]}}]
    to: [{operation: {notPaths: ["/api/v1/secret*"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: shop}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: ["/items/0*", "/internal/admin"]}}]}]
"""
RICHER = (
    RICH.replace("prefix: /api/v1}", "prefix: /api}")
    .replace("exact: /login", "exact: /logon")
    .replace('"/items/*"', '"/items/1*"')
    .replace("prefix: curl", "exact: curl/8")
    .replace("rewrite: {uri: /internal}", "rewrite: {uri: /int}")
)

PATHS = [
    path
    for line in (
        "/login /logon /api /api/v1 /api/v1/secret /api/v1/secrets /API/x /Api/items/1",
        "/items/1 /items/01 /items/12/details /items/x /static/a.js /static/a.css /static/a.jsx",
        "/internal /internal/admin /x/details /x/y/details /a.js /old /int /interned /apiz /api/z",
        "/ /x /x/y /x/z /xy /q/y /admin /reviews /ratings /checkout /new /v2/a /unmatched",
    )
    for path in line.split()
]
HEADERS: dict[str, tuple[str, ...]] = {
    "x-canary": ("true", "false", "falsey", "", "True"),
    "x-old": ("", "1"),
    "cookie": ("beta=1", "a=2; beta=1", "a=2; beta=12", "beta=1; c=d", "nobeta=1"),
    "user-agent": ("curl", "curl/8", "curl/9", "Mozilla"),
    "x-v": ("1", "11", "2", ""),
    "x-w": ("1", "2"),
    "x-tester": ("1", "0"),
}


def paths(random: Random) -> str:
    """A path near those that rules name, which the proxies leave as it is."""
    while True:
        path = random.choice(PATHS)
        match random.randrange(6):
            case 0:
                path += random.choice(("x", "/", "/x", "1", ".js", "/details"))
            case 1:
                path = path[: random.randrange(1, len(path) + 1)]
            case 2:
                path = random.choice(PATHS) + path
            case _:
                pass
        if normalized(path, "BASE") == path:
            return path


def sent(random: Random, base: Request) -> Request:
    """A request that differs from `base` in what a proxy reads last."""
    headers = {n: random.choice(v) for n, v in HEADERS.items() if random.random() < 0.25}
    path = paths(random)
    if random.random() < 0.3:
        path += "?" + "&".join(
            random.choice(("debug=1", "debug=2", "v=1", "v=3", "q=1", "q", "z=9"))
            for _ in range(random.choice((1, 2)))
        )
    return Request(
        base.host,
        method=random.choice(("GET", "GET", "POST", "DELETE", "OPTIONS")),
        path=path,
        headers=headers,
        port=base.port,
        scheme=base.scheme,
        sni=base.sni,
        principal=base.principal,
    )


def fate(case: Case, request: Request, ends: tuple[Any, ...]) -> object:
    """Which routes and which policies decide on a request, in every state; not what they say."""
    routes, servers, reached = ends
    found: list[object] = []
    asked: dict[tuple[str, str], None] = {}
    if case.client.proxy is None:
        asked[request.path, request.host] = None
    for state in routes if case.client.proxy else ():
        chosen = decided(case.front(state), request, NOTHING)
        if not isinstance(chosen, Selected):
            found.append(type(chosen).__name__)
            continue
        found.append((chosen.route.source, chosen.route.pointer))
        action = chosen.route.action
        if isinstance(action, Forward):
            path = rewritten(request.path, action.rewrite, chosen.route)
            assert path is not None
            asked[path, action.authority or request.host] = None
    for path, host in asked:
        seen = Request(host, request.method, path, request.headers, scheme=request.scheme)
        for server in reached:
            for state in servers:
                inbound = case.inbound(state, server)
                for transport in (Transport.PLAINTEXT, Transport.MTLS):
                    for principal in ("cluster.local/ns/web/sa/one", "cluster.local/ns/x/sa/y"):
                        admission = inbound.admit(seen, transport, principal)
                        found.append((admission.verdict, admission.policy))
    return tuple(found)


def cases(base: Snapshot, head: Snapshot) -> Iterator[Case]:
    """All cases in the footprint of a change."""
    prover = Prover(
        Mesh.of(base, MeshConfig(), World.OPEN), Mesh.of(head, MeshConfig(), World.OPEN)
    )
    for topic in prover.topics_of(prover._versions.changed):
        yield from prover.cases_of(topic).cases(reverse=False)


def stray(case: Case, random: Random, count: int) -> Iterator[Request]:
    """Requests that fare like none of those that stand for a class."""
    scope, stages = case.scope, case.stages
    both = (scope.state({}), scope.state({}, HEAD))
    routes = sorted({normal(s, stages.routes) for s in both})
    clusters = sorted({normal(s, stages.clusters) for s in both})
    servers = sorted({normal(s, stages.servers) for s in both})
    names = case.names(routes) if case.client.proxy else ()
    reached = case.servers(clusters, names)
    ends = (routes, servers, reached)
    classes = case.classes(routes, clusters, servers, DEFAULT_BUDGET)
    known = {fate(case, request, ends) for request in classes}
    for _ in range(count):
        request = sent(random, case.base)
        if fate(case, request, ends) not in known:
            yield request


def test_a_hundred_thousand_requests() -> None:
    random = Random(1)
    found = list(cases(snapshot(RICH), snapshot(RICHER)))
    assert len(found) > 4
    for case in found:
        assert not list(stray(case, random, 100_000 // len(found) + 1))


@pytest.mark.parametrize("name", sorted(p.name for p in SCENARIOS.iterdir() if p.is_dir()))
def test_scenarios(name: str) -> None:
    random = Random(2)
    base, head = (
        snapshot((SCENARIOS / name / side / "mesh.yaml").read_text())
        for side in ("before", "after")
    )
    for case in cases(base, head):
        assert not list(stray(case, random, 300))


@pytest.mark.parametrize("seed", range(40))
def test_random_meshes(seed: int) -> None:
    random = Random(seed)
    found = pair(random, 4)
    for case in cases(found.base, found.head):
        try:
            assert not list(stray(case, random, 100))
        except OpenQuestionError:
            pytest.fail("nothing is open in these meshes")
