"""Values that can be written in more than one way, read as the API server and istiod read them."""

import re
from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import Any

from meshplan.kinds.kind import Reading

_QUANTITY = re.compile(
    r"([+-]?)(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?"
)
_SUFFIXES: Mapping[str, Fraction] = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
} | {
    unit: Fraction(factor)
    for power, prefix in enumerate("kMGTPE", 1)
    for unit, factor in ((prefix, 1000**power), (f"{prefix.upper()}i", 1024**power))
}

_DURATION = re.compile(r"(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:ns|us|µs|μs|ms|s|m|h)")
_UNITS: Mapping[str, Fraction] = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6),
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}


def quantity(value: Any) -> Hashable:
    """An amount of CPU, memory or storage: `500m` is `0.5`, `1Gi` is `1024Mi`.

    Grammar: k8s.io/apimachinery/pkg/api/resource. What is no quantity stands for itself.
    """
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    found = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return written(value)
    sign, digits, suffix = found.groups(default="")
    scale = _SUFFIXES.get(suffix)
    if scale is None:
        scale = Fraction(10) ** int(suffix[1:])
    return Fraction(f"{sign}{digits if digits[0] != '.' else '0' + digits}".rstrip(".")) * scale


def duration(value: Any) -> Hashable:
    """A span of time in seconds, written as Go writes it: `60s` is `1m` is `1m0s`.

    istiod reads durations so, Kubernetes and the Gateway API do too. What is none stands for
    itself.
    """
    if not isinstance(value, str) or len(value) > 64:
        return written(value)
    sign = -1 if value.startswith("-") else 1
    text = value[1:] if value.startswith(("+", "-")) else value
    if text == "0":
        return Fraction(0)
    total, end = Fraction(0), 0
    while found := _DURATION.match(text, end):
        number = found.group().rstrip("nuµμmsh")
        total += (
            Fraction(number.rstrip(".") if number[0] != "." else "0" + number)
            * _UNITS[found.group()[len(number) :]]
        )
        end = found.end()
    return sign * total if end == len(text) and end else written(value)


def written(value: Any) -> Hashable:
    """A value that cannot be read otherwise, as it is written."""
    return ("as written", repr(value))


def quantities(*paths: str) -> dict[str, Reading]:
    """A table that reads each of `paths` as a quantity."""
    return dict.fromkeys(paths, quantity)


def durations(*paths: str) -> dict[str, Reading]:
    """A table that reads each of `paths` as a duration."""
    return dict.fromkeys(paths, duration)
