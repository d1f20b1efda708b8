"""The files of a revision in which manifests may be, and paths that stay inside the repository."""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import cached_property

from meshplan.dataclass import dataclass
from meshplan.source.git_symlinks import resolve_symlinks
from meshplan.source.globs import matcher
from meshplan.source.revision import Entry, EntryKind, Revision

KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
_SUFFIXES = (*MANIFEST_SUFFIXES, "Kustomization")

#: What is hidden, and folders of other people's code.
_FOREIGN = re.compile(r"(?:^|/)(?:\.|(?:node_modules|vendor|__pycache__|venv)(?:/|\Z))")
#: Names of files that other tools own, though some of them have an `apiVersion` and a `kind`.
_FOREIGN_FILE = re.compile(
    r"(?:docker-)?compose[^/]*\.ya?ml|package(?:-lock)?\.json|pnpm-lock\.yaml|tsconfig.*\.json"
    r"|(?:skaffold|mkdocs|catalog-info|Taskfile|cloudbuild|appveyor|bitbucket-pipelines"
    r"|azure-pipelines).*\.ya?ml"
)


@dataclass(frozen=True)
class Tree:
    """One revision, without what the settings ignore."""

    revision: Revision
    #: Files by path; those behind symbolic links also under the paths that lead through the links.
    files: Mapping[str, Entry]
    #: Symbolic links that are not followed, with the reason.
    refused: Mapping[str, str] = field(default_factory=dict)
    submodules: Mapping[str, Entry] = field(default_factory=dict)
    #: Whether the settings ignore a path.
    ignored: Callable[[str], bool] = field(default=lambda _: False)

    @cached_property
    def folders(self) -> Mapping[str, tuple[str, ...]]:
        """The files of each folder that has any, itself or below; "" is the root."""
        direct: dict[str, list[str]] = {"": []}
        for path in self.files:
            folder = posixpath.dirname(path)
            if folder not in direct:
                for parent in ancestors(folder):
                    direct.setdefault(parent, [])
            direct[folder].append(path)
        return {folder: tuple(paths) for folder, paths in direct.items()}

    @cached_property
    def manifests(self) -> tuple[str, ...]:
        """Files that may hold Kubernetes objects, by their names alone, each under one path."""
        charts = self.charts
        return tuple(
            path
            for path, entry in self.files.items()
            if not entry.real
            and _may_hold_manifests(path)
            and not (charts and any(is_below(path, chart) for chart in charts))
        )

    @cached_property
    def kustomizations(self) -> Mapping[str, str]:
        """The kustomization file of each folder that has one."""
        return self._by_folder(KUSTOMIZATION_FILES)

    @cached_property
    def charts(self) -> tuple[str, ...]:
        """The folders of Helm charts that are not inside another chart, sorted."""
        found: list[str] = []
        for folder in sorted(self._by_folder(("Chart.yaml",))):
            if is_foreign(folder) or any(is_below(folder, chart) for chart in found):
                continue
            found.append(folder)
        return tuple(found)

    def below(self, folder: str) -> Iterable[str]:
        """All files of a folder and of the folders in it."""
        prefix = f"{folder}/" if folder else ""
        return (path for path in self.files if path.startswith(prefix))

    def _by_folder(self, names: tuple[str, ...]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for path in self.files:
            if path.endswith(names):
                folder, name = posixpath.split(path)
                if name in names:
                    found.setdefault(folder, path)
        return found


def tree_of(revision: Revision, ignore: Iterable[str] = ()) -> Tree:
    """The tree of a revision without what the glob patterns `ignore` match."""
    ignored = matcher(ignore)
    groups: dict[EntryKind, dict[str, Entry]] = {kind: {} for kind in EntryKind}
    for path, entry in revision.entries.items():
        if not ignored(path):
            groups[entry.kind][path] = entry
    files, refused = groups[EntryKind.FILE], {}
    if groups[EntryKind.SYMLINK]:
        links = resolve_symlinks(revision)
        files |= {path: entry for path, entry in links.entries.items() if not ignored(path)}
        refused = {path: why for path, why in links.refused.items() if not ignored(path)}
    return Tree(revision, files, refused, groups[EntryKind.SUBMODULE], ignored)


def joined(folder: str, relative: str) -> str | None:
    """The path that `relative` means inside `folder`; None where it leaves the repository."""
    path = posixpath.normpath(posixpath.join("/" if relative.startswith("/") else folder, relative))
    if path.startswith(("..", "/")):
        return None
    return "" if path == "." else path


def is_below(path: str, folder: str) -> bool:
    """Whether a path is in a folder, at any depth, or is the folder itself."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def ancestors(folder: str) -> Iterable[str]:
    """The folder and those it is in, up to the root, "" for which is the last."""
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def is_foreign(path: str) -> bool:
    """Whether a path is hidden or in a folder of other people's code."""
    return _FOREIGN.search(path) is not None


def _may_hold_manifests(path: str) -> bool:
    if not path.endswith(_SUFFIXES):
        return False
    return not is_foreign(path) and _FOREIGN_FILE.match(path.rpartition("/")[2]) is None
