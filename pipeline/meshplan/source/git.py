"""What to compare: two revisions of a Git repository, opened by the names that git knows.

| spec | base | head |
|---|---|---|
| none | HEAD | working tree, with untracked files that are not ignored |
| `A` | A | working tree |
| `A..B` | A | B |
| `A...B` | merge base of A and B | B |
| `A^!` | the first parent of A | A |
| none or `A`, staged | HEAD or A | index |

The side of a range that is left out is HEAD, as in `git diff`.
"""

from pathlib import Path

from meshplan.dataclass import dataclass
from meshplan.errors import UsageError
from meshplan.source.files import Folder
from meshplan.source.git_command import NoRepositoryError
from meshplan.source.git_index import IndexRevision
from meshplan.source.git_names import merge_base, resolve
from meshplan.source.git_repository import Repository, RepositoryInfo, open_repository
from meshplan.source.git_tree import CommitRevision
from meshplan.source.git_worktree import WorkingTree
from meshplan.source.revision import Revision


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two sides of a diff and the repository they are from."""

    base: Revision
    head: Revision
    repository: RepositoryInfo


def open_revisions(directory: Path, spec: str | None, *, staged: bool = False) -> Comparison:
    """Open the two sides that a spec names (see the table above).

    Nothing is listed or read yet, but every commit is known to exist. Raises UsageError for a
    directory without repository, an unknown name, or a comparison that cannot be; SourceError
    where git is missing or refuses.
    """
    repository = open_repository(directory)
    base, head = _sides(repository, spec, staged=staged)
    return Comparison(base, head, repository.info)


def open_revision(directory: Path, name: str | None) -> Revision:
    """One revision: the commit of that name, or the working tree of the repository.

    Without a name, a directory that is in no repository is taken as the folder it is. Raises as
    `open_revisions` otherwise.
    """
    try:
        repository = open_repository(directory)
    except NoRepositoryError:
        if name is None:
            return Folder(directory)
        raise
    if name is None:
        return _working_tree(repository)
    return CommitRevision(repository, resolve(repository, name))


def _sides(repository: Repository, spec: str | None, *, staged: bool) -> tuple[Revision, Revision]:
    spec = _shorthand(spec)
    for dots in ("...", ".."):
        left, found, right = (spec or "").partition(dots)
        if found and staged:
            raise UsageError(
                f"--staged compares the index with one revision, and {spec} names two",
                hint="leave out --staged, or name one revision",
            )
        if found:
            return _range(repository, left or "HEAD", right or "HEAD", symmetric=dots == "...")
    base = CommitRevision(repository, resolve(repository, spec or "HEAD"))
    return base, _index(repository) if staged else _working_tree(repository)


def _range(
    repository: Repository, left: str, right: str, *, symmetric: bool
) -> tuple[Revision, Revision]:
    base, head = resolve(repository, left), resolve(repository, right)
    if symmetric:
        base = merge_base(repository, base, head)
    return CommitRevision(repository, base), CommitRevision(repository, head)


def _shorthand(spec: str | None) -> str | None:
    if spec == "..":
        raise UsageError(".. names no revision", hint="name both, as in main..HEAD")
    if spec and spec.endswith("^!"):
        return f"{spec[:-2]}^..{spec[:-2]}"
    return spec


def _working_tree(repository: Repository) -> WorkingTree:
    _need_work_tree(repository, "working tree")
    return WorkingTree(repository)


def _index(repository: Repository) -> IndexRevision:
    _need_work_tree(repository, "index")
    return IndexRevision(repository)


def _need_work_tree(repository: Repository, what: str) -> None:
    if not repository.has_work_tree:
        why = "a bare repository has" if repository.info.is_bare else "a .git folder has"
        raise UsageError(
            f"{why} no {what} to compare with",
            hint="name two revisions, as in `meshplan diff main~1..main`",
        )
