"""Which item of a list was which item of the list before."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff.canonical import canonical
from meshplan.diff.rules import Rules

#: Fields by which people tell items apart where the API does not; they weigh more than others.
_TELLING = frozenset(
    {"name", "match", "matches", "host", "hosts", "port", "path", "key", "uri", "from", "to"}
)

#: Beyond so many comparisons, items that changed are matched by their place alone.
_COMPARISONS = 4000


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which items are the same, and which only one list has, by their indexes."""

    #: Items of both lists, in the order of the list before.
    pairs: tuple[tuple[int, int], ...]
    removed: tuple[int, ...]
    added: tuple[int, ...]


def by_identity(before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairing:
    """Pair items by identities that are unique in each list."""
    places = {identity: index for index, identity in enumerate(after)}
    pairs = tuple((i, places[identity]) for i, identity in enumerate(before) if identity in places)
    return _pairing(pairs, len(before), len(after))


def by_content(before: Sequence[Any], after: Sequence[Any], rules: Rules) -> Pairing:
    """Pair equal items, then those with most in common, then (in ordered lists) those between
    the same neighbours.
    """
    old = [canonical(item, rules) for item in before]
    new = [canonical(item, rules) for item in after]
    pairs = _equal(old, new)
    rest = _pairing(pairs, len(old), len(new))
    pairs += _alike(before, after, rest, rules)
    if rules.keys == ():
        return _pairing(pairs, len(old), len(new))
    rest = _pairing(pairs, len(old), len(new))
    return _pairing((*pairs, *_neighbours(rest)), len(old), len(new))


def _pairing(pairs: Iterable[tuple[int, int]], before: int, after: int) -> Pairing:
    ordered = tuple(sorted(pairs))
    here, there = {i for i, _ in ordered}, {j for _, j in ordered}
    removed = tuple(i for i in range(before) if i not in here)
    added = tuple(j for j in range(after) if j not in there)
    return Pairing(ordered, removed, added)


def _equal(old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[tuple[int, int], ...]:
    """Equal items: from both ends, then each in its turn."""
    size = min(len(old), len(new))
    head = next((n for n in range(size) if old[n] != new[n]), size)
    tail = next((n for n in range(size - head) if old[-1 - n] != new[-1 - n]), size - head)
    pairs = [(n, n) for n in range(head)]
    pairs += [(len(old) - 1 - n, len(new) - 1 - n) for n in range(tail)]
    waiting: dict[Hashable, list[int]] = {}
    for j in range(len(new) - tail - 1, head - 1, -1):
        waiting.setdefault(new[j], []).append(j)
    for i in range(head, len(old) - tail):
        if places := waiting.get(old[i]):
            pairs.append((i, places.pop()))
    return tuple(pairs)


def _alike(
    before: Sequence[Any], after: Sequence[Any], rest: Pairing, rules: Rules
) -> tuple[tuple[int, int], ...]:
    """Objects that have much in common, those with most in common first."""
    if len(rest.removed) * len(rest.added) > _COMPARISONS:
        return ()
    old = {i: _leaves(before[i], rules) for i in rest.removed}
    new = {j: _leaves(after[j], rules) for j in rest.added}
    scores = sorted(
        (-common, abs(i - j), i, j)
        for i, here in old.items()
        for j, there in new.items()
        if (common := (here & there).total()) * 3 >= max(here.total(), there.total(), 1)
    )
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, j in scores:
        if i not in found and j not in taken:
            found[i] = j
            taken.add(j)
    return tuple(found.items())


def have_something_in_common(before: Any, after: Any, rules: Rules) -> bool:
    """Whether any field of two items has the same value, however deep inside."""
    return bool(_leaves(before, rules) & _leaves(after, rules))


def _leaves(item: Any, rules: Rules) -> Counter[Hashable]:
    """The values in an object, each with the names that lead to it and its weight."""
    found: Counter[Hashable] = Counter()
    pending: list[tuple[tuple[str, ...], Any, Rules]] = [((), item, rules)]
    while pending:
        names, value, below = pending.pop()
        if isinstance(value, Mapping):
            pending += [((*names, name), v, below.below(name)) for name, v in value.items()]
        elif isinstance(value, list | tuple):
            pending += [(names, entry, below) for entry in value]
        elif names and value is not None:
            weight = 1 if _TELLING.isdisjoint(names) else 3
            found[names, canonical(value, below)] += weight
    return found


def _neighbours(rest: Pairing) -> tuple[tuple[int, int], ...]:
    """Items that are left over between the same neighbours, in their order."""
    kept = in_place(rest.pairs)
    starts, ends = [i for i, _ in kept], [j for _, j in kept]
    waiting: dict[int, list[int]] = {}
    for j in reversed(rest.added):
        waiting.setdefault(bisect_left(ends, j), []).append(j)
    return tuple(
        (i, places.pop()) for i in rest.removed if (places := waiting.get(bisect_left(starts, i)))
    )


def in_place(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The most pairs that stand in the same order in both lists; the others have moved."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int | None] = []
    for position, (_, j) in enumerate(pairs):
        place = bisect_left(tails, j)
        previous.append(ends[place - 1] if place else None)
        tails[place : place + 1] = [j]
        ends[place : place + 1] = [position]
    chain: list[tuple[int, int]] = []
    at = ends[-1] if ends else None
    while at is not None:
        chain.append(pairs[at])
        at = previous[at]
    return tuple(reversed(chain))
