"""Markdown that is cut stays whole: fences are closed, details too, and it is never too long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from meshplan.delivery.budget import fitted, size

REST = "*rest*"

BLOCKS = st.lists(
    st.sampled_from(
        (
            "text",
            "# title",
            "- a\n- b",
            "```diff\n- a\n\n+ b\n```",
            "````\n```\n\n````",
            "~~~\n```\n~~~",
            "<details><summary>x</summary>\n\n- a\n\n```\ny\n\nz\n```\n\n</details>",
            "<details open>\n\n<details>\n\nx\n\n</details>\n\n</details>",
            "| a | b |\n|---|---|\n| é😀 | c |",
            "> [!NOTE]\n> x",
        )
    ),
    max_size=12,
).map("\n\n".join)


@given(BLOCKS, st.integers(0, 400))
def test_it_fits_and_stays_whole(text: str, limit: int) -> None:
    found = fitted(text, limit, REST)
    if size(text) <= limit:
        assert found == text
        return
    assert size(found) <= max(limit, size(REST) + 1)
    assert found.endswith(f"{REST}\n")
    assert text.startswith(found.removesuffix(f"{REST}\n").rstrip())
    html = MarkdownIt("commonmark", {"html": True}).render(found)
    assert "<em>rest</em>" in html, "the last line is inside a block"
    assert len(re.findall(r"<details", found)) == len(re.findall(r"</details", found))


@pytest.mark.parametrize("text", ["x", "```\nnever closed\n\nx", "<details>\n\nx"])
def test_what_is_never_closed_is_left_out(text: str) -> None:
    assert fitted(text * 50, 40, REST).endswith(f"{REST}\n")
    assert fitted(text, 100, REST) == text
