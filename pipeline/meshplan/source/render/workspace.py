"""The temporary copy of a revision's files in which renderers run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

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

    def place(self, paths: Iterable[str]) -> None:
        """Copy files of the revision, each once. Raises RenderError where the disk is full."""
        wanted = [self.tree.files[p] for p in paths if p not in self._placed]
        self._placed.update(entry.path for entry in wanted)
        missing = {entry.path for entry in wanted}
        with watching_the_disk():
            for entry, data in self.tree.revision.read(wanted):
                self.write(self.at(entry.path), data)
                missing.discard(entry.path)
        for path in sorted(missing):
            self._placed.discard(path)
            why = self.tree.revision.unread.get(path, "its content is not at hand")
            raise UnreadError(f"{path} is needed and cannot be read: {why}")

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
