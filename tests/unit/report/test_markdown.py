"""The Markdown report, read back by another implementation of Markdown."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from meshplan.diff import ChangeSet, Create
from meshplan.finding import Status
from meshplan.plan import Apply, Plan, Wave
from meshplan.report import View, markdown
from meshplan.report.markdown import LIMIT
from support.results import NO_GATE, example, finding, hostile, resource, result, target

TAGS = {
    *("h2", "h3", "p", "ul", "ol", "li", "br", "strong", "em", "code", "pre", "blockquote"),
    *("details", "summary", "b", "sub", "table", "thead", "tbody", "tr", "th", "td"),
}

HOSTILE = (
    "@team please `approve`",
    "``` \n``````",
    "~~~\n# title",
    "<!-- hidden",
    "--> <script>alert(1)</script>",
    "</details></details><img src=x onerror=alert(1)>",
    "a | b |\n|---|---|",
    "[click](https://evil.example) ![i](https://evil.example/i.png)",
    "https://evil.example www.evil.example me@evil.example",
    "*bold* _it_ ~~no~~ # x\n\n## heading\n- item\n> [!NOTE]",
    "\u202egnp.exe \u2066 \u200b",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &#64;team",
    "\\`\\*",
    "x\r\ny\u2028z\x00\x1b[31m",
    "",
    " ",
    "#123 GH-1",
    "[0](https://evil.example)",
    "[0][0] [0]: https://evil.example",
    "$\\LaTeX$ $$x$$",
    "- item",
    ":tada: :+1:x:y:",
    "1. first",
    "a - b -- c --- d",
)


COMMENT = r" meshplan report verdict=[a-z-]+ exit=\d "


class Reader(HTMLParser):
    """The tags, comments and text of rendered Markdown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.open: list[str] = []
        self.outside = ""
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("code", "pre"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("code", "pre"):
            self.open.remove(tag)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.inside += data
        else:
            self.outside += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    reader.close()
    return reader


def check(text: str) -> None:
    reader = read(text)
    assert reader.tags <= TAGS
    assert reader.attributes <= {"class", "open", "start"}
    assert [re.fullmatch(COMMENT, found) for found in reader.comments] != [None]
    assert len(reader.comments) == 1
    assert not re.search(r"[@#]\w|:\w+:|(?i:gh-\d)", reader.outside)
    assert not set(text) & set("\u202e\u2066\x00\x1b\r\u2028")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_manifest_is_read_as_markdown(text: str) -> None:
    check(markdown.render(hostile(text), View()))


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("`~|<>!-[]()@#*_\\&;:/ \n\tab1{}%$\"'=+.\u202e")))
def test_no_combination_of_signs_is_read_as_markdown(text: str) -> None:
    check(markdown.render(hostile(text), View()))


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable() and text.strip()])
def test_the_reader_sees_what_was_written(text: str) -> None:
    reader = read(markdown.render(hostile(text), View()))
    assert text in reader.inside
    assert text in reader.outside.replace("\u200b", "")


def test_what_is_harmless_stays_readable() -> None:
    text = "http[0] of VirtualService shop/my-app: 50 % go to v1; else 503"
    assert markdown.prose(text) == text
    assert markdown.code('spec["a.b"][=*.example.com]') == '`spec["a.b"][=*.example.com]`'


def test_a_url_is_no_link() -> None:
    """GitHub makes links of bare URLs outside of code; entities in the source keep it from that."""
    text = markdown.prose("see https://evil.example and www.evil.example")
    assert "://" not in text
    assert "www." not in text


def test_deletions_come_first() -> None:
    text = markdown.render(example(), View())
    assert text.index("<b>Deletes 2 objects</b>") < text.index("### 1 error")
    assert text.index("| delete |") < text.index("| update |") < text.index("| create |")


def test_the_title_is_the_answer() -> None:
    assert markdown.render(example(), View()).startswith("## ❌ meshplan: held back: 1 error\n")


def test_nothing_to_say_is_said_shortly() -> None:
    text = markdown.render(result(target()), View())
    assert text.startswith("## ✅ meshplan: nothing changes\n")
    assert len(text) < 600


def test_a_large_result_fits_into_a_comment() -> None:
    many = [resource(name=f"r{number}", path=f"{'x' * 80}/{number}.yaml") for number in range(5000)]
    waves = (Wave(tuple(Apply(one, "because " * 9) for one in many), NO_GATE),) * 2
    changes = ChangeSet(tuple(Create(one) for one in many))
    findings = tuple(finding(f"fault {number} " * 9, Status.NEW) for number in range(5000))
    made = result(target(changes=changes, plan=Plan(waves)), findings=findings)
    text = markdown.render(made, View())
    assert len(text.encode()) <= LIMIT
    assert "more change" in text
    check(text)
