"""The words in which a wrong value is described."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

_NOUNS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "nothing",
}


def noun(json_type: str | Iterable[Any]) -> str:
    """The type names of JSON Schema in words: `["string", "integer"]` is "a string or a whole number"."""
    if isinstance(json_type, str):
        return _NOUNS.get(json_type, json_type)
    return " or ".join(dict.fromkeys(noun(entry) for entry in json_type))


def type_name(value: Any) -> str:
    """What kind of value something is, with short values written out."""
    match value:
        case None:
            return "nothing"
        case bool() | int() | float() | str():
            return quoted(value)
        case dict():
            return "a mapping"
        case _:
            return "a list"


def quoted(value: Any) -> str:
    """A value as JSON, shortened: it may be anything that somebody wrote into a file."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean "…"?" where something known is close to `word`, else nothing."""
    close = nearest(word, known)
    return f'; did you mean "{close}"?' if close else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely stands for; None if none is near."""
    wanted = _fold(word[:64])
    folded = {_fold(name): name for name in sorted(known, reverse=True)}
    matches = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.7)
    if not matches and len(wanted) >= 4:
        matches = [name for name in folded if name.startswith(wanted)]
    return folded[matches[0]] if matches else None


def _fold(word: str) -> str:
    """Case, hyphens and underscores are the commonest slips: fail_on, fail-on, failon."""
    return word.replace("_", "").replace("-", "").lower()
