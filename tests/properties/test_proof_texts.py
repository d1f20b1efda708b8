"""The cells of a text against brute force: every text over a small alphabet falls into one."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.proof.machines import TooLargeError
from meshplan.proof.texts import Cells, Shift, TextKind, TextTest, cells, holds_of
from meshplan.proof.universe import NormalPath
from meshplan.traffic.condition import (
    Exact,
    PathTemplate,
    Prefix,
    Present,
    Regex,
    SeparatedPrefix,
    Suffix,
    text_holds,
)
from meshplan.traffic.paths import normalized

LETTERS = "abA"
SHORT = st.text(alphabet=LETTERS, max_size=3)
FOLD = st.booleans()
PATHS = st.lists(
    st.sampled_from(["a", "b", "ab", "A", "", ".", "..", "a.b", "%41", "%2f"]), max_size=3
).map(lambda parts: "/" + "/".join(parts))
PATTERNS = st.sampled_from(
    [
        "a.*",
        ".*b",
        "^a+$",
        "(a|b)*",
        "[^a]b?",
        "a{2,3}",
        "(?i)ab.*",
        ".+",
        "",
        "^$",
        "a|^b",
        "[A-Z]+",
    ]
)
SIMPLE = st.one_of(st.builds(Exact, SHORT), st.builds(Prefix, SHORT), st.just(Present()))
ANY = st.one_of(
    st.builds(Exact, SHORT, FOLD),
    st.builds(Prefix, SHORT, FOLD),
    st.builds(Suffix, SHORT, FOLD),
    st.builds(Regex, PATTERNS),
    st.just(Present()),
)
ON_PATH = st.one_of(
    st.builds(Exact, PATHS, FOLD),
    st.builds(Prefix, PATHS, FOLD),
    st.builds(SeparatedPrefix, PATHS, FOLD),
    st.builds(Suffix, SHORT),
    st.builds(
        PathTemplate,
        st.lists(st.sampled_from(["a", "*", "b"]), min_size=1, max_size=3).map(tuple),
    ),
    st.just(PathTemplate(("a", "**"))),
    st.just(PathTemplate(("**", "b"))),
    st.builds(Regex, st.sampled_from(["/a.*", "/[^/]+/b", ".*/a", "/(a|b)/?"])),
)


def words(alphabet: str, longest: int) -> list[str]:
    return [
        "".join(found)
        for length in range(longest + 1)
        for found in itertools.product(alphabet, repeat=length)
    ]


def check(tests: list[TextTest], found: Cells, texts: list[str]) -> None:
    """Each text has the truths of a cell, and each cell's text the truths of its cell."""
    assert not found.opaque
    assert len({cell.truths for cell in found.cells}) == len(found.cells)
    for cell in found.cells:
        assert cell.truths == tuple(holds_of(test, cell.value) for test in tests)
    known = {cell.truths for cell in found.cells}
    for text in texts:
        assert tuple(holds_of(test, text) for test in tests) in known, text


@given(st.lists(SIMPLE, max_size=5))
@settings(max_examples=300, deadline=None)
def test_short_way_meets_all_combinations(tests: list[TextTest]) -> None:
    check(tests, cells(tests, TextKind.HEADER), words(LETTERS + "c", 4))


@given(st.lists(ANY, max_size=4))
@settings(max_examples=300, deadline=None)
def test_automata_meet_all_combinations(tests: list[TextTest]) -> None:
    check(tests, cells(tests, TextKind.HEADER), words(LETTERS + "c", 4))


@given(st.lists(ON_PATH, max_size=4), st.sampled_from(["NONE", "BASE", "MERGE_SLASHES"]))
@settings(max_examples=200, deadline=None)
def test_paths(tests: list[TextTest], level: str) -> None:
    texts = ["/" + word for word in words("ab/.", 4)]
    kept = [text for text in texts if normalized(text, level) == text]
    found = cells(tests, TextKind.PATH, normalization=level)
    check(tests, found, kept)
    for cell in found.cells:
        assert normalized(cell.value, level) == cell.value


@given(
    st.text(alphabet="/.%24fFa\\", max_size=8),
    st.sampled_from(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]),
)
@settings(max_examples=2000)
def test_normal_paths_are_those_that_normalization_keeps(tail: str, level: str) -> None:
    path = "/" + tail
    machine = NormalPath(level)
    state = machine.start
    for char in path:
        state = machine.step(state, char)
    assert machine.accepts(state) == (normalized(path, level) == path)


@given(st.lists(ANY, max_size=3), st.sampled_from([0, 1, 2]), SHORT)
@settings(max_examples=200, deadline=None)
def test_conditions_on_what_becomes_of_a_text(
    tests: list[TextTest], cut: int, instead: str
) -> None:
    shifted: list[TextTest] = [Shift(test, cut, instead) for test in tests]  # type: ignore[arg-type]
    found = cells([*tests, *shifted], TextKind.HEADER)
    check([*tests, *shifted], found, [w for w in words(LETTERS + "c", 4) if len(w) >= cut])


def test_preferred_texts_come_first() -> None:
    found = cells([Prefix("/"), Exact("/login")], TextKind.PATH, preferred=("/",))
    assert found.cells[0].value == "/"


def test_hundreds_of_prefixes() -> None:
    tests = [Prefix(f"/api/v{i}/things") for i in range(400)]
    found = cells(tests, TextKind.PATH)
    assert len(found.cells) == 401
    for cell in found.cells[::37]:
        assert cell.truths == tuple(text_holds(test, cell.value) for test in tests)


def test_patterns_beyond_us_are_opaque() -> None:
    found = cells([Regex(r"\bword\b"), Exact("a")], TextKind.HEADER)
    assert found.opaque == {0}
    assert {cell.truths for cell in found.cells} == {(False, False), (False, True)}


def test_a_product_that_is_too_large_gives_up_patterns_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meshplan.proof.texts.MAX_STATES", 30)
    found = cells([Regex("(a|b)*a(a|b){9}"), Exact("a"), Suffix("b")], TextKind.HEADER)
    assert found.opaque == {0}
    assert TooLargeError is not None
