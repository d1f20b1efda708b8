"""What a kind of object is to meshplan: the facts by which its objects are read and compared.

All paths in the tables are field names joined by dots. They pass through lists without a sign
(`spec.http.route` is the routes of every item of `spec.http`), and `*` stands for any one name.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from meshplan.kinds.need import Need
from meshplan.resource import Resource

Scope = Literal["Namespaced", "Cluster"]

#: The value of a field that is left out: a JSON value, or what to work out from the object around.
Default = object | Callable[[Mapping[str, Any]], Any]

#: What two ways to write one value have in common.
Reading = Callable[[Any], Hashable]


def _nothing(_resource: Resource) -> Iterable[Need]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its names, and how two versions of an object of it are compared."""

    group: str
    kind: str
    plural: str
    scope: Scope
    #: Versions that hold the same fields, newest first: from one to another nothing changes.
    versions: tuple[str, ...]
    #: Fields by which the items of a list are told apart; () where the whole item is its identity
    #: and the order means nothing. Lists that are not named here are ordered.
    list_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What the API server or the reader of the object assumes for a field that is left out.
    defaults: Mapping[str, Default] = field(default_factory=dict)
    #: Fields with more than one way to write a value: quantities, durations.
    readings: Mapping[str, Reading] = field(default_factory=dict)
    #: Fields that the API server refuses to change: the object has to be deleted and created.
    immutable: tuple[str, ...] = ()
    #: What an object of this kind relies on.
    needs: Callable[[Resource], Iterable[Need]] = _nothing

    def api_version(self, version: str) -> str:
        """`version` as the field `apiVersion` writes it."""
        return f"{self.group}/{version}" if self.group else version
