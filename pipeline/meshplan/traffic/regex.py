"""Regular expressions as Envoy takes them (RE2), matched in linear time.

Patterns come from manifests under review, so a backtracking engine is out of the question: what
is read here becomes a program of a Pike machine (a nondeterministic automaton with saved
positions), whose states are inspectable for those who want automata of request classes.
"""

from dataclasses import field
from functools import lru_cache
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.traffic.regex_parser import (
    Alternative,
    Assertion,
    Chars,
    Empty,
    Group,
    Node,
    Ranges,
    Repeat,
    Sequence,
    UnsupportedPatternError,
    parse,
)

#: A pattern whose program would be longer is not decided.
MAX_PROGRAM = 20_000


@dataclass(frozen=True, slots=True)
class Char:
    """Read one character of these ranges, then go on with the next instruction."""

    ranges: Ranges

    def takes(self, char: str) -> bool:
        """Whether the character is one of them."""
        code = ord(char)
        return any(low <= code <= high for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class Split:
    """Go on at one of two instructions, preferring the first."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on elsewhere."""

    target: int


@dataclass(frozen=True, slots=True)
class Save:
    """Remember the position in a slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class Check:
    """Go on only where an assertion such as `^` holds."""

    kind: str


@dataclass(frozen=True, slots=True)
class Match:
    """The end of the program."""


Instruction = Char | Split | Jump | Save | Check | Match


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled pattern. Its instructions are the states of an automaton; it starts at 0."""

    pattern: str
    instructions: tuple[Instruction, ...]
    #: Whether it looks at its surroundings (`^`, `$`, `\\b`), so that a state alone says too little.
    contextual: bool
    _steps: dict[tuple[frozenset[int], str], frozenset[int]] = field(
        default_factory=dict, repr=False, compare=False
    )
    #: Answers for whole texts: identities and paths come again and again.
    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches (`RE2::FullMatch`)."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) > 4096:
                self._known.clear()
            known = self._known[text] = self._matches(text)
        return known

    def _matches(self, text: str) -> bool:
        if self.contextual:
            return _run(self, text, 0, whole=True) is not None
        states = self.start
        for char in text:
            states = self.step(states, char)
            if not states:
                return False
        return self.accepts(states)

    @property
    def start(self) -> frozenset[int]:
        """The states before any character; only for a program that is not contextual."""
        return _closure(self, (0,))

    def step(self, states: frozenset[int], char: str) -> frozenset[int]:
        """The states after one more character; only for a program that is not contextual."""
        key = (states, char)
        found = self._steps.get(key)
        if found is None:
            if len(self._steps) > 4096:
                self._steps.clear()
            taken = [
                state + 1
                for state in states
                if isinstance(read := self.instructions[state], Char) and read.takes(char)
            ]
            found = self._steps[key] = _closure(self, taken)
        return found

    def accepts(self, states: frozenset[int]) -> bool:
        """Whether the text may end here."""
        return any(isinstance(self.instructions[state], Match) for state in states)

    def replace_all(self, text: str, substitution: str) -> str:
        """Every match replaced; `\\1` to `\\9` stand for groups (`RE2::GlobalReplace`)."""
        out: list[str] = []
        position, previous_end = 0, -1
        while position <= len(text):
            found = _search(self, text, position)
            if found is None:
                break
            start, end = found[0], found[1]
            assert start is not None  # noqa: S101 - a match has both ends
            assert end is not None  # noqa: S101
            out.append(text[position:start])
            if start == end == previous_end:
                # RE2 does not replace an empty match right behind a match.
                out.append(text[start : start + 1])
                position = start + 1
                previous_end = -1
                continue
            out.append(_expand(substitution, text, found))
            position = previous_end = end
            if start == end:
                out.append(text[end : end + 1])
                position = end + 1
        return "".join(out) + text[position:]


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Program | None:
    """The program of a pattern; None for one that is not understood, and so not decided."""
    try:
        node = parse(pattern)
        builder = _Builder()
        builder.add(node)
    except (UnsupportedPatternError, RecursionError):
        return None
    builder.instructions.append(Match())
    contextual = any(isinstance(step, Check) for step in builder.instructions)
    return Program(pattern, tuple(builder.instructions), contextual)


class _Builder:
    """Turns a parsed pattern into instructions (Thompson's construction)."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []

    def add(self, node: Node) -> None:
        if len(self.instructions) > MAX_PROGRAM:
            raise UnsupportedPatternError("too long")
        match node:
            case Empty():
                pass
            case Chars(ranges):
                self.instructions.append(Char(ranges))
            case Assertion(kind):
                self.instructions.append(Check(kind))
            case Sequence(parts):
                for part in parts:
                    self.add(part)
            case Group(index, body):
                self.instructions.append(Save(2 * index))
                self.add(body)
                self.instructions.append(Save(2 * index + 1))
            case Alternative(branches):
                self._alternatives(branches)
            case Repeat():
                self._repeat(node)
            case _:
                assert_never(node)

    def _alternatives(self, branches: tuple[Node, ...]) -> None:
        ends: list[int] = []
        for branch in branches[:-1]:
            split = self._reserve()
            self.add(branch)
            ends.append(self._reserve())
            self.instructions[split] = Split(split + 1, len(self.instructions))
        self.add(branches[-1])
        for end in ends:
            self.instructions[end] = Jump(len(self.instructions))

    def _repeat(self, node: Repeat) -> None:
        for _ in range(node.least):
            self.add(node.body)
        if node.most is None:
            split = self._reserve()
            self.add(node.body)
            self.instructions.append(Jump(split))
            self._branch(split, node.greedy)
            return
        splits: list[int] = []
        for _ in range(node.most - node.least):
            splits.append(self._reserve())
            self.add(node.body)
        for split in splits:
            self._branch(split, node.greedy)

    def _branch(self, split: int, greedy: bool) -> None:
        end = len(self.instructions)
        self.instructions[split] = Split(split + 1, end) if greedy else Split(end, split + 1)

    def _reserve(self) -> int:
        self.instructions.append(Match())
        return len(self.instructions) - 1


def _closure(program: Program, states: tuple[int, ...] | list[int]) -> frozenset[int]:
    """All states reached from some without reading."""
    seen: set[int] = set()
    pending = list(states)
    while pending:
        state = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        match program.instructions[state]:
            case Split(first, second):
                pending += (first, second)
            case Jump(target):
                pending.append(target)
            case Save():
                pending.append(state + 1)
            case _:
                pass
    return frozenset(
        state for state in seen if isinstance(program.instructions[state], Char | Match)
    )


#: Positions by slot: 0 and 1 are the whole match.
_Slots = tuple[int | None, ...]


def _search(program: Program, text: str, start: int) -> _Slots | None:
    """The leftmost match at or behind a position, of several the preferred one."""
    for position in range(start, len(text) + 1):
        found = _run(program, text, position, whole=False)
        if found is not None:
            return found
    return None


def _run(program: Program, text: str, start: int, *, whole: bool) -> _Slots | None:
    """Run the machine from one position; the slots of the preferred match."""
    empty: _Slots = (start, *([None] * 19))
    threads = _follow(program, text, start, [(0, empty)])
    found: _Slots | None = None
    position = start
    while threads:
        following: list[tuple[int, _Slots]] = []
        for state, slots in threads:
            instruction = program.instructions[state]
            if isinstance(instruction, Match):
                if not whole or position == len(text):
                    found = (start, position, *slots[2:])
                    break
            elif (
                isinstance(instruction, Char)
                and position < len(text)
                and instruction.takes(text[position])
            ):
                following.append((state + 1, slots))
        if position == len(text):
            break
        position += 1
        threads = _follow(program, text, position, following)
    return found


def _follow(
    program: Program, text: str, position: int, threads: list[tuple[int, _Slots]]
) -> list[tuple[int, _Slots]]:
    """Threads moved on to where they read or end, in the order of preference."""
    out: list[tuple[int, _Slots]] = []
    seen: set[int] = set()
    pending = list(reversed(threads))
    while pending:
        state, slots = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        match program.instructions[state]:
            case Split(first, second):
                pending += ((second, slots), (first, slots))
            case Jump(target):
                pending.append((target, slots))
            case Save(slot):
                if slot < len(slots):
                    slots = (*slots[:slot], position, *slots[slot + 1 :])
                pending.append((state + 1, slots))
            case Check(kind):
                if _holds(kind, text, position):
                    pending.append((state + 1, slots))
            case _:
                out.append((state, slots))
    return out


def _holds(kind: str, text: str, position: int) -> bool:
    if kind == "^":
        return position == 0
    if kind == "$":
        return position == len(text)
    before = position > 0 and _is_word(text[position - 1])
    after = position < len(text) and _is_word(text[position])
    return (before != after) == (kind == "b")


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _expand(substitution: str, text: str, slots: _Slots) -> str:
    out: list[str] = []
    index = 0
    while index < len(substitution):
        char = substitution[index]
        if char == "\\" and index + 1 < len(substitution):
            index += 1
            digit = substitution[index]
            if digit.isdecimal() and digit.isascii():
                start, end = slots[2 * int(digit)], slots[2 * int(digit) + 1]
                out.append(text[start:end] if start is not None and end is not None else "")
            else:
                out.append(digit)
        else:
            out.append(char)
        index += 1
    return "".join(out)
