"""Which changed object has to be written before which other, derived from what they contain."""

from meshplan.graph.build import dependency_graph
from meshplan.graph.edge import Cycle, DependencyGraph, Edge

__all__ = ["Cycle", "DependencyGraph", "Edge", "dependency_graph"]
