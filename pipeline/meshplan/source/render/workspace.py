"""The temporary copy of a revision's files in which renderers run."""

from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from threading import Lock

from meshplan.dataclass import dataclass
from meshplan.errors import RenderError
from meshplan.source.render.process import watching_the_disk
from meshplan.source.tree import Tree

#: The name of the folder with the copy of the repository.
REPOSITORY = "repository"


class UnreadError(RenderError):
    """A file that is needed is in the revision, but its content is not at hand."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with those files of one revision that were asked for; nothing else gets in.

    What is generated for a renderer goes beside it, so that it is in nobody's way.
    """

    tree: Tree
    #: The copy of the root of the repository.
    folder: Path
    #: A folder beside it that renderers may write to.
    home: Path
    _placed: set[str] = field(default_factory=set)
    #: Renderers of one revision run side by side, and may need the same files.
    _placing: Lock = field(default_factory=Lock)

    def place(self, paths: Iterable[str]) -> None:
        """Copy files of the revision, each once; done when all of them are there.

        Raises RenderError where the disk is full, UnreadError for a file that is not at hand.
        """
        with self._placing:
            wanted = [self.tree.files[path] for path in paths if path not in self._placed]
            with watching_the_disk():
                for entry, data in self.tree.revision.read(wanted):
                    self.write(self.at(entry.path), data)
                    self._placed.add(entry.path)
        for entry in wanted:
            if entry.path not in self._placed:
                why = self.tree.revision.unread.get(entry.path, "its content is not at hand")
                raise UnreadError(f"{entry.path} is needed and cannot be read: {why}")

    def write(self, place: Path, data: bytes) -> Path:
        """Write a file, and the folders that it is in."""
        with watching_the_disk():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return place

    def beside(self, name: str) -> Path:
        """A place of our own beside the copy."""
        return self.folder.parent / name

    def at(self, path: str) -> Path:
        """Where a path of the repository is in the copy."""
        return self.folder / path
