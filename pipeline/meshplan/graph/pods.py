"""Which changed workloads begin or cease to have pods with certain labels."""

from collections.abc import Iterator

from meshplan.graph.keys import pod_labels
from meshplan.graph.state import Index
from meshplan.identity import ResourceId
from meshplan.kinds.need import Labels


def reselected(namespace: str | None, labels: Labels, index: Index) -> Iterator[ResourceId]:
    """Workloads whose pods have all of `labels` in one version and not in the other."""
    if not labels:
        return
    lists = [set(index.touched(*index.pod_keys(namespace, name, value))) for name, value in labels]
    for subject in sorted(set.intersection(*lists)):
        if selects_otherwise(subject, labels, index):
            yield subject


def selects_otherwise(subject: ResourceId, labels: Labels, index: Index) -> bool:
    """Whether a workload has pods with `labels` in one of its versions and not in the other."""
    writes = index.writes
    selected = [
        subject in versions and labels <= pod_labels(versions[subject])
        for versions in (writes.before, writes.after)
    ]
    return selected[0] != selected[1]
