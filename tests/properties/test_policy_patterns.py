"""The automaton matches what Python's own engine matches, in linear time."""

import re
import time

import pytest

from meshplan.policy.automaton import Automaton, automaton
from meshplan.policy.regex import PatternError, parse
from support.random_patterns import patterns, texts


@pytest.mark.parametrize("mode", ["search", "match", "fullmatch"])
def test_it_matches_what_python_matches(mode: str) -> None:
    compared = 0
    for number, pattern in enumerate(patterns(3000, seed=11)):
        try:
            mine = Automaton(parse(pattern), mode)
        except PatternError:
            continue
        python = getattr(re.compile(pattern, re.ASCII), mode)
        for text in texts(5, seed=number):
            assert mine.matches(text) == bool(python(text)), (pattern, text)
            compared += 1
    assert compared > 10_000


@pytest.mark.parametrize("pattern", ["^(a|a)*$", "(a+)+$", "(?:a?){30}a{30}$", ".*.*.*b$"])
def test_it_takes_linear_time(pattern: str) -> None:
    found = automaton(pattern, "search")
    start = time.process_time()
    assert found.matches("a" * 100_000 + "!") is False
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        (r"(?<=x)y", "E172"),
        (r"(?=x)", "E172"),
        (r"(?P<n>a)(?P=n)", "E172"),
        (r"(a)\1", "E172"),
        (r"(?i)a", "E172"),
        (r"a\b", "E172"),
        (r"a$b", "E172"),
        (r"(a", "E171"),
        (r"a)", "E171"),
        (r"*a", "E171"),
        (r"[b-a]", "E171"),
        (r"a{1001}", "E173"),
        (r"(a{50}){50}", "E173"),
        ("(" * 40 + ")" * 40, "E173"),
        ("a{1,", "E172"),
        ("[a", "E171"),
        ("\\", "E171"),
    ],
)
def test_what_is_not_portable_is_refused(pattern: str, code: str) -> None:
    with pytest.raises(PatternError) as found:
        parse(pattern)
    assert found.value.code == code
