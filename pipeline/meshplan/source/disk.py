"""Regular files and symbolic links of a folder, read without ever leaving it."""

import os
import stat
from dataclasses import field
from pathlib import Path

from meshplan.dataclass import dataclass
from meshplan.source.git_blobs import Withheld, blob_id, too_large
from meshplan.source.revision import Entry

#: A symbolic link in the place of the file is refused; a FIFO does not block.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder of the file system; paths are "/"-separated and relative to it.

    A path that runs through a symbolic link is not there: git sees the link in its place.
    """

    root: Path
    _folders: dict[str, bool | Withheld] = field(default_factory=dict)

    def look(self, path: str) -> os.stat_result | Withheld | None:
        """What the path is, links not followed; None if it is not there."""
        folder = self._folder(path.rpartition("/")[0])
        if folder is not True:
            return folder or None
        return self._lstat(path)

    def read(self, path: str) -> bytes | Withheld:
        """The content of a regular file, or the path that a symbolic link names."""
        seen = self.look(path)
        if seen is None:
            return Withheld("it vanished while meshplan was reading")
        if isinstance(seen, Withheld):
            return seen
        reason = special(seen.st_mode)
        if reason:
            return Withheld(reason)
        try:
            if stat.S_ISLNK(seen.st_mode):
                return os.readlink(self._bytes(path))  # noqa: PTH115 - bytes, which Path has not
            return self._read_regular(path)
        except FileNotFoundError:
            return Withheld("it vanished while meshplan was reading")
        except OSError as error:
            return Withheld(_reason(error))

    def _read_regular(self, path: str) -> bytes | Withheld:
        descriptor = os.open(self._bytes(path), _OPEN_FLAGS)
        try:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode):
                return Withheld(special(seen.st_mode) or "not a file")
            withheld = too_large(seen.st_size)
            if withheld:
                return withheld
            content = os.read(descriptor, seen.st_size)
            while more := os.read(descriptor, 1 << 20):  # it has grown, or the read was cut short
                content += more
                if withheld := too_large(len(content)):
                    return withheld
            return content
        finally:
            os.close(descriptor)

    def _folder(self, folder: str) -> bool | Withheld:
        """Whether a folder is there, with no symbolic link on the way."""
        if not folder:
            return True
        known = self._folders.get(folder)
        if known is None:
            known = self._folder(folder.rpartition("/")[0])
            if known is True:
                seen = self._lstat(folder)
                known = stat.S_ISDIR(seen.st_mode) if isinstance(seen, os.stat_result) else False
                known = seen if isinstance(seen, Withheld) else known
            self._folders[folder] = known
        return known

    def _lstat(self, path: str) -> os.stat_result | Withheld | None:
        try:
            return os.lstat(self._bytes(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Withheld(_reason(error))

    def _bytes(self, path: str) -> bytes:
        return os.fsencode(self.root) + b"/" + path.encode("utf-8", "surrogateescape")


def settle(entry: Entry, content: bytes, object_format: str = "sha1") -> Entry:
    """The entry with the object id and the size that belong to its content."""
    blob = blob_id(content, object_format)
    return Entry(entry.path, entry.kind, blob, len(content), entry.real)


def special(mode: int) -> str | None:
    """Why a file of this mode is never opened; None for files, links and folders."""
    what = _SPECIAL.get(stat.S_IFMT(mode))
    return f"{what}, not a file" if what else None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
