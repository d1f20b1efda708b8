"""JSON values as YAML that people can read and every YAML 1.1 and 1.2 reader understands alike."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Strings that need no quotes anywhere: nothing that a reader could take for another type.
_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./(-][A-Za-z0-9_./()-]*)*\Z")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"))
#: What JSON leaves as it is in a string, and YAML does not take or reads as a line break.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_BLOCK = re.compile(r"[\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*\Z")


def to_yaml(value: Any) -> str:
    """`value` as one YAML document, with a newline at the end."""
    if isinstance(value, Mapping | list | tuple) and value:
        return "".join(f"{entry}\n" for entry in _lines(value))
    return f"{_scalar(value)}\n"


def _lines(value: Any) -> Iterator[str]:
    """The lines of a mapping or sequence that is not empty."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{_scalar(str(key))}:", item)
        return
    for item in value:
        if isinstance(item, Mapping | list | tuple) and item:
            nested = _lines(item)
            yield f"- {next(nested)}"
            yield from (f"  {entry}" if entry else "" for entry in nested)
        else:
            yield from _entry("-", item)


def _entry(head: str, item: Any) -> Iterator[str]:
    if isinstance(item, Mapping | list | tuple) and item:
        yield head
        yield from (f"  {entry}" if entry else "" for entry in _lines(item))
    elif isinstance(item, str) and _is_text(item):
        yield f"{head} |{'' if item.endswith(chr(10)) else '-'}"
        yield from (f"  {entry}" if entry else "" for entry in item.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_scalar(item)}"


def _is_text(text: str) -> bool:
    """Whether `text` has several lines and is safe as a literal block."""
    rows = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and bool(rows[0].strip())
        and not rows[0].startswith((" ", "\t"))
        and bool(rows[-1].strip())
        and all(_BLOCK.match(row) and row == row.rstrip(" ") for row in rows)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        if _BARE.match(value) and value.lower() not in _WORDS:
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    return json.dumps(value)
