"""Plain manifests: files as they are, by name and glob pattern."""

import posixpath

from meshplan.finding import Severity
from meshplan.resource import Document
from meshplan.result import CoverageStatus
from meshplan.source.documents import ManifestFile, Manifests
from meshplan.source.globs import alternatives
from meshplan.source.tree import MANIFEST_SUFFIXES, Tree
from meshplan.source.units import Folder

_TEMPLATES = {
    "go": "a Go template",
    "jinja": "a Jinja template",
    "ytt": "a ytt template",
    "shell": "text with ${VAR} placeholders",
    "make": "text with $(VAR) placeholders",
}


def files_of(recipe: Folder, tree: Tree) -> tuple[str, ...]:
    """The files that a folder recipe takes, in the order in which `kubectl apply -f` would."""
    taken = alternatives(recipe.include)
    left_out = alternatives(recipe.exclude)
    found = []
    for path in tree.below(recipe.path):
        relative = posixpath.relpath(path, recipe.path or ".")
        if not recipe.recurse and "/" in relative:
            continue
        if not path.endswith(MANIFEST_SUFFIXES):
            continue
        if (recipe.include and not taken(relative)) or (recipe.exclude and left_out(relative)):
            continue
        found.append(path)
    return tuple(sorted(found, key=lambda path: path.split("/")))


def documents_of(paths: tuple[str, ...], tree: Tree, manifests: Manifests) -> tuple[Document, ...]:
    """All documents of the files."""
    return tuple(d for path in paths for d in manifests.file(tree, path).documents)


def unread(file: ManifestFile, tree: Tree) -> tuple[CoverageStatus, str] | None:
    """What becomes of a file of which something is not read, and why; None if all of it is."""
    broken = [finding for finding in file.findings if finding.severity is Severity.ERROR]
    if file.path in tree.revision.unread:
        return CoverageStatus.SKIPPED, tree.revision.unread[file.path]
    if file.template:
        rest = "is read without what it puts in" if file.documents else "is not read"
        return (
            CoverageStatus.SKIPPED,
            f"is {_TEMPLATES.get(file.template, 'a template')}, and {rest}",
        )
    if broken:
        return CoverageStatus.FAILED, f"cannot be read: {broken[0].message}"
    return None
