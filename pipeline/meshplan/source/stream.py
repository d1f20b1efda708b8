"""A file cut into documents as kubectl cuts it: at lines that begin with `---`, before any YAML."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_SEPARATOR = re.compile(rb"^---(.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The text of one document, its separator left out."""

    #: Which document of the file this is, from 0; empty ones count.
    index: int
    #: The line of the file that the text begins with, from 1.
    line: int
    data: bytes
    #: What follows `---` on its line where kubectl allows nothing but a comment; mostly "".
    stray: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A file with kubectl's line ends: LF for CRLF, and one at the end whether written or not."""

    data: bytes
    #: Where the separators begin and end, and what follows them on their lines.
    separators: tuple[tuple[int, int, str], ...]

    @classmethod
    def of(cls, data: bytes) -> "Stream":
        """The stream that the bytes of a file are."""
        if b"\r\n" in data:
            data = data.replace(b"\r\n", b"\n")
        if not data.endswith(b"\n"):
            data += b"\n"
        found = _SEPARATOR.finditer(data)
        return cls(data, tuple((s.start(), s.end(), _stray(s[1])) for s in found))

    def chunks(self) -> Iterator[Chunk]:
        """The documents of the stream; a separator at the very beginning ends none."""
        start, line, index, stray = 0, 1, 0, ""
        for begin, end, after in self.separators:
            if begin:
                yield Chunk(index, line, self.data[start:begin], stray)
                index += 1
            line += self.data.count(b"\n", start, end)
            start, stray = end, after
        yield Chunk(index, line, self.data[start:], stray)

    def index_of_line(self) -> "LineIndex":
        """Which document a line belongs to, for a parser that reads the whole stream at once."""
        line, start, lines = 1, 0, []
        for begin, end, _ in self.separators:
            line += self.data.count(b"\n", start, end)
            start = end
            if begin:
                lines.append(line)
        return LineIndex(tuple(lines))


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The first lines of all documents but the first."""

    lines: tuple[int, ...]

    def __getitem__(self, line: int) -> int:
        return bisect_right(self.lines, line)


def _stray(rest: bytes) -> str:
    text = rest.decode("utf-8", "replace").strip()
    return "" if text.startswith("#") else text
