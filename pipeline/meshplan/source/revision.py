"""A revision as a set of files: what `git.py` and `files.py` offer to everything above."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Protocol

from meshplan.dataclass import dataclass

#: Larger files are not read: no manifest comes near, and one file must not fill the memory.
MAX_FILE_BYTES = 32 * 1024 * 1024


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
    #: The path that holds the content, where `path` leads through a symbolic link; "" elsewhere.
    real: str = ""


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
        """The content of files, in any order; of a symbolic link, the path it names. The entry
        that comes with a content has its object id and size. An entry whose content is not at
        hand is left out and added to `unread`.
        """


def changed_paths(base: Revision, head: Revision) -> tuple[str, ...]:
    """Paths whose kind or content differs, sorted.

    A working tree file that was not read yet counts as changed. A path that one side has and
    that the other side holds back (`unread`) does not: nobody knows.
    """
    before, after = base.entries, head.entries
    paths = sorted(before.keys() | after.keys())
    return tuple(
        path
        for path in paths
        if _differs(before.get(path), after.get(path))
        and not (path not in after and is_unread(head, path))
        and not (path not in before and is_unread(base, path))
    )


def is_unread(revision: Revision, path: str) -> bool:
    """Whether `unread` names the path or a folder above it."""
    unread = revision.unread
    if not unread:
        return False
    steps = path.split("/")
    return any("/".join(steps[:end]) in unread for end in range(1, len(steps) + 1))


def _differs(before: Entry | None, after: Entry | None) -> bool:
    if before is None or after is None:
        return True
    return not before.blob or (before.kind, before.blob) != (after.kind, after.blob)
