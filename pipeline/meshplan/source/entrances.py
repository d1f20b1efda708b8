"""Where a chain of requests begins: the Flux Kustomization that nothing else brings."""

from collections.abc import Mapping, Sequence

from meshplan.source.documents import Manifests
from meshplan.source.render import plain
from meshplan.source.render.kustomize_files import Walker
from meshplan.source.tree import Tree
from meshplan.source.units import Folder, Kustomization, Recipe

#: A file and a document in it.
Key = tuple[str, int]


def entrances(
    requests: Mapping[Key, Sequence[Recipe]], tree: Tree, manifests: Manifests
) -> tuple[Key, ...]:
    """Those requests whose file no other request would bring in; at least one, in order of path.

    What `flux bootstrap` writes asks for the folder that it is in itself, so a request that
    brings its own file counts as brought by nothing.
    """
    walker = Walker(tree, manifests)
    brought: dict[str, set[Key]] = {}
    for key, recipes in requests.items():
        for recipe in recipes:
            for path in _files(recipe, tree, walker):
                brought.setdefault(path, set()).add(key)
    free = sorted(key for key in requests if not brought.get(key[0], set()) - {key})
    return tuple(free or sorted(requests)[:1])


def _files(recipe: Recipe, tree: Tree, walker: Walker) -> Sequence[str]:
    match recipe:
        case Kustomization(path, _, generated):
            return tuple(walker.closure(path, generated=generated).files)
        case Folder():
            return plain.files_of(recipe, tree)
        case _:
            return ()
