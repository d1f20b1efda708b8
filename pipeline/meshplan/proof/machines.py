"""Automata of conditions on texts.

A machine reads a text from left to right. Its state tells all that matters of what was read, and
`cuts` where in the alphabet its next step may change, so that of all characters between two cuts
one stands for the others.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Protocol

from meshplan.dataclass import dataclass
from meshplan.traffic.regex import Char, Check, Jump, Match, Program, Save, Split


class Machine(Protocol):
    """A deterministic automaton over characters; states are made when they are reached."""

    @property
    def start(self) -> Hashable:
        """The state before any character."""

    def step(self, state: Hashable, char: str) -> Hashable:
        """The state after one more character."""

    def accepts(self, state: Hashable) -> bool:
        """Whether the text may end here."""

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Code points at which another range of characters with like steps may begin."""


class TooLargeError(Exception):
    """A product has more states than may be looked at."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text compared from its beginning, as a whole or as a prefix."""

    value: str
    whole: bool
    fold: bool = False

    @property
    def start(self) -> Hashable:
        """Nothing was compared."""
        return 0

    def step(self, state: Hashable, char: str) -> Hashable:
        """One more character is equal; -1 for a difference, the length + 1 for a longer text."""
        assert isinstance(state, int)  # noqa: S101
        if state == len(self.value):
            return -1 if self.whole else state
        if state < 0:
            return state
        wanted, found = self.value[state], char
        if self.fold:
            wanted, found = wanted.lower(), found.lower()
        return state + 1 if wanted == found else -1

    def accepts(self, state: Hashable) -> bool:
        """All of the value was read."""
        return state == len(self.value)

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Around the next character."""
        assert isinstance(state, int)  # noqa: S101
        if 0 <= state < len(self.value):
            yield from around(self.value[state], fold=self.fold)


@dataclass(frozen=True, slots=True)
class Ending:
    """A text compared at its end (Knuth, Morris, Pratt)."""

    value: str
    fold: bool = False

    @property
    def start(self) -> Hashable:
        """Nothing of the value was read."""
        return 0

    def step(self, state: Hashable, char: str) -> Hashable:
        """How much of the value the text ends with now."""
        assert isinstance(state, int)  # noqa: S101
        value = self.value.lower() if self.fold else self.value
        read = value[:state] + (char.lower() if self.fold else char)
        for length in range(min(len(read), len(value)), 0, -1):
            if read.endswith(value[:length]):
                return length
        return 0

    def accepts(self, state: Hashable) -> bool:
        """The text ends with all of the value."""
        return state == len(self.value)

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Around every character of the value."""
        del state
        for char in set(self.value):
            yield from around(char, fold=self.fold)


class Pattern:
    """A program of a pattern of RE2, with `^` and `$`; the whole text has to match.

    Raises TooLargeError for a pattern that looks at words (`\\b`), whose next step depends on more
    than its state.
    """

    def __init__(self, program: Program):
        self._program = program
        if any(isinstance(i, Check) and i.kind not in "^$" for i in program.instructions):
            raise TooLargeError
        self._starts = self._closure([0], at_start=True)

    @property
    def start(self) -> Hashable:
        """None for the states before any character, which only they are."""
        return None

    def step(self, state: Hashable, char: str) -> Hashable:
        """The states after one more character."""
        taken = [
            position + 1
            for position in self._positions(state)
            if isinstance(read := self._program.instructions[position], Char) and read.takes(char)
        ]
        return self._closure(taken)

    def accepts(self, state: Hashable) -> bool:
        """Whether the program ends where the text does."""
        ended = self._closure(self._positions(state), at_end=True, at_start=state is None)
        return any(isinstance(self._program.instructions[i], Match) for i in ended)

    def cuts(self, state: Hashable) -> Iterable[int]:
        """The ends of the ranges that the states read."""
        for position in self._positions(state):
            read = self._program.instructions[position]
            if isinstance(read, Char):
                for low, high in read.ranges:
                    yield low
                    yield high + 1

    def _positions(self, state: Hashable) -> frozenset[int]:
        assert state is None or isinstance(state, frozenset)  # noqa: S101
        return self._starts if state is None else state

    def _closure(
        self, states: Iterable[int], *, at_start: bool = False, at_end: bool = False
    ) -> frozenset[int]:
        """All states reached without reading; those that wait for the end stay among them."""
        seen: set[int] = set()
        pending = list(states)
        while pending:
            position = pending.pop()
            if position in seen:
                continue
            seen.add(position)
            match self._program.instructions[position]:
                case Split(first, second):
                    pending += (first, second)
                case Jump(target):
                    pending.append(target)
                case Save():
                    pending.append(position + 1)
                case Check(kind) if (kind == "^" and at_start) or (kind == "$" and at_end):
                    pending.append(position + 1)
                case _:
                    pass
        kept = (Char, Match, Check)
        return frozenset(i for i in seen if isinstance(self._program.instructions[i], kept))


@dataclass(frozen=True, slots=True)
class Shifted:
    """A machine that reads another beginning in the place of the first characters of a text."""

    inner: Machine
    #: How many characters of the text are left out; -1 for all.
    cut: int
    #: What is read instead.
    instead: str

    @property
    def start(self) -> Hashable:
        """Nothing was left out yet."""
        state = self.inner.start
        for char in self.instead:
            state = self.inner.step(state, char)
        return 0, state

    def step(self, state: Hashable, char: str) -> Hashable:
        """One more character left out, or read."""
        assert isinstance(state, tuple)  # noqa: S101
        skipped, inner = state
        if self.cut < 0:
            return state
        if skipped < self.cut:
            return skipped + 1, inner
        return skipped, self.inner.step(inner, char)

    def accepts(self, state: Hashable) -> bool:
        """Whether the inner machine does."""
        assert isinstance(state, tuple)  # noqa: S101
        return self.inner.accepts(state[1])

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Those of the inner machine, once it reads."""
        assert isinstance(state, tuple)  # noqa: S101
        return self.inner.cuts(state[1]) if 0 <= self.cut <= state[0] else ()


def around(char: str, *, fold: bool) -> Iterator[int]:
    """Where the ranges begin and end in which a character, or its other case, is alone."""
    forms = {char, char.lower(), char.upper()} if fold else {char}
    for form in forms:
        if len(form) == 1:
            yield ord(form)
            yield ord(form) + 1
