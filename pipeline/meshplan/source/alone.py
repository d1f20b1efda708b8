"""One revision alone: of a repository, a plain folder, or standard input."""

import sys
from collections.abc import Sequence
from pathlib import Path

from meshplan.errors import UsageError
from meshplan.source.files import STDIN, Contents, read_stdin
from meshplan.source.git import open_revision
from meshplan.source.git_command import NoRepositoryError
from meshplan.source.git_repository import open_repository
from meshplan.source.revision import Revision


def open_alone(
    directory: Path, name: str | None, paths: Sequence[Path] = ()
) -> tuple[Revision, tuple[str, ...]]:
    """The revision, and the paths as they are called in it; "" is all of it.

    A single path is looked for in the repository that it is in, which need not be that of
    `directory`; where it is in none, the folder is read as it is. `-` is standard input.
    Raises UsageError for paths that are not there or in different repositories.
    """
    if [str(path) for path in paths] == ["-"]:
        return _stdin(), ()
    absolute = [directory / path for path in paths]
    for path in absolute:
        if name is None and not path.exists():
            raise UsageError(f"{path} does not exist")
    home = directory
    if len(absolute) == 1:
        [home] = absolute
        home = home if home.is_dir() else home.parent
    revision = open_revision(home, name)
    try:
        root = open_repository(home).info.root
    except NoRepositoryError:
        root = home
    return revision, tuple(_inside(path, root) for path in absolute)


def _stdin() -> Revision:
    """Standard input under a name that ends as manifests do."""
    found = read_stdin(sys.stdin.buffer)
    [(_, content)] = found.read(found.entries.values())
    return Contents(STDIN, {"stdin.yaml": content})


def _inside(path: Path, root: Path) -> str:
    try:
        found = path.resolve().relative_to(root.resolve())
    except ValueError:
        raise UsageError(
            f"{path} is outside of {root}", hint="check one of them at a time"
        ) from None
    return "" if found == Path() else found.as_posix()
