"""Patterns and texts at random, small enough to match each other now and then."""

import random

_ATOMS = (
    "a",
    "b",
    ".",
    "\\.",
    "[ab]",
    "[^a]",
    "\\d",
    "\\w",
    "\\s",
    "\\S",
    "-",
    "[a-c\\d-]",
    "é",
    "\n",
    "x",
    "[^\\W_]",
    "\\x41",
    "[é-😀]",
)
_TIMES = ("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?")
_ENDS = ("", "", "$", "(a|$)", "(^|b)", "\\Z", "|b$")
_TEXTS = (
    "a",
    "b",
    ".",
    "-",
    "x",
    "1",
    "é",
    "É",
    "😀",
    " ",
    "\n",
    "\t",
    "/",
    ":",
    "@",
    "*",
    "A",
    "Z",
    "İ",
    "_",
)
_WORDS = ("localhost", "docker.io", "sha256", ".svc.cluster.local", "web", "")


def patterns(count: int, seed: int) -> list[str]:
    """Patterns, some of which are not portable."""
    chance = random.Random(seed)
    return [_pattern(chance, 0) + chance.choice(_ENDS) for _ in range(count)]


def _pattern(chance: random.Random, depth: int) -> str:
    luck = chance.random()
    if depth > 3 or luck < 0.35:
        return chance.choice(_ATOMS)
    if luck < 0.6:
        return _pattern(chance, depth + 1) + _pattern(chance, depth + 1)
    if luck < 0.75:
        return f"({_pattern(chance, depth + 1)}|{_pattern(chance, depth + 1)})"
    if luck < 0.9:
        return f"(?:{_pattern(chance, depth + 1)}){chance.choice(_TIMES)}"
    return chance.choice(["^", ""]) + _pattern(chance, depth + 1)


def texts(count: int, seed: int) -> list[str]:
    """Texts of the characters of the patterns, hosts and images."""
    chance = random.Random(seed)
    return [
        chance.choice(_WORDS if chance.random() < 0.3 else ("",))
        + "".join(chance.choice(_TEXTS) for _ in range(chance.randrange(7)))
        for _ in range(count)
    ]
