"""JSON as kubectl reads it: a file that begins with `{` is tried as one JSON value after another."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

from meshplan.dataclass import dataclass
from meshplan.source import scalars

_SPACE = re.compile(r"[ \t\n\r]*")
_TO_FIRST_KEY = re.compile(r"\{?[ \t\n\r]*")
#: White space up to the end of its line.
_BLANKS = re.compile(r"[^\S\n]*\n?")
_ESCAPE = re.compile(r"\\(u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class JsonValue:
    """One value of a JSON text."""

    value: Any
    #: Where the value begins, and the line of its first key; all from 1.
    line: int
    column: int
    first_key: int
    #: The value's own text.
    text: str
    #: Where its text ends, in characters from 0.
    end: int
    #: Whether a key is written twice somewhere in it.
    repeats: bool
    #: Whether it has a number that is larger than a double can be.
    overflows: bool


class NotJsonError(Exception):
    """The rest of a text is no JSON."""

    def __init__(self, message: str, line: int, column: int):
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Split:
    """The JSON that a file begins with, and what else is in it."""

    values: tuple[JsonValue, ...]
    #: What is to be read as YAML, and the line it begins in.
    rest: bytes
    line: int
    #: Why the rest, after more values than one, is neither.
    broken: NotJsonError | None = None


def split(data: bytes, most: int) -> Split:
    """Tells JSON from YAML as kubectl does; looks at no more values than `most`.

    A file that begins with `{` is tried as one JSON value after another. Where that fails after one
    value or none, the rest is YAML; after more, it is broken JSON.
    """
    if not _begins_json(data):
        return Split((), data, 1)
    text = data.decode()
    found: list[JsonValue] = []
    try:
        for value in json_values(text):
            if len(found) == most:
                too_many = NotJsonError(f"more than {most} values", value.line, value.column)
                return Split(tuple(found), b"", 1, too_many)
            found.append(value)
    except NotJsonError as error:
        if len(found) > 1:
            return Split(tuple(found), b"", 1, error)
        # kubectl drops blanks and one line end, and so the first line may lose its indentation.
        blanks = _BLANKS.match(text, found[0].end if found else 0)
        end = blanks.end() if blanks else 0
        rest = data[len(text[:end].encode()) :]
        return Split(tuple(found), rest, text.count("\n", 0, end) + 1)
    return Split(tuple(found), b"", 1)


def _begins_json(data: bytes) -> bool:
    head = data[:4096].lstrip()
    if head[:1] >= b"\x80":  # white space of Unicode counts, too
        return head.decode("utf-8", "ignore").lstrip().startswith("{")
    return head.startswith(b"{")


def as_yaml(text: str) -> bytes:
    """JSON with the escapes that libyaml does not take replaced by others of the same length."""
    return _ESCAPE.sub(_harmless, text).encode()


def _harmless(escape: re.Match[str]) -> str:
    if escape[1] == "/":
        return '\\"'
    return escape[0] if len(escape[1]) == 1 else "x" * len(escape[0])


def json_values(text: str) -> Iterator[JsonValue]:
    """The JSON values that a text consists of; raises NotJsonError for the first that is none.

    Numbers become what the API machinery makes of them.
    """
    reader = _Reader()
    place = _Place(text)
    at = _skip(_SPACE, text, 0)
    while at < len(text):
        line, column = place.of(at)
        reader.repeats = reader.overflows = False
        try:
            value, end = reader.decode(text, at)
        except json.JSONDecodeError as error:
            raise NotJsonError(error.msg, error.lineno, error.colno) from error
        except (ValueError, RecursionError) as error:
            raise NotJsonError(_reason(error), line, column) from error
        source = text[at:end]
        if _SURROGATE_ESCAPE.search(source):
            with suppress(RecursionError):  # it is too deep for any limit, then
                value = _without_surrogates(value)
        first_key = line + text.count("\n", at, _skip(_TO_FIRST_KEY, text, at))
        flags = reader.repeats, reader.overflows
        yield JsonValue(value, line, column, first_key, source, end, *flags)
        at = _skip(_SPACE, text, end)


class _Place:
    """Line and column of offsets that only grow, without counting from the beginning each time."""

    def __init__(self, text: str):
        self._text = text
        self._line = 1
        self._begin = self._counted = 0

    def of(self, at: int) -> tuple[int, int]:
        """Line and column, from 1."""
        self._line += self._text.count("\n", self._counted, at)
        self._begin = self._text.rfind("\n", self._counted, at) + 1 or self._begin
        self._counted = at
        return self._line, at - self._begin + 1


class _Reader:
    """A JSON decoder with Go's numbers, which notices keys that are written twice."""

    def __init__(self) -> None:
        self.repeats = self.overflows = False
        self.decode = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._double,
            parse_constant=_constant,
        ).raw_decode

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self.repeats = True
        return value

    def _integer(self, text: str) -> int | float:
        # Python takes its time over integers of thousands of digits; no int64 has more than these.
        return scalars.json_number(int(text)) if len(text) < 24 else self._double(text)

    def _double(self, text: str) -> int | float:
        value = float(text)
        if math.isinf(value):
            self.overflows = True
            return 0
        return scalars.json_number(value)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _reason(error: Exception) -> str:
    return "values are nested too deep" if isinstance(error, RecursionError) else str(error)


def _without_surrogates(value: Any) -> Any:
    """Half of a surrogate pair is no character; Go puts U+FFFD in its place."""
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {_SURROGATE.sub("\ufffd", k): _without_surrogates(v) for k, v in value.items()}
        case _:
            return value


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
