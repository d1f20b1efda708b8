"""The fields that differ between two versions of an object, each with its path."""

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff.canonical import canonical, completed, effective, identical, written
from meshplan.diff.change import ABSENT
from meshplan.diff.pairing import (
    Pairing,
    by_content,
    by_identity,
    have_something_in_common,
    in_place,
)
from meshplan.diff.rules import Rules

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PLAIN = re.compile(r"[A-Za-z0-9_./:*@%+-]+")


#: Objects that are deeper than any real one are reported whole, for the stack is finite.
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Place:
    """A field: its path as people read it, and the names on the way to it without the items."""

    path: str = ""
    names: tuple[str, ...] = ()
    depth: int = 0

    def field(self, name: str) -> "Place":
        """A field of the object at this place."""
        if _NAME.fullmatch(name):
            path = f"{self.path}.{name}" if self.path else name
        else:
            path = f"{self.path}[{_quoted(name)}]"
        return Place(path, (*self.names, name), self.depth + 1)

    def item(self, selector: str) -> "Place":
        """An item of the list at this place."""
        return Place(f"{self.path}[{selector}]", self.names, self.depth + 1)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs; the value is as written, ABSENT where there is none."""

    place: Place
    before: Any
    after: Any


def differences(before: Any, after: Any, rules: Rules, place: Place) -> Iterator[Difference]:
    """What differs between two values of one field; nothing if they mean the same."""
    if identical(before, after):
        return
    both = isinstance(before, Mapping) and isinstance(after, Mapping)
    if both and place.depth < _DEEPEST:
        yield from _in_mapping(before, after, rules, place)
    elif canonical(before, rules) != canonical(after, rules):
        yield from _in_value(before, after, rules, place)


def _in_value(before: Any, after: Any, rules: Rules, place: Place) -> Iterator[Difference]:
    if place.depth >= _DEEPEST:
        yield Difference(place, before, after)
    elif _are_lists(before, after):
        yield from _in_list(before, after, rules, place)
    elif (
        rules.typed
        and rules.keys is not None
        and rules.default is ABSENT
        and _are_lists(*(() if value is ABSENT else value for value in (before, after)))
    ):
        # No list is an empty one here, and its items have names by which people look for them.
        old, new = (() if value is ABSENT else value for value in (before, after))
        yield from _in_list(old, new, rules, place)
    else:
        yield Difference(place, before, after)


def _are_lists(before: Any, after: Any) -> bool:
    return isinstance(before, list | tuple) and isinstance(after, list | tuple)


def _in_mapping(
    before: Mapping[str, Any], after: Mapping[str, Any], rules: Rules, place: Place
) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        old, new, below = written(before, name), written(after, name), rules.below(name)
        # A field that is left out on either side has the default that goes with the new
        # neighbours: these are reported, and with them what follows from them.
        was, becomes = completed(old, after, below), completed(new, after, below)
        if was is old and becomes is new:
            yield from differences(old, new, below, place.field(name))
        elif canonical(was, below) != canonical(becomes, below):
            yield from _in_value(old, new, below, place.field(name))


def _in_list(
    before: Sequence[Any], after: Sequence[Any], rules: Rules, place: Place
) -> Iterator[Difference]:
    if rules.keys == () and not any(isinstance(item, Mapping | list) for item in (*before, *after)):
        yield from _in_set(before, after, rules, place)
        return
    keys = rules.keys or ("name",)
    old, new = _identities(before, keys, rules), _identities(after, keys, rules)
    if old is None or new is None:
        yield from _by_index(before, after, rules, place)
        return
    pairing = by_identity(old, new)
    here = [_selector(item, keys, rules) for item in before]
    there = [_selector(item, keys, rules) for item in after]
    for i in pairing.removed:
        yield Difference(place.item(here[i]), before[i], ABSENT)
    for i, j in pairing.pairs:
        yield from differences(before[i], after[j], rules, place.item(there[j]))
    for j in pairing.added:
        yield Difference(place.item(there[j]), ABSENT, after[j])
    if rules.ordered and rules.keys != () and _reordered(pairing, strict=rules.first_wins):
        yield Difference(place.item("order"), here, there)


def _reordered(pairing: Pairing, *, strict: bool) -> bool:
    """Whether the order is another one than what removing, and adding at the end, leads to."""
    if len(in_place(pairing.pairs)) < len(pairing.pairs):
        return True
    return strict and any(j < len(pairing.pairs) for j in pairing.added)


def _in_set(
    before: Sequence[Any], after: Sequence[Any], rules: Rules, place: Place
) -> Iterator[Difference]:
    old = {canonical(item, rules): item for item in before}
    new = {canonical(item, rules): item for item in after}
    for key in sorted(old.keys() - new.keys(), key=lambda key: _text(old[key])):
        yield Difference(place.item(f"={_value(old[key])}"), old[key], ABSENT)
    for key in sorted(new.keys() - old.keys(), key=lambda key: _text(new[key])):
        yield Difference(place.item(f"={_value(new[key])}"), ABSENT, new[key])


def _by_index(
    before: Sequence[Any], after: Sequence[Any], rules: Rules, place: Place
) -> Iterator[Difference]:
    pairing = by_content(before, after, rules)
    for i in pairing.removed:
        yield Difference(place.item(str(i)), before[i], ABSENT)
    moved = len(in_place(pairing.pairs)) < len(pairing.pairs)
    matters = rules.ordered and rules.keys != ()
    # Where order means nothing it still tells which item an index of the head was in the base.
    if moved and (matters or any(_differ(before[i], after[j], rules) for i, j in pairing.pairs)):
        by_place = sorted(pairing.pairs, key=lambda pair: pair[1])
        order = [i for i, _ in pairing.pairs]
        yield Difference(place.item("order"), order, [i for i, _ in by_place])
    was = {j: before[i] for i, j in pairing.pairs}
    for j, item in enumerate(after):
        old = was.get(j, ABSENT)
        if isinstance(old, Mapping) and not _differ(old, item, rules):
            continue
        if isinstance(old, Mapping) and _are_strangers(old, item, rules):
            yield Difference(place.item(str(j)), old, item)
        else:
            yield from differences(old, item, rules, place.item(str(j)))


def _differ(before: Any, after: Any, rules: Rules) -> bool:
    return canonical(before, rules) != canonical(after, rules)


def _are_strangers(before: Mapping[str, Any], after: Any, rules: Rules) -> bool:
    """Whether two items at one place are so different that one has taken the other's place."""
    if isinstance(after, Mapping) and before.keys() == after.keys():
        return False
    return not have_something_in_common(before, after, rules)


def _identities(items: Sequence[Any], keys: tuple[str, ...], rules: Rules) -> list[Hashable] | None:
    """What tells the items apart; None if that is not unique, or some item says nothing of it."""
    found: list[Hashable] = []
    for item in items:
        if not isinstance(item, Mapping) or not any(_written_at(item, key) for key in keys):
            return None
        found.append(tuple(_canonical_at(item, key, rules) for key in keys))
    return found if len(set(found)) == len(found) else None


def _selector(item: Mapping[str, Any], keys: tuple[str, ...], rules: Rules) -> str:
    """An item by its identity, without what can be left out."""
    given = {key: found for key in keys if (found := _written_at(item, key)) is not None}
    telling = {
        key: found
        for key, found in given.items()
        if _canonical_at(item, key, rules) != _canonical_at({}, key, rules)
    }
    return ",".join(
        f"{_label(key, keys)}={_value(found)}" for key, found in (telling or given).items()
    )


def _written_at(item: Any, key: str) -> Any:
    """The value of a field by which items are told apart; None where there is none."""
    for name in key.split("."):
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _canonical_at(item: Any, key: str, rules: Rules) -> Hashable:
    for name in key.split("."):
        rules = rules.below(name)
        item = effective(item, name, rules) if isinstance(item, Mapping) else ABSENT
    return canonical(item, rules)


def _label(key: str, keys: tuple[str, ...]) -> str:
    """The name of a key field, without the object that all of several key fields are in."""
    parent, _, rest = key.partition(".")
    return rest if len(keys) > 1 and all(k.startswith(f"{parent}.") for k in keys) else key


def _value(value: Any) -> str:
    text = _text(value)
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
