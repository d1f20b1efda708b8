"""Matches regular expressions in linear time: an automaton whose states are made when met."""

from functools import cache

from meshplan.policy.regex import Chars, Choice, Edge, Pattern, Ranges, Repeat, Sequence, parse

#: So many states and steps are remembered before the memory is emptied.
_MEMORY = 20_000

_State = frozenset[int]


class Automaton:
    """A pattern, ready to be looked for."""

    def __init__(self, pattern: Pattern, mode: str):
        self._search = mode == "search"
        self._whole = mode == "fullmatch"
        #: For each node: the characters it takes, if it takes any; what it waits for; its next.
        self._chars: list[Ranges | None] = []
        self._edge: list[str] = []
        self._next: list[tuple[int, ...]] = []
        self._accept = self._node(None, "", ())
        self._first = self._build(pattern, self._accept)
        self._steps: dict[tuple[_State, str], _State] = {}
        self._begin = self._closed({self._first}, "start")
        self._again = self._closed({self._first}, "") if self._search else frozenset()

    def matches(self, text: str) -> bool:
        """Whether the text matches."""
        last = len(text)
        state = self._begin
        for index, char in enumerate(text):
            if not self._whole:
                if self._accept in state:
                    return True
                if index == last - 1 and char == "\n" and self._ends(state, index, "line"):
                    return True
            step = self._steps.get((state, char))
            state = self._step(state, char) if step is None else step
            if not state:
                return False
        return self._accept in state or self._ends(state, last, "line end")

    def _ends(self, state: _State, index: int, edges: str) -> bool:
        edges = f"start {edges}" if index == 0 else edges
        return self._accept in self._closed(set(state), edges)

    def _step(self, state: _State, char: str) -> _State:
        code = ord(char)
        reached = {
            following
            for node in state
            if _takes(self._chars[node], code)
            for following in self._next[node]
        }
        found = self._closed(reached, "") | self._again
        if len(self._steps) >= _MEMORY:
            self._steps.clear()
        self._steps[state, char] = found
        return found

    def _closed(self, nodes: set[int], edges: str) -> _State:
        """All nodes that can be reached without a character, where these edges are."""
        waiting = list(nodes)
        found = set(nodes)
        while waiting:
            node = waiting.pop()
            edge = self._edge[node]
            if self._chars[node] is None and (not edge or edge in edges.split()):
                new = [n for n in self._next[node] if n not in found]
                found.update(new)
                waiting.extend(new)
        return frozenset(found)

    def _node(self, chars: Ranges | None, edge: str, following: tuple[int, ...]) -> int:
        self._chars.append(chars)
        self._edge.append(edge)
        self._next.append(following)
        return len(self._next) - 1

    def _build(self, pattern: Pattern, after: int) -> int:
        """The node with which a pattern begins that goes on with `after`."""
        match pattern:
            case Chars(ranges):
                return self._node(ranges, "", (after,))
            case Edge(at):
                # "line" is the end before a last line feed, "end" the end itself.
                if at == "line end":
                    ends = (self._node(None, "line", (after,)), self._node(None, "end", (after,)))
                    return self._node(None, "", ends)
                return self._node(None, at, (after,))
            case Sequence(parts):
                for part in reversed(parts):
                    after = self._build(part, after)
                return after
            case Choice(parts):
                return self._node(None, "", tuple(self._build(part, after) for part in parts))
            case Repeat(part, least, most):
                return self._repeat(part, least, most, after)

    def _repeat(self, part: Pattern, least: int, most: int | None, after: int) -> int:
        if most is None:
            loop = self._node(None, "", ())
            self._next[loop] = (self._build(part, loop), after)
            after = loop
        else:
            for _ in range(most - least):
                after = self._node(None, "", (self._build(part, after), after))
        for _ in range(least):
            after = self._build(part, after)
        return after


def _takes(ranges: Ranges | None, code: int) -> bool:
    return ranges is not None and any(low <= code <= high for low, high in ranges)


@cache
def automaton(pattern: str, mode: str) -> Automaton:
    """The automaton of a pattern in Python's notation that has been checked."""
    return Automaton(parse(pattern), mode)
