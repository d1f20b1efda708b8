"""Which item of a list was which item of the list before."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshplan.diff.canonical import canonical, written
from meshplan.diff.change import ABSENT
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
    #: Pairs that have nothing in common but their place.
    strangers: frozenset[tuple[int, int]] = frozenset()


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
    strangers = _neighbours(rest)
    return _pairing((*pairs, *strangers), len(old), len(new), frozenset(strangers))


def _pairing(
    pairs: Iterable[tuple[int, int]],
    before: int,
    after: int,
    strangers: frozenset[tuple[int, int]] = frozenset(),
) -> Pairing:
    ordered = tuple(sorted(pairs))
    here, there = {i for i, _ in ordered}, {j for _, j in ordered}
    removed = tuple(i for i in range(before) if i not in here)
    added = tuple(j for j in range(after) if j not in there)
    return Pairing(ordered, removed, added, strangers)


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
    """Objects that have fields in common, those with most in common first."""
    if len(rest.removed) * len(rest.added) > _COMPARISONS:
        return ()
    scores = sorted(
        (-score, abs(i - j), i, j)
        for i in rest.removed
        for j in rest.added
        if (score := _likeness(before[i], after[j], rules))
    )
    here: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, j in scores:
        if i not in here and j not in taken:
            here[i] = j
            taken.add(j)
    return tuple(here.items())


def _likeness(before: Any, after: Any, rules: Rules) -> int:
    """How much two items have in common; 0 for nothing."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return 0
    score = 0
    for name in before.keys() & after.keys():
        below, old, new = rules.below(name), written(before, name), written(after, name)
        if (
            old is not ABSENT
            and new is not ABSENT
            and canonical(old, below) == canonical(new, below)
        ):
            score += 3 if name in _TELLING else 1
    return score


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
