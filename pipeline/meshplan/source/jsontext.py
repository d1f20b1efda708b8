"""JSON as kubectl reads it: a file that begins with `{` is tried as one JSON value after another."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from meshplan.source import scalars

_SPACE = re.compile(r"[ \t\n\r]*")
_TO_FIRST_KEY = re.compile(r"\{?[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class JsonValue:
    """One value of a JSON text."""

    value: Any
    #: The line of the value and that of its first key, from 1.
    line: int
    first_key: int
    #: The value's own text.
    text: str
    #: Where its text ends, in characters from 0.
    end: int
    #: Whether a key is written twice somewhere in it.
    repeats: bool


class NotJsonError(Exception):
    """The rest of a text is no JSON."""

    def __init__(self, message: str, line: int, column: int):
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def begins_json(data: bytes) -> bool:
    """Whether kubectl tries a file as JSON before it tries it as YAML."""
    return data[:4096].lstrip().startswith(b"{")


def json_values(text: str) -> Iterator[JsonValue]:
    """The JSON values that a text consists of; raises NotJsonError for the first that is none.

    Numbers become what the API machinery makes of them; one beyond a double raises NotJsonError too.
    """
    reader = _Reader()
    at, line, counted = _skip(_SPACE, text, 0), 1, 0
    while at < len(text):
        line += text.count("\n", counted, at)
        counted = at
        reader.repeats = False
        try:
            value, end = reader.decode(text, at)
        except json.JSONDecodeError as error:
            raise NotJsonError(error.msg, error.lineno, error.colno) from error
        except (ValueError, RecursionError) as error:
            raise NotJsonError(_reason(error), line, at - text.rfind("\n", 0, at)) from error
        source = text[at:end]
        if _SURROGATE_ESCAPE.search(source):
            value = _without_surrogates(value)
        first_key = line + text.count("\n", at, _skip(_TO_FIRST_KEY, text, at))
        yield JsonValue(value, line, first_key, source, end, reader.repeats)
        at = _skip(_SPACE, text, end)


class _Reader:
    """A JSON decoder with Go's numbers, which notices keys that are written twice."""

    def __init__(self) -> None:
        self.repeats = False
        self.decode = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_constant,
        ).raw_decode

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self.repeats = True
        return value


def _integer(text: str) -> int | float:
    # No more than 18 digits and a sign are sure to be in int64.
    return int(text) if len(text) < 19 else scalars.json_number(_double_or_int(text))


def _double_or_int(text: str) -> int | float:
    return int(text) if len(text) < 24 else _double(text)


def _double(text: str) -> int | float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is larger than a double can hold")
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
