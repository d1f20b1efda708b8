"""Hosts without an address share a port: what one of them does, the others feel."""

from itertools import permutations

import pytest

from meshplan.mesh.proxy import sidecar
from meshplan.plan import wave_to_json
from meshplan.proof.fields import shared_ports, spoken_ports
from meshplan.proof.types import Topic, TopicKind
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Served
from meshplan.verify import verify
from support.proofs import Change, change, plan, sentences
from support.snapshots import snapshot

CLIENT = sidecar("web", {"app": "client"})


def entry(name: str, port: int, protocol: str, more: str = "", day: int = 1) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop, creationTimestamp: '2024-01-{day:02d}T00:00:00Z'}}
spec:
  hosts: [{name}.example.com]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{{number: {port}, name: any, protocol: {protocol}}}]
  {more}
"""


def service(name: str, port: int, called: str) -> str:
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{name: {called}, port: {port}}}]}}
"""


def served(found: Change, names: tuple[str, ...], asked: Request) -> list[bool]:
    """Whether a sidecar serves a request at first, and after each of some steps."""
    state, told = found.base, []
    for step in (None, *found.named(*names)):
        if step is not None:
            head = found.head.get(step.id)
            state = state.without(step.id) if head is None else state.with_(head)
        outcome = route(found.prover.base.at(state), asked, CLIENT)
        told.append(isinstance(outcome, Served))
    return told


def read_as_http() -> Change:
    """A host that is no longer declared as HTTP, and another one that leaves the port."""
    return change(
        entry("db", 9000, "HTTP") + entry("web", 9000, "HTTP"),
        entry("db", 9000, "TCP") + entry("web", 9001, "HTTP"),
        outbound_traffic_policy="REGISTRY_ONLY",
    )


def read_for_a_service() -> Change:
    """The same with a Service."""
    return change(
        entry("db", 9000, "HTTP") + service("web", 9000, "http"),
        entry("db", 9000, "TCP") + service("web", 9001, "http"),
        outbound_traffic_policy="REGISTRY_ONLY",
    )


@pytest.mark.parametrize("found", [read_as_http(), read_for_a_service()], ids=["entry", "service"])
def test_what_is_read_as_http_for_another_host(found: Change) -> None:
    web = next(str(s.id.kind) for s in found.steps if s.id.name == "web")
    asked = Request("db.example.com", port=9000)
    for first, then in permutations(("ServiceEntry db", f"{web} web")):
        proof = found.one_by_one(first, then)
        lost = not all(served(found, (first, then), asked))
        assert lost == (first == "ServiceEntry db")
        assert lost == any("GET db.example.com" in line for line in sentences(proof)), first


def addresses() -> Change:
    """Of two databases on one port one has an address of its own, first the one, then the other."""
    return change(
        entry("one", 5432, "TCP", day=2) + entry("two", 5432, "TCP", "addresses: [10.0.0.2]"),
        entry("one", 5432, "TCP", "addresses: [10.0.0.1]", day=2) + entry("two", 5432, "TCP"),
    )


def test_the_first_host_gets_what_is_meant_for_another() -> None:
    found = addresses()
    asked = Request("one.example.com", port=5432, scheme="tcp")
    middle = found.base.with_(found.head[found.named("ServiceEntry two")[0].id])
    outcome = route(found.prover.base.at(middle), asked, CLIENT)
    assert isinstance(outcome, Served)
    assert {backend.host for backend in outcome.backends} == {"two.example.com"}
    assert found.one_by_one("ServiceEntry one", "ServiceEntry two").is_safe
    wrong = found.one_by_one("ServiceEntry two", "ServiceEntry one")
    assert any("one.example.com" in line for line in sentences(wrong))


@pytest.mark.parametrize("found", [read_as_http(), read_for_a_service(), addresses()])
def test_the_checker_says_the_same(found: Change) -> None:
    meshes = found.prover.base, found.prover.head
    for order in permutations(found.steps):
        asked = plan([[step] for step in order])
        proof = found.prover.check(asked)
        written = [wave_to_json(wave) for wave in asked.waves]
        told = verify({"waves": written, "digest": asked.digest}, *meshes)
        assert (told.verdict == "confirmed") == proof.is_safe, order


def test_what_any_of_them_changes_has_a_bearing_on_all() -> None:
    found = change(
        entry("a", 7000, "TCP") + entry("b", 7000, "TLS") + entry("c", 7001, "TCP"),
        entry("a", 7000, "TCP", "exportTo: ['.']")
        + entry("b", 7000, "TLS", "exportTo: ['.']")
        + entry("c", 7001, "TCP", "exportTo: ['.']"),
    )
    bearing = {
        step.id.name: set(found.prover.topics_of([step.id]))
        for step in found.named("ServiceEntry a", "ServiceEntry b", "ServiceEntry c")
    }
    topics = {name: Topic(TopicKind.MESH, f"{name}.example.com") for name in "abc"}
    assert bearing == {
        # Whoever names nothing that is known is sent to the first for TCP.
        "a": {topics["a"], topics["b"]},
        "b": {topics["b"]},
        "c": {topics["c"]},
    }


@pytest.mark.parametrize(
    ("text", "shared", "spoken"),
    [
        (entry("a", 1, "TCP"), [("1", False)], []),
        (entry("a", 1, "TLS"), [("1", True)], []),
        (entry("a", 1, "HTTPS"), [("1", True)], []),
        (entry("a", 1, "MONGO"), [("1", False)], []),
        (entry("a", 1, "HTTP"), [], ["1"]),
        (entry("a", 1, "TCP", "addresses: [10.0.0.1]"), [], []),
        (entry("a", 1, "UDP"), [], []),
        # Once for all of its hosts.
        (entry("a.example.com, b", 1, "TCP"), [("1", False)], []),
        (entry("a.example.com, b", 1, "HTTP"), [], ["1"]),
    ],
)
def test_ports_of_an_entry(text: str, shared: list[tuple[str, bool]], spoken: list[str]) -> None:
    (version,) = snapshot(text).values()
    assert list(shared_ports(version)) == shared
    assert list(spoken_ports(version, "cluster.local")) == spoken


@pytest.mark.parametrize(
    ("called", "spoken"), [("http", ["80"]), ("any", ["80"]), ("tcp-a", []), ("tls", [])]
)
def test_ports_of_a_service(called: str, spoken: list[str]) -> None:
    (version,) = snapshot(service("a", 80, called)).values()
    assert list(spoken_ports(version, "cluster.local")) == spoken


def test_another_name_for_a_host_has_no_ports() -> None:
    text = service("a", 80, "http").replace(
        "selector: {app: a}", "type: ExternalName, externalName: b.com"
    )
    (version,) = snapshot(text).values()
    assert not list(spoken_ports(version, "cluster.local"))
