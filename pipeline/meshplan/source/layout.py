"""How the files of one revision are divided: plain manifests, Kustomize roots, charts, requests.

A file has one owner. What a kustomization refers to, what is in a chart, and what a Flux or
Argo CD object asks for is theirs; only the rest is plain.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence

from meshplan.dataclass import dataclass
from meshplan.resource import Document
from meshplan.settings import TargetSettings
from meshplan.source.documents import Manifests
from meshplan.source.globs import anchored
from meshplan.source.render import plain
from meshplan.source.render.kustomize_files import Walker
from meshplan.source.tree import KUSTOMIZATION_FILES, Tree, is_below, is_foreign
from meshplan.source.units import Chart, Folder, Kustomization, Unit

#: Kinds of objects that ask for others to be rendered.
ASKING = frozenset({"Kustomization", "HelmRelease", "Application", "ApplicationSet"})

#: What a document asks for; nothing if it is of no such kind.
Units = Callable[[Document], Sequence[Unit]]


@dataclass(frozen=True, slots=True)
class Request:
    """A Flux or Argo CD object in a file, and one thing that it asks for."""

    document: Document
    unit: Unit


@dataclass(frozen=True, slots=True)
class Layout:
    """Who owns what in one revision."""

    #: Manifests that nobody refers to.
    plain: tuple[str, ...]
    #: Folders with a kustomization that nothing else builds upon.
    roots: tuple[str, ...]
    #: Charts that nothing in the repository installs.
    charts: tuple[str, ...]
    requests: tuple[Request, ...]
    #: Manifests beside a kustomization that does not list them.
    unlisted: tuple[str, ...]


def layout_of(tree: Tree, manifests: Manifests, units: Units) -> Layout:
    """Divide the files of a tree."""
    walker = Walker(tree, manifests)
    folders = [f for f in sorted(tree.kustomizations) if not f or not is_foreign(f)]
    built = walker.everything(folders)
    beside, charts = set(folders), tree.charts
    free: list[str] = []
    unlisted: list[str] = []
    for path in tree.manifests:
        folder = path.rpartition("/")[0]
        if path in built.files or (charts and any(is_below(folder, chart) for chart in charts)):
            continue
        (unlisted if folder in beside else free).append(path)
    requests = tuple(_requests(tree, manifests, units, (*free, *sorted(built.resources))))
    asked = _asked(tree, walker, requests)
    roots = [
        folder
        for folder in folders
        if folder not in built.referenced
        and folder not in asked.folders
        and not _is_component(walker, folder)
    ]
    return Layout(
        tuple(path for path in free if path not in asked.files),
        (*roots, *_circles(walker, folders, {*roots, *asked.folders})),
        tuple(chart for chart in charts if chart not in asked.folders),
        requests,
        tuple(unlisted),
    )


def _circles(walker: Walker, folders: Sequence[str], starts: set[str]) -> Iterator[str]:
    """A folder of each circle of kustomizations into which nothing leads: its build tells why."""
    reached = walker.everything(sorted(starts & set(folders))).folders
    for folder in folders:
        if folder not in reached and not _is_component(walker, folder):
            reached |= walker.everything([folder]).folders
            yield folder


def layout_within(tree: Tree, manifests: Manifests, units: Units, target: TargetSettings) -> Layout:
    """Divide what the paths of a stated target match, all of it or only what is of its kind."""
    within = anchored(target.paths)
    folders = [folder for folder in sorted(tree.kustomizations) if within(folder)]
    charts = tuple(chart for chart in tree.charts if within(chart))
    matched = tuple(path for path in tree.manifests if within(path))
    match target.kind:
        case "helm":
            return Layout((), (), charts, (), ())
        case "plain":
            free = tuple(p for p in matched if posixpath.basename(p) not in KUSTOMIZATION_FILES)
            return Layout(free, (), (), (), ())
        case _:
            pass
    walker = Walker(tree, manifests)
    built = walker.everything(folders)
    roots = tuple(
        folder
        for folder in folders
        if folder not in built.referenced and not _is_component(walker, folder)
    )
    if target.kind == "kustomize":
        return Layout((), roots, (), (), ())
    beside = set(folders)
    left = [p for p in matched if p not in built.files and posixpath.dirname(p) not in beside]
    asked = _asked(tree, walker, tuple(_requests(tree, manifests, units, left)))
    return Layout(
        tuple(path for path in left if path not in asked.files),
        tuple(folder for folder in roots if folder not in asked.folders),
        tuple(chart for chart in charts if chart not in asked.folders),
        (),
        (),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    files: frozenset[str]
    folders: frozenset[str]


def _asked(tree: Tree, walker: Walker, requests: Sequence[Request]) -> _Asked:
    """The files and folders that Flux and Argo CD objects ask for."""
    files: set[str] = set()
    folders: set[str] = set()
    for request in requests:
        match request.unit.recipe:
            case Kustomization(path) if path in tree.kustomizations:
                folders.add(path)
            case Kustomization(path):
                for listed in walker.listed(path):
                    (folders if listed in tree.kustomizations else files).add(listed)
            case Chart(path):
                folders.add(path)
            case Folder() as recipe:
                files.update(plain.files_of(recipe, tree))
            case _:
                pass
    return _Asked(frozenset(files), frozenset(folders))


def _requests(
    tree: Tree, manifests: Manifests, units: Units, paths: Iterable[str]
) -> Iterator[Request]:
    for path in paths:
        file = manifests.file(tree, path)
        if not file.kinds.isdisjoint(ASKING):
            for document in file.documents:
                for unit in units(document):
                    yield Request(document, unit)


def _is_component(walker: Walker, folder: str) -> bool:
    return (walker.kustomization(folder) or {}).get("kind") == "Component"
