"""The late `dataclass` does what that of the standard library does, in every order of first calls."""

import copy
import dataclasses
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from meshplan.dataclass import dataclass

Decorator = Callable[..., Any]
OPTIONS = [{}, {"frozen": True}, {"slots": True}, {"frozen": True, "slots": True}]


def plain(decorator: Decorator, **options: bool) -> Any:
    @decorator(**options)
    class Point:
        """A place."""

        x: int
        y: int = 2
        names: list[str] = dataclasses.field(default_factory=list)
        hidden: str = dataclasses.field(default="", repr=False, compare=False)

        def doubled(self) -> int:
            return 2 * self.x

    return Point


def derived(decorator: Decorator, **options: bool) -> Any:
    @decorator(**options)
    class Length:
        x: int
        total: int = dataclasses.field(init=False, default=0)
        level: int = dataclasses.field(init=False, default=7)

        def __post_init__(self) -> None:
            object.__setattr__(self, "total", self.x + 1)

    return Length


def by_hand(decorator: Decorator, **options: bool) -> Any:
    @decorator(**options)
    class Own:
        x: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.x % 2 == other.x % 2

        def __hash__(self) -> int:
            return self.x % 2

        def __repr__(self) -> str:
            return "own"

    return Own


def inherited(decorator: Decorator, **options: bool) -> Any:
    parent = plain(decorator, **options)

    @decorator(**options)
    class Point(parent):  # type: ignore[misc, valid-type]
        z: int = 3

    return Point


def told(work: Callable[[], object]) -> object:
    """What comes of something: its value, or its error."""
    try:
        return work()
    except (TypeError, AttributeError) as error:
        return type(error).__name__, str(error)


def everything(cls: Any) -> list[Callable[[], object]]:
    def assign() -> object:
        made = cls(1)
        made.x = 5
        return repr(made)

    def remove() -> object:
        made = cls(1)
        del made.x
        return told(lambda: made.x)

    def add() -> object:
        made = cls(1)
        try:
            made.unknown = 5
        except (TypeError, AttributeError):  # Python 3.11 raises one for the other with slots
            return "refused"
        return made.unknown

    return [
        lambda: repr(cls(1)),
        lambda: (cls(1) == cls(x=1), cls(1) == cls(2), cls(1) == 1, cls(1) != cls(3)),
        lambda: (hash(cls(1)) == hash(cls(1)), len({cls(1), cls(3)})),
        cls,
        lambda: cls(1, nothing=2),
        assign,
        remove,
        add,
        lambda: repr(dataclasses.replace(cls(1), x=4)),
        lambda: dataclasses.asdict(cls(1)),
        lambda: repr(copy.deepcopy(cls(1))),
        lambda: cls.__match_args__,
        lambda: [(found.name, found.type) for found in dataclasses.fields(cls)],
        lambda: cls.__init__.__qualname__,
    ]


@pytest.mark.parametrize("make", [plain, derived, by_hand, inherited])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_does_what_the_standard_library_does(
    make: Callable[..., Any], options: dict[str, bool]
) -> None:
    count = len(everything(object))
    for first in range(count):
        order = [(first + step) % count for step in range(count)]
        ours, theirs = (
            make(decorator, **options) for decorator in (dataclass, dataclasses.dataclass)
        )
        got = [told(everything(ours)[step]) for step in order]
        assert got == [told(everything(theirs)[step]) for step in order]


def test_subclasses_keep_to_their_own_methods() -> None:
    for order in permutations(range(2)):
        classes = [plain(dataclass, frozen=True), None]
        classes[1] = type("Lower", (classes[0],), {})
        made = [classes[which](7) for which in order]
        assert [type(one).__name__ for one in made] == [("Point", "Lower")[w] for w in order]
        assert [one.x for one in made] == [7, 7]


def test_other_options_are_those_of_the_standard_library() -> None:
    @dataclass(frozen=True, order=True)
    class Rank:
        x: int

    assert Rank(1) < Rank(2)


def test_without_brackets() -> None:
    @dataclass
    class Rank:
        x: int

    assert Rank(1) == Rank(1)


def test_mutable_defaults_are_refused() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @dataclass(frozen=True, slots=True)
        class Wrong:
            x: list[int] = []  # noqa: RUF012 - which is the point
