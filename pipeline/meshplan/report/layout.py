"""Lines of styled text, and how they get onto a terminal, into a pipe, or into ASCII.

Whatever a span says is data: control characters, escape sequences and characters that turn the
direction of writing are made visible here, so that no manifest can write to the terminal.
"""

import unicodedata
from collections.abc import Iterable

from meshplan.dataclass import dataclass

#: Wider text is hard to read, however wide the terminal is.
WIDEST = 120
NARROWEST = 40

_ASCII = str.maketrans({"→": "->", "…": "...", "·": "-", "─": "-", "✗": "x", "✓": "v", "↔": "<->"})

#: General categories of characters that do not print, or that change how others are printed.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters in one style; styles are those of rich, "" for none."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report; where it is wrapped, the rest is indented by `hang` more columns."""

    spans: tuple[Span, ...] = ()
    indent: int = 0
    hang: int = 2
    #: A sign in front that is never parted from what follows.
    lead: Span = Span("")


@dataclass(frozen=True, slots=True)
class View:
    """How a report is to be written: for whom and onto what."""

    verbose: bool = False
    color: bool = False
    #: Columns to wrap at; None for a pipe or a file, where lines are left whole.
    width: int | None = None
    #: Whether only ASCII can be written.
    ascii: bool = False
    #: Bytes that a report on a page may have; GitHub takes 65,536 characters of a comment, and
    #: some are left for what a workflow writes around it.
    limit: int = 64_000
    #: Where the files of the head can be read, as `https://host/owner/name/blob/commit`; "" for
    #: places that are not links.
    tree: str = ""


def printable(text: str) -> str:
    r"""`text` on one line, with what would not print made visible (`\n`, `\x1b`, `\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte of a file name that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    if unicodedata.category(char) not in _UNPRINTABLE:
        return char
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


_NO_LEAD = Span("")


def line(*parts: str | Span, indent: int = 0, hang: int = 2, lead: Span = _NO_LEAD) -> Line:
    """A line of unstyled strings and spans."""
    spans = tuple(Span(part) if isinstance(part, str) else part for part in parts)
    return Line(spans, indent, hang, lead)


def write(lines: Iterable[Line], view: View) -> str:
    """The lines as one string that ends in a newline."""
    if view.color or view.width:
        text = _with_rich(lines, view)
    else:
        text = "".join(f"{_plain(entry)}\n" for entry in lines)
    return to_ascii(text) if view.ascii else text


def to_ascii(text: str) -> str:
    """`text` in ASCII: our own signs by their stand-ins, everything else escaped."""
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def _plain(entry: Line) -> str:
    text = "".join(printable(span.text) for span in (entry.lead, *entry.spans))
    return (" " * entry.indent + text).rstrip()


def _with_rich(lines: Iterable[Line], view: View) -> str:
    # Late: rich takes 30 ms to import, and a pipe needs none of it.
    import io  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    width = max(NARROWEST, min(view.width or 10_000, WIDEST if view.width else 10_000))
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=view.color,
        color_system="standard" if view.color else None,
        no_color=not view.color,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as captured:
        for entry in lines:
            text = Text()
            for span in entry.spans:
                text.append(printable(span.text), span.style)
            lead = Text(" " * entry.indent).append(printable(entry.lead.text), entry.lead.style)
            hang = entry.indent + max(entry.hang, len(entry.lead.text))
            for part in text.wrap(console, max(20, width - hang)):
                part.rstrip()
                console.print(lead + part, soft_wrap=True)
                lead = Text(" " * hang)
    return captured.get()


def shorten(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, the last of them an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
