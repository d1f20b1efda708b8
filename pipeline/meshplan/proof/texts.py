"""Which combinations of conditions on one text can be true together, with a text for each.

Where all conditions are on the whole text or on its beginning, there is a short way. Let N be the
values of the conditions, with the empty text. For a text s let q be the longest member of N that s
begins with. Then s begins with a value v exactly if q does (a value v that s begins with is no longer
than q, and of two beginnings of one text the shorter one is the beginning of the longer one), and s
is v exactly if s = q and q = v. So what is true of s depends on q and on whether s = q, and the texts

    q, and q followed by a character c that is in no value        for every q in N

have all combinations that there are: the longest member of N that `qc` begins with is q, as no
member has a c. `SeparatedPrefix(v)` is the whole of v or the beginning `v/`: both go into N. All
this holds of texts in lower case where all conditions ignore case. If some do and some do not, or
there are suffixes, patterns or templates, the product of their automata is explored instead.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, chain

from meshplan.dataclass import dataclass
from meshplan.proof.machines import Ending, Literal, Machine, Pattern, Shifted, TooLargeError
from meshplan.proof.product import Alphabet, combinations
from meshplan.proof.universe import HOST, PATH, QUERY, TEXT, TOKEN, AnyText, NormalPath
from meshplan.traffic.condition import (
    Exact,
    PathTemplate,
    Prefix,
    Present,
    Regex,
    SeparatedPrefix,
    Suffix,
    TextMatch,
    text_holds,
)
from meshplan.traffic.regex import compiled

#: States of a product; beyond it patterns are not decided.
MAX_STATES = 20_000

#: Of these one is in no value, or of those without cases in the rest of Unicode.
_FRESH = "zqxjkvwybnmhgfdsaptlrcoieu0123456789ZQXJKVWYBNMHGFDSAPTLRCOIEU_-~"
_BEYOND = range(0x4E00, 0xD7FF)


class TextKind(StrEnum):
    """What a text is, which says what it may look like."""

    PATH = "path"
    HEADER = "header"
    METHOD = "method"
    QUERY = "query"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Shift:
    """A condition on what becomes of a text when its beginning is replaced."""

    text: TextMatch
    #: How much is replaced; -1 for all.
    cut: int
    instead: str


TextTest = TextMatch | Shift


@dataclass(frozen=True, slots=True)
class Cell:
    """Texts that no condition tells apart: one of them, and which conditions it meets."""

    value: str
    truths: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """All cells of a text; conditions that were not decided are `opaque`, and false everywhere."""

    cells: tuple[Cell, ...]
    opaque: frozenset[int]


def cells(
    tests: Sequence[TextTest],
    kind: TextKind,
    *,
    preferred: Iterable[str] = (),
    normalization: str = "BASE",
) -> Cells:
    """The cells of a text of some kind under some conditions, those of `preferred` first."""
    return _cells(tuple(tests), kind, tuple(preferred), normalization)


@lru_cache(512)
def _cells(
    tests: tuple[TextTest, ...], kind: TextKind, preferred: tuple[str, ...], normalization: str
) -> Cells:
    """As `cells`: one topic asks the same for all its clients, and for all states."""
    opaque = {i for i, test in enumerate(tests) if _machine(test) is None}
    while True:
        decided = [i for i in range(len(tests)) if i not in opaque]
        try:
            found = _decided([tests[i] for i in decided], kind, preferred, normalization)
        except TooLargeError:
            patterns = [i for i in decided if _is_pattern(tests[i])]
            # Without patterns the product is as large as its texts are long, and stays small.
            opaque.update(patterns or decided)
            continue
        break
    return Cells(
        tuple(Cell(text, _spread(truths, decided, len(tests))) for truths, text in found.items()),
        frozenset(opaque),
    )


def holds_of(test: TextTest, text: str) -> bool | None:
    """Whether a text meets a condition."""
    if isinstance(test, Shift):
        kept = text[test.cut :] if test.cut >= 0 else ""
        return text_holds(test.text, test.instead + kept)
    return text_holds(test, text)


def universe_of(kind: TextKind, normalization: str = "BASE") -> tuple[Machine, Alphabet]:
    """Which texts of a kind there are."""
    match kind:
        case TextKind.PATH:
            return NormalPath(normalization), PATH
        case TextKind.HEADER:
            return AnyText(), TEXT
        case TextKind.METHOD:
            return AnyText(may_be_empty=False), TOKEN
        case TextKind.QUERY:
            return AnyText(), QUERY
        case TextKind.HOST:
            return AnyText(may_be_empty=False), HOST


def _decided(
    tests: Sequence[TextTest], kind: TextKind, preferred: tuple[str, ...], normalization: str
) -> dict[tuple[bool, ...], str]:
    """Combination of truths to a text that has it."""
    universe, alphabet = universe_of(kind, normalization)
    found: dict[tuple[bool, ...], str] = {}
    for text in preferred:
        if _is_in(universe, text):
            found.setdefault(tuple(bool(holds_of(test, text)) for test in tests), text)
    simple = _simple(tests)
    if simple is None:
        machines = [machine for test in tests if (machine := _machine(test)) is not None]
        for truths, text in combinations(machines, universe, alphabet, MAX_STATES).items():
            found.setdefault(truths, text)
        return found
    lookup = _Lookup(tests, fold=simple)
    for text in _representatives(lookup.values, kind):
        if _is_in(universe, text):
            found.setdefault(lookup.truths(text), text)
    return found


class _Lookup:
    """Truths of many conditions on whole texts and beginnings, by table."""

    def __init__(self, tests: Sequence[TextTest], *, fold: bool):
        self._fold = fold
        self._count = len(tests)
        self._whole: dict[str, list[int]] = {}
        self._beginning: dict[str, list[int]] = {}
        for index, test in enumerate(tests):
            match test:
                case Exact(value):
                    self._add(self._whole, value, index)
                case Prefix(value):
                    self._add(self._beginning, value, index)
                case SeparatedPrefix(value):
                    self._add(self._whole, value, index)
                    self._add(self._beginning, f"{value}/", index)
                case _:
                    self._add(self._beginning, "", index)
        self.values = tuple(dict.fromkeys((*self._whole, *self._beginning, "")))

    def truths(self, text: str) -> tuple[bool, ...]:
        """Which conditions a representative meets, in lower case if case is ignored."""
        met = set(self._whole.get(text, ()))
        for beginning in accumulate(text, initial=""):
            met.update(self._beginning.get(beginning, ()))
        return tuple(index in met for index in range(self._count))

    def _add(self, table: dict[str, list[int]], value: str, index: int) -> None:
        table.setdefault(value.lower() if self._fold else value, []).append(index)


def _representatives(values: Iterable[str], kind: TextKind) -> Iterator[str]:
    """The texts `q` and `qc` of the argument above; of paths also those from `/`."""
    values = ["/", *values] if kind is TextKind.PATH else list(values)
    used = set("".join(values).lower())
    fresh = next(char for char in chain(_FRESH, map(chr, _BEYOND)) if char.lower() not in used)
    for value in values:
        yield value
    for value in values:
        yield value + fresh


def _simple(tests: Sequence[TextTest]) -> bool | None:
    """Whether the short way ignores case; None where there is no short way."""
    folds: set[bool] = set()
    for test in tests:
        match test:
            case Exact(_, fold) | Prefix(_, fold) | SeparatedPrefix(_, fold):
                folds.add(fold)
            case Present():
                pass
            case _:
                return None
    return None if len(folds) > 1 else True in folds


def _machine(test: TextTest) -> Machine | None:
    """The automaton of a condition; None where there is none."""
    match test:
        case Exact(value, fold):
            return Literal(value, whole=True, fold=fold)
        case Prefix(value, fold):
            return Literal(value, whole=False, fold=fold)
        case Suffix(value, fold):
            return Ending(value, fold)
        case Present():
            return Literal("", whole=False)
        case SeparatedPrefix(value, fold):
            return _of_pattern(f"{'(?i)' if fold else ''}{quoted(value)}(?:/.*)?")
        case PathTemplate(segments):
            return _of_pattern("/" + "/".join(_segment(found) for found in segments))
        case Regex(pattern):
            return _of_pattern(pattern)
        case Shift(inner, cut, instead):
            machine = _machine(inner)
            return None if machine is None else Shifted(machine, cut, instead)


def _segment(segment: str) -> str:
    return {"*": "[^/]+", "**": ".*"}.get(segment) or quoted(segment)


def _of_pattern(pattern: str) -> Machine | None:
    program = compiled(pattern)
    if program is not None:
        with suppress(TooLargeError):
            return Pattern(program)
    return None


def quoted(value: str) -> str:
    """A pattern of RE2 for a text itself."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in value)


def _is_pattern(test: TextTest) -> bool:
    text = test.text if isinstance(test, Shift) else test
    return isinstance(text, Regex | PathTemplate)


def _is_in(universe: Machine, text: str) -> bool:
    state = universe.start
    for char in text:
        state = universe.step(state, char)
    return universe.accepts(state)


def _spread(truths: tuple[bool, ...], decided: Sequence[int], count: int) -> tuple[bool, ...]:
    """Truths of some conditions among those of all."""
    known = dict(zip(decided, truths, strict=True))
    return tuple(known.get(index, False) for index in range(count))
