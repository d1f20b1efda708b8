"""Edges between changed objects, cycles of them, and the graph that they make."""

from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """`first` has to be in force before `then` is written."""

    first: ResourceId
    then: ResourceId
    #: In words, e.g. "http[0] of VirtualService shop/reviews sends requests to subset v2".
    why: str
    #: What a client sees if the order is the other way round, e.g. "503 NC".
    failure: str
    #: Whether `then` takes away what the old version of `first` relies on: requests under way have
    #: to end before it is written.
    retires: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "first": self.first.to_json(),
            "then": self.then.to_json(),
            "why": self.why,
            "failure": self.failure,
        }


@dataclass(frozen=True, slots=True)
class Cycle:
    """Objects of which each has to wait for another: no order of the two versions is safe."""

    ids: tuple[ResourceId, ...]
    #: The edges among them.
    edges: tuple[Edge, ...]
    why: str

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {"ids": [found.to_json() for found in self.ids], "why": self.why}


@dataclass(frozen=True, slots=True)
class DependencyGraph:
    """The edges between the changed objects of a target, and the cycles among them."""

    edges: tuple[Edge, ...] = ()
    cycles: tuple[Cycle, ...] = ()
