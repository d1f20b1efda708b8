"""What the API server gives to one Service at a time: addresses and node ports."""

from collections.abc import Iterator
from functools import partial

from meshplan.graph.obligation import Obligation
from meshplan.graph.state import Index, View, sorted_ids


def obligations(index: Index) -> Iterator[Obligation]:
    """For each claim that changes hands: never two who hold it."""
    for key, ids in sorted(index.touched_keys("claim")):
        if len(ids) > 1:
            why = f"only one Service can have {key[1]}"
            together = sorted_ids(ids, index.writes)
            yield Obligation(together, partial(_single, key), why, "apply rejected")


def _single(key: tuple[str, ...], view: View) -> int:
    return int(sum(1 for _ in view.find(key)) < 2)
