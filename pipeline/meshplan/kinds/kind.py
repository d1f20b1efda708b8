"""What a kind of object is to meshplan: the facts by which its objects are read and compared.

All paths in the tables are field names joined by dots. They pass through lists without a sign
(`spec.http.route` is the routes of every item of `spec.http`), and `*` stands for any one name.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import field
from typing import Any, Literal, TypeVar

from meshplan.dataclass import dataclass
from meshplan.resource import Manifest

Scope = Literal["Namespaced", "Cluster"]

#: The value of a field that is left out: a JSON value, or what to work out from the object around
#: (None where it is nothing).
Default = object | Callable[[Mapping[str, Any]], Any]

#: What two ways to write one value have in common.
Reading = Callable[[Any], Hashable]


def _locks_nothing(_before: Manifest, _after: Manifest) -> Iterable[str]:
    return ()


def _as_written(manifest: Manifest) -> Manifest:
    return manifest


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its names, and how two versions of an object of it are compared."""

    group: str
    kind: str
    plural: str
    scope: Scope
    #: Versions that hold the same fields, newest first: from one to another nothing changes.
    versions: tuple[str, ...]
    #: Fields by which the items of a list are told apart, as in `("port", "protocol")`; () where
    #: the whole item is its identity and the order means nothing.
    list_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Lists of `list_keys` whose order means nothing; all others are ordered.
    unordered: tuple[str, ...] = ()
    #: Ordered lists in which the place of an item counts even among items that come and go.
    first_wins: tuple[str, ...] = ()
    #: What the API server or the reader of the object assumes for a field that is left out. A
    #: field inside an object that is left out has a default only if that object has one, e.g. {}.
    defaults: Mapping[str, Default] = field(default_factory=dict)
    #: Fields with more than one way to write a value: quantities, durations.
    readings: Mapping[str, Reading] = field(default_factory=dict)
    #: Fields whose content is somebody else's: there, an empty list is not the same as none.
    opaque: tuple[str, ...] = ()
    #: Fields that the API server refuses to change: the object has to be deleted and created.
    immutable: tuple[str, ...] = ()
    #: Fields below those of `immutable` that may change all the same.
    mutable: tuple[str, ...] = ()
    #: Further immutable fields, where that depends on the two versions of the object.
    locked: Callable[[Manifest, Manifest], Iterable[str]] = _locks_nothing
    #: An object in the form to be compared, where the tables cannot say it; a new value if it
    #: differs.
    rewrite: Callable[[Manifest], Manifest] = _as_written

    def api_version(self, version: str) -> str:
        """`version` as the field `apiVersion` writes it."""
        return f"{self.group}/{version}" if self.group else version


_T = TypeVar("_T")


def under(prefixes: str | Iterable[str], table: Mapping[str, _T]) -> dict[str, _T]:
    """`table` with each of its paths below each of `prefixes`."""
    places = (prefixes,) if isinstance(prefixes, str) else tuple(prefixes)
    return {f"{place}.{path}": value for place in places for path, value in table.items()}


def paths_under(prefixes: str | Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """Each of `paths` below each of `prefixes`."""
    return tuple(under(prefixes, dict.fromkeys(paths, None)))
