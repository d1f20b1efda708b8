"""What a proof says as JSON and in words: shapes of the result document, written down by hand."""

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import Proxy, ProxyKind, gateway, sidecar
from meshplan.proof import (
    Client,
    Counterexample,
    Invariant,
    Lost,
    Proof,
    RequestClass,
    Undecided,
)
from meshplan.proof.findings import Findings, kinds, renumbered, thinned, together
from meshplan.proof.types import Topic, TopicKind, short
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import Denied, Failed, Redirect, outcome_to_json
from meshplan.traffic.request import Request

RULE = ResourceId("networking.istio.io", "DestinationRule", "shop", "a")
ROUTE = ResourceId("networking.istio.io", "VirtualService", "shop", "a")
WEB = Client(sidecar("web", {"b": "2", "a": "1"}))
EDGE = Client(gateway("edge", {"istio": "ingress"}))
HERE = Client(sidecar("elsewhere"), anywhere=True)
BEFORE, DURING, AFTER = Redirect(301, "/a"), Failed(503, "NC"), Denied(403, "none")


def counterexample(
    wave: int = 0, host: str = "a.shop.svc.cluster.local", **named: object
) -> Counterexample:
    client = named.pop("client", WEB)
    path, headers = named.pop("path", "/"), named.pop("headers", {})
    assumed = named.pop("assumed", ())
    request = RequestClass(client, Request(host, path=path, headers=headers), None, assumed)  # type: ignore[arg-type]
    given = {"visible": (RULE,), "culprits": (RULE, ROUTE), "sentence": f"{request}", **named}
    invariant = given.pop("invariant", Invariant.AVAILABILITY)
    return Counterexample(
        wave,
        given["visible"],  # type: ignore[arg-type]
        invariant,  # type: ignore[arg-type]
        request,
        BEFORE,
        DURING,
        AFTER,
        given["sentence"],  # type: ignore[arg-type]
        given["culprits"],  # type: ignore[arg-type]
    )


def test_the_invariants_have_the_names_of_the_design() -> None:
    assert [str(one) for one in Invariant] == ["I1", "I2", "I3", "I4", "I5"]
    assert Invariant.AVAILABILITY == "I1"
    assert Invariant.NO_THIRD_BACKEND == "I2"
    assert Invariant.NO_OPENING == "I3"
    assert Invariant.NO_FLAPPING == "I4"
    assert Invariant.POLICY == "I5"


@pytest.mark.parametrize(
    ("client", "words", "written"),
    [
        (Client(), "a client without a sidecar", {"kind": "outside"}),
        (
            WEB,
            "namespace web (a=1,b=2)",
            {"kind": "sidecar", "namespace": "web", "labels": {"a": "1", "b": "2"}},
        ),
        (
            Client(sidecar("web")),
            "namespace web",
            {"kind": "sidecar", "namespace": "web", "labels": {}},
        ),
        (
            EDGE,
            "gateway edge/istio=ingress",
            {"kind": "gateway", "namespace": "edge", "labels": {"istio": "ingress"}},
        ),
        (HERE, "any other namespace", {"kind": "sidecar", "namespace": None, "labels": {}}),
    ],
)
def test_clients(client: Client, words: str, written: object) -> None:
    assert str(client) == words
    assert client.to_json() == written
    assert client.is_gateway == words.startswith("gateway")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("a.shop.svc.cluster.local"), "GET a.shop/ from namespace web (a=1,b=2)"),
        (
            Request("a.example.com", "PUT", "/x?q=1"),
            "PUT a.example.com/x?q=1 from namespace web (a=1,b=2)",
        ),
        (
            Request("a", headers={"x-w": "2", "x-v": "1"}),
            "GET a/ (x-v: 1, x-w: 2) from namespace web (a=1,b=2)",
        ),
        (Request("a.b", port=9000, scheme="tcp"), "TCP a.b:9000 from namespace web (a=1,b=2)"),
        (Request("a.b", scheme="tls"), "TLS a.b:443 from namespace web (a=1,b=2)"),
        (Request("a.b", scheme="https"), "GET a.b/ from namespace web (a=1,b=2)"),
    ],
)
def test_requests(request_: Request, words: str) -> None:
    assert str(RequestClass(WEB, request_)) == words


def test_hosts_in_short() -> None:
    assert short("reviews.shop.svc.cluster.local") == "reviews.shop"
    assert short("pod.reviews.shop.svc.cluster.local") == "pod.reviews.shop.svc.cluster.local"
    assert short("www.svc.example.com") == "www.svc.example.com"
    assert short("example.com") == "example.com"


def test_a_request_at_a_servers_door() -> None:
    found = RequestClass(
        Client(), Request("a", port=80), Server("shop", {"app": "a"}, 8080), ("it is",)
    )
    assert found.to_json() == {
        "host": "a",
        "method": "GET",
        "path": "/",
        "headers": {},
        "port": 80,
        "from": {"kind": "outside"},
        "to": {"namespace": "shop", "labels": {"app": "a"}, "port": 8080},
        "assumed": ["it is"],
    }
    assert not {"to", "assumed"} & set(RequestClass(WEB, Request("a")).to_json())


def test_a_counterexample_as_json() -> None:
    found = counterexample(2)
    rule, route = (
        {"group": "networking.istio.io", "kind": kind, "namespace": "shop", "name": "a"}
        for kind in ("DestinationRule", "VirtualService")
    )
    assert found.to_json() == {
        "wave": 2,
        "visible": [rule],
        "invariant": "I1",
        "request": found.request.to_json(),
        "before": outcome_to_json(BEFORE),
        "during": outcome_to_json(DURING),
        "after": outcome_to_json(AFTER),
        "sentence": "GET a.shop/ from namespace web (a=1,b=2)",
        "culprits": [rule, route],
    }


def test_what_is_undecided_or_lost_as_json() -> None:
    request = RequestClass(WEB, Request("a"))
    assert Undecided("why", request, 1, (RULE,)).to_json() == {
        "request": request.to_json(),
        "why": "why",
        "wave": 1,
        "ids": [RULE.to_json()],
    }
    assert Undecided("why").to_json() == {"request": None, "why": "why", "wave": None, "ids": []}
    assert Lost(request, BEFORE, AFTER, "gone").to_json() == {
        "request": request.to_json(),
        "before": outcome_to_json(BEFORE),
        "after": outcome_to_json(AFTER),
        "sentence": "gone",
    }


@pytest.mark.parametrize(
    ("proof", "verdict"),
    [
        (Proof(), "safe"),
        (Proof(warnings=(counterexample(),)), "safe"),
        (Proof(lost=(Lost(RequestClass(WEB, Request("a")), BEFORE, AFTER),)), "safe"),
        (Proof(unknowns=(Undecided("why"),)), "unknown"),
        (Proof(counterexamples=(counterexample(),)), "unsafe"),
        (Proof(counterexamples=(counterexample(),), unknowns=(Undecided("why"),)), "unsafe"),
    ],
)
def test_verdicts(proof: Proof, verdict: str) -> None:
    assert proof.verdict == verdict
    assert proof.is_safe == (verdict == "safe")


def test_a_proof_as_json() -> None:
    one, other, unknown = counterexample(), counterexample(1), Undecided("why")
    assert (Proof().classes, Proof().views) == (0, 0)
    assert Proof(3, 4, (one,), (unknown,), (other,)).to_json() == {
        "classes": 3,
        "views": 4,
        "counterexamples": [one.to_json()],
        "unknowns": [unknown.to_json()],
        "warnings": [other.to_json()],
    }


# Put together


def test_findings_are_put_together_in_their_order() -> None:
    lost = Lost(RequestClass(WEB, Request("a")), BEFORE, AFTER)
    one = Findings(1, 2, (counterexample(0),), (Undecided("a"),), (counterexample(3),), (lost,))
    other = Findings(10, 20, (counterexample(1),), (Undecided("b"),), (counterexample(4),), (lost,))
    found = together([one, other])
    assert (found.classes, found.views) == (11, 22)
    assert [c.wave for c in found.counterexamples] == [0, 1]
    assert [u.why for u in found.unknowns] == ["a", "b"]
    assert [c.wave for c in found.warnings] == [3, 4]
    assert found.lost == (lost, lost)


@pytest.mark.parametrize("part", ["counterexamples", "unknowns", "warnings", "lost"])
def test_silent_is_what_has_nothing_to_tell(part: str) -> None:
    assert Findings(5, 6).is_silent
    assert not Findings(**{part: (counterexample(),)}).is_silent  # type: ignore[arg-type]


def test_waves_of_a_part_are_those_of_the_plan() -> None:
    unknowns = (Undecided("a", wave=1), Undecided("b"))
    found = Findings(1, 1, (counterexample(0),), unknowns, (counterexample(1),))
    there = renumbered(found, [4, 7])
    assert [c.wave for c in there.counterexamples] == [4]
    assert [u.wave for u in there.unknowns] == [7, None]
    assert [c.wave for c in there.warnings] == [7]


def test_kinds_are_told_without_words() -> None:
    one = Findings(counterexamples=(counterexample(sentence="a"),), unknowns=(Undecided("a"),))
    other = Findings(counterexamples=(counterexample(sentence="b"),), unknowns=(Undecided("b"),))
    assert kinds(one) == kinds(other)
    for changed in (
        Findings(counterexamples=(counterexample(1),), unknowns=(Undecided("a"),)),
        Findings(counterexamples=(counterexample(client=EDGE),), unknowns=(Undecided("a"),)),
        Findings(
            counterexamples=(counterexample(invariant=Invariant.NO_OPENING),),
            unknowns=(Undecided("a"),),
        ),
        Findings(counterexamples=(counterexample(),), unknowns=(Undecided("a", wave=0),)),
        Findings(counterexamples=(counterexample(),)),
    ):
        assert kinds(one) != kinds(changed)


def test_of_alike_ones_the_simplest_is_told() -> None:
    """A named namespace, nothing assumed, no query, few headers, a short path, a plain name."""
    ordered = [
        counterexample(sentence="zz"),
        counterexample(host="A.shop.svc.cluster.local:80", sentence="z"),
        counterexample(path="/abc", sentence="y"),
        counterexample(headers={"x": "1"}, sentence="x"),
        counterexample(path="/?q=1", sentence="w"),
        counterexample(assumed=("it is",), sentence="v"),
        counterexample(client=HERE, sentence="u"),
    ]
    for first in range(len(ordered)):
        for found in (ordered[first:], ordered[first:][::-1]):
            assert [one.sentence for one in thinned(found)] == [ordered[first].sentence]


def test_alike_are_those_of_one_wave_host_invariant_and_culprits() -> None:
    first = counterexample(sentence="a")
    others = [
        counterexample(1, sentence="b"),
        counterexample(invariant=Invariant.NO_OPENING, sentence="c"),
        counterexample(culprits=(RULE,), sentence="d"),
        counterexample(host="b.shop.svc.cluster.local", sentence="e"),
    ]
    found = thinned([*others, first])
    assert [one.sentence for one in found] == ["a", "d", "e", "c", "b"]
    short_name = counterexample(host="a.shop", sentence="f")
    shorter = counterexample(host="a.shop.svc", sentence="g")
    assert len(thinned([first, short_name, shorter])) == 1


def test_topics_of_one_gateway() -> None:
    assert Topic(TopicKind.GATEWAY, "a", "edge").is_of_one_gateway
    assert not Topic(TopicKind.GATEWAY, "a").is_of_one_gateway
    assert not Topic(TopicKind.SERVER, "", "edge").is_of_one_gateway
    assert [str(kind) for kind in TopicKind] == ["mesh", "gateway", "server"]


def test_accounts_make_no_gateway() -> None:
    assert not Client(Proxy(ProxyKind.SIDECAR, "web", {}, "gateway")).is_gateway
