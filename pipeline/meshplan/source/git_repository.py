"""The repository that a directory belongs to, and what meshplan wants to know about it."""

import os
from collections.abc import Mapping
from pathlib import Path

from meshplan.dataclass import dataclass
from meshplan.errors import SourceError, UsageError
from meshplan.source.git_command import Answer, Git, failure, not_a_repository

_DEFAULT_BRANCHES = ("main", "master", "trunk", "develop")
_FALSE = ("false", "no", "off", "0", "")


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote, with its URL as configured but for credentials."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class RepositoryInfo:
    """Facts of the repository as a whole."""

    #: The top of the working tree; of a repository without one, its Git directory.
    root: Path
    git_dir: Path
    is_bare: bool
    is_shallow: bool
    #: Whether objects may be missing that a remote promised to keep.
    is_partial: bool
    #: sha1 or sha256.
    object_format: str
    remotes: tuple[Remote, ...] = ()
    #: The branch that is checked out; None for a detached HEAD.
    current_branch: str | None = None
    #: The branch that changes are merged into, by the best guess: `main`, `origin/main`.
    default_branch: str | None = None

    @property
    def suggestion(self) -> str:
        """A range that may hold changes where the working tree has none; "" if there is none."""
        if self.default_branch is None:
            return ""
        if self.default_branch == self.current_branch:
            return "HEAD~1..HEAD"
        return f"{self.default_branch}..."


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that commands can be run in."""

    git: Git
    info: RepositoryInfo
    has_work_tree: bool
    #: Whether symbolic links are checked out as links (`core.symlinks`).
    has_symlinks: bool = True

    @property
    def index_file(self) -> Path:
        """Where the index is: not beside the objects in a linked worktree or in a hook."""
        given = os.environ.get("GIT_INDEX_FILE")
        return self.info.root / given if given else self.info.git_dir / "index"


def open_repository(directory: Path) -> Repository:
    """The repository that git finds at a directory.

    Raises UsageError where there is none, SourceError where git refuses or cannot read it.
    """
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise UsageError(f"{directory} {what}")
    git = Git(directory)
    bare, inside, shallow, object_format, git_dir, top = _discover(git)
    work_tree = Path(top) if inside == "true" else None
    git = git.bound(Path(git_dir), work_tree)
    settings = _settings(git)
    current, default = _branches(git)
    info = RepositoryInfo(
        root=work_tree or Path(git_dir),
        git_dir=Path(git_dir),
        is_bare=bare == "true",
        is_shallow=shallow == "true",
        is_partial=_is_partial(settings),
        object_format=object_format,
        remotes=_remotes(settings),
        current_branch=current,
        default_branch=default,
    )
    has_symlinks = settings.get("core.symlinks", ("true",))[-1].lower() not in _FALSE
    return Repository(git, info, work_tree is not None, has_symlinks)


def without_credentials(url: str) -> str:
    """A remote's URL without user, password or token; the user of an ssh URL stays.

    >>> without_credentials("https://me:token@example.com/a.git")
    'https://example.com/a.git'
    """
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if not separator or not at:
        return url
    kept = user.partition(":")[0] + "@" if "ssh" in scheme.lower() else ""
    return f"{scheme}://{kept}{host}{slash}{path}"


def _discover(git: Git) -> list[str]:
    """Bare, inside a working tree, shallow, object format, Git directory, top."""
    questions = (
        "--is-bare-repository",
        "--is-inside-work-tree",
        "--is-shallow-repository",
        "--show-object-format",
        "--absolute-git-dir",
        "--show-toplevel",
    )
    answer = git.attempt("rev-parse", *questions)
    lines = os.fsdecode(answer.stdout).split("\n")[:-1]
    if answer.status != 0 and "must be run in a work tree" in answer.stderr:
        lines.append("")
    elif answer.status != 0:
        raise _no_repository(git.directory, answer)
    if lines[3] not in ("sha1", "sha256"):  # an option that this git repeats, not knowing it
        raise SourceError("git is too old", hint="install git 2.31 or later")
    if len(lines) == len(questions):
        return lines
    # A directory with a line break in its name: ask for the two directories one by one.
    last_two = (os.fsdecode(git.output("rev-parse", question))[:-1] for question in questions[4:])
    return [*lines[:4], *last_two]


def _no_repository(directory: Path, answer: Answer) -> Exception:
    """Why git does not open the repository, which it also says of one that it may not read."""
    for folder in (directory, *directory.resolve().parents):
        for name in (".git", ".git/HEAD", ".git/config"):
            if _is_closed(folder / name):
                return SourceError(f"permission denied: {folder / name}")
    if "not a git repository" in answer.stderr.lower():
        return not_a_repository(directory)
    return failure("rev-parse", answer.stderr)


def _is_closed(path: Path) -> bool:
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        elif path.is_file():
            path.open("rb").close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _settings(git: Git) -> Mapping[str, tuple[str, ...]]:
    """All settings by name; a value-less one, which means true, has the value "true"."""
    settings: dict[str, tuple[str, ...]] = {}
    for item in os.fsdecode(git.output("config", "--list", "-z")).split("\0")[:-1]:
        name, has_value, value = item.partition("\n")
        settings[name] = (*settings.get(name, ()), value if has_value else "true")
    return settings


def _is_partial(settings: Mapping[str, tuple[str, ...]]) -> bool:
    return "extensions.partialclone" in settings or any(
        name.startswith("remote.") and name.endswith(".promisor") for name in settings
    )


def _remotes(settings: Mapping[str, tuple[str, ...]]) -> tuple[Remote, ...]:
    return tuple(
        Remote(name.removeprefix("remote.").removesuffix(".url"), without_credentials(url))
        for name, urls in sorted(settings.items())
        if name.startswith("remote.") and name.endswith(".url")
        for url in urls
    )


def _branches(git: Git) -> tuple[str | None, str | None]:
    """The branch that is checked out and the default branch."""
    patterns = [f"refs/heads/{name}" for name in _DEFAULT_BRANCHES]
    patterns += [f"refs/remotes/origin/{name}" for name in ("HEAD", *_DEFAULT_BRANCHES)]
    listing = git.output("for-each-ref", "--format=%(refname)%00%(symref)", *patterns)
    rows = [line.split("\0") for line in os.fsdecode(listing).splitlines()]
    known = dict(rows)
    head = git.attempt("symbolic-ref", "--quiet", "HEAD").stdout
    current = os.fsdecode(head).strip().removeprefix("refs/heads/") or None
    pointed = known.get("refs/remotes/origin/HEAD", "").removeprefix("refs/remotes/origin/")
    for name in (pointed, *_DEFAULT_BRANCHES):
        if f"refs/heads/{name}" in known or (name and name == current):
            return current, name
        if name and (name == pointed or f"refs/remotes/origin/{name}" in known):
            return current, f"origin/{name}"
    return current, None
