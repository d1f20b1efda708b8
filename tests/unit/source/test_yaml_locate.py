"""From JSON pointers to places."""

import pytest

from meshplan.source.yaml import locate

TEXT = b"""# comment
---
a: 1
b:
  - x: y
    z: |
      foo
      bar

  # between
  - 'q'

c: {d: [e, "f"]}
k: &k {m: n, 1: o}
l: {<<: *k, p: q, m: r}
s: {m: t, <<: [*k, {u: v}]}
w: *k
dup: 1
dup: 2
a/b~c: x
nothing:
"""


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("", (3, 1, 21, 9)),
        ("/a", (3, 4, 3, 5)),
        ("/b", (5, 3, 11, 8)),
        ("/b/0/x", (5, 8, 5, 9)),
        ("/b/1", (11, 5, 11, 8)),
        ("/c", (13, 4, 13, 17)),
        ("/c/d/1", (13, 12, 13, 15)),
        ("/k/1", (14, 17, 14, 18)),
        ("/l/p", (15, 16, 15, 17)),
        ("/l/m", (15, 22, 15, 23)),
        ("/l/1", (14, 17, 14, 18)),
        ("/s/m", (14, 11, 14, 12)),
        ("/s/u", (16, 24, 16, 25)),
        ("/w", (17, 4, 17, 6)),
        ("/w/m", (14, 11, 14, 12)),
        ("/dup", (19, 6, 19, 7)),
        ("/a~1b~0c", (20, 8, 20, 9)),
        ("/nothing", (21, 9, 21, 9)),
    ],
)
def test_a_pointer_leads_to_the_value_in_force(pointer: str, place: tuple[int, ...]) -> None:
    assert locate(TEXT, 1, pointer) == place


@pytest.mark.parametrize("pointer", ["/c/x", "/c/x/y", "/c/x/0"])
def test_a_pointer_to_nothing_leads_to_the_nearest_ancestor(pointer: str) -> None:
    assert locate(TEXT, 1, pointer) == locate(TEXT, 1, "/c")


@pytest.mark.parametrize("pointer", ["/b/2", "/b/x", "/b/-1", "/b/0x1", "/b/99999999999999999999"])
def test_an_index_that_is_none_leads_to_the_list(pointer: str) -> None:
    assert locate(TEXT, 1, pointer) == locate(TEXT, 1, "/b")


def test_a_document_that_is_not_there_or_broken_has_no_places() -> None:
    assert locate(TEXT, 7, "/a") is None
    assert locate(TEXT, 0, "/a") is None
    assert locate(b"a: [\n---\nb: 1\n", 0, "/a") is None
    assert locate(b"a: [\n---\nb: 1\n", 1, "/b") == (3, 4, 3, 5)


def test_places_in_json_count_from_the_beginning_of_the_file() -> None:
    text = b'{"a": 1} {"b":\n  {"c": "\\ud83d\\ude00\\/", "d": [1, 2]}}\n---\ne: 3\n'
    assert locate(text, 0, "/a") == (1, 7, 1, 8)
    assert locate(text, 1, "") == (1, 10, 2, 40)
    assert locate(text, 1, "/b") == (2, 3, 2, 39)
    assert locate(text, 1, "/b/d/1") == (2, 36, 2, 37)
    assert locate(text, 2, "/e") is None  # JSON twice, so kubectl reads no YAML behind it
    assert locate(text[9:], 1, "/e") == (4, 4, 4, 5)


def test_columns_count_characters_in_any_encoding() -> None:
    text = "é: [😀, b]\r\nc: 1\r\n"
    for data in (
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        b"\xff\xfe" + text.encode("utf-16-le"),
    ):
        assert locate(data, 0, "/é/1") == (1, 8, 1, 9)
        assert locate(data, 0, "/c") == (2, 4, 2, 5)
