"""Closures over closures, one for each way to put values together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Frame = list[Any]
Closure = Callable[[Frame], Any]
#: Gives true where a `continue` or `return` was met.
Action = Callable[[Frame], bool]
Pairs = Callable[[Frame], Iterable[tuple[Any, Any]]]

#: Ends all loops of a comprehension; and the value of a statement that returns none.
STOP: Any = object()

COLLECT: dict[str, Callable[[list[Any]], Any]] = {"list": list, "set": frozenset, "table": dict}


def new_subject(frame: Frame) -> Any:
    """The object as it is to be."""
    return frame[0].new


def old_subject(frame: Frame) -> Any:
    """The object as it was."""
    return frame[0].old


def constant(value: Any) -> Closure:
    """The same value each time."""
    return lambda _: value


def composed(function: Callable[[Any], Any], value: Closure) -> Closure:
    """A function of a value."""
    return lambda frame: function(value(frame))


def called(function: Callable[..., Any], arguments: Sequence[Closure]) -> Closure:
    """A function of values."""
    match arguments:
        case [one]:
            return lambda frame: function(one(frame))
        case [one, two]:
            return lambda frame: function(one(frame), two(frame))
        case _:
            return lambda frame: function(*[a(frame) for a in arguments])


def both(parts: Sequence[Closure]) -> Closure:
    """Whether all are true, as far as needed."""
    if len(parts) == 2:
        one, two = parts
        return lambda frame: one(frame) and two(frame)
    return lambda frame: all(part(frame) for part in parts)


def either(parts: Sequence[Closure]) -> Closure:
    """Whether one is true, as far as needed."""
    if len(parts) == 2:
        one, two = parts
        return lambda frame: one(frame) or two(frame)
    return lambda frame: any(part(frame) for part in parts)


def built(form: str, items: Sequence[Closure]) -> Closure:
    """A list, set or tuple."""
    if form == "set":
        return lambda frame: frozenset([item(frame) for item in items])
    if form == "row":
        return lambda frame: tuple([item(frame) for item in items])
    return lambda frame: [item(frame) for item in items]


def listed(raw: Closure, read: Callable[[Any], Any]) -> Pairs:
    """The items of a list in an object, with their numbers."""

    def pairs(frame: Frame) -> Iterable[tuple[Any, Any]]:
        found = raw(frame)
        if isinstance(found, list):
            for index, value in enumerate(found):
                item = read(value)
                if item is not None:
                    yield index, item

    return pairs


def tabled(raw: Closure, read: Callable[[Any], Any]) -> Pairs:
    """The values of a mapping in an object, by key."""

    def pairs(frame: Frame) -> Iterable[tuple[Any, Any]]:
        found = raw(frame)
        if isinstance(found, dict):
            for key in sorted(k for k in found if isinstance(k, str)):
                item = read(found[key])
                if item is not None:
                    yield key, item

    return pairs


COMPARE: dict[str, Callable[[Closure, Closure], Closure]] = {
    "==": lambda a, b: lambda frame: a(frame) == b(frame),
    "!=": lambda a, b: lambda frame: a(frame) != b(frame),
    "<": lambda a, b: lambda frame: a(frame) < b(frame),
    "<=": lambda a, b: lambda frame: a(frame) <= b(frame),
    ">": lambda a, b: lambda frame: a(frame) > b(frame),
    ">=": lambda a, b: lambda frame: a(frame) >= b(frame),
    "in": lambda a, b: lambda frame: a(frame) in b(frame),
    "not in": lambda a, b: lambda frame: a(frame) not in b(frame),
}
