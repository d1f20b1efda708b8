"""Requests that name a Service in another way than its objects do, and ports that are another's.

Each plan is carried out with the whole mesh of its states: what `route` makes of the request there
is the truth that the prover, and the independent checker, are held to.
"""

import pytest

from meshplan.mesh.proxy import Proxy, sidecar
from meshplan.plan import Plan, simulate, wave_to_json
from meshplan.proof import Invariant
from meshplan.proof.rivals import rivals_among
from meshplan.traffic import Request, route
from meshplan.traffic.outcome import Failed, Outcome, Served
from meshplan.verify import Limits, verify
from support.asking import SERVICE, changed, doc
from support.proofs import Change, plan
from support.whole_mesh import declared

A = SERVICE
B = "---" + SERVICE.replace("name: a", "name: b").replace("app: a", "app: b")
#: What keeps the checker from looking at all objects where few have a say.
FEW = Limits(small=0)
CLIENT = sidecar("web", {})


def pods(name: str) -> str:
    labels = f"{{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: c}}]}}}}"
    return doc("Deployment", name, "shop", f"{{template: {labels}}}")


def elsewhere(hosts: str, to: str = "b.shop.svc.cluster.local") -> str:
    return doc(
        "VirtualService",
        "v",
        "web",
        f"{{hosts: [{hosts}], http: [{{route: [{{destination: {{host: {to}}}}}]}}]}}",
    )


ENTRY = doc(
    "ServiceEntry",
    "v",
    "web",
    "{hosts: [a.shop], resolution: STATIC, location: MESH_EXTERNAL, addresses: [10.9.0.1], "
    "ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]}",
)


def ordered(found: Change, *names: str) -> Plan:
    return plan([[step] for step in found.named(*names)])


def really(found: Change, steps: Plan, asked: Request, client: Proxy = CLIENT) -> list[Outcome]:
    """What becomes of a request before the first wave, and after each of them."""
    known = declared(found.prover.base, found.prover.head)
    mesh = found.prover.base.knowing(known)
    states = [found.base]
    for wave in steps.waves:
        states.append(simulate(wave.steps, states[-1]))
    return [route(mesh.at(state), asked, client) for state in states]


def is_lost_on_the_way(outcomes: list[Outcome]) -> bool:
    first, *between, last = outcomes
    assert isinstance(first, Served)
    assert first.wholly
    assert isinstance(last, Served)
    assert last.wholly
    return any(isinstance(one, Failed) for one in between)


def is_confirmed(found: Change, steps: Plan) -> bool:
    waves = [wave_to_json(wave) for wave in steps.waves]
    written = {"digest": steps.digest, "waves": waves}
    told = {
        verify(written, found.prover.base, found.prover.head, one).verdict for one in (None, FEW)
    }
    return told == {"confirmed"}


@pytest.mark.parametrize("hosts", ["a.shop", "a.shop.svc"])
def test_routes_for_a_service_by_a_shorter_name(hosts: str) -> None:
    """Clients that ask for `a.shop` take them, though they are not for the Service by its name."""
    both = A + B + pods("b")
    found = changed(both + elsewhere(hosts), both + pods("a"))
    asked = Request(hosts, port=80)
    lost = ordered(found, "-VirtualService v", "Deployment a")
    assert is_lost_on_the_way(really(found, lost, asked))
    proof = found.prover.check(lost)
    named = {(c.wave, c.invariant, c.request.request.host) for c in proof.counterexamples}
    assert (0, Invariant.AVAILABILITY, asked.host) in named
    assert not is_confirmed(found, lost)
    kept = ordered(found, "Deployment a", "-VirtualService v")
    assert not is_lost_on_the_way(really(found, kept, asked))
    assert found.prover.check(kept).is_safe
    assert is_confirmed(found, kept)


def test_a_host_that_is_declared_like_the_shorter_name_of_a_service() -> None:
    both = A + B
    found = changed(both + ENTRY, both + pods("a"))
    asked = Request("a.shop", port=80)
    lost = ordered(found, "-ServiceEntry v", "Deployment a")
    assert is_lost_on_the_way(really(found, lost, asked))
    named = {(c.wave, c.request.request.host) for c in found.prover.check(lost).counterexamples}
    assert (0, "a.shop") in named
    assert not is_confirmed(found, lost)


def test_a_shorter_name_that_is_no_services() -> None:
    """Where nothing declares the Service the name is a host like any other."""
    found = changed(elsewhere("a.shop", "x.example.com"), elsewhere("a.shop", "y.example.com"))
    topics = found.prover.topics_of(step.id for step in found.steps)
    assert [topic.host for topic in topics] == ["a.shop"]


def test_routes_for_two_ways_to_write_a_service_are_rivals() -> None:
    """Who asks for the shorter name is sent where the older one says."""
    one = elsewhere("a.shop")
    other = elsewhere("a.shop.svc.cluster.local", "c.shop.svc.cluster.local").replace(
        "name: v", "name: w"
    )
    found = changed(A + one + other)
    index, versions = found.prover._index, found.prover._versions
    ids = [id_ for id_ in found.base if id_.kind == "VirtualService"]
    assert set(rivals_among(ids, versions, index)) == set(ids)


def test_ports_of_what_a_service_stands_for() -> None:
    """Who dials the alias gets the address, and with it every port, of the other Service."""
    alias = doc("Service", "ext", "far", "{type: ExternalName, externalName: %s}")
    both = (A + B + pods("a")).replace("port: 80", "port: 8080")
    found = changed(
        both + alias % "a.shop.svc.cluster.local",
        both + pods("b") + alias % "b.shop.svc.cluster.local",
    )
    asked = Request("ext.far", port=8080)
    lost = ordered(found, "Service ext", "Deployment b")
    assert is_lost_on_the_way(really(found, lost, asked))
    assert found.prover.check(lost).counterexamples
    assert not is_confirmed(found, lost)
    kept = ordered(found, "Deployment b", "Service ext")
    assert not is_lost_on_the_way(really(found, kept, asked))
    assert found.prover.check(kept).is_safe
    assert is_confirmed(found, kept)
