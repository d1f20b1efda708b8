"""What the standard output can show: colours, columns, characters; and progress on stderr."""

import os
import shutil
import sys
from typing import Self, TextIO

from meshplan.report.layout import View

_NEEDED = "→…·✗✓±"


def view_of(stream: TextIO, color: str, *, verbose: bool) -> View:
    """How to write onto `stream`; `color` is auto, always or never."""
    return View(
        verbose=verbose,
        color=_colored(stream, color),
        width=shutil.get_terminal_size().columns if stream.isatty() else None,
        ascii=not _can_encode(stream.encoding),
    )


def _colored(stream: TextIO, color: str) -> bool:
    """The option, then NO_COLOR (no-color.org), then FORCE_COLOR, then what the terminal is."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _can_encode(encoding: str | None) -> bool:
    try:
        _NEEDED.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Progress:
    """One line on stderr that says what takes time; nothing where stderr is no terminal."""

    def __init__(self, *, quiet: bool = False):
        dumb = os.environ.get("TERM") == "dumb"
        self._shown = not quiet and not dumb and sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        """Put `text` in the place of what was there."""
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self("")
