"""The index: what it says about every path, and as a set of files of its own."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from meshplan.dataclass import dataclass
from meshplan.errors import SourceError
from meshplan.source.git_command import failure
from meshplan.source.git_repository import Repository
from meshplan.source.git_tree import checked, entry_kind, read_entries, submodules
from meshplan.source.revision import Entry

#: Flags of an index entry, as `git ls-files --debug` prints them (cache.h of git).
_ASSUME_VALID, _INTENT_TO_ADD, _SKIP_WORKTREE = 0x8000, 0x20000000, 0x40000000

_ROW = re.compile(
    rb"\? (?P<other>[^\0]*)\0"
    rb"|(?P<tag>\S) (?P<mode>\d{6}) (?P<blob>[0-9a-f]+) (?P<stage>\d)\t(?P<path>[^\0]*)\0"
    rb"(?:  ctime: (\d+):(\d+)\n  mtime: (\d+):(\d+)\n  dev: \d+\tino: (\d+)\n"
    rb"  uid: \d+\tgid: \d+\n  size: (\d+)\tflags: ([0-9a-f]+)\n)?"
)


_CLOSED = re.compile(r"^warning: could not open directory '(.*)/': (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system said about a file when git last looked; times in nanoseconds."""

    ctime: int
    mtime: int
    inode: int
    size: int


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A path of the index."""

    entry: Entry
    #: 0, or 1 to 3 for the versions of a path that is not merged yet.
    stage: int
    stamp: Stamp | None
    flags: int
    sparse: bool

    @property
    def hidden(self) -> bool:
        """Whether git takes the index's word for the file, whatever the working tree holds."""
        return bool(self.flags & _ASSUME_VALID)

    @property
    def outside(self) -> bool:
        """Whether a sparse checkout leaves the file out of the working tree."""
        return self.sparse or bool(self.flags & _SKIP_WORKTREE)

    @property
    def intended(self) -> bool:
        """Whether only the name was added (`git add --intent-to-add`), and no content yet."""
        return bool(self.flags & _INTENT_TO_ADD)


@dataclass(frozen=True, slots=True)
class Listing:
    """The index and, if asked for, the paths beside it that git neither tracks nor ignores."""

    tracked: tuple[IndexEntry, ...]
    #: A nested repository ends with "/".
    untracked: tuple[str, ...]
    #: Folders that git could not look into, with the reason.
    closed: Mapping[str, str]


class IndexRevision:
    """What `git commit` would commit."""

    name = "index"
    commit = None

    def __init__(self, repository: Repository):
        self._repository = repository
        self._withheld: dict[str, str] = {}

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path. Raises SourceError while a merge is under way."""
        tracked = list_index(self._repository).tracked
        unmerged = sorted({row.entry.path for row in tracked if row.stage})
        if unmerged:
            raise _unmerged(unmerged)
        found = {row.entry.path: row.entry for row in tracked if not row.intended}
        self._withheld.update(submodules(found.values()))
        return checked(found)

    @property
    def unread(self) -> Mapping[str, str]:
        """Submodules, and files whose content turned out not to be at hand when it was read."""
        _ = self.entries  # lists the submodules
        return MappingProxyType(self._withheld)

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of files, in the order in which their contents are first asked for."""
        return read_entries(self._repository, entries, self._withheld)


def list_index(repository: Repository, *, untracked: bool = False) -> Listing:
    """Read the index, and walk the working tree if `untracked` files are asked for.

    Nothing is compared with the disk: that is where git would run clean filters.
    """
    options = ["--cached", *(("--others", "--exclude-standard") if untracked else ())]
    answer = repository.git.attempt("ls-files", "-z", "--stage", "-t", "--debug", *options)
    if answer.status != 0:
        raise failure("ls-files", answer.stderr)
    output = answer.stdout
    tracked: list[IndexEntry] = []
    others: list[str] = []
    end = 0
    for match in _ROW.finditer(output):
        if match.start() != end:
            break
        end = match.end()
        if match["other"] is not None:
            others.append(match["other"].decode("utf-8", "surrogateescape"))
        else:
            tracked.append(_index_entry(match))
    if end != len(output):
        raise SourceError("git ls-files printed something that meshplan does not understand")
    closed = {path: reason.lower() for path, reason in _CLOSED.findall(answer.stderr)}
    return Listing(tuple(tracked), tuple(others), closed)


def _index_entry(match: re.Match[bytes]) -> IndexEntry:
    path = match["path"].decode("utf-8", "surrogateescape")
    kind = entry_kind(match["mode"].decode("ascii"))
    entry = Entry(path, kind, match["blob"].decode("ascii"))
    numbers = match.groups()[6:]
    stage, sparse = int(match["stage"]), match["tag"] == b"S"
    if numbers[-1] is None:  # a git that prints no stamps, or others: every file is read instead
        return IndexEntry(entry, stage, None, 0, sparse)
    seconds, nanos, modified, modified_nanos, inode, size = (int(n) for n in numbers[:-1])
    stamp = Stamp(seconds * 10**9 + nanos, modified * 10**9 + modified_nanos, inode, size)
    return IndexEntry(entry, stage, stamp, int(numbers[-1], 16), sparse)


def _unmerged(paths: list[str]) -> SourceError:
    shown = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    return SourceError(
        f"the index holds unmerged paths: {shown}",
        hint="resolve the conflicts and `git add` the files, or compare the working tree instead",
    )
