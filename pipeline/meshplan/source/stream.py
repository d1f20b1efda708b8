"""A file cut into documents as kubectl cuts it: at lines that begin with `---`, before any YAML."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from meshplan.dataclass import dataclass

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
)
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
class Segment:
    """Documents that follow each other, with the separators between them."""

    chunks: tuple[Chunk, ...]
    data: bytes

    def index_of(self, line: int) -> int:
        """The index of the document that a line of the segment belongs to."""
        first = self.chunks[0]
        return first.index + bisect_right(self.chunks, line + first.line - 1, key=_line) - 1


def utf8(data: bytes) -> tuple[bytes, int | None]:
    """The bytes as UTF-8 without byte order mark, and the line of the first byte that is no text.

    kubectl decodes what its mark says is UTF-16, and takes all else for UTF-8; where a character is
    broken, it goes on with U+FFFD.
    """
    mark, encoding = next((m for m in _MARKS if data.startswith(m[0])), (b"", "utf-8"))
    data = data[len(mark) :]
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        text = data.decode(encoding, "replace")
        line = data[: error.start].decode(encoding, "replace").count("\n") + 1
        return text.encode(), line
    return (data if encoding == "utf-8" else text.encode()), None


#: Together enough to be worth a parser of their own.
_SEGMENT_BYTES = 64 * 1024


def segments(data: bytes, *, line: int = 1, index: int = 0) -> Iterator[Segment]:
    """The documents of a file, a few together: one strange document shall not slow down all.

    kubectl's line ends are put in on the way: LF for CRLF, and one at the end whether it is written
    or not. A separator at the very beginning of the file ends no document. `line` and `index` are
    those of the first document.
    """
    if b"\r\n" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    pending: list[Chunk] = []
    begin = 0
    for start, end, chunk in _chunks(data, line, index):
        if not pending:
            begin = start
        pending.append(chunk)
        if end - begin >= _SEGMENT_BYTES:
            yield Segment(tuple(pending), data[begin:end])
            pending = []
    if pending:
        yield Segment(tuple(pending), data[begin:])


def _chunks(data: bytes, line: int, index: int) -> Iterator[tuple[int, int, Chunk]]:
    """Each document with the offsets of its text."""
    start, stray = 0, ""
    for separator in _SEPARATOR.finditer(data):
        end = separator.start()
        if end:
            text = data[start:end]
            yield start, end, Chunk(index, line, text, stray)
            index += 1
            line += text.count(b"\n")
        line += 1
        start = separator.end()
        stray = _stray(separator[1]) if separator[1] else ""
    yield start, len(data), Chunk(index, line, data[start:], stray)


def _line(chunk: Chunk) -> int:
    return chunk.line


def _stray(rest: bytes) -> str:
    text = rest.decode().strip()
    return "" if text.startswith("#") else text
