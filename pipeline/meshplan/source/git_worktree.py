"""The working tree as a set of files: what `git add --all` would take, as it is on disk.

Contents are the raw bytes, without clean filters. Where the index vouches for a file (git's own
rule: same times, inode and size, and older than the index) the file has the index's blob, as it
has for `git status`; if a smudge filter made the bytes on disk, the blob is what counts. A change
that only a checkout of a submodule made is not seen.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from meshplan.source.disk import Disk, settle
from meshplan.source.git_blobs import Withheld, lfs_pointer
from meshplan.source.git_index import IndexEntry, Stamp, list_index
from meshplan.source.git_repository import Repository
from meshplan.source.git_tree import checked, read_entries, submodules
from meshplan.source.revision import Entry, EntryKind

_32_BITS = 0xFFFFFFFF
_SECOND = 10**9


class WorkingTree:
    """Tracked files, and those that are neither tracked nor ignored."""

    name = "working tree"
    commit = None

    def __init__(self, repository: Repository):
        self._repository = repository
        self._disk = Disk(repository.info.root)
        self._withheld: dict[str, str] = {}
        #: Paths whose content is the index's blob, whatever a smudge filter made of it on disk.
        self._vouched: set[str] = set()

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path."""
        index_time = self._index_time()
        listing = list_index(self._repository, untracked=True)
        found: dict[str, Entry] = {}
        for row in listing.tracked:
            entry = self._tracked(row, index_time)
            if entry is not None:
                found[entry.path] = entry
        for path in listing.untracked:
            entry = self._untracked(path)
            if entry is not None:
                found[entry.path] = entry
        self._withheld.update({**submodules(found.values()), **listing.closed})
        return checked(found)

    @property
    def unread(self) -> Mapping[str, str]:
        """Submodules, nested repositories, special files, and what could not be read so far."""
        _ = self.entries  # finds them
        return MappingProxyType(self._withheld)

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of files, those on disk first."""
        _ = self.entries  # finds which files the index vouches for
        from_index: list[Entry] = []
        for entry in entries:
            if entry.kind is EntryKind.SUBMODULE:
                continue
            path = entry.real or entry.path
            content = self._disk.read(path)
            if isinstance(content, Withheld):
                settled = None
            else:
                settled = settle(entry, content, self._repository.info.object_format)
            if path in self._vouched and (settled is None or settled.blob != entry.blob):
                from_index.append(entry)
                continue
            result = content if isinstance(content, Withheld) else lfs_pointer(content)
            if result:
                self._withheld[entry.path] = result.reason
            elif settled and isinstance(content, bytes):
                yield settled, content
        yield from read_entries(self._repository, from_index, self._withheld)

    def _tracked(self, row: IndexEntry, index_time: int) -> Entry | None:
        entry, path = row.entry, row.entry.path
        seen = self._disk.look(path)
        if row.hidden or (seen is None and row.outside):
            return self._vouch(entry)
        if entry.kind is EntryKind.SUBMODULE:
            return entry if seen is not None else None
        if seen is None or (isinstance(seen, os.stat_result) and stat.S_ISDIR(seen.st_mode)):
            return None
        if isinstance(seen, Withheld):
            return self._withhold(path, seen.reason)
        kind = self._kind(seen, entry)
        if _is_untouched(seen, row, index_time) and kind is entry.kind:
            return self._vouch(entry)
        content = self._disk.read(path)
        if isinstance(content, Withheld):
            return self._withhold(path, content.reason)
        settled = settle(Entry(path, kind, ""), content, self._repository.info.object_format)
        return self._vouch(settled) if settled.blob == entry.blob else settled

    def _untracked(self, path: str) -> Entry | None:
        seen = self._disk.look(path)
        if path.endswith("/"):
            self._withheld[path[:-1]] = "a Git repository of its own, which is not entered"
            return None
        if seen is None:
            return None
        if isinstance(seen, Withheld):
            return self._withhold(path, seen.reason)
        kind = EntryKind.SYMLINK if stat.S_ISLNK(seen.st_mode) else EntryKind.FILE
        return Entry(path, kind, "", seen.st_size)

    def _kind(self, seen: os.stat_result, entry: Entry) -> EntryKind:
        if stat.S_ISLNK(seen.st_mode):
            return EntryKind.SYMLINK
        # Where links cannot be made, git writes the path that a link names into a file.
        return EntryKind.FILE if self._repository.has_symlinks else entry.kind

    def _vouch(self, entry: Entry) -> Entry:
        self._vouched.add(entry.path)
        return entry

    def _withhold(self, path: str, reason: str) -> Entry:
        self._withheld[path] = reason
        return Entry(path, EntryKind.FILE, "")

    def _index_time(self) -> int:
        try:
            return self._repository.index_file.stat().st_mtime_ns
        except OSError:
            return 0


def _is_untouched(seen: os.stat_result, row: IndexEntry, index_time: int) -> bool:
    """Git's own test for a file that need not be read again.

    A file written in the second in which the index was written, or later, may have changed
    without a trace ("racily clean"), so it does not count.
    """
    stamp = Stamp(
        seen.st_ctime_ns, seen.st_mtime_ns, seen.st_ino & _32_BITS, seen.st_size & _32_BITS
    )
    racy = seen.st_mtime_ns // _SECOND >= index_time // _SECOND
    return row.stage == 0 and not row.intended and stamp == row.stamp and not racy
