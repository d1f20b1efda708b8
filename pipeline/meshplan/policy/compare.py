"""What a change does to findings: it introduces them, leaves them, or fixes them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from meshplan.finding import Finding, Status
from meshplan.location import Side


def compared(before: Sequence[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of the head, new or existing, and those of the base that are fixed.

    Two findings are the same if their rule, object, place and words are. Of several that cannot
    be told apart so many are old as there were.
    """
    left = Counter(finding.fingerprint for finding in before)
    found: list[Finding] = []
    for finding in after:
        known = left[finding.fingerprint] > 0
        left[finding.fingerprint] -= known
        found.append(finding.with_(status=Status.EXISTING if known else Status.NEW))
    return (*found, *_fixed(before, left))


def words(message: str) -> str:
    """The words of a message, without the numbers in it that may change from day to day."""
    out: list[str] = []
    for char in message:
        if not char.isdecimal():
            out.append(char)
        elif not out or out[-1] != "#":
            out.append("#")
    return "".join(out)


def _fixed(before: Iterable[Finding], left: Counter[str]) -> Iterator[Finding]:
    """Those of the base that the head has no more."""
    for finding in before:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
            places = tuple(replace(place, side=Side.BASE) for place in finding.locations)
            yield finding.with_(status=Status.FIXED, locations=places)
