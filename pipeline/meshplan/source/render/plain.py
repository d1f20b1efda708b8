"""Plain manifests: files as they are, by name and glob pattern."""

import posixpath

from meshplan.resource import Document
from meshplan.source.documents import Manifests
from meshplan.source.globs import alternatives
from meshplan.source.tree import MANIFEST_SUFFIXES, Tree
from meshplan.source.units import Folder


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
