"""`kubectl apply --recursive -f DIR --prune`: file by file, then everything that is gone at once.

Files are visited in lexical order and documents in the order of the file; rendered objects come in
the order of the renderer. Pruning (an ApplySet) deletes after all writes, without an order.
"""

from pathlib import PurePosixPath

from meshplan.deployers.deployer import (
    Deployer,
    Options,
    apply,
    plan_of,
    pruned,
    remove,
    written,
)
from meshplan.diff import ChangeSet
from meshplan.plan import Plan, Step
from meshplan.resource import Resource, Snapshot

_WAITS = "kubectl writes one object after the other and waits for nothing"


def _file_key(resource: Resource) -> tuple[tuple[str, ...], int, int, str]:
    origin = resource.origin
    item = origin.pointer.rpartition("/")[2]
    parts = PurePosixPath(origin.path).parts
    return parts, origin.document, int(item) if item.isdigit() else 0, str(resource.id)


def order(changes: ChangeSet, base: Snapshot, options: Options) -> Plan:  # noqa: ARG001
    """The writes of kubectl, each a step of its own, and one wave of deletions."""
    groups: list[list[Step]] = [
        [apply(resource, f"kubectl's order of files: {resource.origin.path}")]
        for resource in sorted(written(changes), key=_file_key)
    ]
    groups.append(
        [remove(resource, "kubectl prunes after all writes") for resource in pruned(changes)]
    )
    return plan_of(groups, changes, _WAITS)


KUBECTL = Deployer("kubectl", "kubectl", order, _WAITS)
