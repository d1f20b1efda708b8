"""From "this must not get worse on the way" to "this write before that one".

An obligation is a number that depends on which of a few writes have been made. It may be no worse on
the way than at both ends: a state in which it is, is bad. The result is a set of precedences under
which no bad state is reached, whatever subset of the unordered writes is visible, and from which
none can be left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from meshplan.dataclass import dataclass

#: Up to this many writes every state is looked at; above, writes of one block go together.
EXACT = 7

#: The level of a need that nobody has in a state: met, as it were, whatever else there is.
UNCONCERNED = 1 << 30
#: The level where another need is not met that this one takes for granted: no worse than it would
#: be otherwise, but nothing that would have to be kept.
MOOT = UNCONCERNED + 1

Level = Callable[[int], int]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Precedences:
    """Pairs (first, then) of positions, and whether no order of the writes is safe."""

    pairs: tuple[Pair, ...] = ()
    cyclic: bool = False


NONE = Precedences()


def precedences(
    count: int, level: Level, subject: int | None = None, blocks: Sequence[int] | None = None
) -> Precedences:
    """The weakest precedences among `count` writes that keep `level` up.

    `level` takes the bit mask of the writes that have been made. `subject` is the write of the
    object whose need this is: where there is a choice, the others are ordered against it and not
    among themselves. Positions should be in the order in which one would write them; `blocks`
    numbers groups of alike writes for the case that there are more than `EXACT`.
    """
    if count < 2:
        return NONE
    if count > EXACT and blocks is not None:
        return _in_blocks(count, level, subject, blocks)
    return exact_precedences(count, level, subject)


def exact_precedences(count: int, level: Level, subject: int | None = None) -> Precedences:
    """As `precedences`, with a look at every state."""
    level = remembered(level)
    full = (1 << count) - 1
    floor = floor_of(level, full)
    bad = [mask for mask in range(1, full) if level(mask) < floor]
    if not bad:
        return NONE
    order = _safe_order(_preferred(count, bad, subject), frozenset(bad))
    if order is None:
        return Precedences(tuple(_conflict(count, bad)), cyclic=True)
    return Precedences(tuple(_thinned(order, bad, subject)))


def floor_of(level: Level, full: int) -> int:
    """What the level may not fall below: the lower one of both ends."""
    ends = (level(0), level(full))
    return 0 if MOOT in ends else min(ends)


def remembered(level: Level) -> Level:
    """A level that is worked out once for each state."""
    memory: dict[int, int] = {}

    def known(mask: int) -> int:
        if mask not in memory:
            memory[mask] = level(mask)
        return memory[mask]

    return known


def _preferred(count: int, bad: Sequence[int], subject: int | None) -> list[int]:
    """The positions, with the subject where it suits its need: last if it brings it, else first."""
    if subject is None:
        return list(range(count))
    others = [position for position in range(count) if position != subject]
    brings = all(mask >> subject & 1 for mask in bad)
    return [*others, subject] if brings else [subject, *others]


def _safe_order(positions: Sequence[int], bad: frozenset[int]) -> list[int] | None:
    """The first order, as `positions` prefer it, in which no state is bad; None if there is none."""
    dead: set[int] = set()

    def extend(mask: int, order: list[int]) -> bool:
        if len(order) == len(positions):
            return True
        for position in positions:
            then = mask | 1 << position
            if then != mask and then not in bad and then not in dead:
                order.append(position)
                if extend(then, order):
                    return True
                order.pop()
        dead.add(mask)
        return False

    order: list[int] = []
    return order if extend(0, order) else None


def _thinned(order: Sequence[int], bad: Iterable[int], subject: int | None) -> list[Pair]:
    """The pairs of a safe order, less those without which every bad state is still ruled out."""
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    states = list(bad)
    kept = list(pairs)
    for pair in sorted(pairs, key=lambda p: (subject in p, p)):
        rest = [other for other in kept if other != pair]
        if all(any(_rules_out(p, mask) for p in rest) for mask in states):
            kept = rest
    return sorted(kept)


def _rules_out(pair: Pair, mask: int) -> bool:
    first, then = pair
    return not mask >> first & 1 and bool(mask >> then & 1)


def _conflict(count: int, bad: Sequence[int]) -> Iterator[Pair]:
    """Pairs that say why there is no order: each follows from one write made first or last."""
    states = frozenset(bad)
    full = (1 << count) - 1
    everyone = range(count)
    found: set[Pair] = set()
    for one in everyone:
        alone, missing = 1 << one, full & ~(1 << one)
        others = [p for p in everyone if p != one]
        if alone in states:
            helpers = [p for p in others if alone | 1 << p not in states]
            found.update((p, one) for p in helpers or others)
        if missing in states:
            helped = [p for p in others if missing & ~(1 << p) not in states]
            found.update((one, p) for p in helped or others)
    if not _has_cycle(count, found):
        found = {(a, b) for a in everyone for b in everyone if a != b}
    yield from sorted(found)


def _has_cycle(count: int, pairs: Iterable[Pair]) -> bool:
    waiting = {p: {a for a, b in pairs if b == p} for p in range(count)}
    while free := [p for p, firsts in waiting.items() if not firsts]:
        for p in free:
            del waiting[p]
        for firsts in waiting.values():
            firsts.difference_update(free)
    return bool(waiting)


def _in_blocks(count: int, level: Level, subject: int | None, blocks: Sequence[int]) -> Precedences:
    """Precedences where there are too many writes to look at all states: those of a block go
    together. A block is ordered against another as if each were one write.
    """
    keys = sorted({(blocks[p], p if p == subject else -1) for p in range(count)})
    members = [
        [p for p in range(count) if (blocks[p], p if p == subject else -1) == key] for key in keys
    ]
    masks = [sum(1 << p for p in block) for block in members]
    own = next((i for i, block in enumerate(members) if block == [subject]), None)

    def of_blocks(mask: int) -> int:
        return level(sum(found for i, found in enumerate(masks) if mask >> i & 1))

    found = precedences(len(members), of_blocks, own)
    pairs = [(a, b) for i, j in found.pairs for a in members[i] for b in members[j]]
    return Precedences(tuple(sorted(pairs)), found.cyclic)
