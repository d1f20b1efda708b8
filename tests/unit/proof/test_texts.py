"""Cells of texts against brute force: whatever a short text meets, some cell does."""

import string
from collections.abc import Iterator, Sequence
from itertools import product
from random import Random

import pytest

from meshplan.proof.texts import (
    Cells,
    Shift,
    TextKind,
    TextTest,
    cells,
    holds_of,
    quoted,
    universe_of,
)
from meshplan.traffic.condition import (
    Exact,
    PathTemplate,
    Prefix,
    Present,
    Regex,
    SeparatedPrefix,
    Suffix,
    TextMatch,
    text_holds,
)

WORDS = ["".join(found) for length in range(4) for found in product("abA", repeat=length)]
PATHS = ["".join(("/", *found)) for length in range(4) for found in product("a/A", repeat=length)]


def truths(tests: Sequence[TextTest], text: str) -> tuple[bool, ...]:
    return tuple(bool(holds_of(test, text)) for test in tests)


def check(tests: Sequence[TextTest], found: Cells, texts: Sequence[str]) -> None:
    """A cell for each text, and in each cell a text that has its truths; no two alike."""
    assert not found.opaque
    assert [cell.truths for cell in found.cells] == [
        truths(tests, cell.value) for cell in found.cells
    ]
    known = [cell.truths for cell in found.cells]
    assert len(set(known)) == len(known)
    assert {truths(tests, text) for text in texts} <= set(known)


def of_header(random: Random, *, fold: bool, simple: bool) -> Iterator[TextMatch]:
    kinds: tuple[type[Exact | Prefix | Suffix], ...] = (Exact, Prefix, Suffix)
    for _ in range(random.randint(1, 4)):
        kind = random.choice(kinds[:2] if simple else kinds)
        yield kind(random.choice(WORDS), fold if simple else random.random() < 0.3)
    if random.random() < 0.2:
        yield Present()
    if not simple and random.random() < 0.3:
        yield Regex(random.choice(("a.*", ".*b", "(a|b)*", "[^a]b?", "", "(?i)ab.*", "a|^b")))


@pytest.mark.parametrize("simple", [True, False])
@pytest.mark.parametrize("fold", [True, False])
def test_headers(simple: bool, fold: bool) -> None:
    random = Random(f"{simple} {fold}")
    for _ in range(100 if simple else 40):
        tests = tuple(of_header(random, fold=fold, simple=simple))
        check(tests, cells(tests, TextKind.HEADER), WORDS)


@pytest.mark.parametrize("fold", [True, False])
def test_paths(fold: bool) -> None:
    random = Random(f"{fold}")
    for number in range(60):
        kinds: list[TextTest] = [
            Exact(random.choice(PATHS), fold),
            Prefix(random.choice(PATHS), fold),
            SeparatedPrefix(random.choice(PATHS), fold),
            SeparatedPrefix(random.choice(PATHS).rstrip("/"), fold),
        ]
        if number % 3 == 0:
            parts = random.choices(("a", "*", "A"), k=random.randint(0, 2))
            kinds[0] = PathTemplate((*parts, random.choice(("**", "a", "*"))))
        tests = tuple(random.sample(kinds, random.randint(1, 4)))
        check(tests, cells(tests, TextKind.PATH), PATHS)


@pytest.mark.parametrize(("cut", "instead"), [(0, "a"), (1, ""), (2, "b"), (-1, "ab"), (1, "Ab")])
def test_what_becomes_of_texts(cut: int, instead: str) -> None:
    """In the place of the first characters, or of all, stands something else."""
    random = Random(cut)
    for text in WORDS:
        kept = "" if cut < 0 else text[cut:]
        test = Prefix("ab")
        assert holds_of(Shift(test, cut, instead), text) == (instead + kept).startswith("ab")
    for _ in range(20):
        tests = tuple(of_header(random, fold=False, simple=False))
        shifted = (*tests, *(Shift(test, cut, instead) for test in tests))
        texts = [text for text in WORDS if len(text) >= cut]
        check(shifted, cells(shifted, TextKind.HEADER), texts)


@pytest.mark.parametrize("kind", TextKind)
def test_a_beginning_is_told_from_all_that_goes_on(kind: TextKind) -> None:
    """Where conditions name all usual characters, something else comes after them."""
    alphabet = string.ascii_letters + string.digits + "_-~."
    start = "/" if kind is TextKind.PATH else ""
    for chars in (alphabet, alphabet[:30], alphabet[30:]):
        tests = tuple(Prefix(start + char) for char in chars)
        found = cells(tests, kind)
        check(tests, found, [start + char for char in chars])
        rest = [cell for cell in found.cells if not any(cell.truths)]
        assert rest
        if chars != alphabet:
            ranges = universe_of(kind)[1]
            for char in "".join(cell.value for cell in rest):
                assert any(low <= ord(char) <= high for low, high in ranges)


def test_every_character_stands_for_itself() -> None:
    for char in string.punctuation + string.ascii_letters + string.digits + " é":
        for other in string.punctuation + "a é":
            assert text_holds(Regex(f"x{quoted(char)}"), f"x{other}") == (char == other)
        assert text_holds(Regex(quoted(f"{char}{char}")), char * 2)


def test_preferred_texts_come_first_if_there_are_such_texts() -> None:
    tests = (Exact("a"), Regex("b+"))
    for preferred in (("b", "zz"), ("bbb", "c"), (" b", "zz"), ("a", "b", "d")):
        found = cells(tests, TextKind.HEADER, preferred=preferred)
        check(tests, found, WORDS)
        first = [text for text in preferred if text != " b"]
        assert [cell.value for cell in found.cells[: len(first)]] == first
    assert cells((), TextKind.METHOD, preferred=("", "GET")).cells[0].value == "GET"


MANY = Regex("(a|b)*a(a|b){9}")


@pytest.mark.parametrize(
    ("tests", "opaque"),
    [
        ((Regex(r"\bx"), Exact("a")), {0}),
        ((Exact("a"), Regex("(?=x)"), Suffix("b")), {1}),
        ((Exact("a"), Shift(Regex(r"\bx"), 1, ""), Suffix("b")), {1}),
        # Patterns that are too large are given up, and all others are told apart.
        ((MANY, Exact("a"), Suffix("b")), {0}),
        ((Suffix("b"), Shift(MANY, 0, "a"), Prefix("a")), {1}),
        ((Suffix("b"), MANY, Shift(MANY, 1, "a"), Prefix("a"), PathTemplate(("a",))), {1, 2, 4}),
    ],
)
def test_what_is_not_decided_is_told(
    tests: tuple[TextTest, ...], opaque: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshplan.proof.texts.MAX_STATES", 60)
    found = cells(tests, TextKind.HEADER)
    assert found.opaque == opaque
    decided = [number for number in range(len(tests)) if number not in opaque]
    known = {tuple(cell.truths[number] for number in decided) for cell in found.cells}
    assert {truths([tests[n] for n in decided], text) for text in WORDS} <= known
    assert not any(cell.truths[number] for cell in found.cells for number in opaque)


def test_where_even_plain_texts_are_too_many_nothing_is_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meshplan.proof.texts.MAX_STATES", 3)
    found = cells((Suffix("abab"), Exact("b" * 9)), TextKind.HEADER)
    assert found.opaque == {0, 1}
    assert [cell.truths for cell in found.cells] == [(False, False)]
