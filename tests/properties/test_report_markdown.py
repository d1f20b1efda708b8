"""Nothing that a repository says gets out of its place in the comment, whatever it is.

The comment is read back by another implementation of Markdown, and the skeleton of what comes out
(which element stands in which) has to be the one that harmless text gives.
"""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from meshplan.report import View, markdown
from support.results import hostile

SIGNS = "`~|<>!-[]()@#*_\\&;:/ \n\tab1{}%$\"'=+.,\u202e\u2066\u200b\u0301\U0001f600\ufeff\x00\x1b"
WORDS = (
    *("<!--", "-->", "@team", "@org/team", "#12", "GH-3", "</details>", "</summary>", "<details>"),
    *("```", "~~~", "````mermaid", "![x](", "](https://evil.example)", "https://", "www.evil.com"),
    *("\r\n\r\n", "\n\n    code", "> [!NOTE]", "| a |", "|---|", "&#64;team", "&lt;", "<script>"),
    *(":tada:", "a@b.example", "\u2028", "\u2029", "$`x`$", "$$", "[^1]", "[x]:", "- [ ] task"),
)
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(st.sampled_from(SIGNS)), max_size=6).map("".join)

#: What GitHub makes links of outside of code, once entities are resolved.
ALIVE = re.compile(r"[@#]\w|(?i:\bgh-\d)|:[\w+-]+:")


class Skeleton(HTMLParser):
    """Which element stands in which, and the text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.comments: list[str] = []
        self.prose: list[str] = []
        self._code = 0
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag in ("code", "pre")
        if tag != "br":
            self.found.append(f"<{tag} {sorted(name for name, _ in attrs)}")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("code", "pre")
        self.found.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.prose.append(data)


PLAIN = Skeleton(markdown.render(hostile("plain"), View()))


@settings(max_examples=60, deadline=None)
@given(TEXTS.filter(lambda text: bool(text.strip())))
def test_the_skeleton_is_that_of_harmless_text(text: str) -> None:
    made = markdown.render(hostile(text), View())
    found = Skeleton(made)
    assert found.found == PLAIN.found
    assert found.comments == PLAIN.comments
    assert not ALIVE.search("".join(found.prose))


@settings(max_examples=30, deadline=None)
@given(TEXTS, st.integers(800, 9_000))
def test_any_limit_is_kept_and_everything_is_closed(text: str, limit: int) -> None:
    made = markdown.render(hostile(text), View(limit=limit))
    assert len(made.encode("utf-8")) <= max(limit, SMALLEST)
    tags = Skeleton(made).found
    for name in {tag[1:].split()[0] for tag in tags if tag[0] == "<"} - {"br"}:
        opened = sum(tag.startswith(f"<{name} ") for tag in tags)
        assert opened == tags.count(f"/{name}"), name
    fences = re.findall(r"^(`{3,})", made, re.MULTILINE)
    assert fences[::2] == fences[1::2]


#: Bytes of the first screen, of which nothing can be left out, where all of it is hostile.
SMALLEST = 25_000

#: Ten million characters in each place would be slow if each were looked at.
LONG = ("x" * 10_000_000, "é" * 10_000_000, "@`<\n" * 2_500_000)


@pytest.mark.parametrize("text", LONG, ids=["letters", "accents", "signs"])
def test_ten_megabytes_are_cut_soon(text: str) -> None:
    made = hostile(text)
    begin = time.process_time()
    shown = markdown.render(made, View())
    assert time.process_time() - begin < 8
    assert len(shown.encode()) <= markdown.LIMIT
    assert Skeleton(shown).comments == PLAIN.comments
