"""Whether the objects of a kind live in namespaces, for kinds without a file of their own."""

from collections.abc import Iterator, Mapping

from meshplan.kinds.kind import Scope

#: By group: the names of its namespaced kinds, then those of its cluster-scoped kinds.
_TABLE: Mapping[str, tuple[str, str]] = {
    "": (
        "Binding Event PodTemplate ServiceAccount",
        "ComponentStatus Node",
    ),
}


def _entries() -> Iterator[tuple[tuple[str, str], Scope]]:
    for group, (namespaced, cluster) in _TABLE.items():
        for kind in namespaced.split():
            yield (group, kind), "Namespaced"
        for kind in cluster.split():
            yield (group, kind), "Cluster"


SCOPES: Mapping[tuple[str, str], Scope] = dict(_entries())
