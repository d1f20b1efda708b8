"""Closures over closures, one for each way to put values together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from meshplan.policy.values import message, text

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


def in_turn(actions: Sequence[Action]) -> Action:
    """One after the other, until one is the last."""
    match actions:
        case [only]:
            return only
        case [one, two]:
            return lambda frame: one(frame) or two(frame)
        case _:

            def run(frame: Frame) -> bool:
                for action in actions:  # noqa: SIM110 - twice as fast, and half of all there is
                    if action(frame):
                        return True
                return False

            return run


def below(base: Closure, path: Sequence[str]) -> Closure:
    """What is below a value; None where there is nothing."""
    if len(path) == 1:
        # Most readings: worth a closure without a loop.
        (only,) = path
        return lambda frame: o.get(only) if isinstance(o := base(frame), dict) else None

    def read(frame: Frame) -> Any:
        found = base(frame)
        for step in path:
            if not isinstance(found, dict):
                return None
            found = found.get(step)
        return found

    return read


def below_slot(slot: int, path: Sequence[str]) -> Closure:
    """What is below the value of a variable."""
    if len(path) == 1:
        (only,) = path
        return lambda frame: o.get(only) if isinstance(o := frame[slot], dict) else None

    def read(frame: Frame) -> Any:
        found = frame[slot]
        for step in path:
            if not isinstance(found, dict):
                return None
            found = found.get(step)
        return found

    return read


def read_as(raw: Closure, read: Callable[[Any], Any], default: Any) -> Closure:
    """A value of one type, or what stands for it where there is none."""
    if read is message:
        return lambda frame: found if isinstance(found := raw(frame), dict) else default
    if read is text:
        return lambda frame: found if isinstance(found := raw(frame), str) else default

    def run(frame: Frame) -> Any:
        found = raw(frame)
        if found is not None:
            found = read(found)
        return default if found is None else found

    return run


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

    def run(frame: Frame) -> Any:
        for part in parts:  # noqa: SIM110 - as above
            if not part(frame):
                return False
        return True

    return run


def either(parts: Sequence[Closure]) -> Closure:
    """Whether one is true, as far as needed."""
    if len(parts) == 2:
        one, two = parts
        return lambda frame: one(frame) or two(frame)

    def run(frame: Frame) -> Any:
        for part in parts:  # noqa: SIM110 - as above
            if part(frame):
                return True
        return False

    return run


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
        if not isinstance(found, list):
            return ()
        items = map(read, found)
        return [(index, item) for index, item in enumerate(items) if item is not None]

    return pairs


def tabled(raw: Closure, read: Callable[[Any], Any]) -> Pairs:
    """The values of a mapping in an object, by key."""

    def pairs(frame: Frame) -> Iterable[tuple[Any, Any]]:
        found = raw(frame)
        if not isinstance(found, dict):
            return ()
        items = [(key, read(found[key])) for key in sorted(k for k in found if isinstance(k, str))]
        return [(key, item) for key, item in items if item is not None]

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
