"""The invariants on hand-written outcomes."""

from dataclasses import replace
from itertools import product

import pytest

from meshplan.proof import Invariant
from meshplan.proof.invariants import Interval, broken, ends_of, policy_changes
from meshplan.traffic.outcome import (
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from meshplan.traffic.request import Request

ASKED = Request("www.example.com", path="/x", port=80)


def backend(endpoint: str, **named: object) -> Backend:
    made = Backend(endpoint, "h", "", 80, 0, "/x", "www.example.com")
    return replace(made, **named)  # type: ignore[arg-type]


def served(*endpoints: str, policy: dict[str, str] | None = None, **named: object) -> Served:
    return Served(tuple(backend(one, **named) for one in endpoints), policy or {})


A, B, C, AB = served("a:1"), served("b:1"), served("c:1"), served("a:1", "b:1")
PARTLY = Served((backend("a:1"), backend("", kind="error", status=503, flag="UH")))
LOST, REFUSED, DENIED = Failed(503, "NC"), Failed(503, "UC"), Denied(403, "none")
PASSED = Passthrough("www.example.com", 80)
DECLARED = Passthrough("www.example.com", 80, declared=True)


def judged(
    before: Outcome,
    during: Outcome,
    after: Outcome,
    start: Outcome | None = None,
    end: Outcome | None = None,
    *,
    at_one: bool = True,
) -> str | None:
    first, now, last = (ends_of(one, ASKED) for one in (before, during, after))
    begun, done = ends_of(start or before, ASKED), ends_of(end or after, ASKED)
    assert first
    assert now
    assert last
    assert begun
    assert done
    return broken(first, now, last, Interval(begun, done, at_one))


GOOD = (A, Redirect(301, "/y"), Direct(200), PASSED)
BAD = (LOST, REFUSED, DENIED, PARTLY)


def test_served_before_and_after_is_served_in_between() -> None:
    for before, during, after in product(GOOD, BAD, GOOD):
        assert judged(before, during, after) == "I1", (before, during, after)


def test_nobody_is_held_to_be_served_who_is_not_at_both_ends() -> None:
    for before, during in product(BAD, BAD):
        assert judged(before, during, A) is None or judged(before, during, A) == "I4"
        assert judged(A, during, before) != "I1"
    assert judged(A, LOST, LOST) is None
    assert judged(LOST, LOST, A) is None


def test_what_is_denied_before_and_after_is_not_let_in() -> None:
    for before, after in product((DENIED, REFUSED, Denied(401, "jwt")), repeat=2):
        for during in (*GOOD, PARTLY):
            assert judged(before, during, after) == "I3"
        assert judged(before, LOST, after) is None
    assert judged(DENIED, A, LOST) == "I2"
    assert judged(LOST, A, DENIED) == "I2"
    # Retries do not make another refusal of it.
    assert judged(Failed(503, "URX,UF"), A, Failed(503, "UF")) == "I3"
    # A server by itself logs something else than its client.
    for flag in ("NR", "DPE", "-"):
        at_server = Failed(None, flag, "connection refused by mutual TLS")
        assert judged(at_server, A, at_server) == "I3"
        assert judged(Failed(None, flag), A, Failed(None, flag)) == "I2"
    assert judged(Failed(404, "NR"), A, DENIED) == "I2"


def test_no_third_backend() -> None:
    assert judged(A, C, B) == "I2"
    assert judged(A, AB, B) is None
    assert judged(AB, A, AB) is None
    assert judged(A, AB, A) == "I2"
    assert judged(A, served("a:1", path="/z"), B) == "I2"
    assert judged(A, served("a:1", authority="z"), B) == "I2"
    assert judged(A, Redirect(302, "/y"), Redirect(301, "/y")) == "I2"
    assert judged(A, Redirect(301, "/z"), Redirect(301, "/y")) == "I2"
    assert judged(A, Direct(418), Direct(200)) == "I2"
    assert judged(A, Direct(200), Direct(200)) is None


def test_one_switch_at_most() -> None:
    # A wave that begins and ends with the old outcome may not show the new one, nor the reverse.
    assert judged(A, B, B, A, A) == "I4"
    assert judged(A, A, B, B, B) == "I4"
    assert judged(A, A, B, A, A) is None
    assert judged(A, B, B, B, B) is None
    # A wave that leads back does.
    assert judged(A, A, B, B, A) == "I4"
    assert judged(A, B, B, B, A) == "I4"
    assert judged(A, AB, B, B, A) == "I4"
    assert judged(A, AB, B, A, B) is None
    # In the middle of two it may show either.
    assert judged(A, A, B, A, AB) is None
    assert judged(A, B, B, AB, B) is None
    assert judged(A, A, A, A, A) is None


def test_a_host_that_becomes_one_of_the_mesh() -> None:
    """Its routes and clusters come in two pushes, so only whole states are held to availability."""
    assert judged(PASSED, LOST, A) == "I1"
    assert judged(PASSED, LOST, A, at_one=False) is None
    assert judged(A, LOST, PASSED, at_one=False) is None
    assert judged(DECLARED, LOST, A, at_one=False) == "I1"
    assert judged(A, LOST, B, at_one=False) == "I1"
    assert judged(PASSED, LOST, PASSED, at_one=False) == "I1"
    assert judged(PASSED, C, A, at_one=False) == "I2"


def test_where_the_client_dials() -> None:
    dialled = served("www.example.com:80")
    assert judged(PASSED, dialled, DECLARED) is None
    assert judged(dialled, DECLARED, dialled) is None
    assert judged(PASSED, served("www.example.com:81"), DECLARED) == "I2"
    assert judged(PASSED, served("other.example.com:80"), DECLARED) == "I2"
    assert judged(PASSED, served("www.example.com:80", path="/z"), DECLARED) == "I2"
    assert judged(PASSED, served("www.example.com:80", authority="z"), DECLARED) == "I2"
    with_port = served("www.example.com:80", authority="www.example.com:80")
    assert judged(PASSED, with_port, DECLARED) is None
    tls = served("www.example.com:443", transport=Transport.TLS)
    assert judged(PASSED, tls, DECLARED) is None
    mtls = served("www.example.com:443", transport=Transport.MTLS)
    assert judged(PASSED, mtls, DECLARED) == "I2"
    assert judged(dialled, served("c:1", transport=Transport.TLS), PASSED) == "I2"
    # With TLS and without it is the same place, of several as well.
    plain = served("www.example.com:443")
    assert judged(plain, tls, B) is judged(tls, plain, B) is None
    assert judged(plain, plain, tls, tls, plain) is None
    assert judged(Served((*A.backends, *plain.backends)), tls, B) is None
    assert judged(Served((*A.backends, *tls.backends)), plain, B) is None


def test_what_is_unknown_has_no_ends() -> None:
    assert ends_of(Unknown("why"), ASKED) is None


def test_what_counts_as_served() -> None:
    for outcome in GOOD:
        found = ends_of(outcome, ASKED)
        assert found
        assert found.served
        assert not found.denied
    for outcome in BAD:
        found = ends_of(outcome, ASKED)
        assert found
        assert not found.served
        assert found.denied == (outcome in (REFUSED, DENIED))
    nothing = ends_of(Served(()), ASKED)
    assert nothing
    assert not nothing.served


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        (("1s", "2s", "3s"), True),
        (("1s", "1s", "3s"), False),
        (("1s", "3s", "3s"), False),
        (("1s", "1s", "1s"), False),
    ],
)
def test_policies_are_those_before_or_after(policies: tuple[str, ...], told: bool) -> None:
    before, during, after = (served("a:1", policy={"timeout": one}) for one in policies)
    words = ["timeouts, retries or headers are a blend of old and new ones"] if told else []
    assert list(policy_changes(before, during, after)) == words
    assert list(policy_changes(LOST, during, after)) == []
    assert list(policy_changes(before, LOST, after)) == []
    assert list(policy_changes(before, during, LOST)) == []


def test_mutual_tls_stays_on() -> None:
    on, off = served("a:1", transport=Transport.MTLS), served("a:1")
    words = ["mutual TLS is off for a while"]
    assert list(policy_changes(on, off, on)) == words
    for outcomes in ((on, on, on), (off, off, on), (on, off, off), (off, on, off)):
        assert list(policy_changes(*outcomes)) == []
    one_of_two = Served((*on.backends, *off.backends))
    assert list(policy_changes(on, one_of_two, on)) == words
    failing = Served((*on.backends, backend("", kind="error")))
    assert list(policy_changes(on, failing, on)) == []


def test_the_first_invariant_that_is_broken_is_told() -> None:
    assert judged(A, PARTLY, B) is Invariant.AVAILABILITY
