"""From two revisions to the two snapshots of each target: find, read, render, compose."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.errors import SettingsError
from meshplan.finding import Finding, Status
from meshplan.location import Side
from meshplan.resource import Snapshot
from meshplan.result import Coverage, Problem
from meshplan.settings import Assumption, Settings
from meshplan.source.cache import Cache
from meshplan.source.carry import carried
from meshplan.source.compose import Composer, defined_scopes
from meshplan.source.documents import Manifests
from meshplan.source.ledger import coverage_of
from meshplan.source.merge import merge
from meshplan.source.pieces import Root
from meshplan.source.render.renderer import rendering
from meshplan.source.repository import OwnRepository
from meshplan.source.revision import Revision, is_unread
from meshplan.source.survey import survey
from meshplan.source.targets import Assembly, Target
from meshplan.source.tree import Tree, tree_of

#: Objects from which on the garbage collector is spared what was loaded.
_MANY = 50_000


@dataclass(frozen=True, slots=True)
class LoadedTarget:
    """What goes into one cluster, at both revisions."""

    name: str
    #: plain, kustomize, helm, argocd or flux.
    kind: str
    base: Snapshot
    head: Snapshot
    default_namespace: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """All targets of a repository, and what was noticed on the way."""

    targets: tuple[LoadedTarget, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    problems: tuple[Problem, ...] = ()


def load_targets(
    base: Revision | None,
    head: Revision,
    settings: Settings,
    *,
    repo_urls: Sequence[str] = (),
    cache: Cache | None = None,
    only: Sequence[str] = (),
) -> Loaded:
    """Find the targets of both revisions and read or render them.

    `base` is None where one revision is checked alone; every finding is "existing" then.
    `repo_urls` are the URLs under which Argo CD and Flux may know this repository. `only` names
    targets; the others are left out.
    """
    with _collector_paused(), Manifests(cache) as manifests:
        return _loaded(base, head, settings, manifests, repo_urls=repo_urls, only=only)


def _loaded(
    base: Revision | None,
    head: Revision,
    settings: Settings,
    manifests: Manifests,
    *,
    repo_urls: Sequence[str],
    only: Sequence[str],
) -> Loaded:
    trees = {
        side: tree_of(revision, settings.ignore)
        for side, revision in ((Side.BASE, base), (Side.HEAD, head))
        if revision is not None
    }
    manifests.load(tuple(trees.values()))
    own = OwnRepository(repo_urls)
    with rendering(manifests, settings) as renderer:
        surveys = survey(trees, manifests, renderer, own, settings)
    pieces = carried(surveys, lambda side, path: is_unread(trees[side].revision, path))
    # Most pieces of the two revisions have the identical documents.
    read = {id(p.documents): p.documents for found in pieces.values() for p in found}
    documents = (document for found in read.values() for document in found)
    composer = Composer(defined_scopes(documents))
    assembly = Assembly(
        composer,
        settings.default_namespace,
        lambda side, root: _is_there(trees[side], root),
    )
    targets = assembly.targets(pieces)
    _expect_stated(settings, targets)
    chosen = [target for target in targets if not only or target.name in only]
    composed = [
        (loaded, noticed)
        for target in chosen
        for loaded, noticed in [_composed(target, composer, settings)]
        if loaded.base or loaded.head
    ]
    findings = [
        *_judged({side: found.findings for side, found in surveys.items()}),
        *(finding for _, noticed in composed for finding in _judged(noticed)),
    ]
    return Loaded(
        tuple(target for target, _ in composed),
        tuple(findings),
        coverage_of(chosen, surveys),
        (*_assumptions(composer, settings), *(own.assumed[url] for url in sorted(own.assumed))),
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Hold back the garbage collector: what is made here stays, and it would walk it many times.

    Much of it is left out for good: one walk over 1,000 services takes longer than to compare them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        if enabled:
            gc.enable()


def _expect_stated(settings: Settings, targets: Sequence[Target]) -> None:
    """Raise SettingsError for a target of the settings whose paths match nothing."""
    names = {target.name for target in targets}
    for stated in settings.targets:
        if stated.name not in names:
            raise SettingsError(
                f"the target {stated.name} has no manifests: nothing is at "
                f"{', '.join(stated.paths)} in either revision",
                hint="paths are relative to the root of the repository",
                path=settings.source,
            )


def _is_there(tree: Tree, root: Root) -> bool:
    """Whether a folder that is a root at the other revision is there at all."""
    folder = "" if root.path == "." else root.path
    match root.kind:
        case "kustomize":
            return folder in tree.kustomizations
        case "helm":
            return folder in tree.charts
        case _:
            return False


def _composed(
    target: Target, composer: Composer, settings: Settings
) -> tuple[LoadedTarget, Mapping[Side, Sequence[Finding]]]:
    """The snapshots of a target, and what is wrong with its objects at each revision."""
    stated = {entry.name: entry.namespace for entry in settings.targets}
    namespace = stated.get(target.name) or settings.default_namespace
    objects = {
        side: [composer.objects(p.documents, p.namespace or namespace) for p in pieces]
        for side, pieces in target.pieces.items()
    }
    snapshots, twice = merge(
        {side: [found.resources for found in own] for side, own in objects.items()}
    )
    noticed = {
        side: [
            finding.with_(target=target.name)
            for finding in (*(f for entry in own for f in entry.findings), *twice[side])
        ]
        for side, own in objects.items()
    }
    nothing = Snapshot()
    loaded = LoadedTarget(
        target.name,
        target.kind,
        snapshots.get(Side.BASE, nothing),
        snapshots.get(Side.HEAD, nothing),
        namespace,
    )
    return loaded, noticed


def _judged(noticed: Mapping[Side, Iterable[Finding]]) -> Iterable[Finding]:
    """The findings of both revisions as new, existing or fixed, each once."""
    head = {finding.fingerprint: finding for finding in noticed.get(Side.HEAD, ())}
    if Side.BASE not in noticed:
        return [finding.with_(status=Status.EXISTING) for finding in head.values()]
    base = {finding.fingerprint: finding for finding in noticed[Side.BASE]}
    fixed = [_fixed(finding) for found, finding in base.items() if found not in head]
    return [
        *(
            finding.with_(status=Status.EXISTING if found in base else Status.NEW)
            for found, finding in head.items()
        ),
        *fixed,
    ]


def _fixed(finding: Finding) -> Finding:
    places = tuple(replace(place, side=Side.BASE) for place in finding.locations)
    return finding.with_(status=Status.FIXED, locations=places)


def _assumptions(composer: Composer, settings: Settings) -> tuple[Assumption, ...]:
    if not composer.assumed_namespace:
        return ()
    stated = settings.default_namespace != Settings().default_namespace
    source = "settings" if stated else "default"
    return (Assumption("defaultNamespace", settings.default_namespace, source),)
