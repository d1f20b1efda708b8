"""Reading manifests that may hold anything where a mapping, a list or a string is expected."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})
#: Not as a union: one would be made for each call, and there are many.
_LISTS = (list, tuple)
_NUMBERS = (int, float)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else nothing."""
    # Nearly all are plain or not there, and to ask the abstract class takes ten times as long.
    if type(value) is dict:
        return value
    return value if value is not None and isinstance(value, Mapping) else _NOTHING


def mappings(value: object) -> tuple[Mapping[str, Any], ...]:
    """The mappings of a list."""
    if not isinstance(value, _LISTS):
        return ()
    return tuple([entry for entry in value if type(entry) is dict or isinstance(entry, Mapping)])


def texts(value: object) -> tuple[str, ...]:
    """The strings of a list."""
    if not isinstance(value, _LISTS):
        return ()
    return tuple([entry for entry in value if isinstance(entry, str)])


def text(value: object) -> str:
    """`value` if it is a string, else the empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """`value` if it is a whole number, also one written as a string, else 0."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else 0


def labels(value: object) -> Mapping[str, str]:
    """A mapping of strings; numbers and booleans are written as YAML would read them back."""
    return {str(key): _label(found) for key, found in mapping(value).items()}


def _label(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, _NUMBERS) else ""


def at(value: object, *path: str) -> Any:
    """What a path of mapping keys leads to; None where it ends early."""
    for key in path:
        value = mapping(value).get(key)
    return value
