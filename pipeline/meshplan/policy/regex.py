r"""Regular expressions that every engine understands alike, and that take linear time.

Python's notation, without what RE2 has not (look-around, back references) and without what engines
read differently: `\d`, `\w` and `\s` mean ASCII, `$` stands at an end only, there are no flags.
"""

from typing import Literal

from meshplan.dataclass import dataclass

#: The most repetitions that `{n}` may ask for, and the most states of a pattern.
MAX_REPEAT = 1000
MAX_SIZE = 5000
_LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]


class PatternError(Exception):
    """A pattern that is wrong, or not portable, or too large."""

    def __init__(self, code: str, message: str, help_: str = ""):
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help_


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of sorted ranges of code points."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning of the text, its end, or its end before a last line feed."""

    at: Literal["start", "end", "line end"]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One pattern after another."""

    parts: "tuple[Pattern, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several patterns."""

    parts: "tuple[Pattern, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A pattern several times; `most` is None for any number of times."""

    part: "Pattern"
    least: int
    most: int | None


Pattern = Chars | Edge | Sequence | Choice | Repeat

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 13), (32, 32))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_ESCAPES = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7, "0": 0}


def parse(pattern: str) -> Pattern:
    """The tree of a pattern; raises PatternError."""
    parser = _Parser(pattern)
    found = parser.choice(0)
    if parser.rest():
        raise PatternError("E171", "there is a `)` without a `(`")
    if _size(found) > MAX_SIZE:
        raise PatternError("E173", f"the pattern has more than {MAX_SIZE} states", "shorten it")
    if _repetitions(found) > MAX_REPEAT:
        message = f"repetitions within repetitions ask for more than {MAX_REPEAT}"
        raise PatternError("E173", message, "flatten the pattern")
    _ends_last(found, last=True)
    return found


class _Parser:
    def __init__(self, text: str):
        self.text = text
        self.at = 0

    def rest(self) -> bool:
        return self.at < len(self.text)

    def peek(self, word: str) -> bool:
        return self.text.startswith(word, self.at)

    def take(self) -> str:
        if not self.rest():
            raise PatternError("E171", "the pattern ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def choice(self, depth: int) -> Pattern:
        if depth > 30:
            raise PatternError("E173", "the pattern is nested too deeply", "flatten it")
        parts = [self.sequence(depth)]
        while self.peek("|"):
            self.at += 1
            parts.append(self.sequence(depth))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self, depth: int) -> Pattern:
        parts: list[Pattern] = []
        while self.rest() and not self.peek("|") and not self.peek(")"):
            parts.append(self.repeated(self.atom(depth)))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self, part: Pattern) -> Pattern:
        bounds = self.bounds()
        if bounds is None:
            return part
        if isinstance(part, Edge):
            raise PatternError("E172", "an anchor cannot be repeated")
        if self.peek("+"):
            raise PatternError("E172", "possessive repetition is not portable", "leave the + out")
        # What a lazy repetition matches is the same.
        self.at += self.peek("?")
        if self.bounds() is not None:
            raise PatternError("E171", "there is nothing to repeat here", "use a group")
        return Repeat(part, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        for word, found in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.peek(word):
                self.at += 1
                return found
        if not self.peek("{"):
            return None
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : max(end, self.at)].partition(",")
        if not (least + most).isdecimal() or not (least + most).isascii() or len(least + most) > 8:
            raise PatternError("E172", "a `{` that repeats nothing is not portable", r"write `\{`")
        self.at = end + 1
        low = int(least or "0")
        high = int(most) if most else (None if comma else low)
        if low > MAX_REPEAT or (high or 0) > MAX_REPEAT:
            raise PatternError("E173", f"at most {MAX_REPEAT} repetitions are portable")
        if not least:
            raise PatternError("E172", "`{,n}` is not portable", "write `{0,n}`")
        if high is not None and high < low:
            raise PatternError("E171", "the repetition has its numbers in the wrong order")
        return low, high

    def atom(self, depth: int) -> Pattern:
        char = self.take()
        match char:
            case "(":
                return self.group(depth)
            case "[":
                return Chars(self.charset())
            case ".":
                return Chars(inverted(((10, 10),)))
            case "^":
                return Edge("start")
            case "$":
                return Edge("line end")
            case "\\":
                return self.escape()
            case "*" | "+" | "?" | "{":
                message = "there is nothing to repeat here"
                raise PatternError("E171", message, f"for the character write `\\{char}`")
            case _:
                return Chars(((ord(char), ord(char)),))

    def group(self, depth: int) -> Pattern:
        if self.peek("?"):
            if not self.peek("?:"):
                message = "only groups `(...)` and `(?:...)` are portable"
                raise PatternError(
                    "E172", message, "RE2 has no look-around, back references or names"
                )
            self.at += 2
        found = self.choice(depth + 1)
        if not self.rest() or self.take() != ")":
            raise PatternError("E171", "there is a `(` without a `)`")
        return found

    def escape(self) -> Pattern:
        char = self.take()
        if char == "A":
            return Edge("start")
        if char == "Z":
            return Edge("end")
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return Chars(ranges if char.islower() else inverted(ranges))
        code = self.escaped(char)
        return Chars(((code, code),))

    def escaped(self, char: str) -> int:
        """The code point of `\\` and a character."""
        if char == "0" and self.rest() and self.text[self.at].isdigit():
            raise PatternError("E172", "octal escapes are not portable", r"write `\x..`")
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char in "xu":
            digits = self.text[self.at : self.at + (2 if char == "x" else 4)]
            self.at += len(digits)
            if len(digits) != (2 if char == "x" else 4) or not _is_hex(digits):
                raise PatternError("E171", f"`\\{char}` needs hexadecimal digits")
            return int(digits, 16)
        if char.isascii() and char.isalnum():
            raise PatternError("E172", f"`\\{char}` is not portable", "write what it stands for")
        return ord(char)

    def charset(self) -> Ranges:
        negated = self.peek("^")
        self.at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self.peek("]"):
            first = False
            low = self.member()
            if self.peek("-") and not self.peek("-]"):
                self.at += 1
                high = self.member()
                if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1]:
                    raise PatternError("E171", "a range has a class at its end")
                if high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise PatternError("E171", "a range has its ends in the wrong order")
                ranges.append((low[0][0], high[0][0]))
            else:
                ranges.extend(low)
        self.at += 1
        found = merged(ranges)
        return inverted(found) if negated else found

    def member(self) -> Ranges:
        if self.peek("[:") or self.peek("--") or self.peek("&&") or self.peek("~~"):
            raise PatternError("E172", "engines read this differently", "put a `\\` in front")
        char = self.take()
        if char == "\\":
            char = self.take()
            if char == "b":
                return ((8, 8),)
            if char.lower() in _CLASSES:
                ranges = _CLASSES[char.lower()]
                return ranges if char.islower() else inverted(ranges)
            code = self.escaped(char)
            return ((code, code),)
        return ((ord(char), ord(char)),)


def _is_hex(text: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in text)


def merged(ranges: list[tuple[int, int]]) -> Ranges:
    """Sorted ranges without overlap."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def inverted(ranges: Ranges) -> Ranges:
    """All other characters."""
    found = []
    start = 0
    for low, high in ranges:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        found.append((start, _LAST))
    return tuple(found)


def _size(pattern: Pattern) -> int:
    match pattern:
        case Chars() | Edge():
            return 1
        case Sequence(parts) | Choice(parts):
            return 1 + sum(map(_size, parts))
        case Repeat(part, least, most):
            return 1 + _size(part) * max(least, most or 0, 1)


def _repetitions(pattern: Pattern) -> int:
    """The product of the numbers of repetitions within each other: RE2 limits it."""
    match pattern:
        case Sequence(parts) | Choice(parts):
            return max(map(_repetitions, parts), default=1)
        case Repeat(part, least, most):
            return _repetitions(part) * max(least, most or 0, 1)
        case _:
            return 1


def _ends_last(pattern: Pattern, *, last: bool) -> None:
    """Refuse an end of the text with something behind it: engines differ about it."""
    match pattern:
        case Edge("line end" | "end") if not last:
            raise PatternError("E172", "`$` can only stand at the end", "leave it out, or move it")
        case Sequence(parts):
            for number, part in enumerate(parts):
                _ends_last(part, last=last and number == len(parts) - 1)
        case Choice(parts):
            for part in parts:
                _ends_last(part, last=last)
        case Repeat(part):
            _ends_last(part, last=False)
        case _:
            return


def re2(pattern: Pattern, mode: str) -> str:
    """The pattern as RE2 has it, anchored as `re.search`, `re.match` or `re.fullmatch` does."""
    whole = mode == "fullmatch"
    text = _re2(pattern, whole=whole)
    if mode == "search":
        return text
    grouped = f"(?:{text})" if isinstance(pattern, Choice) else text
    return f"^{grouped}$" if whole else f"^{grouped}"


def _re2(pattern: Pattern, *, whole: bool) -> str:
    match pattern:
        case Chars(ranges):
            return _charset(ranges)
        case Edge("start"):
            return "^"
        case Edge("end"):
            return "" if whole else "$"
        case Edge():
            # Python's `$` also stands before a line feed at the end of the text.
            return "" if whole else "\\n?$"
        case Sequence(parts):
            return "".join(
                f"(?:{_re2(p, whole=whole)})" if isinstance(p, Choice) else _re2(p, whole=whole)
                for p in parts
            )
        case Choice(parts):
            return "|".join(_re2(part, whole=whole) for part in parts)
        case Repeat(part, least, most):
            text = _re2(part, whole=whole)
            atom = text if isinstance(part, Chars) else f"(?:{text})"
            return atom + _bounds(least, most)


def _bounds(least: int, most: int | None) -> str:
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((least, most))
    if short is not None:
        return short
    return f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"


def _charset(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\x00-\x{10FFFF}]"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _char(ranges[0][0])
    negated = inverted(ranges)
    shorter = sum(high > low for low, high in negated) < sum(high > low for low, high in ranges)
    shown, sign = (negated, "^") if shorter and negated else (ranges, "")
    inner = "".join(
        _char(low) if low == high else f"{_char(low)}-{_char(high)}" for low, high in shown
    )
    return f"[{sign}{inner}]"


def _char(code: int) -> str:
    char = chr(code)
    if char.isascii() and (char.isalnum() or char in " _/,:;=<>@!%&'~\"#"):
        return char
    if 33 <= code <= 126 and char != "`":
        return f"\\{char}"
    return f"\\x{{{code:X}}}"
