"""Regular expressions: against Python's own engine where the two dialects agree."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshplan.traffic.regex import compiled

_ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "/",
        ".",
        "[ab]",
        "[^a]",
        r"\d",
        r"\w",
        "(a|b)",
        "(?:ab)",
        "[a-c]",
        "x",
        r"\.",
        "^",
        "$",
        r"\b",
    ]
)
_REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?"])


@st.composite
def _patterns(draw: st.DrawFn) -> str:
    branches = draw(
        st.lists(
            st.lists(st.tuples(_ATOMS, _REPEATS), min_size=0, max_size=4), min_size=1, max_size=3
        )
    )
    return "|".join(
        "".join(atom + ("" if atom in ("^", "$", r"\b") else repeat) for atom, repeat in branch)
        for branch in branches
    )


TEXTS = st.text(alphabet="abc/.x1 ", max_size=8)


@settings(max_examples=600, deadline=None)
@given(_patterns(), TEXTS)
@example("a*|b", "aaa")
@example("(a|ab)(c|bcd)(d*)", "abcd")
def test_whole_texts_match_as_python_says(pattern: str, text: str) -> None:
    program = compiled(pattern)
    assert program is not None
    assert program.matches(text) == bool(re.fullmatch(pattern, text))


@settings(max_examples=400, deadline=None)
@given(_patterns(), TEXTS)
def test_matches_are_replaced_as_python_replaces_them(pattern: str, text: str) -> None:
    program = compiled(pattern)
    assert program is not None
    if all(found.group() for found in re.finditer(pattern, text)):
        # On empty matches the two differ, see below.
        assert program.replace_all(text, "<>") == re.sub(pattern, "<>", text)


@pytest.mark.parametrize(
    ("pattern", "text", "substitution", "expected"),
    [
        # The example of Istio's documentation for uriRegexRewrite.
        ("/service/([^/]+)(/.*)", "/service/foo/v1/api", r"\2/\1", "/v1/api/foo"),
        ("one", "/xxx/one/yyy/one/zzz", "two", "/xxx/two/yyy/two/zzz"),
        ("(?i)/xxx/", "/aaa/XxX/bbb", "/yyy/", "/aaa/yyy/bbb"),
        ("^/prefix(/?)(.*)", "/prefix/a", r"/\2", "/a"),
        ("^/prefix(/?)(.*)", "/prefix", r"/\2", "/"),
        # RE2::GlobalReplace leaves no empty match behind a match.
        ("/.*", "/a/b", "/new", "/new"),
        ("x*", "abc", "-", "-a-b-c-"),
    ],
)
def test_groups_are_filled_in(pattern: str, text: str, substitution: str, expected: str) -> None:
    program = compiled(pattern)
    assert program is not None
    assert program.replace_all(text, substitution) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(?i)abc", "AbC", True),
        ("(?i:a)b", "Ab", True),
        ("(?i:a)b", "AB", False),
        ("(?P<name>a)", "a", True),
        ("[[:alpha:]]+", "abZ", True),
        ("[[:^digit:]]+", "ab1", False),
        (r"\x41\x{42}", "AB", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        (r"[\d\-]+", "1-2", True),
        ("a{,2}", "a{,2}", True),
        (r"\Aa\z", "a", True),
        ("(?s).", "\n", True),
        (".", "\n", False),
        ("", "", True),
        ("()", "", True),
    ],
)
def test_the_syntax_of_re2_is_understood(pattern: str, text: str, expected: bool) -> None:
    program = compiled(pattern)
    assert program is not None
    assert program.matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a**", "a{2}{3}", "[", "[b-a]", "*a", "a{1001}", "\\"),
        *("(?=a)", r"(a)\1", r"\p{L}", "(?<!a)b", "(?m)^a$"),
        *("((((a{100}){100}){100}){100})", "(" * 500 + ")" * 500),
    ],
)
def test_what_re2_refuses_or_we_do_not_know_is_not_decided(pattern: str) -> None:
    assert compiled(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+b", "(.*a){20}", "^(a?){60}a{60}$"]
)
def test_no_pattern_takes_exponential_time(pattern: str) -> None:
    program = compiled(pattern)
    assert program is not None
    start = time.process_time()
    program.matches("a" * 400 + "!")
    program.replace_all("a" * 60 + "!", "x")
    assert time.process_time() - start < 5


def test_states_can_be_walked() -> None:
    program = compiled("/api/(v1|v2)")
    assert program is not None
    states = program.start
    for char in "/api/v1":
        states = program.step(states, char)
    assert program.accepts(states)
    assert not program.step(states, "x")
