"""A commit as a set of files."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import cached_property
from types import MappingProxyType

from meshplan.errors import MeshplanError, SourceError
from meshplan.source.git_blobs import Withheld, lfs_pointer, read_blobs
from meshplan.source.git_command import corrupt, failure
from meshplan.source.git_names import Commit
from meshplan.source.git_repository import Repository
from meshplan.source.revision import Entry, EntryKind

_KINDS = {"120": EntryKind.SYMLINK, "160": EntryKind.SUBMODULE}
_FORBIDDEN = ("", ".", "..", ".git")


class CommitRevision:
    """All files of a commit, from the object database alone."""

    def __init__(self, repository: Repository, commit: Commit):
        self._repository = repository
        self._commit = commit
        self._withheld: dict[str, str] = {}

    @property
    def name(self) -> str:
        """As the user calls it."""
        return self._commit.name

    @property
    def commit(self) -> str | None:
        """The full commit id."""
        return self._commit.id

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path."""
        answer = self._repository.git.attempt("ls-tree", "-r", "-z", "--full-tree", self._commit.id)
        if answer.status != 0:
            raise _unlisted(self._repository, self._commit, answer.stderr)
        found: dict[str, Entry] = {}
        for row in answer.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
            attributes, _, path = row.partition("\t")
            mode, _, blob = attributes.split(" ")
            if path in found:
                raise corrupt(f"{path} is twice in {self._commit.name}")
            found[path] = Entry(path, entry_kind(mode), blob)
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


def entry_kind(mode: str) -> EntryKind:
    """What an octal file mode of git stands for."""
    return _KINDS.get(mode[:3], EntryKind.FILE)


def checked(found: Mapping[str, Entry]) -> Mapping[str, Entry]:
    """The entries sorted by path; raises SourceError for a tree that no checkout could write.

    Git hands out what a tree holds, and a tree can be made to hold anything.
    """
    folders = {path.rpartition("/")[0] for path in found} - {""}
    for folder in tuple(folders):
        steps = folder.split("/")
        folders.update("/".join(steps[:end]) for end in range(1, len(steps)))
    for path in (*found, *folders):
        if path.rpartition("/")[2].lower() in _FORBIDDEN:
            raise corrupt(f"it holds the path {path!r}, which would lead out of it")
    for path in folders & found.keys():
        raise corrupt(f"{path} is both a file and a folder")
    return MappingProxyType(dict(sorted(found.items())))


def submodules(entries: Iterable[Entry]) -> dict[str, str]:
    """The submodules among entries, with what meshplan says about them."""
    return {
        entry.path: f"a submodule at {entry.blob[:12]}, which is not entered"
        for entry in entries
        if entry.kind is EntryKind.SUBMODULE
    }


def read_entries(
    repository: Repository, entries: Iterable[Entry], withheld: dict[str, str]
) -> Iterator[tuple[Entry, bytes]]:
    """The contents of entries by object id, each id once; the rest goes into `withheld`."""
    wanted: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind is not EntryKind.SUBMODULE:
            wanted.setdefault(entry.blob, []).append(entry)
    with closing(read_blobs(repository, tuple(wanted))) as contents:
        for sharing in wanted.values():
            try:
                _, content = next(contents)
            except SourceError as error:
                error.path = sharing[0].path
                raise
            result = content if isinstance(content, Withheld) else lfs_pointer(content) or content
            if isinstance(result, Withheld):
                withheld.update((entry.path, result.reason) for entry in sharing)
            else:
                yield from ((sized(entry, len(result)), result) for entry in sharing)


def sized(entry: Entry, size: int) -> Entry:
    """The entry with the size of its content."""
    return Entry(entry.path, entry.kind, entry.blob, size, entry.real)


def _unlisted(repository: Repository, commit: Commit, stderr: str) -> MeshplanError:
    if not repository.info.is_partial:
        return failure("ls-tree", stderr)
    return SourceError(
        f"folders of {commit.name} are not in this partial clone, and meshplan fetches nothing",
        hint="clone with --filter=blob:none instead, or fetch them: "
        f"git ls-tree -r {commit.name} > /dev/null",
    )
