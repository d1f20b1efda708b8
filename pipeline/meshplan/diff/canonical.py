"""The canonical form of a value: equal for two values that mean the same.

Null is as good as nothing, and so is an empty list where the API is known. Defaults are filled in,
quantities and durations are read, sets have no order. Strings are not turned into numbers or the
other way round: the API server refuses the one where it wants the other.
"""

import marshal
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from meshplan.diff.change import ABSENT
from meshplan.diff.rules import Rules

#: In Python True is 1; in JSON it is not.
_TRUE, _FALSE = ("bool", True), ("bool", False)


def canonical(value: Any, rules: Rules) -> Hashable:
    """The canonical form of `value`, to be compared with that of another value of this field."""
    if isinstance(value, Mapping):
        return _mapping(value, rules)
    if isinstance(value, list | tuple):
        return _list(value, rules)
    scalar: Hashable = value
    if scalar is ABSENT:
        return ABSENT
    if rules.reading is not None:
        return rules.reading(value)
    if scalar is True:
        return _TRUE
    return _FALSE if scalar is False else scalar


def identical(before: Any, after: Any) -> bool:
    """Whether two values are written alike; a cheap way to see that they mean the same."""
    if before is after:
        return True
    if before != after:
        return False
    try:
        # Equality alone takes 1 for True; marshal is fast and keeps them apart.
        return marshal.dumps(before, 2) == marshal.dumps(after, 2)
    except ValueError:
        return False


def _mapping(value: Mapping[str, Any], rules: Rules) -> Hashable:
    fields = []
    for name in sorted({*value, *rules.children} - {"*"}):
        below = rules.below(name)
        found = effective(value, name, below)
        if found is not ABSENT:
            fields.append((name, canonical(found, below)))
    return ("{}", tuple(fields))


def _list(value: Iterable[Any], rules: Rules) -> Hashable:
    items = [canonical(item, rules) for item in value]
    if rules.keys == ():
        return ("set", frozenset(items))
    if not rules.ordered:
        return ("bag", frozenset(Counter(items).items()))
    return ("[]", tuple(items))


def effective(parent: Mapping[str, Any], name: str, rules: Rules) -> Any:
    """The value of a field as the API server completes it; ABSENT where it has none."""
    return completed(written(parent, name), parent, rules)


def completed(value: Any, parent: Mapping[str, Any], rules: Rules) -> Any:
    """`value`, or where it is as good as nothing the default it has in `parent`."""
    if value is ABSENT or (rules.typed and value in ([], ())):
        return rules.default_in(parent)
    return value


def written(parent: Mapping[str, Any], name: str) -> Any:
    """The value of a field as it is written; null is as good as nothing."""
    found = parent.get(name)
    return ABSENT if found is None else found
