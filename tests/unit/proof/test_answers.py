"""What nobody can decide, decided by somebody: with answers policies and routes say what they would
say if it had been known.

Each test and each condition that is not decided gets a truth; beside it stands the same with that
truth in its place, which is decided in the usual way.
"""

from collections.abc import Callable, Hashable
from functools import partial
from itertools import product
from random import Random
from typing import TypeVar

import pytest

from meshplan.identity import ResourceId
from meshplan.proof.assumptions import (
    NOTHING,
    Assumptions,
    OpenQuestionError,
    decided,
    lets_in,
)
from meshplan.traffic.authorization import (
    Atom,
    Filter,
    IdentityIs,
    NotModelled,
    PolicyAction,
    PortIs,
    Rule,
)
from meshplan.traffic.authorization import Test as PolicyTest
from meshplan.traffic.condition import (
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Regex,
)
from meshplan.traffic.outcome import Failed, Reason
from meshplan.traffic.reasons import because
from meshplan.traffic.request import Request
from meshplan.traffic.route import Front, Selected
from meshplan.traffic.table import Forward, Route, VirtualHost

POLICY = ResourceId("security.istio.io", "AuthorizationPolicy", "shop", "p")
OTHER = ResourceId("security.istio.io", "AuthorizationPolicy", "shop", "q")
ME = "cluster.local/ns/web/sa/me"
PORT = 8080
REQUEST = Request("a.shop", path="/x")
AT = (ME, "a.shop", "/x", PORT, ())

#: What is asked, and what is answered.
Question = tuple[Hashable, ...]
Answer = Callable[[Question], bool]
T = TypeVar("T")


def answered(ask: Callable[[Assumptions], T], answer: Answer) -> tuple[T, Assumptions]:
    """What is said once all questions are answered, and the answers it took."""
    assumptions = NOTHING
    while True:
        try:
            return ask(assumptions), assumptions
        except OpenQuestionError as found:
            yes, no = assumptions.with_answers(found)
            assumptions = yes if answer(found.question) else no


# Policies

YES, NO = PortIs(PORT), PortIs(81)
MINE, ANOTHER = IdentityIs(Prefix("spiffe://cluster.local/ns/web/")), IdentityIs(Exact("x"))
UNKNOWN = tuple(NotModelled(str(n)) for n in range(3))
ATOMS: tuple[Atom, ...] = (YES, NO, MINE, ANOTHER, *UNKNOWN)


def truth_of(atom: Atom) -> bool | None:
    return None if isinstance(atom, NotModelled) else atom in (YES, MINE)


def truth(test: PolicyTest) -> bool | None:
    """Whether one of the first and none of the others hold, if that can be told."""
    possible = set()
    for guess in (True, False):
        # An unknown atom of the first kind hinders where it is false, one of the others where true.
        first = [guess if (t := truth_of(a)) is None else t for a in test.any_of]
        others = [not guess if (t := truth_of(a)) is None else t for a in test.none_of]
        possible.add((not first or any(first)) and not any(others))
    return possible.pop() if len(possible) == 1 else None


def some_test(random: Random) -> PolicyTest:
    return PolicyTest(
        tuple(random.choices(ATOMS, k=random.randint(0, 2))),
        tuple(random.choices(ATOMS, k=random.choice((0, 0, 1)))),
    )


def alternatives(random: Random) -> tuple[tuple[PolicyTest, ...], ...]:
    return tuple(
        tuple(some_test(random) for _ in range(random.randint(0, 2)))
        for _ in range(random.randint(1, 2))
    )


def some_filter(random: Random, action: PolicyAction) -> Filter:
    rules = tuple(
        Rule(f"{n}", POLICY, f"/spec/rules/{n}", alternatives(random), alternatives(random))
        for n in range(random.randint(0, 3))
    )
    return Filter(action, rules, (POLICY, OTHER))


def is_matched(rules: tuple[Rule, ...], known: Callable[[PolicyTest], bool]) -> bool:
    return any(
        all(
            any(all(map(known, tests)) for tests in side)
            for side in (rule.permissions, rule.principals)
        )
        for rule in rules
    )


def let_in(filters: list[Filter], answer: Answer) -> bool:
    """By definition: CUSTOM where a rule may match, DENY where one does, ALLOW where none does."""

    def known(test: PolicyTest) -> bool:
        found = truth(test)
        return answer(("test", test, AT)) if found is None else found

    for built in filters:
        match built.action:
            case PolicyAction.CUSTOM:
                may_match = is_matched(built.rules, lambda test: truth(test) is not False)
                if may_match and not answer(("custom", built, AT)):
                    return False
            case PolicyAction.DENY:
                if is_matched(built.rules, known):
                    return False
            case PolicyAction.ALLOW:
                if not is_matched(built.rules, known):
                    return False
    return True


def matters(built: Filter) -> bool:
    """Whether what a filter says depends on tests that nobody can decide, or on somebody else."""
    least = is_matched(built.rules, lambda test: truth(test) is True)
    most = is_matched(built.rules, lambda test: truth(test) is not False)
    return most and (built.action is PolicyAction.CUSTOM or not least)


def oracle(random: Random) -> Answer:
    known: dict[Question, bool] = {}
    return lambda question: known.setdefault(question, random.random() < 0.5)


def test_policies_say_what_they_would_say_if_it_were_known() -> None:
    random, seen = Random(1), set()
    for _ in range(3000):
        actions = [action for action in PolicyAction if random.random() < 0.6]
        filters = [some_filter(random, action) for action in actions]
        answer = oracle(random)
        found, assumptions = answered(partial(lets_in, filters, REQUEST, AT), answer)
        assert found == let_in(filters, answer), filters
        for asked in assumptions.answers:
            assert asked[0] == "custom" or truth(asked[1]) is None  # type: ignore[arg-type]
        depends = (matters(built) for built in filters)
        assert any(depends) or not assumptions.answers
        seen.add((found, min(len(assumptions.answers), 3)))
    assert seen == set(product((True, False), range(4)))


def rule(*tests: PolicyTest) -> Rule:
    return Rule("r", OTHER, "/spec/rules/0", (tests,), ((),))


def test_questions_about_policies_in_words() -> None:
    test = PolicyTest((UNKNOWN[0],), ())
    filters = [
        Filter(action, (rule(test),), (POLICY, OTHER))
        for action in (PolicyAction.CUSTOM, PolicyAction.ALLOW)
    ]
    _, found = answered(partial(lets_in, filters, REQUEST, AT), lambda _: True)
    assert found.words == (f"{POLICY} lets the request in", f"{OTHER} matches")


def test_one_test_says_the_same_in_all_policies_and_another_one_elsewhere() -> None:
    """Of one client, host, path, port and set of tokens; no more of any other."""
    deny = Filter(PolicyAction.DENY, (rule(PolicyTest((UNKNOWN[0],), ())),), (POLICY,))
    same = Filter(PolicyAction.ALLOW, (rule(PolicyTest((UNKNOWN[0],), ())),), (OTHER,))
    _, found = answered(partial(lets_in, [deny], REQUEST, AT), lambda _: False)
    assert not lets_in([same], REQUEST, AT, found)
    for other in (
        ("", *AT[1:]),
        (ME, "b", *AT[2:]),
        (ME, "a.shop", "/y", PORT, ()),
        (ME, "a.shop", "/x", 81, ()),
        (ME, "a.shop", "/x", PORT, ("x",)),
    ):
        with pytest.raises(OpenQuestionError):
            lets_in([same], REQUEST, other, found)


def test_tests_are_passed_by_whom_and_where_is_asked() -> None:
    """The identity and the port are those of the question."""
    for atom, other in ((MINE, ("", *AT[1:])), (YES, (ME, "a.shop", "/x", 81, ()))):
        unsure = PolicyTest((UNKNOWN[0],), ())
        allow = Filter(PolicyAction.ALLOW, (rule(PolicyTest((atom,), ()), unsure),), (POLICY,))
        assert answered(partial(lets_in, [allow], REQUEST, AT), lambda _: True)[0]
        found, assumptions = answered(partial(lets_in, [allow], REQUEST, other), lambda _: True)
        assert not found
        assert not assumptions.answers


def test_of_what_holds_anyway_nothing_is_asked() -> None:
    known, *unsure = (PolicyTest((atom,), ()) for atom in (YES, *UNKNOWN[:2]))
    either = ((unsure[0],), (known,))
    for permissions, principals in ((either, (unsure[1:],)), ((unsure[1:],), either)):
        sides = [tuple(map(tuple, side)) for side in (permissions, principals)]
        allow = Filter(PolicyAction.ALLOW, (Rule("r", POLICY, "", *sides),), (POLICY,))
        _, found = answered(partial(lets_in, [allow], REQUEST, AT), lambda _: True)
        assert set(found.answers) == {("test", unsure[1], AT)}


# Routes

PLAIN: tuple[Condition, ...] = (
    PathCondition(Prefix("/x")),
    PathCondition(Prefix("/y")),
    HeaderCondition("x-v", Exact("1")),
)
PUZZLING: tuple[Condition, ...] = tuple(PathCondition(Regex(f"(?={n})")) for n in range(3))


def some_route(random: Random, number: int) -> Route:
    conditions = tuple(random.sample((*PLAIN[:2], *PUZZLING), random.randint(0, 2)))
    return Route(conditions, Forward(()), POLICY, f"/spec/http/{number}")


WHY = Reason(None, "it listens")


def test_routes_are_taken_as_if_it_were_known_which_match() -> None:
    random, seen = Random(2), set()
    for _ in range(500):
        routes = tuple(some_route(random, n) for n in range(random.randint(0, 4)))
        front = Front(VirtualHost("a.shop", routes), why=(WHY,))
        answer = oracle(random)
        found, assumptions = answered(partial(decided, front, REQUEST), answer)
        expected = next(
            (
                one
                for one in routes
                if all(
                    answer(("route", c)) if c in PUZZLING else c == PLAIN[0] for c in one.conditions
                )
            ),
            None,
        )
        if expected is None:
            assert isinstance(found, Failed)
            assert (found.status, found.flag) == (404, "NR")
            assert [reason.text for reason in found.why] == [WHY.text, "no route of a.shop matches"]
        else:
            assert isinstance(found, Selected)
            assert found.route is expected
            assert found.why == (WHY, *because(expected))
        seen.add((expected is None, min(len(assumptions.answers), 2)))
    assert len(seen) == 6


def test_questions_about_routes_in_words() -> None:
    routes = (
        Route(PUZZLING[:1], Forward(()), None),
        Route(PUZZLING[1:2], Forward(()), POLICY, "/spec/http/1"),
    )
    front = Front(VirtualHost("a.shop", routes))
    _, found = answered(partial(decided, front, REQUEST), lambda _: False)
    assert found.words == ("not: a.shop matches", f"not: {POLICY}/spec/http/1 matches")
