"""The tables of a kind as a tree along the fields of its objects, to be walked with them."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import cache
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff.change import ABSENT
from meshplan.kinds import kind_of
from meshplan.kinds.kind import Default, Kind, Reading


@dataclass(frozen=True, slots=True)
class Rules:
    """How the values of one field are compared; of a list, its items as well."""

    children: Mapping[str, "Rules"] = field(default_factory=dict)
    #: What tells the items of a list apart; () for a set, None where it is not known.
    keys: tuple[str, ...] | None = None
    ordered: bool = True
    #: Whether the place of an item counts among all the others, those that come and go included.
    first_wins: bool = False
    default: Default = ABSENT
    reading: Reading | None = None
    #: Whether an empty list is the same as none, as in all APIs that are structs in Go.
    typed: bool = False

    def below(self, name: str) -> "Rules":
        """The rules of a field of the object that these are the rules of."""
        found = self.children.get(name) or self.children.get("*")
        return found or (_TYPED if self.typed else _UNTYPED)

    def default_in(self, parent: Mapping[str, Any]) -> Any:
        """The value that the field has in `parent` where it is left out; ABSENT if it has none."""
        value = self.default(parent) if callable(self.default) else self.default
        return ABSENT if value is None else value


_TYPED = Rules(typed=True)
_UNTYPED = Rules()

_Entry = tuple[tuple[str, ...], Mapping[str, Any]]

#: What all objects share.
_METADATA: tuple[_Entry, ...] = (
    (("metadata",), {"default": {}}),
    (("metadata", "labels"), {"default": {}}),
    (("metadata", "annotations"), {"default": {}}),
    (("metadata", "finalizers"), {"keys": ()}),
    (("metadata", "ownerReferences"), {"keys": ("kind", "name"), "ordered": False}),
)


@cache
def rules_for(group: str, kind: str) -> Rules:
    """The rules for the objects of a kind; those of an unknown kind only know its metadata."""
    known = kind_of(group, kind)
    entries = [*_METADATA, *(_entries(known) if known else ())]
    return _tree(entries, Rules(typed=known is not None))


def _entries(kind: Kind) -> Iterable[_Entry]:
    """Each line of the tables of a kind, with its path taken apart."""
    tables: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("keys", kind.list_keys),
        ("ordered", dict.fromkeys(kind.unordered, False)),
        ("first_wins", dict.fromkeys(kind.first_wins, True)),
        ("default", kind.defaults),
        ("reading", kind.readings),
        ("typed", dict.fromkeys(kind.opaque, False)),
    )
    for attribute, table in tables:
        for path, value in table.items():
            yield tuple(path.split(".")), {attribute: value}


def _tree(entries: Iterable[_Entry], here: Rules) -> Rules:
    below: dict[str, list[_Entry]] = {}
    for path, facts in entries:
        if path:
            below.setdefault(path[0], []).append((path[1:], facts))
        else:
            here = replace(here, **facts)
    fresh = _TYPED if here.typed else _UNTYPED
    return replace(here, children={name: _tree(rest, fresh) for name, rest in below.items()})
