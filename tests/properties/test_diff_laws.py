"""Laws of the diff, for objects of several kinds that nobody would write."""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshplan.diff import ABSENT, Create, Delete, FieldChange, Replace, Update, diff
from meshplan.diff.canonical import canonical
from meshplan.diff.rules import Rules, rules_for
from meshplan.kinds import kind_of
from meshplan.resource import Snapshot
from support.objects import manifests, pairs, rewritten
from support.snapshots import of_values, resource

slow = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)


def fields(before: Any, after: Any) -> tuple[FieldChange, ...]:
    changes = diff(of_values(before), of_values(after))
    assert len(changes) <= 1
    return tuple(
        entry
        for change in changes
        if isinstance(change, Update | Replace)
        for entry in change.fields
    )


@slow
@given(manifests())
def test_nothing_differs_from_itself(manifest: Any) -> None:
    assert fields(manifest, manifest) == ()


@slow
@given(st.data(), manifests())
def test_another_way_to_write_it_is_no_change(data: st.DataObject, manifest: Any) -> None:
    other = rewritten(data.draw, manifest)
    assert fields(manifest, other) == ()
    assert fields(other, manifest) == ()


@slow
@given(st.data(), pairs())
def test_another_way_to_write_it_changes_no_difference(data: st.DataObject, pair: Any) -> None:
    before, after = pair
    other = fields(rewritten(data.draw, before), rewritten(data.draw, after))
    assert bool(fields(before, after)) == bool(other)


@slow
@given(st.lists(manifests(), max_size=3), st.lists(manifests(), max_size=3))
def test_the_way_back_deletes_what_the_way_there_creates(ours: Any, theirs: Any) -> None:
    base, head = of_values(*ours), of_values(*theirs)
    there, back = diff(base, head), diff(head, base)
    assert {c.after.id for c in there if isinstance(c, Create)} == {
        c.before.id for c in back if isinstance(c, Delete)
    }
    assert {c.after.id for c in there if isinstance(c, Update | Replace)} == {
        c.after.id for c in back if isinstance(c, Update | Replace)
    }


@slow
@given(manifests())
def test_an_object_comes_and_goes_whole(manifest: Any) -> None:
    found = resource(manifest)
    assert list(diff(Snapshot(), Snapshot([found]))) == [Create(found)]
    assert list(diff(Snapshot([found]), Snapshot())) == [Delete(found)]


@slow
@given(pairs())
def test_the_reported_changes_lead_from_one_to_the_other(pair: Any) -> None:
    before, after = pair
    group = before["apiVersion"].rpartition("/")[0]
    kind, rules = kind_of(group, before["kind"]), rules_for(group, before["kind"])
    rewrite = kind.rewrite if kind else dict
    start, goal = rewrite(before), rewrite(after)
    reached = Patched(start, rules).by(fields(before, after))
    assert unplaced(reached, rules) == unplaced(goal, rules)


# A second reading of the paths, which knows nothing of how they were found -----------------------

STEP = re.compile(r"\.?([A-Za-z_][\w-]*)|\['((?:[^'\\]|\\.)*)'\]|\[([^\]']*(?:'[^']*'[^\]']*)*)\]")


def steps(path: str) -> list[tuple[str, str]]:
    """A path as fields ("name", x) and selectors ("item", x)."""
    assert STEP.sub("", path) == "", path
    return [
        ("item", m[3]) if m[3] is not None else ("name", m[1] or m[2] or "")
        for m in STEP.finditer(path)
    ]


class Patched:
    """An object to which changes are made, list by list, in the order in which they are listed."""

    def __init__(self, value: Any, rules: Rules):
        self.value = copied(value)
        self.rules = rules
        self.removed: dict[str, int] = {}

    def by(self, changes: tuple[FieldChange, ...]) -> Any:
        """The object with all changes made."""
        for change in changes:
            *way, last = steps(change.path)
            prefix = change.path[: change.path.rindex("[")] if last[0] == "item" else ""
            holder, rules = self.value, self.rules
            for number, step in enumerate(way):
                nested = way[number + 1][0] if number + 1 < len(way) else last[0]
                holder, rules = down(holder, step, rules, list if nested == "item" else dict)
            self.make(holder, last, change, rules, prefix)
        return self.value

    def make(
        self, holder: Any, step: tuple[str, str], change: FieldChange, rules: Rules, prefix: str
    ) -> None:
        what, key = step
        if what == "name":
            if change.after is ABSENT:
                del holder[key]
            else:
                holder[key] = copied(change.after)
        elif key == "order":
            reorder(holder, change, rules)
        elif key.startswith("="):
            holder[:] = [item for item in holder if selector_of(item, rules) != key]
            holder += [] if change.after is ABSENT else [change.after]
        elif change.after is ABSENT:
            shift = self.removed.get(prefix, 0) if key.isdigit() else 0
            del holder[int(key) - shift if key.isdigit() else place(holder, key, rules)]
            self.removed[prefix] = self.removed.get(prefix, 0) + 1
        elif change.before is ABSENT:
            holder.insert(int(key) if key.isdigit() else len(holder), copied(change.after))
        else:
            index = int(key) if key.isdigit() else place(holder, key, rules)
            holder[index] = copied(change.after)


def down(holder: Any, step: tuple[str, str], rules: Rules, empty: Any) -> tuple[Any, Rules]:
    what, key = step
    if what == "item":
        return holder[int(key) if key.isdigit() else place(holder, key, rules)], rules
    if holder.get(key) is None:
        holder[key] = empty()
    return holder[key], rules.below(key)


def place(items: list[Any], selector: str, rules: Rules) -> int:
    """The index of the item that a selector means."""
    return [selector_of(item, rules) for item in items].index(selector)


def selector_of(item: Any, rules: Rules) -> str:
    if rules.keys == () and not isinstance(item, Mapping):
        return f"={quoted(item)}"
    keys = rules.keys or ("name",)
    shared = len(keys) > 1 and all("." in key for key in keys)
    found: list[str] = []
    left_out: list[str] = []
    for key in keys:
        value: Any = item
        for name in key.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        default = rules.below(key).default if "." not in key else ABSENT
        if value is not None:
            part = f"{key.partition('.')[2] if shared else key}={quoted(value)}"
            (left_out if value == default else found).append(part)
    return ",".join(found or left_out)


def quoted(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"[\w./:*@%+-]+", text) else f"'{text}'"


def reorder(items: list[Any], change: FieldChange, rules: Rules) -> None:
    wanted: list[Any] = change.after
    if wanted and isinstance(wanted[0], int):
        was = change.before
        items[:] = [items[was.index(index)] for index in wanted]
    else:
        items.sort(key=lambda item: wanted.index(selector_of(item, rules)))


def copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def unplaced(value: Any, rules: Rules) -> Any:
    """The canonical form, whatever place new items have in lists where only the order of the
    others is reported.
    """
    return canonical(_sorted(value, rules), rules)


def _sorted(value: Any, rules: Rules) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(item, rules.below(name)) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    items = [_sorted(item, rules) for item in value]
    named = all(isinstance(item, Mapping) for item in items)
    if named and not rules.first_wins and rules.keys != ():
        selectors = [selector_of(item, rules) for item in items]
        if all(selectors) and len(set(selectors)) == len(selectors):
            return sorted(items, key=lambda item: selector_of(item, rules))
    return items
