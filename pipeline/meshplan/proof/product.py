"""The product of some machines: all combinations of their truths that some text has.

It is explored from its start, so that every combination that any text has is met, with a shortest
text that has it. Texts compared from their beginning are one tree together, those compared at their
end one automaton (Aho and Corasick): a step of a hundred of them costs what one costs.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from meshplan.proof.machines import Ending, Literal, Machine, TooLargeError, around

#: Inclusive ranges of code points.
Alphabet = tuple[tuple[int, int], ...]

#: Characters that make good examples, the best first.
_NICE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_~/.=:,;+*!@$&'()%"


class _Part(Protocol):
    """Some machines in one: like `Machine`, with the truths of all of them."""

    #: The positions of the machines.
    positions: tuple[int, ...]

    @property
    def start(self) -> Hashable:
        """The state before any character."""

    def step(self, state: Hashable, char: str) -> Hashable:
        """The state after one more character."""

    def truths(self, state: Hashable) -> tuple[bool, ...]:
        """Which of the machines accept a text that ends here."""

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Code points at which another range of characters with like steps may begin."""


class _Single:
    """One machine."""

    def __init__(self, position: int, machine: Machine):
        self.positions: tuple[int, ...] = (position,)
        self._machine = machine
        self.start = machine.start
        self.step = machine.step
        self.cuts = machine.cuts

    def truths(self, state: Hashable) -> tuple[bool, ...]:
        """Whether it accepts."""
        return (self._machine.accepts(state),)


class _Tree:
    """The beginnings of some values, by number; the root is 0."""

    def __init__(self, values: Iterable[str], *, fold: bool):
        self.fold = fold
        self.next: list[dict[str, int]] = [{}]
        #: The characters as written that lead on.
        self.written: list[set[str]] = [set()]
        #: Of all but the root: the node before, and the character in between.
        self.parents: dict[int, tuple[int, str]] = {}
        self.ends = [self._add(value) for value in values]

    def sign(self, char: str) -> str:
        """A character as it is compared."""
        return char.lower() if self.fold else char

    def _add(self, value: str) -> int:
        node = 0
        for char in value:
            self.written[node].add(char)
            sign = self.sign(char)
            if sign not in self.next[node]:
                self.parents[len(self.next)] = (node, sign)
                self.next[node][sign] = len(self.next)
                self.next.append({})
                self.written.append(set())
            node = self.next[node][sign]
        return node

    def beginnings(self, node: int) -> Iterator[int]:
        """A node, and all on the way to it."""
        yield node
        while node:
            node = self.parents[node][0]
            yield node


class _Beginnings:
    """All `Literal`s with the same way to see cases.

    A state is the node that the text has come to, or, once it has left the tree, the complement of
    the last one there that is a whole prefix.
    """

    def __init__(self, literals: Sequence[tuple[int, Literal]], *, fold: bool):
        self.positions = tuple(position for position, _ in literals)
        self._tree = _Tree((literal.value for _, literal in literals), fold=fold)
        self._whole = [literal.whole for _, literal in literals]
        prefixes = {
            end for end, whole in zip(self._tree.ends, self._whole, strict=True) if not whole
        }
        self._left = [
            ~next((n for n in self._tree.beginnings(node) if n in prefixes), 0)
            for node in range(len(self._tree.next))
        ]
        self.start = 0

    def step(self, state: Hashable, char: str) -> Hashable:
        """One node further, or out of the tree."""
        assert isinstance(state, int)  # noqa: S101
        if state < 0:
            return state
        return self._tree.next[state].get(self._tree.sign(char), self._left[state])

    def truths(self, state: Hashable) -> tuple[bool, ...]:
        """Whole ones at their node, prefixes from there on."""
        assert isinstance(state, int)  # noqa: S101
        passed = set(self._tree.beginnings(~state if state < 0 else state))
        return tuple(
            end == state if whole else end in passed
            for end, whole in zip(self._tree.ends, self._whole, strict=True)
        )

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Around the characters that lead on."""
        assert isinstance(state, int)  # noqa: S101
        for char in self._tree.written[state] if state >= 0 else ():
            yield from around(char, fold=self._tree.fold)


class _Endings:
    """All `Ending`s with the same way to see cases; a state is the longest beginning of any value
    that the text ends with.
    """

    def __init__(self, endings: Sequence[tuple[int, Ending]], *, fold: bool):
        self.positions = tuple(position for position, _ in endings)
        self._tree = _Tree((ending.value for _, ending in endings), fold=fold)
        self._shorter = [0] * len(self._tree.next)
        # Nodes nearer to the root first: what is shorter has been found by then.
        layer = list(self._tree.next[0].values())
        while layer:
            for node in layer:
                parent, sign = self._tree.parents[node]
                self._shorter[node] = self._after(self._shorter[parent], sign) if parent else 0
            layer = [n for node in layer for n in self._tree.next[node].values()]
        self.start = 0

    def _after(self, node: int, sign: str) -> int:
        while sign not in self._tree.next[node]:
            if not node:
                return 0
            node = self._shorter[node]
        return self._tree.next[node][sign]

    def step(self, state: Hashable, char: str) -> Hashable:
        """What the text ends with now."""
        assert isinstance(state, int)  # noqa: S101
        return self._after(state, self._tree.sign(char))

    def truths(self, state: Hashable) -> tuple[bool, ...]:
        """Those whose value is an end of what the text ends with."""
        passed = set(self._chain(state))
        return tuple(end in passed for end in self._tree.ends)

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Around the characters that lead on from any end of it."""
        for node in self._chain(state):
            for char in self._tree.written[node]:
                yield from around(char, fold=self._tree.fold)

    def _chain(self, state: Hashable) -> Iterator[int]:
        assert isinstance(state, int)  # noqa: S101
        while state:
            yield state
            state = self._shorter[state]
        yield 0


class _Remembered:
    """A part that works out each step, truth and cut once."""

    def __init__(self, part: _Part):
        self.start = part.start
        self.positions = part.positions
        self.step = lru_cache(None)(part.step)
        self.truths = lru_cache(None)(part.truths)
        self.cuts = lru_cache(None)(lambda state: frozenset(part.cuts(state)))


def combinations(
    machines: Sequence[Machine], universe: Machine, alphabet: Alphabet, limit: int
) -> dict[tuple[bool, ...], str]:
    """Every combination of truths that some text of the universe has, with a shortest such text.

    Raises TooLargeError where more than `limit` states would have to be looked at.
    """
    grouped: list[_Part] = [_Single(len(machines), universe), *_grouped(machines)]
    parts = [_Remembered(part) for part in grouped]
    start = tuple(part.start for part in parts)
    seen = {start}
    layer = [(start, "")]
    found: dict[tuple[bool, ...], str] = {}
    while layer:
        following: list[tuple[tuple[Hashable, ...], str]] = []
        for states, text in layer:
            if parts[0].truths(states[0])[0]:
                found.setdefault(_spread(parts[1:], states[1:], len(machines)), text)
            cuts = frozenset[int]().union(
                *(part.cuts(state) for part, state in zip(parts, states, strict=True))
            )
            for char in _letters(cuts, alphabet):
                then = tuple(
                    part.step(state, char) for part, state in zip(parts, states, strict=True)
                )
                if then not in seen:
                    seen.add(then)
                    following.append((then, text + char))
            if len(seen) > limit:
                raise TooLargeError
        layer = following
    return found


def _grouped(machines: Sequence[Machine]) -> Iterator[_Part]:
    for fold in (False, True):
        literals = [
            (n, m) for n, m in enumerate(machines) if isinstance(m, Literal) and m.fold == fold
        ]
        endings = [
            (n, m) for n, m in enumerate(machines) if isinstance(m, Ending) and m.fold == fold
        ]
        if literals:
            yield _Beginnings(literals, fold=fold)
        if endings:
            yield _Endings(endings, fold=fold)
    for number, machine in enumerate(machines):
        if not isinstance(machine, Literal | Ending):
            yield _Single(number, machine)


def _spread(
    parts: Sequence[_Remembered], states: Sequence[Hashable], count: int
) -> tuple[bool, ...]:
    """The truths of all machines, in their order."""
    found = {
        position: truth
        for part, state in zip(parts, states, strict=True)
        for position, truth in zip(part.positions, part.truths(state), strict=True)
    }
    return tuple(found[position] for position in range(count))


@lru_cache(4096)
def _letters(cuts: frozenset[int], alphabet: Alphabet) -> tuple[str, ...]:
    """One character of each range between cuts."""
    bounds = [0, *sorted(cuts), 0x110000]
    found = (_example(low, end - 1, alphabet) for low, end in pairwise(bounds))
    return tuple(char for char in found if char is not None)


def _example(low: int, high: int, alphabet: Alphabet) -> str | None:
    """A character of the alphabet in a range, a nice one if there is any."""
    for char in _NICE:
        if low <= ord(char) <= high and any(a <= ord(char) <= b for a, b in alphabet):
            return char
    for first, last in alphabet:
        if max(first, low) <= min(last, high):
            return chr(max(first, low))
    return None
