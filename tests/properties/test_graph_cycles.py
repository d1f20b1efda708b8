"""Cycles are the strongly connected components, whatever graph there is."""

import networkx
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.graph.cycles import cycles_of
from meshplan.graph.edge import Edge
from meshplan.identity import ResourceId

objects = st.integers(0, 7).map(lambda number: ResourceId("", "Service", "shop", f"s{number}"))
arrows = st.sets(st.tuples(objects, objects).filter(lambda pair: pair[0] != pair[1]), max_size=14)


@settings(max_examples=300)
@given(arrows)
def test_cycles_are_the_components_of_more_than_one(
    pairs: set[tuple[ResourceId, ResourceId]],
) -> None:
    graph: networkx.DiGraph[ResourceId] = networkx.DiGraph(pairs)
    expected = {
        frozenset(group)
        for group in networkx.strongly_connected_components(graph)
        if len(group) > 1
    }
    edges = [Edge(first, then, "", "") for first, then in sorted(pairs)]
    found = cycles_of(edges)
    assert [set(cycle.ids) for cycle in found] == [
        set(group) for group in sorted(tuple(sorted(group)) for group in expected)
    ]
