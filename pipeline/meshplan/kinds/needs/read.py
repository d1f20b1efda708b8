"""Reading manifests that may hold anything where a mapping, a list or a string is expected."""

from collections.abc import Iterator, Mapping
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else nothing."""
    # Almost always it is a dict, for which the check is far cheaper than for an abstract class.
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def items(value: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings of a list with their positions."""
    if isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            if type(entry) is dict or isinstance(entry, Mapping):
                yield index, entry


def texts(value: object) -> tuple[str, ...]:
    """The strings of a list that are not empty."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(entry for entry in value if isinstance(entry, str) and entry)


def text(value: object) -> str:
    """`value` if it is a string, else the empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int | None:
    """`value` if it is a whole number, also one written as a string."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def at(value: object, *path: str) -> Any:
    """What a path of mapping keys leads to; None where it ends early."""
    for key in path:
        value = value.get(key) if type(value) is dict else mapping(value).get(key)
    return value
