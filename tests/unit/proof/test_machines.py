"""Automata against what they stand for, on all short texts."""

from collections.abc import Callable
from itertools import product

import pytest

from meshplan.proof.machines import Ending, Literal, Machine, Pattern, Shifted, around
from meshplan.proof.product import Alphabet, combinations
from meshplan.proof.universe import HOST, PATH, TEXT, AnyText, NormalPath
from meshplan.traffic.paths import normalized
from meshplan.traffic.regex import compiled

TEXTS = ["".join(found) for length in range(5) for found in product("abA ", repeat=length)]


def accepts(machine: Machine, text: str) -> bool:
    state = machine.start
    for char in text:
        state = machine.step(state, char)
    return machine.accepts(state)


def pattern(text: str) -> Pattern:
    program = compiled(text)
    assert program is not None
    return Pattern(program)


MACHINES: list[tuple[Machine, Callable[[str], bool]]] = [
    (Literal("ab", whole=True), lambda t: t == "ab"),
    (Literal("aB", whole=True, fold=True), lambda t: t.lower() == "ab"),
    (Literal("", whole=True), lambda t: t == ""),
    (Literal("ab", whole=False), lambda t: t.startswith("ab")),
    (Literal("Ab", whole=False, fold=True), lambda t: t.lower().startswith("ab")),
    (Literal("", whole=False), lambda t: True),
    (Ending("aab"), lambda t: t.endswith("aab")),
    (Ending("aba"), lambda t: t.endswith("aba")),
    (Ending("aB", fold=True), lambda t: t.lower().endswith("ab")),
    (Ending(""), lambda t: True),
    (pattern("a*b"), lambda t: t.strip("a") == "b" and t.endswith("b")),
    (pattern("^a$"), lambda t: t == "a"),
    (pattern("(a|b)+"), lambda t: t != "" and not t.strip("ab")),
    (pattern("a|^b|a$"), lambda t: t in ("a", "b")),
    (pattern("^$"), lambda t: t == ""),
    (pattern("a^b"), lambda t: False),
    (pattern("a$b"), lambda t: False),
    (pattern("$a"), lambda t: False),
    (pattern("a^"), lambda t: False),
    (pattern("$^"), lambda t: t == ""),
    # What holds of no text at its start holds of none that comes back to where it was there.
    (pattern("a*$^"), lambda t: t == ""),
    (pattern("(a*)*b"), lambda t: t.endswith("b") and not t[:-1].strip("a")),
    (Shifted(Literal("ba", whole=True), 1, "b"), lambda t: "b" + t[1:] == "ba"),
    (Shifted(Literal("b", whole=False), 2, "a"), lambda t: False),
    (Shifted(Ending("ab"), 2, "a"), lambda t: ("a" + t[2:]).endswith("ab")),
    (Shifted(Ending("ab"), -1, "ab"), lambda t: True),
    (Shifted(Literal("A", whole=True, fold=True), 0, ""), lambda t: t.lower() == "a"),
    (AnyText(), lambda t: t == t.strip()),
    (AnyText(may_be_empty=False), lambda t: t == t.strip() and t != ""),
]


@pytest.mark.parametrize("number", range(len(MACHINES)))
def test_which_texts_are_accepted(number: int) -> None:
    machine, expected = MACHINES[number]
    for text in TEXTS:
        assert accepts(machine, text) == expected(text), text


@pytest.mark.parametrize("number", range(len(MACHINES)))
def test_between_cuts_all_characters_lead_to_one_state(number: int) -> None:
    machine, _ = MACHINES[number]
    for text in TEXTS[:85]:
        state = machine.start
        for char in text:
            state = machine.step(state, char)
        cuts = set(machine.cuts(state))
        for low in range(0x20, 0x7E):
            if low + 1 not in cuts:
                one, other = (machine.step(state, chr(code)) for code in (low, low + 1))
                assert one == other, (text, chr(low))


@pytest.mark.parametrize("level", ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])
def test_paths_are_those_that_normalization_keeps(level: str) -> None:
    machine = NormalPath(level)
    texts = ["".join(found) for length in range(5) for found in product("/.a\\%", repeat=length)]
    texts += ["".join(found) for found in product("/a", "%x", "024A", "0fFeEc1g", "/a")]
    for text in ("", "a", "/", *(f"/{one}" for one in texts)):
        assert accepts(machine, text) == (normalized(text, level) == text), text


def test_where_a_character_is_alone() -> None:
    assert set(around("a", fold=False)) == {0x61, 0x62}
    assert set(around("a", fold=True)) == {0x41, 0x42, 0x61, 0x62}
    assert set(around("1", fold=True)) == {0x31, 0x32}
    # Between the two others, and of one whose capitals are two characters.
    assert {0x1C4, 0x1C5, 0x1C6, 0x1C7} <= set(around("\u01c5", fold=True))
    assert set(around("\u1f88", fold=True)) == {0x1F80, 0x1F81, 0x1F88, 0x1F89}


@pytest.mark.parametrize(
    "numbers",
    [(0, 3, 6), (1, 4, 8), (0, 1, 3, 4), (6, 7, 8, 9), (2, 5, 12), (10, 17, 19), (0, 6, 10, 12)],
)
def test_all_combinations_with_a_shortest_text(numbers: tuple[int, ...]) -> None:
    parts = [MACHINES[number] for number in numbers]
    found = combinations([machine for machine, _ in parts], AnyText(), TEXT, 1000)
    shortest: dict[tuple[bool, ...], int] = {}
    for text in TEXTS:
        if text == text.strip():
            truths = tuple(expected(text) for _, expected in parts)
            shortest.setdefault(truths, len(text))
    for truths, text in found.items():
        assert tuple(expected(text) for _, expected in parts) == truths
    assert set(found) >= set(shortest)
    assert all(len(found[truths]) == length for truths, length in shortest.items())


def test_characters_are_those_of_the_alphabet() -> None:
    machines = [pattern("[^a-z]"), pattern("[ -,]"), pattern("[\\[-`]")]
    found = combinations(machines, AnyText(may_be_empty=False), HOST, 1000)
    texts = set("".join(found.values()))
    assert all(char.isalnum() or char in "-_.:" for char in texts)
    # Of what is between the capitals and the small letters that is the underline alone.
    assert found[True, False, True] == "_"
    assert not any(truths[1] for truths in found)


@pytest.mark.parametrize(
    ("alphabet", "allowed", "best"),
    [
        (TEXT, "[!-/]", "-"),
        (TEXT, "[ -,]", ","),
        (TEXT, "[A-Z]", "A"),
        (TEXT, "[b-~]", "b"),
        (TEXT, "[`-a]", "a"),
        (TEXT, "[\u00e9-\u00ff]", "\u00e9"),
        (TEXT, "[\u007f-\u00ff]", "\u00a1"),
        (PATH, "[{-~]", "~"),
        (PATH, "[#-%]", "$"),
        (HOST, "[,-9]", "0"),
        (HOST, "[.-9]", "0"),
        (HOST, "[[-`]", "_"),
        (HOST, "[!-,]", None),
    ],
)
def test_nice_characters_stand_for_others(
    alphabet: Alphabet, allowed: str, best: str | None
) -> None:
    """Letters first, then digits and what is usual in names; else the first that there is."""
    found = combinations([pattern(allowed)], AnyText(may_be_empty=False), alphabet, 100)
    assert found.get((True,)) == best


@pytest.mark.parametrize("level", ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])
def test_between_cuts_of_paths_all_characters_lead_to_one_state(level: str) -> None:
    machine = NormalPath(level)
    for text in ("", "/", "/a", "/.", "/..", "/%", "/%2", "/%4", "/%5", "/%0", "//", "a"):
        state = machine.start
        for char in text:
            state = machine.step(state, char)
        cuts = set(machine.cuts(state)) | ({0x2F, 0x30} if text == "" else set())
        for low in range(0x21, 0x7E):
            if low + 1 not in cuts:
                one, other = (machine.step(state, chr(code)) for code in (low, low + 1))
                assert one == other, (text, chr(low))
