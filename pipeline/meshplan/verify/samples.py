"""Texts that stand for all texts: one for each way in which patterns and literals answer together.

Every pattern and literal is an automaton, and all of them read at once. A breadth-first walk over
their joint states comes to every combination of answers that any text gets, by a shortest text.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from meshplan.traffic.regex import Char, Program, compiled

#: Joint states beyond which a set of patterns is not walked through.
_MOST = 20_000
#: What no client puts into one part of a request: it would end the part, or be read as another text.
_OUTSIDE = {"path": "?#%\\ ", "query": "?&#%+ ", "header": ""}
_PREFERRED = "zaZ0-./_~"

_States = tuple[frozenset[int], ...]


def samples(patterns: Iterable[str], literals: Iterable[str], part: str) -> frozenset[str] | None:
    """A text for each combination of answers; None where that is not decided.

    `part` is path, query or header. A literal may be meant exactly, or as the beginning or the end of
    texts; of a path also as the beginning of its segments.
    """
    programs = [_whole(pattern) for pattern in patterns]
    stated = [form for text in literals for form in _forms(text, part)]
    if part == "path":
        # Where slashes are merged, or dots resolved, such a path is read as another one.
        stated += [".*//.*", r".*/\.\.?(/.*)?"]
    programs += [compiled(form) for form in dict.fromkeys(stated)]
    known = [p for p in programs if p is not None and not p.contextual]
    cuts = _cuts(known)
    if len(known) < len(programs) or any(0x7F < cut <= 0x10FFFF for cut in cuts):
        return None
    return _walked(known, _alphabet(cuts, _OUTSIDE[part]), "/" if part == "path" else "")


def _whole(pattern: str) -> Program | None:
    """A pattern, which has to match a whole text: there `^` at its start and `$` at its end say
    nothing.
    """
    is_repeated = pattern[1:2] and pattern[1] in "*+?{"
    text = pattern[1:] if pattern.startswith("^") and not is_repeated else pattern
    if text.endswith("$") and (len(text) - 1 - len(text[:-1].rstrip("\\"))) % 2 == 0:
        text = text[:-1]
    return compiled(text)


def _forms(text: str, part: str) -> Iterator[str]:
    found = re.escape(text)
    yield found
    yield f"{found}.*"
    yield f".*{found}"
    if part == "path":
        yield f"{found}/.*"


def _cuts(programs: Sequence[Program]) -> list[int]:
    """Where classes of characters begin that the programs tell apart."""
    ranges = [
        found
        for program in programs
        for instruction in program.instructions
        if isinstance(instruction, Char)
        for found in instruction.ranges
    ]
    return sorted({0, *(low for low, _ in ranges), *(high + 1 for _, high in ranges)})


def _alphabet(cuts: Sequence[int], outside: str) -> tuple[str, ...]:
    """One character of each class, of those that are plain to see."""
    visible = [c for c in (*_PREFERRED, *map(chr, range(0x20, 0x7F))) if c not in outside]
    found: dict[int, str] = {}
    for char in visible:
        found.setdefault(max(cut for cut in cuts if cut <= ord(char)), char)
    return tuple(found.values())


def _walked(
    programs: Sequence[Program], alphabet: Sequence[str], begin: str
) -> frozenset[str] | None:
    states = tuple(program.start for program in programs)
    for char in begin:
        states = _read(programs, states, char)
    found: dict[tuple[bool, ...], str] = {}
    seen, todo = set[tuple[_States, bool]](), deque([(states, begin)])
    while todo:
        states, text = todo.popleft()
        # Spaces at either end of a text are no part of it.
        if text and not text.endswith(" "):
            found.setdefault(_answers(programs, states), text)
        for char in alphabet if text else [c for c in alphabet if c != " "]:
            following = (_read(programs, states, char), char == " ")
            if following not in seen:
                seen.add(following)
                todo.append((following[0], text + char))
        if len(seen) > _MOST:
            return None
    if not begin:
        found.setdefault(_answers(programs, tuple(p.start for p in programs)), "")
    return frozenset(found.values())


def _read(programs: Sequence[Program], states: _States, char: str) -> _States:
    return tuple(p.step(s, char) for p, s in zip(programs, states, strict=True))


def _answers(programs: Sequence[Program], states: _States) -> tuple[bool, ...]:
    return tuple(p.accepts(s) for p, s in zip(programs, states, strict=True))
