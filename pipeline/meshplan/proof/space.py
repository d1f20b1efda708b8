"""Request classes by the lists of conditions that proxies walk, without the product of all parts.

A request is a point in a space with one dimension for each part that some condition looks at: the
path, the method, a header, a parameter of the query, the address of the client. Each dimension is
cut into cells that no condition tells apart (`texts`). A rule is then a box: some cells of each
dimension. The lists of all versions are walked together: what is left of the space is cut at each
rule into what matches and what goes on, so that only combinations of rules are met that some request
has; a class is one such combination.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.proof.texts import Shift, TextKind, TextTest, cells, holds_of
from meshplan.proof.types import BudgetError
from meshplan.traffic.authorization import AddressIn
from meshplan.traffic.condition import (
    Condition,
    HeaderCondition,
    PathCondition,
    Present,
    QueryCondition,
)
from meshplan.traffic.request import Request

#: Name of a dimension: what it is, and its name among those.
Part = tuple[str, str]

PATH: Part = ("path", "")
METHOD: Part = ("method", "")
ADDRESS: Part = ("address", "")

#: Parts of a request that stay as they are in one space.
_FIXED = frozenset((":authority", "host", ":scheme"))


@dataclass(frozen=True, slots=True)
class PartTest:
    """One condition as a test of one part of a request."""

    part: Part
    text: TextTest
    #: Whether the part has to be there and not meet the text.
    invert: bool = False
    missing_as_empty: bool = False

    def holds(self, value: str | None) -> bool | None:
        """Whether a value of the part meets it; None for a part that is not there."""
        if value is None and self.missing_as_empty:
            value = ""
        if value is None:
            return self.invert and isinstance(self.text, Present)
        truth = holds_of(self.text, value)
        return None if truth is None else truth != self.invert


@dataclass(frozen=True, slots=True)
class AddressTest:
    """The address of the client is in a network."""

    condition: AddressIn


AnyTest = PartTest | AddressTest


@dataclass(frozen=True, slots=True)
class Clause:
    """One of `any_of`, if there are any, and none of `none_of`; all of one part."""

    any_of: tuple[AnyTest, ...] = ()
    none_of: tuple[AnyTest, ...] = ()
    #: Whether it asks for more than these tests, which is not decided.
    unsure: bool = False

    @property
    def tests(self) -> tuple[AnyTest, ...]:
        """All tests."""
        return self.any_of + self.none_of


#: All have to hold.
Rule = tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class RuleList:
    """Rules that a proxy tries in order; the first that matches ends the walk if `ends`."""

    rules: tuple[Rule, ...]
    ends: bool = True


@dataclass(frozen=True, slots=True)
class _Dimension:
    part: Part
    values: tuple[str | None, ...]

    @property
    def everything(self) -> int:
        return (1 << len(self.values)) - 1


#: Bits of the cells of each dimension.
_Box = tuple[int, ...]
#: The numbers of the rules of a list that were met.
_Met = tuple[int, ...]
#: A rule: the dimensions it looks at and the cells it takes; `sure` if that is all it looks at.
_Region = tuple[tuple[tuple[int, int], ...], bool]


def as_test(condition: Condition, shift: tuple[int, str] | None) -> PartTest | None:
    """A condition as a test of a dimension; None for one that is about something else.

    `shift` tells how much of the path is replaced, and by what, before the condition sees it.
    """
    match condition:
        case PathCondition(text):
            return PartTest(PATH, Shift(text, *shift) if shift else text)
        case HeaderCondition(":method", text, invert):
            return PartTest(METHOD, text, invert)
        case HeaderCondition(name, text, invert, missing):
            if name == ":path" or name in _FIXED:
                return None
            return PartTest(("header", name), text, invert, missing)
        case QueryCondition(name, text):
            return PartTest(("query", name), text)
        case _:
            pass
    return None


class Space:
    """The dimensions of some rules, and the classes that their lists make.

    A rule that asks for something that is not decided neither ends a walk nor is passed for sure:
    what it takes of the space is cut out, and goes on.
    """

    def __init__(self, lists: Iterable[RuleList], normalization: str, limit: int):
        """Raises BudgetError for patterns that are too large."""
        self._lists = tuple(dict.fromkeys(lists))
        self._limit = limit
        tests: dict[Part, dict[PartTest, None]] = {}
        addresses: list[AddressIn] = []
        for rules in self._lists:
            for rule in rules.rules:
                for test in (test for clause in rule for test in clause.tests):
                    if isinstance(test, AddressTest):
                        addresses.append(test.condition)
                    else:
                        tests.setdefault(test.part, {})[test] = None
        self._dimensions = [
            _dimension(part, tuple(found), normalization) for part, found in tests.items()
        ]
        if addresses:
            self._dimensions.append(_Dimension(ADDRESS, tuple(_addresses(addresses))))
        self._positions = {found.part: i for i, found in enumerate(self._dimensions)}
        self._regions: dict[Rule, _Region] = {}

    def requests(self, base: Request) -> list[Request]:
        """A request of each class; `base` is what they have in common.

        Raises BudgetError where there are more classes than may be looked at.
        """
        start: _Box = tuple(dimension.everything for dimension in self._dimensions)
        pieces: list[tuple[_Box, tuple[_Met, ...]]] = [(start, ())]
        for rules in self._lists:
            regions = [self._region(rule) for rule in rules.rules]
            pieces = [
                (box, (*vector, met))
                for piece, vector in pieces
                for box, met in self._walked(piece, regions, ends=rules.ends)
            ]
            if len(pieces) > self._limit:
                raise BudgetError(f"more than {self._limit} classes of requests")
        classes: dict[tuple[_Met, ...], _Box] = {}
        for box, vector in pieces:
            classes.setdefault(vector, box)
        return [self._request(box, base) for box in classes.values()]

    def _walked(
        self, box: _Box, regions: Sequence[_Region], *, ends: bool
    ) -> Iterator[tuple[_Box, _Met]]:
        """The parts of a box that go through a list alike, with what they met on their way."""
        pending: list[tuple[_Box, _Met]] = [(box, ())]
        for number, (cells_of, sure) in enumerate(regions):
            left: list[tuple[_Box, _Met]] = []
            for piece, met in pending:
                inside, outside = _cut(piece, cells_of)
                left += [(rest, met) for rest in outside]
                if inside is None:
                    continue
                if sure and ends:
                    yield inside, (*met, number)
                else:
                    left.append((inside, (*met, number)))
            pending = left
            if len(pending) > self._limit:
                raise BudgetError(f"more than {self._limit} classes of requests")
        yield from pending

    def _region(self, rule: Rule) -> _Region:
        """The box of a rule."""
        if rule not in self._regions:
            self._regions[rule] = self._make_region(rule)
        return self._regions[rule]

    def _make_region(self, rule: Rule) -> _Region:
        found: dict[int, int] = {}
        sure = True
        for clause in rule:
            sure = sure and not clause.unsure
            if not clause.tests:
                continue
            first = clause.tests[0]
            part = ADDRESS if isinstance(first, AddressTest) else first.part
            position = self._positions[part]
            values = self._dimensions[position].values
            mask = _mask(clause, values)
            if mask is None:
                sure = False
                continue
            found[position] = found.get(position, -1) & mask
        return tuple(found.items()), sure

    def _request(self, box: _Box, base: Request) -> Request:
        """A request in a box: the first cell of each dimension."""
        headers = dict(base.headers)
        query: list[str] = []
        path, method, address = "/", base.method, base.client_ip
        for dimension, mask in zip(self._dimensions, box, strict=True):
            value = next(cell for bit, cell in enumerate(dimension.values) if mask >> bit & 1)
            kind, name = dimension.part
            if value is None:
                continue
            match kind:
                case "path":
                    path = value
                case "method":
                    method = value
                case "address":
                    address = value
                case "header":
                    headers[name] = value
                case _:
                    query.append(f"{name}={value}")
        if query:
            path = f"{path}?{'&'.join(query)}"
        return replace(base, path=path, headers=headers, method=method, client_ip=address)


def _mask(clause: Clause, values: Sequence[str | None]) -> int | None:
    """The cells that meet a clause; None where some of its tests are not decided."""
    mask = 0
    for bit, value in enumerate(values):
        positive = [_holds(test, value) for test in clause.any_of]
        negative = [_holds(test, value) for test in clause.none_of]
        if None in positive or None in negative:
            return None
        if (not positive or any(positive)) and not any(negative):
            mask |= 1 << bit
    return mask


def _holds(test: AnyTest, value: str | None) -> bool | None:
    if isinstance(test, AddressTest):
        assert value is not None  # noqa: S101 - there always is an address
        return ipaddress.ip_address(value) in test.condition.network
    return test.holds(value)


def _cut(box: _Box, region: tuple[tuple[int, int], ...]) -> tuple[_Box | None, list[_Box]]:
    """A box in a region, and the rest of it in boxes that do not overlap."""
    outside: list[_Box] = []
    inside = list(box)
    for position, mask in region:
        out = inside[position] & ~mask
        if out:
            rest = inside.copy()
            rest[position] = out
            outside.append(tuple(rest))
        inside[position] &= mask
        if not inside[position]:
            return None, outside
    return tuple(inside), outside


_PREFERRED: Mapping[str, tuple[str, ...]] = {"method": ("GET", "POST", "PUT")}
_KINDS: Mapping[str, TextKind] = {
    "path": TextKind.PATH,
    "method": TextKind.METHOD,
    "header": TextKind.HEADER,
    "query": TextKind.QUERY,
}


def _dimension(part: Part, tests: Sequence[PartTest], normalization: str) -> _Dimension:
    """The cells of a part; a header or parameter may be absent, which comes first.

    Raises BudgetError for a pattern that proxies read and that there is no automaton of: the truth
    of one text would stand for that of others.
    """
    kind = part[0]
    texts = tuple(dict.fromkeys(test.text for test in tests))
    found = cells(
        texts, _KINDS[kind], preferred=_PREFERRED.get(kind, ()), normalization=normalization
    )
    if any(holds_of(texts[index], "") is not None for index in found.opaque):
        raise BudgetError(f"a pattern for the {kind} that is too large to be decided")
    values: list[str | None] = [cell.value for cell in found.cells]
    if kind in ("header", "query"):
        values.insert(0, None)
    return _Dimension(part, tuple(values))


def _addresses(conditions: Iterable[AddressIn]) -> Iterator[str]:
    """An address of each cell of some networks: the first and the one behind the last of each."""
    found: dict[str, None] = {}
    for condition in conditions:
        network = condition.network
        for number in (int(network.network_address), int(network.broadcast_address) + 1):
            if number < 1 << network.max_prefixlen:
                address = (
                    ipaddress.IPv4Address(number)
                    if network.version == 4
                    else ipaddress.IPv6Address(number)
                )
                found[str(address)] = None
    yield from dict.fromkeys(("192.0.2.1", "0.0.0.0", "::", *found))  # noqa: S104 - data
