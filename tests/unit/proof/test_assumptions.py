"""What cannot be decided: safe where it is the same throughout, and told where it is not."""

import pytest

from meshplan.proof.assumptions import NOTHING, Assumptions, OpenQuestionError
from meshplan.proof.types import Proof
from meshplan.traffic import authorization
from meshplan.traffic.outcome import Denied
from support.meshes import with_versions
from support.proofs import Change, change

SERVICE = """
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a, sidecar.istio.io/inject: "true"}}
spec: {containers: [{name: c}]}
---
"""
TOKENS = """
kind: RequestAuthentication
metadata: {name: tokens, namespace: %s}
spec:
  selector: {matchLabels: {%s}}
  jwtRules: [{issuer: %s, fromHeaders: [{name: x-token}]}]
---
"""
POLICY = """
kind: AuthorizationPolicy
metadata: {name: p, namespace: %s}
spec:
  selector: {matchLabels: {%s}}
  action: %s
  rules: [{when: [{key: "request.auth.claims[group]", values: [%s]}]}]
---
"""
ROUTE = """
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a]
  http: [{timeout: %s, route: [{destination: {host: a}}]}]
---
"""
GATEWAY = """
kind: Gateway
metadata: {name: gw, namespace: edge}
spec: {selector: {istio: x}, servers: [{port: {number: 80, name: p, protocol: HTTP}, hosts: ["*/a.example.org"]}]}
---
"""
BOUND = """
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec: {hosts: [a.example.org], gateways: [edge/gw], http: [{route: [{destination: {host: a}}]}]}
---
"""
EVERYTHING = SERVICE + GATEWAY + BOUND


def of(before: str, after: str) -> Change:
    def text(one: str) -> str:
        return with_versions((EVERYTHING + one).strip().removesuffix("---").rstrip())

    return change(text(before), text(after))


AT = {"server": ("shop", "app: a"), "gateway": ("edge", "istio: x")}


@pytest.mark.parametrize("where", AT)
@pytest.mark.parametrize("action", ["ALLOW", "DENY"])
def test_what_stays_undecided_is_safe(where: str, action: str) -> None:
    """Nobody knows which tokens are good, but that is the same all the way."""
    same = TOKENS % (*AT[where], "me") + POLICY % (*AT[where], action, "one")
    proof = of(same + ROUTE % "1s", same + ROUTE % "2s").together()
    assert proof.verdict == "safe"
    assert proof.unknowns == ()


def lost(proof: Proof) -> set[tuple[bool, str, bool]]:
    """Whether it is at the gateway, by whom, and whether with a token."""
    return {
        (
            one.request.client.is_gateway,
            "a peer" if one.request.server else "a proxy",
            "x-token" in one.request.request.headers,
        )
        for one in proof.lost
    }


def at(where: str, *, token: bool) -> set[tuple[bool, str, bool]]:
    """What is lost where a policy at a place refuses more: who comes by the gateway loses at both."""
    found = {(True, "a proxy", token), (False, "a peer", token)}
    return found if where == "gateway" else {*found, (False, "a proxy", token)}


@pytest.mark.parametrize("where", AT)
@pytest.mark.parametrize("back", [False, True])
def test_who_has_a_token_may_lose_by_another_claim(where: str, back: bool) -> None:
    tokens = TOKENS % (*AT[where], "me")
    sides = [tokens + POLICY % (*AT[where], "ALLOW", group) for group in ("one", "two")]
    proof = of(*(sides[::-1] if back else sides)).together()
    assert proof.verdict == "safe"
    assert lost(proof) == at(where, token=True)


@pytest.mark.parametrize("where", AT)
def test_who_has_a_token_may_lose_by_another_issuer(where: str) -> None:
    """A good token of before may be a bad one after."""
    before, after = (TOKENS % (*AT[where], issuer) for issuer in ("me", "you"))
    proof = of(before, after).together()
    assert lost(proof) == at(where, token=True)
    refused = {one.after for one in proof.lost if isinstance(one.after, Denied)}
    assert (401, "jwt") in {(one.status, one.policy) for one in refused}
    at_servers = {one.after for one in proof.lost if one.request.server}
    told = {(one.status, one.policy) for one in at_servers if isinstance(one, Denied)}
    assert told == {(401, "jwt")}


@pytest.mark.parametrize("where", AT)
def test_who_has_a_bad_token_loses_where_tokens_are_looked_at(where: str) -> None:
    tokens = TOKENS % (*AT[where], "me")
    assert lost(of("", tokens).together()) == at(where, token=True)
    assert of(tokens, "").together().lost == ()
    assert of(tokens, "").together().verdict == "safe"


REMOTE = """
kind: AuthorizationPolicy
metadata: {name: %s, namespace: %s}
spec:
  selector: {matchLabels: {%s}}
  action: %s
  rules: [{when: [{key: destination.ip, values: [10.0.0.1]}]}]
---
"""


@pytest.mark.parametrize("where", AT)
@pytest.mark.parametrize("action", ["ALLOW", "DENY"])
def test_a_policy_that_nobody_can_decide_may_refuse_anybody(where: str, action: str) -> None:
    policy = REMOTE % ("p", *AT[where], action)
    proof = of("", policy).together()
    assert lost(proof) == at(where, token=False)
    assert {isinstance(one.after, Denied) and one.after.status for one in proof.lost} == {403}
    assert of(policy, policy + ROUTE % "1s").together().verdict == "safe"


@pytest.mark.parametrize("where", AT)
@pytest.mark.parametrize("action", ["ALLOW", "DENY"])
def test_a_policy_under_another_name_refuses_the_same(where: str, action: str) -> None:
    """Nobody knows what that is, but between the two of them it would be let in, or nobody would."""
    before, after = (REMOTE % (name, *AT[where], action) for name in ("p", "q"))
    found = of(before, after)
    steps = ("AuthorizationPolicy q", "-AuthorizationPolicy p")
    assert found.one_by_one(*steps).verdict == "safe"
    assert found.one_by_one(*steps[::-1]).verdict == "unsafe"


@pytest.mark.parametrize("where", AT)
def test_what_may_be_open_in_between_is_told(where: str) -> None:
    """Nobody knows that what the one policy refuses the other refuses too; perhaps it does."""
    before, after = (REMOTE % (name, *AT[where], "DENY") for name in ("p", "q"))
    after = after.replace("10.0.0.1", "10.0.0.2")
    found = of(before, after)
    proof = found.one_by_one("-AuthorizationPolicy p", "AuthorizationPolicy q")
    assert proof.verdict == "unknown"
    told = {
        (one.request.client.is_gateway, one.request.assumed)
        for one in proof.unknowns
        if one.request and not one.request.server
    }
    namespace = AT[where][0]
    words = tuple(f"AuthorizationPolicy {namespace}/{name} matches" for name in ("p", "q"))
    # Who comes by the gateway is asked first.
    assert (True, words) in told
    assert all("though it is denied before and after" in one.why for one in proof.unknowns)
    assert 0 in {one.wave for one in proof.unknowns}


REGEX = """
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a]
  http: [{match: [{%s: {%s}}], route: [{destination: {host: a}}]}]
---
"""


@pytest.mark.parametrize(
    ("part", "match", "named"),
    [
        ("uri", "regex: '/\\b%s\\b.*'", "path"),
        ("headers", "x-v: {regex: '\\b%s\\b.*'}", "header"),
        ("queryParams", "q: {regex: '.*\\b%s'}", "query"),
    ],
)
def test_patterns_beyond_automata_are_never_called_safe(part: str, match: str, named: str) -> None:
    """Word boundaries: proxies read them, but which texts they tell apart is not worked out."""
    before, after = (REGEX % (part, match % word) for word in ("x", "y"))
    for sides in ((before, after), (before, before.replace("host: a}", "host: a, subset: v1}"))):
        proof = of(*sides).together()
        assert proof.verdict == "unknown"
        told = f"a pattern for the {named} that is too large to be decided"
        assert {one.why for one in proof.unknowns} == {told}


def test_patterns_that_nobody_understands_are_asked_about() -> None:
    before = REGEX % ("uri", "regex: '/(?=x)'")
    found = of(before, before.replace("route: [{", "timeout: 1s, route: [{")).together()
    assert found.verdict == "safe"


# Answers themselves

NEGATIVE = authorization.Test((), (authorization.NotModelled("x"),))
ONE, TWO = (authorization.Test((authorization.NotModelled(name),), ()) for name in "xy")


def test_questions_have_both_answers() -> None:
    with pytest.raises(OpenQuestionError) as raised:
        NOTHING.ask(("route", 1), "it matches")
    yes, no = NOTHING.with_answers(raised.value)
    assert (yes.words, no.words) == (("it matches",), ("not: it matches",))
    assert yes.ask(("route", 1), "it matches")
    assert not no.ask(("route", 1), "it matches")
    with pytest.raises(OpenQuestionError, match=r"^another$"):
        yes.ask(("route", 2), "another")
    again = next(yes.with_answers(OpenQuestionError(("route", 2), "another")))
    assert again.words == ("it matches", "another")
    assert again.ask(("route", 1), "it matches")


@pytest.mark.parametrize(
    ("answers", "plausible"),
    [
        ({}, True),
        ({("route", 1): True}, True),
        ({("route", 1): False}, True),
        ({("token", 1): False}, True),
        # Two patterns may exclude each other, and two policies say different things of one token.
        ({("route", 1): True, ("route", 2): True}, False),
        ({("route", 1): False, ("route", 2): False}, False),
        ({("policy", 1): True, ("policy", 2): False}, False),
        ({("policy", 1): False, ("policy", 2): False}, False),
        # That all policies let a request in is what they are there for.
        ({("policy", 1): True, ("policy", 2): True}, True),
        ({("policy", 1): True, ("token", 2): False}, True),
        # Two tests may exclude each other; nobody has to be named by any.
        ({("test", ONE): True}, True),
        ({("test", ONE): True, ("test", TWO): True}, False),
        ({("test", ONE): True, ("test", TWO): False}, False),
        ({("test", ONE): False, ("test", TWO): False}, True),
        ({("test", ONE): False, ("test", NEGATIVE): False}, False),
        (
            {("policy", 1): True, ("policy", 2): True, ("token", 1): True, ("token", 2): False},
            False,
        ),
    ],
)
def test_which_answers_somebody_surely_gives(
    answers: dict[tuple[str, int], bool], plausible: bool
) -> None:
    assert Assumptions({**answers}).plausible == plausible


@pytest.mark.parametrize(("count", "decided"), [(8, True), (40, False)])
def test_only_some_questions_may_be_open(count: int, decided: bool) -> None:
    """Routes with patterns that nobody understands, each of which may match."""
    matches = ", ".join(
        f"{{match: [{{uri: {{regex: '/(?={n})'}}}}], redirect: {{uri: /{n}}}}}"
        for n in range(count)
    )
    text = f"""
kind: VirtualService
metadata: {{name: a, namespace: shop}}
spec: {{hosts: [a], http: [{matches}, {{timeout: %s, route: [{{destination: {{host: a}}}}]}}]}}
"""
    proof = of(text % "1s", text % "2s").together()
    why = {one.why for one in proof.unknowns}
    assert all("open questions" in one for one in why)
    assert decided == (not why)


def test_one_word_about_what_is_unknown_is_enough() -> None:
    """Several views of a wave are unknown for a filter that is there in some of them."""
    filter_ = """
kind: EnvoyFilter
metadata: {name: f, namespace: shop}
spec: {configPatches: [{applyTo: HTTP_FILTER}]}
---
"""
    proof = of(ROUTE % "1s", filter_ + ROUTE % "2s").together()
    told = [(str(one.request), one.wave, one.why) for one in proof.unknowns if one.request]
    assert told
    assert len(told) == len(set(told))
