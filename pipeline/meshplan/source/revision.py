"""A revision as a set of files: what `git.py` and `files.py` offer to everything above."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class EntryKind(StrEnum):
    """What a path of a revision is."""

    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class Entry:
    """A path of a revision. Paths are "/"-separated, relative to the root of the repository;
    bytes that are no UTF-8 are kept as surrogate escapes.
    """

    path: str
    kind: EntryKind
    #: The git object id of the content. For a working tree file it is computed from the content
    #: when it is read (`read`), and "" before that unless the index vouches for it.
    blob: str
    size: int | None = None


class Revision(Protocol):
    """All files of one side of the comparison."""

    @property
    def name(self) -> str:
        """As the user calls it: `main`, `HEAD~1`, `index`, `working tree`."""

    @property
    def commit(self) -> str | None:
        """The full commit id; None for the index and the working tree."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path."""

    @property
    def unread(self) -> Mapping[str, str]:
        """Paths (or folders) that exist and whose content is not at hand, with the reason:
        outside a sparse checkout, missing in a partial clone. Absent is not deleted.
        """

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of files, in any order. An entry whose content is not at hand is left out
        and added to `unread`.
        """
