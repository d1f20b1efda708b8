"""The Markdown report, read back by another implementation of Markdown."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from meshplan.diff import ChangeSet, Create, FieldChange, Update
from meshplan.finding import Status
from meshplan.graph import Edge
from meshplan.plan import Apply, Gate, GateKind, Plan, Wave
from meshplan.report import View, markdown
from meshplan.report.markdown import LIMIT
from meshplan.result import Result
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


class TestFirstScreen:
    """What is above the first heading: twelve lines, and in them what could change a mind."""

    def lines(self, made: Result) -> list[str]:
        text = markdown.render(made, View())
        head = re.split(r"\n\n(?:###|<details|> \[!|\*\*Plan)", text)[0]
        return head.split("\n")

    @pytest.mark.parametrize("made", [example(), hostile("x"), hostile("@`<\n" * 400), result()])
    def test_it_has_twelve_lines(self, made: Result) -> None:
        assert len(self.lines(made)) <= 12
        assert all(len(line.encode()) < 6_000 for line in self.lines(made))

    def test_what_goes_and_the_worst_finding_are_on_it(self) -> None:
        title, _, counts, _, *remarks = self.lines(example())
        assert title == "## ❌ meshplan: held back: 1 error"
        assert counts.startswith("`main (aaaaaaaaa) → HEAD (bbbbbbbbb)` · **1 delete, 1 replace")
        assert remarks[0].startswith("- 🗑️ <b>Deletes 2 objects</b>: `ServiceEntry shop/old`")
        assert remarks[1] == "- ❌ `shop/reviews.yaml:3:5` no such gateway `no-gateway`"
        assert remarks[2] == "- 📋 <b>7 steps in 4 waves</b>"

    def test_the_deployer_in_use_is_on_it(self) -> None:
        assert any(
            "<b>X as configured loses these requests</b>" in line
            for line in self.lines(hostile("x"))
        )


def test_steps_are_numbered_through_all_waves() -> None:
    text = markdown.render(example(), View())
    found = re.findall(r"^(\d+)\. (?:apply|remove)", text, re.MULTILINE)
    assert found == [str(number) for number in range(1, 8)]
    assert '<ol start="3">' in MarkdownIt("commonmark", {"html": True}).render(text)


def test_old_and_fixed_findings_are_folded() -> None:
    text = markdown.render(example(), View())
    assert "<details><summary>1 finding there before</summary>" in text
    assert "<details><summary>1 finding fixed by this change</summary>" in text
    assert text.index("no such gateway") < text.index("an old story") < text.index("no longer so")


def test_the_chart_is_in_a_fence_of_mermaid() -> None:
    text = markdown.render(example(), View())
    assert "```mermaid\nflowchart LR\n" in text
    assert '    n1["update DestinationRule shop/reviews"]:::update\n' in text


def test_too_many_edges_are_a_table() -> None:
    many = [resource(name=f"r{number}") for number in range(70)]
    edges = tuple(Edge(one.id, then.id, "why", "503 NC") for one, then in pairwise(many))
    made = result(target(changes=ChangeSet(tuple(map(Create, many))), edges=edges))
    text = markdown.render(made, View())
    assert "```mermaid" not in text
    assert "| `VirtualService shop/r0` | `VirtualService shop/r1` | why | 503 NC |" in text


def test_places_are_links_where_the_files_can_be_seen() -> None:
    text = markdown.render(example(), View(tree="https://git.example/o/r/blob/" + "b" * 40))
    assert (
        f"[`shop/reviews.yaml:3:5`](https://git.example/o/r/blob/{'b' * 40}/shop/reviews.yaml#L3)"
        in text
    )
    hostile_text = markdown.render(hostile(")](x y"), View(tree="https://git.example/t"))
    assert "(https://git.example/t/%29%5D%28x%20y" in hostile_text
    # What goes is in the base, and has no place in the files of the head.
    assert "`egress.yaml:7`" in text
    assert "/egress.yaml" not in text


def test_the_way_back_is_the_plan_from_its_end() -> None:
    one, two = resource(), resource("DestinationRule")
    waves = (
        Wave((Apply(two, ""),), Gate(GateKind.PROXIES, "there")),
        Wave((Apply(one, ""),), NO_GATE),
    )
    made = target(changes=ChangeSet((Create(one), Update(two, two, ()))), plan=Plan(waves))
    text = markdown.render(result(replace(made, reversible=True)), View())
    back = text[text.index("The way back") :]
    first = "1. remove `VirtualService shop/reviews`"
    then = "2. apply `DestinationRule shop/reviews`<br>as in the base"
    assert back.index(first) < back.index("Wait until every proxy has it") < back.index(then)


@pytest.mark.parametrize("limit", [64_000, 20_000, 8_000, 3_000])
def test_what_is_left_out_is_said(limit: int) -> None:
    many = [resource(name=f"r{number}") for number in range(300)]
    change = FieldChange("spec.x", 1, 2)
    updates = ChangeSet(tuple(Update(one, one, (change,) * 3) for one in many))
    waves = (Wave(tuple(Apply(one, "because") for one in many), NO_GATE),) * 2
    made = result(*(target(f"t{number}", changes=updates, plan=Plan(waves)) for number in range(4)))
    text = markdown.render(made, View(limit=limit))
    assert len(text.encode()) <= limit
    assert "Left out or shortened, to fit:" in text
    check(text)
