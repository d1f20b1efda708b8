"""The lines of one Rego rule while they are written."""

from collections.abc import Iterable, Sequence
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.policy import ir


@dataclass(frozen=True, slots=True)
class Loop:
    """`some key, item in source`; names that nothing uses are left out when the body is done."""

    key: str | None
    item: str | tuple[str | None, ...] | None
    source: str


Line = str | Loop


@dataclass(slots=True)
class Body:
    """A conjunction; those of comprehensions are within that of a rule."""

    parent: "Body | None" = None
    lines: list[Line] = field(default_factory=list)
    #: Names that lines and terms use, in this body and those within it.
    used: set[str] = field(default_factory=set)
    #: What has a value here: assignments that have been written, arguments, loops.
    bound: set[ir.Variable] = field(default_factory=set)

    @property
    def root(self) -> "Body":
        """The body of the whole rule."""
        return self if self.parent is None else self.parent.root

    def knows(self, variable: ir.Variable) -> bool:
        """Whether a variable has a value here."""
        return variable in self.bound or (self.parent is not None and self.parent.knows(variable))

    def use(self, name: str) -> str:
        """Note that a name is used; gives it."""
        self.root.used.add(name)
        return name

    def add(self, line: Line) -> None:
        """Write a line."""
        self.lines.append(line)

    def written(self) -> list[str]:
        """The lines as text."""
        return [
            _loop(line, self.root.used) if isinstance(line, Loop) else line for line in self.lines
        ]


def _loop(loop: Loop, used: set[str]) -> str:
    def shown(name: str | None) -> str:
        return name if name is not None and name in used else "_"

    if isinstance(loop.item, tuple):
        item = f"[{', '.join(map(shown, loop.item))}]"
    else:
        item = shown(loop.item)
    key = f"{loop.key}, " if loop.key is not None and loop.key in used else ""
    return f"some {key}{item} in {loop.source}"


def indented(lines: Iterable[str]) -> str:
    """Lines one level further in; a text of several lines keeps its shape."""
    return "".join(f"\t{part}\n" for line in lines for part in line.split("\n"))


def rule(head: str, lines: Sequence[str]) -> str:
    """A rule with its body."""
    return f"{head} if {{\n{indented(lines)}}}\n" if lines else f"{head}\n"


def chain(head: str, clauses: Sequence[tuple[str, Sequence[str]]]) -> str:
    """`head := value if { … } else := value if { … }`."""
    written: list[str] = []
    for value, lines in clauses:
        tail = f" if {{\n{indented(lines)}}}" if lines else ""
        # The formatter leaves out that a rule is true.
        sign = tail.removeprefix(" ") if value == "true" and tail and not written else ""
        written.append(sign or f":= {value}{tail}")
        if not lines:
            break
    return f"{head} {' else '.join(written)}\n"


def comprehension(opening: str, element: str, closing: str, lines: Sequence[str]) -> str:
    """`[element | lines]`, on one line if there is but one."""
    if len(lines) == 1 and "\n" not in lines[0] and "\n" not in element:
        return f"{opening}{element} | {lines[0]}{closing}"
    return f"{opening}{element} |\n{indented(lines)}{closing}"
