"""Manifests that are not in Git: plain folders, single files, and standard input."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from meshplan.errors import UsageError
from meshplan.source.disk import Disk, settle, special
from meshplan.source.git_blobs import Withheld, lfs_pointer, too_large
from meshplan.source.revision import MAX_FILE_BYTES, Entry, EntryKind

#: The path that findings about standard input name.
STDIN = "<stdin>"
_REPOSITORY_FOLDERS = (".git", ".hg", ".svn")


class Folder:
    """All files below a folder that need not be in any repository; `.git` is left out."""

    commit = None

    def __init__(self, directory: Path):
        if not directory.is_dir():
            what = "is not a directory" if directory.exists() else "does not exist"
            raise UsageError(f"{directory} {what}")
        self.name = str(directory)
        self._root = directory
        self._disk = Disk(directory)
        self._withheld: dict[str, str] = {}

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path."""
        found = {entry.path: entry for entry in self._walk("")}
        return MappingProxyType(dict(sorted(found.items())))

    @property
    def unread(self) -> Mapping[str, str]:
        """Special files, and what could not be read so far."""
        _ = self.entries  # finds them
        return MappingProxyType(self._withheld)

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of files, in the order of the entries."""
        for entry in entries:
            content = self._disk.read(entry.real or entry.path)
            reason = content if isinstance(content, Withheld) else lfs_pointer(content)
            if reason:
                self._withheld[entry.path] = reason.reason
            elif isinstance(content, bytes):
                yield settle(entry, content), content

    def _walk(self, folder: str) -> Iterator[Entry]:
        folders = [folder]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(os.fsencode(self._root / folder)) as found:
                    children = list(found)
            except OSError as error:
                self._withheld[folder or "."] = (error.strerror or "cannot be read").lower()
                continue
            for child in children:
                name = child.name.decode("utf-8", "surrogateescape")
                path = f"{folder}/{name}" if folder else name
                if not child.is_dir(follow_symlinks=False):
                    yield from self._entry(path)
                elif name not in _REPOSITORY_FOLDERS:
                    folders.append(path)

    def _entry(self, path: str) -> Iterator[Entry]:
        seen = self._disk.look(path)
        if seen is None:
            return
        if isinstance(seen, Withheld):
            self._withheld[path] = seen.reason
            yield Entry(path, EntryKind.FILE, "")
        elif reason := special(seen.st_mode):
            self._withheld[path] = reason
        else:
            kind = EntryKind.SYMLINK if stat.S_ISLNK(seen.st_mode) else EntryKind.FILE
            yield Entry(path, kind, "", seen.st_size)


class Contents:
    """Files whose contents are at hand already."""

    commit = None

    def __init__(self, name: str, contents: Mapping[str, bytes]):
        self.name = name
        self._contents = contents

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path."""
        return MappingProxyType(
            {
                path: settle(Entry(path, EntryKind.FILE, ""), content)
                for path, content in sorted(self._contents.items())
            }
        )

    @property
    def unread(self) -> Mapping[str, str]:
        """Nothing: all is at hand."""
        return {}

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of files, in the order of the entries."""
        for entry in entries:
            yield entry, self._contents[entry.real or entry.path]


def read_stdin(stream: BinaryIO) -> Contents:
    """Standard input as a revision with one file, `<stdin>`. Raises UsageError if it is too long."""
    content = stream.read(MAX_FILE_BYTES + 1)
    if withheld := too_large(len(content)):
        raise UsageError(f"standard input is too long: {withheld.reason}")
    return Contents(STDIN, {STDIN: content})
