"""Many rules read the same objects: whether one has the types that any of them expects, at once.

`values.faults` says what is wrong for one rule. Nearly always nothing is, and for an object in
which nothing is wrong for all the rules of its kind together, none of them has to look.
"""

from collections.abc import Iterable
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.policy import program
from meshplan.policy.values import FITS, Fits


@dataclass(slots=True)
class _Node:
    """What several rules expect at one place."""

    fits: dict[str, Fits] = field(default_factory=dict)
    fields: dict[str, "_Node"] = field(default_factory=dict)
    #: Of each item of a list.
    items: "_Node | None" = None
    #: Of each value of a mapping, whatever its key.
    values: "_Node | None" = None

    def learn(self, shape: program.Shape) -> None:
        if shape.type:
            self.fits[shape.type] = FITS[shape.type]
        for name, inner in shape.fields.items():
            self.fields.setdefault(name, _Node()).learn(inner)
        if shape.each is not None:
            self.items = self.items or _Node()
            self.items.learn(shape.each)
            if shape.type == "object":
                self.values = self.values or _Node()
                self.values.learn(shape.each)


def sound(value: Any, node: _Node) -> bool:
    """Whether nothing at or below a value is of another type than expected."""
    for fits in node.fits.values():
        if not fits(value):
            return False
    each: _Node | None
    below: Iterable[Any]
    if isinstance(value, dict):
        # Objects have few of the fields that some rule reads.
        fields = node.fields
        for name, found in value.items():
            if found is not None and name in fields and not sound(found, fields[name]):
                return False
        each, below = node.values, value.values()
    elif isinstance(value, list):
        each, below = node.items, value
    else:
        return True
    if each is not None:
        for found in below:
            if found is not None and not sound(found, each):
                return False
    return True


class Shapes:
    """What some rules expect of objects of one kind."""

    def __init__(self, shapes: Iterable[program.Shape]):
        self._root = _Node()
        for shape in shapes:
            self._root.learn(shape)

    def fit(self, manifest: Any) -> bool:
        """Whether an object has no fault for any of the rules."""
        return manifest is None or sound(manifest, self._root)
