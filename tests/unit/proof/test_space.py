"""Boxes and lists against brute force: a request for each way through the lists."""

import ipaddress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.proof.space import AddressTest, Clause, PartTest, Rule, RuleList, Space, as_test
from meshplan.proof.texts import Shift
from meshplan.proof.types import BudgetError
from meshplan.traffic.authorization import AddressIn
from meshplan.traffic.condition import (
    ClaimCondition,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Present,
    QueryCondition,
    Regex,
    path_of,
    query_value,
)
from meshplan.traffic.request import Request

PARTS = (("path", ""), ("method", ""), ("header", "x"), ("query", "q"))
TEXTS = {
    "path": st.sampled_from([Prefix("/"), Prefix("/a"), Exact("/a"), Exact("/b"), Prefix("/ab")]),
    "method": st.sampled_from([Exact("GET"), Exact("PUT")]),
    "header": st.sampled_from([Exact("1"), Prefix("1"), Present(), Exact("2")]),
    "query": st.sampled_from([Exact("1"), Present()]),
}


@st.composite
def part_tests(draw: st.DrawFn) -> PartTest:
    part = draw(st.sampled_from(PARTS))
    invert = part[0] == "header" and draw(st.booleans())
    return PartTest(part, draw(TEXTS[part[0]]), invert, missing_as_empty=False)


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    first = draw(part_tests())
    more = draw(st.lists(TEXTS[first.part[0]], max_size=1))
    others = tuple(PartTest(first.part, text) for text in more)
    if draw(st.booleans()):
        return Clause((first, *others))
    return Clause((first,), others)


RULES: st.SearchStrategy[Rule] = st.lists(clauses(), max_size=3).map(tuple)
LISTS = st.lists(
    st.builds(RuleList, st.lists(RULES, max_size=4).map(tuple), st.booleans()), max_size=3
)

ALL = [
    Request("h", method, path + query, {} if header is None else {"x": header})
    for method in ("GET", "PUT", "POST")
    for path in ("/", "/a", "/b", "/ab", "/c", "/abz", "/az", "/bz")
    for query in ("", "?q=1", "?q=2", "?q")
    for header in (None, "1", "2", "12", "3", "")
]


def value(request: Request, part: tuple[str, str]) -> str | None:
    match part[0]:
        case "path":
            return path_of(request.path)
        case "method":
            return request.method
        case "header":
            return request.headers.get("x")
        case _:
            return query_value(request.path, "q")


def meets(request: Request, rule: Rule) -> bool:
    for clause in rule:
        positive = [bool(t.holds(value(request, t.part))) for t in clause.any_of]
        negative = [bool(t.holds(value(request, t.part))) for t in clause.none_of]
        if (positive and not any(positive)) or any(negative):
            return False
    return True


def way(request: Request, lists: list[RuleList]) -> tuple[object, ...]:
    """What a request meets in each list: the first rule, or all."""
    found: list[object] = []
    for rules in lists:
        met = [number for number, rule in enumerate(rules.rules) if meets(request, rule)]
        found.append(met[:1] if rules.ends else met)
    return tuple(map(str, found))


@given(LISTS)
@settings(max_examples=400, deadline=None)
def test_every_way_has_a_request(lists: list[RuleList]) -> None:
    found = Space(lists, "BASE", 10_000).requests(Request("h"))
    ways = [way(request, lists) for request in found]
    assert {way(request, lists) for request in ALL} <= set(ways)


@given(LISTS)
@settings(max_examples=200, deadline=None)
def test_what_is_unsure_neither_ends_a_walk_nor_hides_what_follows(lists: list[RuleList]) -> None:
    unsure = RuleList((((Clause(unsure=True)),),))
    found = Space([unsure, *lists], "BASE", 10_000).requests(Request("h"))
    assert {way(request, lists) for request in ALL} <= {way(r, lists) for r in found}


def test_no_conditions_make_one_class() -> None:
    [request] = Space([RuleList(((),))], "BASE", 10).requests(Request("h", port=80))
    assert request == Request("h", port=80)


def test_too_many_classes_are_refused() -> None:
    rules = tuple((Clause((PartTest(("header", f"x{n}"), Exact("1")),)),) for n in range(12))
    with pytest.raises(BudgetError, match="more than 100 classes"):
        Space([RuleList(rules, ends=False)], "BASE", 100).requests(Request("h"))


def header(name: str, value: str = "1") -> Rule:
    return (Clause((PartTest(("header", name), Exact(value)),)),)


def test_lists_that_are_small_may_make_many_classes_together() -> None:
    lists = [RuleList((header(f"x{n}"),)) for n in range(4)]
    assert len(Space(lists, "BASE", 16).requests(Request("h"))) == 16
    with pytest.raises(BudgetError, match="more than 15 classes"):
        Space(lists, "BASE", 15).requests(Request("h"))
    one = RuleList(tuple(header(f"x{n}")[0:1] for n in range(4)), ends=False)
    assert len(Space([one], "BASE", 16).requests(Request("h"))) == 16
    with pytest.raises(BudgetError, match="more than 15 classes"):
        Space([one], "BASE", 15).requests(Request("h"))


def test_too_many_are_refused_before_all_are_made() -> None:
    """Of sixty headers there are more combinations than can be listed."""
    rules = tuple(header(f"x{n}") for n in range(60))
    with pytest.raises(BudgetError, match="more than 100 classes"):
        Space([RuleList(rules, ends=False)], "BASE", 100).requests(Request("h"))


def test_a_clause_may_ask_for_nothing_or_for_something_else() -> None:
    """Whoever meets a rule that asks for more may go on, or not; without tests all meet it."""
    for more, seen in ((Clause(), 2), (Clause(unsure=True), 4)):
        for rule in ((more, *header("x")), (*header("x"), more)):
            found = Space([RuleList((rule, header("y")))], "BASE", 9).requests(Request("h"))
            ways = {("x" in one.headers, one.headers.get("y") == "1") for one in found}
            assert len([x for x, _ in ways if x]) == seen // 2
            assert {(False, True), (False, False)} <= ways


def test_a_rule_that_nothing_meets_makes_no_class() -> None:
    never = (*header("x", "1"), *header("x", "2"))
    for ends in (True, False):
        found = Space([RuleList((never, header("y")), ends)], "BASE", 9).requests(Request("h"))
        assert sorted(one.headers.get("y", "") for one in found) == ["", "1"]
        assert not any("x" in one.headers for one in found)


def test_usual_requests_stand_for_others() -> None:
    """The part of a class that nothing asks for is as usual."""
    path = (Clause((PartTest(("path", ""), Exact("/a")),)),)
    method = (Clause((PartTest(("method", ""), Exact("PATCH")),)),)
    found = Space([RuleList((path,)), RuleList((method,))], "BASE", 9).requests(Request("h"))
    assert {(one.path, one.method) for one in found} == {
        ("/a", "PATCH"),
        ("/a", "GET"),
        ("/", "PATCH"),
        ("/", "GET"),
    }


@pytest.mark.parametrize("count", [1, 2, 3])
def test_usual_methods_stand_for_others(count: int) -> None:
    usual = ["GET", "POST", "PUT"]
    tests = [PartTest(("method", ""), Exact(method)) for method in usual[: count - 1]]
    tests.append(PartTest(("method", ""), Exact("PATCH")))
    rules = tuple((Clause((test,)),) for test in tests)
    found = Space([RuleList(rules)], "BASE", 9).requests(Request("h"))
    assert {one.method for one in found} == {*usual[:count], "PATCH"}


@pytest.mark.parametrize("start", ["10.0.0.0", "255.255.255.240", "0.0.0.0", "2001:db8::"])
def test_an_address_of_each_cell(start: str) -> None:
    """Networks within the first sixteen addresses from a start, on them and what follows."""
    first, random = ipaddress.ip_address(start), Random(start)
    last = min(int(first) + 17, (1 << first.max_prefixlen) - 1)
    addresses = [type(first)(number) for number in range(int(first), last + 1)]
    for _ in range(60):
        networks = [
            ipaddress.ip_network((random.choice(addresses[:16]), first.max_prefixlen - bits), False)
            for bits in random.choices(range(5), k=random.randint(1, 3))
        ]
        rules = tuple((Clause((AddressTest(AddressIn(one, "peer")),)),) for one in networks)
        found = Space([RuleList(rules, ends=False)], "BASE", 99).requests(Request("h"))
        met = {tuple(ipaddress.ip_address(r.client_ip or "") in n for n in networks) for r in found}
        assert {tuple(address in n for n in networks) for address in addresses} <= met


@pytest.mark.parametrize(
    ("condition", "shift", "expected"),
    [
        (PathCondition(Exact("/a")), None, PartTest(("path", ""), Exact("/a"))),
        (PathCondition(Exact("/a")), (2, "/b"), PartTest(("path", ""), Shift(Exact("/a"), 2, "/b"))),
        (HeaderCondition(":method", Exact("GET"), invert=True), None, PartTest(("method", ""), Exact("GET"), invert=True)),
        (HeaderCondition("x", Exact("1"), invert=True, missing_as_empty=True), (2, "/b"), PartTest(("header", "x"), Exact("1"), invert=True, missing_as_empty=True)),
        (QueryCondition("q", Present()), None, PartTest(("query", "q"), Present())),
        # What is the same in one space, or is not told apart.
        (HeaderCondition(":authority", Exact("a")), None, None),
        (HeaderCondition("host", Exact("a")), None, None),
        (HeaderCondition(":scheme", Exact("http")), None, None),
        (HeaderCondition(":path", Exact("/a")), None, None),
        (ClaimCondition(("iss",), Exact("a"), ()), None, None),
    ],
)  # fmt: skip
def test_which_part_a_condition_is_about(
    condition: Condition, shift: tuple[int, str] | None, expected: PartTest | None
) -> None:
    assert as_test(condition, shift) == expected


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        (PartTest(("header", "x"), Exact("")), None, False),
        (PartTest(("header", "x"), Exact(""), missing_as_empty=True), None, True),
        (PartTest(("header", "x"), Exact("a"), invert=True), None, False),
        (PartTest(("header", "x"), Present(), invert=True), None, True),
        (PartTest(("header", "x"), Present()), None, False),
        (PartTest(("header", "x"), Exact("a"), invert=True), "b", True),
        (PartTest(("header", "x"), Exact("a"), invert=True), "a", False),
        (PartTest(("header", "x"), Exact("a"), invert=True, missing_as_empty=True), None, True),
        (PartTest(("header", "x"), Exact(""), missing_as_empty=True), "b", False),
        (PartTest(("header", "x"), Exact("b"), missing_as_empty=True), "b", True),
        (PartTest(("header", "x"), Regex("(")), "a", None),
        (PartTest(("header", "x"), Regex("("), invert=True), "a", None),
    ],
)
def test_which_values_meet_a_test(test: PartTest, value: str | None, expected: bool | None) -> None:
    assert test.holds(value) is expected


def test_what_is_not_decided_neither_ends_a_walk_nor_is_passed() -> None:
    """A pattern that nobody understands, among those of which one has to be met or none."""
    x, odd = PartTest(("header", "x"), Exact("1")), PartTest(("header", "x"), Regex("("))
    for clause in (
        Clause((x, odd)),
        Clause((), (x, odd)),
        Clause((odd,), (x,)),
        Clause((x,), (odd,)),
    ):
        rules = RuleList((((*header("z"), clause)), header("y")))
        found = Space([rules], "BASE", 99).requests(Request("h"))
        seen = {("z" in one.headers, one.headers.get("y") == "1") for one in found}
        assert seen == {(True, True), (True, False), (False, True), (False, False)}
