"""Text in GitHub's Markdown that stays the text it is, whatever signs it has.

What comes from a manifest is in a code span, in a fenced block with a longer fence than anything
in it, or has every sign that Markdown, HTML or GitHub reads replaced by an entity. GitHub looks for
mentions, numbers of issues and emoji after entities are resolved, so those are broken up with a
zero-width space. Whatever is longer than a reader would read is cut before it is escaped.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

from meshplan.location import Location, Side
from meshplan.report.layout import printable, shorten

#: Characters of a sentence, of a name, and of a line in a fenced block.
PROSE_LIMIT = 600
CODE_LIMIT = 253
LINE_LIMIT = 400

#: What a code span of one backtick can hold, also in a table. GitHub reads `$` beside backticks.
_BARE = re.compile(r"[\w !\"#%'()*+,./:;=?@\[\]^{}~→…-]+\Z")
#: Brackets of an index that cannot be those of a link, and hyphens inside a word.
_INDEX = re.compile(r"&#91;(\d+)&#93;(?![(\[:&])")
_HYPHEN = re.compile(r"(?<=\w)&#45;(?=\w)")
#: `:tada:` and `GH-1`.
_EMOJI = re.compile(r":(?=[\w+-]+:)")
_ISSUE = re.compile(r"(?i)\b(gh)-(?=\d)")
#: What would begin a list where it stands first.
_NUMBERED = re.compile(r"\A(\d+)([.)])(?= |\Z)")
_FENCES = re.compile(r"`+")
_GAP = "&#8203;"


def prose(value: object, limit: int = PROSE_LIMIT) -> str:
    """Text of ours or a manifest's in a sentence."""
    whole = _EMOJI.sub(":\u200b", _cut(value, limit))
    inner = whole.strip(" ")
    text = "".join(_entity(char) for char in inner)
    text = _HYPHEN.sub("-", _INDEX.sub(r"[\1]", text))
    text = _ISSUE.sub(rf"\1-{_GAP}", text)
    text = text.replace("://", "&#58;//").replace("www.", "www&#46;")
    text = _NUMBERED.sub(lambda found: f"{found[1]}&#{ord(found[2])};", text)
    # Spaces at the ends would indent, or keep emphasis from being read.
    before = len(whole) - len(whole.lstrip(" ")) if inner else len(whole)
    return "&#32;" * before + text + "&#32;" * (len(whole) - before - len(inner))


def _entity(char: str) -> str:
    if char.isalnum() or char in " ,./:;()?%'\"’…→·":  # noqa: RUF001
        return char
    return f"&#{ord(char)};" + (_GAP if char in "@#" else "")


def code(value: object) -> str:
    """Text in a code span, also inside a table or an HTML block."""
    text = _cut(value, CODE_LIMIT)
    if _BARE.match(text) and text == text.strip():
        return f"`{text}`"
    return html_code(text)


def html_code(value: object) -> str:
    """Text in a code element, for where Markdown is not read: in `<summary>`."""
    text = _cut(value, CODE_LIMIT)
    entities = "".join(c if c.isalnum() or c in " ,./→…" else f"&#{ord(c)};" for c in text)
    return f"<code>{entities}</code>"


def fence(lines: Sequence[str], language: str = "") -> str:
    """A fenced block that nothing in `lines` can close."""
    rows = [_cut(entry, LINE_LIMIT) for entry in lines]
    longest = max((len(run) for row in rows for run in _FENCES.findall(row)), default=0)
    ticks = "`" * max(3, longest + 1)
    return "\n".join((ticks + language, *rows, ticks))


def place(found: Location, tree: str = "") -> str:
    """`a/b.yaml:12`, as a link where `tree` is the address of the head's files."""
    shown = code(found)
    if not tree or found.side is not Side.HEAD:
        return shown
    path = quote(found.path.encode("utf-8", "surrogateescape"))
    line = f"#L{found.line}" if found.line else ""
    return f"[{shown}]({tree.rstrip('/')}/{path}{line})"


def _cut(value: object, limit: int) -> str:
    """On one line and no longer than `limit`, however long it was."""
    return shorten(printable(str(value)[: limit + 1]), limit)
