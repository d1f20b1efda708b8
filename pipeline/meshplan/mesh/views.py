"""What was read from resources, kept for other snapshots that hold the same resources."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from meshplan.resource import Resource

_K = TypeVar("_K")
_T = TypeVar("_T")


class Views:
    """Reads each resource once for each purpose."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], tuple[Resource, Any]] = {}

    def of(self, resource: Resource, what: str, read: Callable[[Resource], _T]) -> _T:
        """What `read` says of a resource; `what` tells purposes apart."""
        # The resource is kept with its view, so that its address stays its own.
        key = (id(resource), what)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = (resource, read(resource))
        value: _T = found[1]
        return value


def grouped(items: Iterable[_T], keys: Callable[[_T], Iterable[_K]]) -> Mapping[_K, list[_T]]:
    """Items by each of their keys, in their order."""
    found: dict[_K, list[_T]] = {}
    for item in items:
        for key in keys(item):
            found.setdefault(key, []).append(item)
    return found
