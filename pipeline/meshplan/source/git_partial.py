"""The objects that are at hand in a partial clone.

Where a promised object is missing, `git cat-file` fetches it, or ends if it may not. A Git
directory without remotes that borrows the objects of the real one says "missing" and goes on.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshplan.errors import SourceError
from meshplan.source.git_command import Git
from meshplan.source.git_repository import Repository


@contextmanager
def object_reader(repository: Repository) -> Iterator[Git]:
    """Git for reading objects by id, which never tries to fetch one.

    Raises SourceError if there is no room for the few files that this takes in a partial clone.
    """
    if not repository.info.is_partial:
        yield repository.git
        return
    objects = repository.git.path("objects")
    try:
        with tempfile.TemporaryDirectory(prefix="meshplan-") as folder:
            _lay_out(Path(folder), repository.info.object_format)
            git = repository.git.bound(Path(folder), None)
            yield git.with_environment(GIT_OBJECT_DIRECTORY=str(objects))
    except OSError as error:
        raise SourceError(f"cannot read the partial clone: {error.strerror or error}") from error


def _lay_out(git_dir: Path, object_format: str) -> None:
    """Write what git asks of a Git directory, which is not much."""
    (git_dir / "objects").mkdir()
    (git_dir / "refs").mkdir()
    (git_dir / "HEAD").write_text("ref: refs/heads/main\n", "ascii")
    extensions = f"[extensions]\n\tobjectFormat = {object_format}\n"
    core = "[core]\n\tbare = true\n\trepositoryFormatVersion = "
    sha1 = object_format == "sha1"
    (git_dir / "config").write_text(f"{core}0\n" if sha1 else f"{core}1\n{extensions}", "ascii")
