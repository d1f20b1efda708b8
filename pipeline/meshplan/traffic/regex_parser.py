"""The syntax of RE2, as far as it is decided here: everything but `\\p`, `\\Q` and multi-line mode."""

from meshplan.dataclass import dataclass

#: Inclusive ranges of code points.
Ranges = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF
_DIGITS: Ranges = ((48, 57),)
_SPACES: Ranges = ((9, 10), (12, 13), (32, 32))
_WORDS: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_CLASSES = {"d": _DIGITS, "s": _SPACES, "w": _WORDS}
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGITS,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORDS,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
#: RE2 refuses more repetitions, those in one another multiplied.
_MOST_REPETITIONS = 1000
_MAX_DEPTH = 200


class UnsupportedPatternError(Exception):
    """The pattern is wrong, or says something that is not decided here."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of these ranges."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Assertion:
    """`^` (the beginning of the text), `$` (its end), `b` or `B` (a word's end, or none)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several."""

    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; `most` is None for no end."""

    body: "Node"
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A part whose position is remembered; the first group is 1."""

    index: int
    body: "Node"


Node = Empty | Chars | Assertion | Sequence | Alternative | Repeat | Group


def parse(pattern: str) -> Node:
    """The syntax tree of a pattern; raises `UnsupportedPatternError`."""
    parser = _Parser(pattern)
    node = parser.alternatives()
    if not parser.ended:
        raise UnsupportedPatternError("unexpected )")
    if _repetitions(node) > _MOST_REPETITIONS:
        raise UnsupportedPatternError("too many repetitions")
    return node


def _repetitions(node: Node) -> int:
    """How often the part that is repeated most is (RE2's `RepetitionWalker`)."""
    match node:
        case Repeat(body, least, most):
            return max(1, least if most is None else most) * _repetitions(body)
        case Group(_, body):
            return _repetitions(body)
        case Sequence(parts) | Alternative(parts):
            return max(map(_repetitions, parts))
        case _:
            return 1


class _Parser:
    def __init__(self, pattern: str):
        self._pattern = pattern
        self._at = 0
        self._groups = 0
        self._depth = 0
        self._fold = False
        self._dot_all = False
        self._swap = False

    @property
    def ended(self) -> bool:
        return self._at >= len(self._pattern)

    def alternatives(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnsupportedPatternError("too deep")
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Alternative(tuple(branches))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while not self.ended and self._peek() not in "|)":
            parts.append(self._repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts)) if parts else Empty()

    def _repeated(self) -> Node:
        node = self._atom()
        bounds = None if self.ended else self._bounds()
        if bounds is None:
            return node
        greedy = not self._take("?")
        if not self.ended and self._bounds() is not None:
            raise UnsupportedPatternError("repetition of a repetition")
        return Repeat(node, *bounds, greedy=greedy != self._swap)

    def _bounds(self) -> tuple[int, int | None] | None:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        char = self._peek()
        if char in simple:
            self._at += 1
            return simple[char]
        if char != "{":
            return None
        stated = self._until("}")
        least, comma, most = (stated or "").removeprefix("{").partition(",")
        if stated is None or not _is_number(least) or (most and not _is_number(most)):
            return None
        self._at += len(stated) + 1
        low = int(least)
        high = low if not comma else (int(most) if most else None)
        if high is not None and low > high:
            raise UnsupportedPatternError("wrong bounds")
        return low, high

    def _atom(self) -> Node:
        if self._peek() == "{" and self._bounds() is not None:
            raise UnsupportedPatternError("nothing to repeat")
        char = self._next()
        match char:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                ranges = ((0, _LAST),) if self._dot_all else ((0, 9), (11, _LAST))
                return Chars(ranges)
            case "^" | "$":
                return Assertion(char)
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise UnsupportedPatternError("nothing to repeat")
            case _:
                return self._literal(ord(char))

    def _group(self) -> Node:
        flags = (self._fold, self._dot_all, self._swap)
        index: int | None = None
        if self._take("?"):
            if self._take("P<") or self._take("<"):
                if self._peek() in "=!":
                    raise UnsupportedPatternError("look-behind")
                name = self._until(">")
                if name is None or not _is_name(name):
                    raise UnsupportedPatternError("unnamed group")
                self._at += len(name) + 1
                index = self._open()
            elif self._flags():
                return Empty()
        else:
            index = self._open()
        body = self.alternatives()
        if not self._take(")"):
            raise UnsupportedPatternError("missing )")
        self._fold, self._dot_all, self._swap = flags
        return body if index is None else Group(index, body)

    def _open(self) -> int:
        self._groups += 1
        return self._groups

    def _flags(self) -> bool:
        """Read `i`, `s`, `U` up to `:` or `)`; whether they hold for the rest of the group."""
        on = True
        char = ""
        while True:
            previous, char = char, self._next()
            match char:
                case "i":
                    self._fold = on
                case "s":
                    self._dot_all = on
                case "U":
                    self._swap = on
                case "-" if on:
                    on = False
                case ":" | ")" if previous != "-":
                    return char == ")"
                case _:
                    raise UnsupportedPatternError(f"(?{char}")

    def _escape(self) -> Node:
        char = self._next()
        if char in "AzbB":
            return Assertion({"A": "^", "z": "$"}.get(char, char))
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return Chars(ranges if char.islower() else inverted(ranges))
        return self._literal(self._escaped(char))

    def _escaped(self, char: str) -> int:
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "x":
            return self._hexadecimal()
        if char.isalnum() or not char.isascii():
            raise UnsupportedPatternError(f"\\{char}")
        return ord(char)

    def _hexadecimal(self) -> int:
        if self._take("{"):
            digits = self._until("}") or ""
            self._at += len(digits) + 1
        else:
            digits = self._next() + self._next()
        code = int(digits, 16) if digits and _HEXADECIMAL.issuperset(digits) else _LAST + 1
        if code > _LAST:
            raise UnsupportedPatternError("\\x")
        return code

    def _class(self) -> Node:
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        first = True
        while first or self._peek() != "]":
            first = False
            if self._take("[:"):
                found.extend(self._posix())
                continue
            low = self._class_item()
            if isinstance(low, tuple):
                found.extend(low)
                continue
            high = low
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                item = self._class_item()
                if isinstance(item, tuple) or item < low:
                    raise UnsupportedPatternError("wrong range")
                high = item
            found.append((low, high))
        self._at += 1
        ranges = self._folded(tuple(found))
        return Chars(inverted(ranges) if negated else ranges)

    def _class_item(self) -> int | Ranges:
        char = self._next()
        if char != "\\":
            return ord(char)
        char = self._next()
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return ranges if char.islower() else inverted(ranges)
        return self._escaped(char)

    def _posix(self) -> Ranges:
        name = self._until(":]") or ""
        self._at += len(name) + 2
        ranges = _POSIX.get(name.removeprefix("^"))
        if ranges is None:
            raise UnsupportedPatternError("wrong class")
        return inverted(ranges) if name.startswith("^") else ranges

    def _literal(self, code: int) -> Node:
        return Chars(self._folded(((code, code),)))

    def _folded(self, ranges: Ranges) -> Ranges:
        """In both cases, if that is asked for; beyond ASCII that is not decided here."""
        if not self._fold:
            return ranges
        if any(127 < high < _LAST for _, high in ranges):
            raise UnsupportedPatternError("(?i)")
        return folded(ranges)

    def _peek(self) -> str:
        if self.ended:
            raise UnsupportedPatternError("unfinished")
        return self._pattern[self._at]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _until(self, end: str) -> str | None:
        """What stands before the next sign of some kind; None where there is no such sign."""
        at = self._pattern.find(end, self._at)
        return None if at < 0 else self._pattern[self._at : at]

    def _take(self, text: str) -> bool:
        if self._pattern.startswith(text, self._at):
            self._at += len(text)
            return True
        return False


def inverted(ranges: Ranges) -> Ranges:
    """All other characters."""
    out: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            out.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        out.append((start, _LAST))
    return tuple(out)


def folded(ranges: Ranges) -> Ranges:
    """The characters and those that differ from them in case alone (ASCII letters)."""
    out = list(ranges)
    for low, high in ranges:
        for first, last, offset in ((65, 90, 32), (97, 122, -32)):
            start, end = max(low, first), min(high, last)
            if start <= end:
                out.append((start + offset, end + offset))
    return tuple(out)


def _is_name(text: str) -> bool:
    """Whether a group may have this name, as far as names go that say something."""
    return text.replace("_", "a").isalnum() and text.isascii()


def _is_number(text: str) -> bool:
    """Whether it is one to RE2, which takes none with a zero before it and none of ten digits."""
    return text == "0" or (
        text.isdecimal() and text.isascii() and not text.startswith("0") and len(text) < 10
    )
