"""Blocks of text within a number of bytes: the least important ones give way first, each as a whole.

A block can be written in several sizes, the first of them in full and the last one often as
nothing. Nothing is ever cut out of the middle of a block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field

from meshplan.dataclass import dataclass


@dataclass(slots=True)
class Block:
    """A part of a report that can be written in several sizes."""

    #: What it shows, in the plural or without number, as in "changed fields".
    name: str
    #: Writes it with at most so many rows.
    write: Callable[[int], str]
    #: The numbers of rows it can have, from most to least.
    rows: Sequence[int]
    #: How many things there are to show.
    total: int = 0
    text: str = field(init=False)
    _level: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.text = self.write(self.rows[0])

    @property
    def is_cut(self) -> bool:
        """Whether something of it is left out."""
        return self.total > self.rows[self._level]

    @property
    def size(self) -> int:
        """Bytes."""
        return size(self.text)

    def shrink(self) -> bool:
        """Write it in its next size; False if this is the last one."""
        if self._level + 1 >= len(self.rows):
            return False
        self._level += 1
        # With as few rows as there are anyway it would read the same.
        if self.rows[self._level] < self.total or not self.total:
            self.text = self.write(self.rows[self._level])
        return True


def size(text: str) -> int:
    """Bytes of a text."""
    return len(text.encode("utf-8", "replace"))


def fit(blocks: Sequence[Block], limit: int, importance: Sequence[str]) -> None:
    """Shrink blocks until all of them are no longer than `limit`, or none can shrink any more.

    `importance` has the names of the blocks, the ones to shrink first in front; of blocks with one
    name the last one shrinks first. Names that are not in it are never shrunk.
    """
    total = sum(block.size for block in blocks)
    for block in _order(blocks, importance):
        if total <= limit:
            return
        total -= block.size
        block.shrink()
        total += block.size


def _order(blocks: Sequence[Block], importance: Sequence[str]) -> Iterator[Block]:
    """The blocks in the order in which they give way, each as often as it has sizes."""
    named = [[b for b in reversed(blocks) if b.name == name] for name in importance]
    for _ in range(max((len(block.rows) for block in blocks), default=0)):
        for found in named:
            yield from found
