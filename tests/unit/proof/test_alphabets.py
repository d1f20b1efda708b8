"""Which texts and characters there may be in each part of a request."""

import string

import pytest

from meshplan.proof.texts import TextKind, cells, quoted
from meshplan.traffic.condition import Exact, Regex


@pytest.mark.parametrize(
    ("kind", "pattern", "exists"),
    [
        (TextKind.HEADER, "[ -~]", True),
        (TextKind.HEADER, "a b", True),
        (TextKind.HEADER, " a", False),
        (TextKind.HEADER, "a ", False),
        (TextKind.HEADER, "é", True),
        (TextKind.HEADER, "\t", False),
        (TextKind.HEADER, "", True),
        (TextKind.METHOD, "", False),
        (TextKind.METHOD, "[A-Z]+", True),
        (TextKind.METHOD, "[a-z]+", True),
        (TextKind.METHOD, "[0-9]+", True),
        (TextKind.METHOD, "M-SEARCH", True),
        (TextKind.METHOD, "a_b", True),
        (TextKind.METHOD, "[ /:@]", False),
        (TextKind.QUERY, "", True),
        (TextKind.QUERY, "a=b", True),
        (TextKind.QUERY, "[!-%]", True),
        (TextKind.QUERY, "%26", True),
        (TextKind.QUERY, "[&#]", False),
        (TextKind.QUERY, "é", True),
        (TextKind.PATH, "/[?#]", False),
        (TextKind.PATH, "/ ", False),
        (TextKind.PATH, "/[!-%]", True),
        (TextKind.PATH, "/@", True),
        (TextKind.PATH, "/>", True),
        (TextKind.PATH, "/é", True),
        (TextKind.PATH, "a", False),
        (TextKind.HOST, "a-b.example:80", True),
        (TextKind.HOST, "A_b", True),
        (TextKind.HOST, "[ /]", False),
        (TextKind.HOST, "", False),
    ],
)
def test_which_texts_there_are(kind: TextKind, pattern: str, exists: bool) -> None:
    test = Regex(f"^{pattern}$")
    assert cells([test], kind).opaque == frozenset()
    assert any(cell.truths[0] for cell in cells([test], kind).cells) == exists


LETTERS = set(string.ascii_letters + string.digits)
VISIBLE = {chr(code) for code in range(0x21, 0x7F)}
BEYOND = {"\u00a1", "\u4e2d", "\ud7ff"}


@pytest.mark.parametrize(
    ("kind", "around", "allowed"),
    [
        (TextKind.HEADER, ("a", "a"), VISIBLE | BEYOND | {" "}),
        (TextKind.PATH, ("/a", "a"), (VISIBLE | BEYOND) - set("?#")),
        (TextKind.QUERY, ("a", "a"), (VISIBLE | BEYOND) - set("&#")),
        (TextKind.METHOD, ("", ""), LETTERS | set("-_")),
        (TextKind.HOST, ("", ""), LETTERS | set("-_.:")),
    ],
)
def test_which_characters_there_are(
    kind: TextKind, around: tuple[str, str], allowed: set[str]
) -> None:
    others = {chr(code) for code in (0x00, 0x1F, 0x7F, 0xA0, 0xD800)}
    for char in VISIBLE | BEYOND | others | {" "}:
        test = Exact(char.join(around))
        pattern = Regex(f"^{around[0]}{quoted(char)}{around[1]}$")
        for one in (pattern, (test, pattern)):
            tests = one if isinstance(one, tuple) else (one,)
            found = cells(tests, kind, normalization="NONE").cells
            # The short way asks no alphabet: the text of a condition is taken as it is.
            assert any(all(cell.truths) for cell in found) == (char in allowed), (kind, char)
