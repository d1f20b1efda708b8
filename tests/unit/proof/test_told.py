"""Sentences about counterexamples, for outcomes that are written by hand."""

from dataclasses import replace

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import sidecar
from meshplan.proof import Client, Invariant, RequestClass
from meshplan.proof.words import lost_sentence, names, sentence, shown
from meshplan.traffic.outcome import (
    REFUSED,
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Reason,
    Redirect,
    Served,
    Unknown,
)
from meshplan.traffic.request import Request

REVIEWS = "reviews.shop.svc.cluster.local"
ASKED = RequestClass(Client(sidecar("web")), Request("reviews.shop"))
START = "GET reviews.shop/ from namespace web → "
RULE = ResourceId("networking.istio.io", "DestinationRule", "shop", "reviews")
OTHER = ResourceId("networking.istio.io", "DestinationRule", "web", "reviews")
ROUTE = ResourceId("networking.istio.io", "VirtualService", "shop", "reviews")
SERVICE = ResourceId("", "Service", "shop", "reviews")


def backend(endpoint: str = "a:1", **named: object) -> Backend:
    made = Backend(endpoint, REVIEWS, "", 80, 0, "/", "reviews.shop")
    return replace(made, **named)  # type: ignore[arg-type]


def failing(flag: str, status: int | None = 503, **named: object) -> Backend:
    return backend("", kind="error", status=status, flag=flag, **named)


def served(*backends: Backend, why: tuple[Reason, ...] = ()) -> Served:
    return Served(backends or (backend(),), why=why)


def available(during: Outcome, before: Outcome | None = None, after: Outcome | None = None) -> str:
    told = sentence(ASKED, Invariant.AVAILABILITY, before or served(), during, after or served())
    assert told.startswith(START)
    return told.removeprefix(START)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (served(), "a:1"),
        (served(backend("a:1", path="/x")), "a:1 at /x"),
        (served(backend(), backend("b:1"), backend()), "a:1 and b:1"),
        (served(backend(), failing("UH")), "503 UH for a part"),
        (served(failing("-", None), backend()), "connection refused for a part"),
        (Passthrough("h", 81), "out of the mesh to h:81"),
        (Redirect(301, "/x"), "301 to /x"),
        (Direct(418), "a direct 418"),
        (Denied(403, "none"), "403 denied"),
        (Failed(404, "NR"), "404 NR"),
        (Failed(502, "-"), "502"),
        (Failed(502, ""), "502"),
        (Failed(None, "NR"), "no connection (NR)"),
        (Failed(None, "-"), "connection refused"),
        (Failed(None, ""), "connection refused"),
        (Unknown("nobody knows"), "unknown: nobody knows"),
    ],
)
def test_outcomes_in_a_few_words(outcome: Outcome, words: str) -> None:
    assert shown(outcome) == words


def test_each_invariant_has_its_sentence() -> None:
    before, during, after = served(backend("a:1")), served(backend("c:1")), Denied(403, "none")

    def told(invariant: Invariant, why: str = "") -> str:
        return sentence(ASKED, invariant, before, during, after, why).removeprefix(START)

    assert told(Invariant.AVAILABILITY) == "c:1"
    assert told(Invariant.NO_THIRD_BACKEND) == "c:1, which it reaches neither before nor after"
    assert told(Invariant.NO_OPENING) == "c:1, though it is denied before and after"
    assert told(Invariant.NO_FLAPPING) == "c:1 goes back and forth between a:1 and 403 denied"
    assert told(Invariant.POLICY, "because") == "c:1: because"


def defines(rule: ResourceId, subset: str = "v1") -> Reason:
    return Reason(rule, f"defines subset {subset}")


def test_a_subset_that_is_not_there() -> None:
    missing = Failed(503, "NC", backends=(failing("NC", subset="v1"),))
    with_rule = served(backend(subset="v1"), why=(defines(RULE),))
    told = "503 NC: subset v1 is not in DestinationRule shop/reviews"
    assert available(missing, served(), with_rule) == f"{told} yet"
    assert available(missing, with_rule, served()) == f"{told} any more"
    # What comes is told rather than what has gone.
    assert available(missing, with_rule, with_rule) == f"{told} yet"
    # Other requests go elsewhere.
    part = served(backend(subset="v1"), backend("b:1", subset="v2"), why=(defines(RULE),))
    assert available(missing, served(), part) == f"{told} yet"
    both = served(backend(subset="v1"), why=(defines(RULE), defines(OTHER), defines(RULE)))
    assert available(missing, served(), both) == (
        "503 NC: subset v1 is not in DestinationRule shop/reviews and DestinationRule web/reviews yet"
    )


def test_a_subset_that_no_rule_has() -> None:
    missing = Failed(503, "NC", backends=(failing("NC", subset="v1"),))
    told = "503 NC: subset v1 of reviews.shop is in no DestinationRule"
    assert available(missing) == told
    # Neither another subset, port or host, nor a rule for another one says anything about it.
    for other in (
        backend(subset="v2"),
        backend(subset="v1", port=81),
        backend(subset="v1", host="x"),
        failing("UH", subset="v1"),
    ):
        assert available(missing, served(), served(other, why=(defines(RULE),))) == told
    unnamed = served(
        backend(subset="v1"), why=(defines(RULE, "v2"), Reason(None, "defines subset v1"))
    )
    assert available(missing, served(), unnamed) == told


def test_a_host_that_the_proxy_does_not_know() -> None:
    missing = Failed(503, "NC", backends=(failing("NC"),))
    told = "503 NC: reviews.shop:80 is not known to the proxy"
    assert available(missing) == f"{told} yet"
    assert available(missing, served(), Direct(200)) == f"{told} any more"
    assert available(missing, Direct(200), Direct(200)) == told


def test_a_cluster_without_a_name() -> None:
    reasons = (
        Reason(ROUTE, "matches"),
        Reason(None, "first"),
        Reason(None, "no grant"),
        Reason(None, ""),
        Reason(RULE, "says something else"),
    )
    nameless = failing("NC", 500, host="")
    assert available(Failed(500, "NC", backends=(nameless,), why=reasons)) == "500 NC: no grant"
    assert available(Failed(500, "NC", backends=(nameless,))) == "500 NC"


def test_endpoints_and_handshakes() -> None:
    for flag in ("UH", "URX,UH"):
        told = f"503 {flag}: reviews.shop has no endpoints"
        assert available(Failed(503, flag, backends=(failing(flag),))) == told
        told = f"503 {flag}: subset v1 of reviews.shop has no endpoints"
        assert available(Failed(503, flag, backends=(failing(flag, subset="v1"),))) == told
    for flag in ("UC", "UF", "URX,UF"):
        told = f"503 {flag}: the two sides do not agree about mutual TLS"
        assert available(Failed(503, flag, backends=(failing(flag),))) == told
    part = served(backend(), failing("UH"))
    assert available(part) == "503 UH for a part: reviews.shop has no endpoints"
    # Of several failures the first that says something is told.
    several = Failed(503, "UH", backends=(failing("-"), failing("UH"), failing("UC")))
    assert available(several) == "503 UH: reviews.shop has no endpoints"
    denied = backend("a:1", kind="denied", status=403)
    assert available(Failed(503, "-", backends=(denied,))) == "503"


def test_a_request_without_a_route() -> None:
    missing = Failed(404, "NR")
    routed = served(why=(Reason(SERVICE, "x"), Reason(None, "y"), Reason(ROUTE, "matches")))
    told = "404 NR: its route in VirtualService shop/reviews"
    assert available(missing, routed, served()) == f"{told} is gone"
    assert available(missing, served(), routed) == f"{told} is not there yet"
    assert available(missing, routed, routed) == f"{told} is gone"
    assert available(missing) == "404 NR: no route takes it"
    for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"):
        id_ = ResourceId("gateway.networking.k8s.io", kind, "shop", "a")
        told = f"404 NR: its route in {kind} shop/a is gone"
        assert available(missing, served(why=(Reason(id_, ""),))) == told


def test_what_a_server_refuses_does_not_lack_a_route() -> None:
    why = (Reason(RULE, "asks for mutual TLS"),)
    refused = Failed(None, "NR", REFUSED, why=why)
    assert available(refused) == (
        "no connection (NR): DestinationRule shop/reviews asks for mutual TLS"
    )
    assert available(replace(refused, details="x")) == "no connection (NR): no route takes it"


def test_the_last_reason_is_told_where_nothing_else_is_known() -> None:
    why = (Reason(ROUTE, "first"), Reason(RULE, "says no"), Reason(SERVICE, ""))
    assert available(Denied(403, "x", why=why)) == (
        "403 denied: DestinationRule shop/reviews says no"
    )
    assert available(Denied(403, "x", why=(Reason(None, "it is so"),))) == "403 denied: it is so"
    assert available(Denied(403, "x")) == "403 denied"


def test_names_in_a_sentence() -> None:
    assert names([]) == ""
    assert names([RULE]) == "DestinationRule shop/reviews"
    assert names([RULE, ROUTE]) == "DestinationRule shop/reviews and VirtualService shop/reviews"
    assert names([RULE, OTHER, ROUTE]) == (
        "DestinationRule shop/reviews, DestinationRule web/reviews and VirtualService shop/reviews"
    )


def test_lost_requests() -> None:
    start = "GET reviews.shop/ from namespace web was served by a:1 and ends in "
    assert lost_sentence(ASKED, served(), Failed(404, "NR")) == f"{start}404 NR"
    assert lost_sentence(ASKED, served(), Unknown("why")) == f"{start}unknown"
