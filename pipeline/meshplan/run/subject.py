"""What a question is about: a revision, two of them, a folder, a file, or standard input."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError, UsageError
from meshplan.settings import SETTINGS_FILES
from meshplan.source.alone import open_alone
from meshplan.source.disk import Disk
from meshplan.source.files import Contents, Folder
from meshplan.source.git import open_revision, open_revisions
from meshplan.source.git_blobs import Withheld
from meshplan.source.git_command import NoRepositoryError
from meshplan.source.git_repository import open_repository
from meshplan.source.revision import Revision

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Subject:
    """One state of the manifests, or two."""

    head: Revision
    base: Revision | None = None
    #: The folder that the user named, as a path in the revision; "" for all of it.
    within: str = ""
    urls: tuple[str, ...] = ()
    #: Whether it is one file alone, which no target of the settings can be about.
    is_file: bool = False


def open_subject(directory: Path, name: str | None) -> Subject:
    """Open what the user calls `name`: a path if there is one, else a revision or a range of two.

    Raises UsageError for what is neither, or both.
    """
    if name is None:
        return Subject(open_revision(directory, None))
    if name == "-":
        revision, _ = open_alone(directory, None, [Path("-")])
        return Subject(revision)
    path = directory / name
    if not path.exists():
        return _revisions(directory, name)
    if _is_bare_word(name) and _is_revision(directory, name):
        raise UsageError(
            f"{name} is a path and a revision", hint=f"write ./{name} for the path, or HEAD"
        )
    return _folder(path) if path.is_dir() else _file(path)


def _revisions(directory: Path, name: str) -> Subject:
    try:
        if ".." in name:
            found = open_revisions(directory, name)
            urls = tuple(remote.url for remote in found.repository.remotes)
            return Subject(found.head, found.base, urls=urls)
        return Subject(open_revision(directory, name))
    except NoRepositoryError:
        raise UsageError(f"{name} does not exist, and no repository is here") from None
    except UsageError as error:
        if name.startswith((".", "/")) or name.endswith(("/", *_SUFFIXES)):
            raise UsageError(f"{name} does not exist") from error
        raise


def _is_bare_word(name: str) -> bool:
    return not name.startswith((".", "/", "~")) and not name.endswith("/")


def _is_revision(directory: Path, name: str) -> bool:
    try:
        open_revision(directory, name)
    except MeshplanError:
        return False
    return True


def _folder(path: Path) -> Subject:
    """A folder: of the working tree that it is in, or as it is.

    As it is, it is taken where it has settings of its own, and where git knows nothing of it.
    """
    try:
        repository = open_repository(path)
    except NoRepositoryError:
        return Subject(Folder(path))
    inside = _relative(path, repository.info.root) if repository.has_work_tree else None
    if inside is None:
        return Subject(Folder(path))
    if not inside:
        return Subject(open_revision(path, None))
    if any((path / name).is_file() for name in SETTINGS_FILES):
        return Subject(Folder(path))
    revision = open_revision(path, None)
    if not any(entry.startswith(f"{inside}/") for entry in revision.entries):
        return Subject(Folder(path))
    urls = tuple(remote.url for remote in repository.info.remotes)
    return Subject(revision, within=inside, urls=urls)


def _file(path: Path) -> Subject:
    """A file alone, with the settings beside it or at the root of its repository."""
    place = path.resolve()
    content = Disk(place.parent).read(place.name)
    if isinstance(content, Withheld):
        raise UsageError(f"{path} cannot be read: {content.reason}")
    name = path.name if path.suffix in _SUFFIXES else f"{path.name}.yaml"
    return Subject(Contents(str(path), {name: content, **_settings_near(path)}), is_file=True)


def _settings_near(path: Path) -> Mapping[str, bytes]:
    places = [path.parent]
    with suppress(MeshplanError):
        places.append(open_repository(path.parent).info.root)
    for place in places:
        found = Disk(place.resolve())
        for name in SETTINGS_FILES:
            content = found.read(name) if (place / name).is_file() else b""
            if isinstance(content, bytes) and content:
                return {name: content}
    return {}


def _relative(path: Path, root: Path) -> str | None:
    try:
        found = path.resolve().relative_to(root.resolve())
    except ValueError:
        return None
    return "" if found == Path() else found.as_posix()
