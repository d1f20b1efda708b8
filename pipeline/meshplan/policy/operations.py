"""What rules compute with, natively: total functions on values, one for each operation.

Texts are compared and counted by code points. Case changes ASCII letters alone, because engines
disagree about the rest.
"""

from collections.abc import Callable, Mapping
from typing import Any

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")

#: Longer texts and longer numbers are not computed: the rule is over its budget.
MAX_TEXT = 1 << 20
MAX_BITS = 4096


class TooLargeError(Exception):
    """A value grows beyond what a rule may compute."""


def text_within(value: str) -> str:
    """A text, if it is not too long."""
    if len(value) > MAX_TEXT:
        raise TooLargeError
    return value


def _number_within(value: int) -> int:
    if value.bit_length() > MAX_BITS:
        raise TooLargeError
    return value


def _items_within(value: list[Any]) -> list[Any]:
    if len(value) > MAX_TEXT:
        raise TooLargeError
    return value


def fqdn(host: str, namespace: str) -> str:
    """A host in full: a short name is a Service of the namespace."""
    if host.startswith("*") or "." in host:
        return host
    return text_within(f"{host}.{namespace}.svc.cluster.local")


def host_matches(pattern: str, host: str) -> bool:
    """Whether a host is the pattern, or ends like one that begins with `*`."""
    if pattern in ("*", host):
        return True
    return pattern.startswith("*") and host.endswith(pattern[1:])


def image_ref(image: str) -> dict[str, str | None]:
    """The parts of the name of an image, by the rules of Docker's references."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, path = first, rest
    else:
        registry, path = "docker.io", name
    folder, slash, last = path.rpartition("/")
    last, _, tag = last.partition(":")
    repository = folder + slash + last
    return {
        "registry": registry,
        "repository": repository,
        "tag": tag or None,
        "digest": digest or None,
    }


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise TooLargeError
    return text.replace(old, new)


def _join(separator: str, items: list[str]) -> str:
    if sum(map(len, items)) + len(separator) * len(items) > MAX_TEXT:
        raise TooLargeError
    return separator.join(items)


def _max_or(items: Any, default: Any) -> Any:
    return max(items, default=default)


def _min_or(items: Any, default: Any) -> Any:
    return min(items, default=default)


def _get(table: Mapping[str, Any], key: str, default: Any) -> Any:
    found = table.get(key)
    return default if found is None else found


#: By the name that `ir.Call` gives.
NATIVE: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: _number_within(a + b),
    "subtract": lambda a, b: _number_within(a - b),
    "multiply": lambda a, b: _number_within(a * b),
    "negate": lambda a: -a,
    "concat": lambda a, b: text_within(a + b),
    "chain": lambda a, b: _items_within([*a, *b]),
    "union": lambda a, b: a | b,
    "intersection": lambda a, b: a & b,
    "difference": lambda a, b: a - b,
    "subset": lambda a, b: a <= b,
    "contains": lambda part, whole: part in whole,
    "starts": str.startswith,
    "ends": str.endswith,
    "remove_prefix": str.removeprefix,
    "remove_suffix": str.removesuffix,
    "split": str.split,
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "replace": _replace,
    "lower": lambda text: text.translate(_LOWER),
    "upper": lambda text: text.translate(_UPPER),
    "join": _join,
    "len": len,
    "sum": lambda items: _number_within(sum(items)),
    "max": _max_or,
    "min": _min_or,
    "sorted": sorted,
    "set": frozenset,
    "keys": sorted,
    "values": lambda table: [table[key] for key in sorted(table)],
    "items": lambda table: [(key, table[key]) for key in sorted(table)],
    "get": _get,
    "fqdn": fqdn,
    "host_matches": host_matches,
    "image_ref": image_ref,
}
