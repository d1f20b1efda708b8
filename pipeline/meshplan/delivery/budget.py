"""Markdown within a number of bytes, cut between its blocks and never inside one."""

import re
from collections.abc import Iterator

#: Bytes of a comment: GitHub says 65,536 characters; a margin for the marker and the last line.
COMMENT_BYTES = 65_000
#: Bytes of a job summary. GitHub drops the whole of one that is longer than 1 MiB.
SUMMARY_BYTES = 1_000_000

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_OPENING = re.compile(r"<(details|table)\b", re.IGNORECASE)
_CLOSING = re.compile(r"</(details|table)>", re.IGNORECASE)


def size(text: str) -> int:
    """Bytes of a text."""
    return len(text.encode("utf-8", "replace"))


def fitted(text: str, limit: int, rest: str) -> str:
    """The text, or as many of its first blocks as fit, and then the line `rest`.

    A block is what stands between blank lines outside of code fences, `<details>` and tables in
    HTML. Where not even the first fits, `rest` is all there is.
    """
    if size(text) <= limit:
        return text
    ending = f"\n\n{rest}\n"
    kept = 0
    for end in _ends(text):
        if size(text[:end].rstrip()) + size(ending) > limit:
            break
        kept = end
    return (text[:kept].rstrip() + ending).lstrip("\n")


def _ends(text: str) -> Iterator[int]:
    """The places between two blocks."""
    place = depth = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence:
            closes = found and found[1].startswith(fence) and not found[2].strip()
            fence = "" if closes else fence
        elif found:
            fence = found[1]
        else:
            depth += len(_OPENING.findall(line)) - len(_CLOSING.findall(line))
        if not fence and depth <= 0 and not line.strip():
            yield place
        place += len(line)
    if not fence and depth <= 0:
        yield place
