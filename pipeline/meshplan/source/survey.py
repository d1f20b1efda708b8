"""What each revision would put into clusters: plain files, and whatever is rendered from files.

What is rendered may ask for more to be rendered (a Flux Kustomization that brings others, an
Application of Applications), so both revisions are walked level by level, and each level is
rendered at once.
"""

import hashlib
import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meshplan.finding import Severity
from meshplan.location import Side
from meshplan.resource import Document
from meshplan.result import CoverageStatus
from meshplan.source.compose import is_configuration
from meshplan.source.documents import ManifestFile, Manifests
from meshplan.source.entrances import entrances
from meshplan.source.finish import Finisher
from meshplan.source.layout import layout_of
from meshplan.source.pieces import PLAIN, Entry, Piece, Root, Survey
from meshplan.source.releases import releases
from meshplan.source.render.argocd import ArgoCD
from meshplan.source.render.flux import Flux
from meshplan.source.render.renderer import Renderer
from meshplan.source.repository import Known, OwnRepository
from meshplan.source.tree import Tree
from meshplan.source.units import Folder, Kustomization, Outcome, Unit

#: Levels of things that ask for things, more than anyone has.
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Job:
    """A unit that waits to be rendered, and where its documents will go."""

    unit: Unit
    root: Root
    folder: str
    destination: str = ""
    parent: str = ""
    depth: int = 0
    #: A digest of what the asking object says about what is to be rendered.
    definition: str = ""


def survey(
    trees: Mapping[Side, Tree],
    manifests: Manifests,
    renderer: Renderer,
    own: OwnRepository,
    namespace: str,
) -> Mapping[Side, Survey]:
    """Read all revisions and render what they ask for."""
    surveyors = {side: _Surveyor(tree, manifests, own) for side, tree in trees.items()}
    finisher = Finisher()
    waiting = {side: surveyor.start(namespace) for side, surveyor in surveyors.items()}
    while any(waiting.values()):
        jobs = [(side, job) for side, found in waiting.items() for job in found]
        outcomes = renderer.render([(trees[side], job.unit.recipe) for side, job in jobs])
        waiting = {side: [] for side in trees}
        for (side, job), outcome in zip(jobs, outcomes, strict=True):
            documents = finisher.finished(job.unit, outcome)
            waiting[side].extend(surveyors[side].take(job, outcome, documents))
        for side, surveyor in surveyors.items():
            waiting[side] = waiting[side] or surveyor.unreached()
    return {side: surveyor.result() for side, surveyor in surveyors.items()}


@dataclass(slots=True)
class _Surveyor:
    """Walks one revision."""

    tree: Tree
    manifests: Manifests
    own: OwnRepository
    known: Known = field(default_factory=Known)
    pieces: list[Piece] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    files: list[ManifestFile] = field(default_factory=list)
    #: Requests in files, by the document that makes them, that no rendered document has made.
    requests: dict[tuple[str, int], list[tuple[str, Unit]]] = field(default_factory=dict)
    seen: set[tuple[Root, str, str, Unit]] = field(default_factory=set)

    def start(self, namespace: str) -> list[Job]:
        """Read the plain files; the units that they and the folders ask for."""
        self.files = [self.manifests.file(self.tree, path) for path in self.tree.manifests]
        for file in self.files:
            for document in file.documents:
                self.known.note(document.value)
        layout = layout_of(self.tree, self.manifests, self._units)
        for request in layout.requests:
            asked = (_definition(request.document), request.unit)
            self.requests.setdefault(_key(request.document), []).append(asked)
        jobs = [job for path in layout.plain for job in self._plain(path)]
        jobs += [_root_job(folder, _kustomize_unit(folder)) for folder in layout.roots]
        jobs += [
            _root_job(chart, unit)
            for chart in layout.charts
            for unit in releases(chart, self.tree, namespace)
        ]
        self.entries.extend(_unlisted(layout.unlisted))
        return list(self._fresh(jobs)) or self.unreached()

    def take(self, job: Job, outcome: Outcome, documents: tuple[Document, ...]) -> Iterator[Job]:
        """Keep what became of a job; the jobs that its documents ask for."""
        unit = job.unit
        partial = not outcome.complete
        asked = {unit.name: job.definition} if job.definition else {}
        self.pieces.append(
            Piece(
                job.root,
                job.folder,
                unit.name,
                documents,
                unit.kind,
                job.destination,
                unit.namespace,
                job.parent,
                partial,
            )
        )
        self.entries.append(
            Entry(
                job.root,
                job.folder,
                unit.name,
                unit.kind,
                outcome.status,
                outcome.why,
                {**outcome.inputs, **asked},
                job.destination,
                outcome.own_fault,
            )
        )
        for document in documents:
            self.known.note(document.value)
        return self._fresh(self._asked(documents, job, unit.name))

    def unreached(self) -> list[Job]:
        """Requests in files that nothing renders: where Flux enters a cluster of its own."""
        if not self.requests:
            return []
        recipes = {key: [unit.recipe for _, unit in asked] for key, asked in self.requests.items()}
        found = entrances(recipes, self.tree, self.manifests)
        jobs = [
            Job(unit, PLAIN, posixpath.dirname(key[0]), unit.destination, definition=digest)
            for key in found
            for digest, unit in self.requests.pop(key)
        ]
        return list(self._fresh(jobs)) or self.unreached()

    def result(self) -> Survey:
        """What was found."""
        findings = tuple(finding for file in self.files for finding in file.findings)
        return Survey(tuple(self.pieces), tuple(self.entries), findings)

    def _plain(self, path: str) -> Iterator[Job]:
        file = self.manifests.file(self.tree, path)
        unread = _unread(file)
        folder = posixpath.dirname(path)
        if unread:
            self.entries.append(unread)
        if unread or any(not is_configuration(d.value) for d in file.documents):
            piece = Piece(PLAIN, folder, path, file.documents, partial=unread is not None)
            self.pieces.append(piece)
        yield from self._asked(file.documents, Job(_NO_UNIT, PLAIN, folder), "")

    def _asked(self, documents: Iterable[Document], job: Job, parent: str) -> Iterator[Job]:
        for document in documents:
            self.requests.pop(_key(document), None)
            for unit in self._units(document):
                yield Job(
                    unit,
                    job.root,
                    job.folder,
                    unit.destination or job.destination,
                    parent,
                    job.depth + 1,
                    _definition(document),
                )

    def _fresh(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Jobs that were not there before: what asks for itself is rendered once."""
        for job in jobs:
            key = (job.root, job.folder, job.destination, job.unit)
            if key not in self.seen and job.depth <= _MAX_DEPTH:
                self.seen.add(key)
                yield job

    def _units(self, document: Document) -> Sequence[Unit]:
        value = document.value
        if not isinstance(value, Mapping) or value.get("kind") not in _ASKING:
            return ()
        flux = Flux(self.tree, self.own, self.known)
        argo = ArgoCD(self.tree, self.own, lambda path: self.manifests.content(self.tree, path))
        return (*flux.units(document), *argo.units(document))


_ASKING = frozenset({"Kustomization", "HelmRelease", "Application", "ApplicationSet"})
#: Fields of Flux and Argo CD objects that say when and how to apply, not what.
_TIMING = frozenset(
    {
        *("interval", "retryInterval", "timeout", "install", "upgrade", "test", "rollback"),
        *("uninstall", "suspend", "dependsOn", "prune", "wait", "healthChecks", "maxHistory"),
        *("driftDetection", "syncPolicy", "ignoreDifferences", "project", "force", "info"),
        *("healthCheckExprs", "revisionHistoryLimit", "deletionPolicy", "decryption"),
    }
)
_NO_UNIT = Unit("plain", "", Folder(""))


def _key(document: Document) -> tuple[str, int]:
    return document.origin.path, document.origin.document


def _definition(document: Document) -> str:
    spec = document.value.get("spec")
    said = {k: v for k, v in spec.items() if k not in _TIMING} if isinstance(spec, Mapping) else {}
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _root_job(folder: str, unit: Unit) -> Job:
    return Job(unit, Root(unit.kind, unit.name), folder)


def _kustomize_unit(folder: str) -> Unit:
    return Unit("kustomize", folder or ".", Kustomization(folder))


def _unread(file: ManifestFile) -> Entry | None:
    """The entry for a file of which something is not read."""
    inputs = {file.path: file.blob}
    folder = posixpath.dirname(file.path)
    if file.template:
        why = f"is a template ({file.template}), not YAML"
        return Entry(PLAIN, folder, file.path, "plain", CoverageStatus.SKIPPED, why, inputs)
    broken = [f for f in file.findings if f.severity is Severity.ERROR]
    if broken:
        why = f"cannot be read: {broken[0].message}"
        failed = CoverageStatus.FAILED
        return Entry(PLAIN, folder, file.path, "plain", failed, why, inputs, own_fault=True)
    return None


def _unlisted(paths: Iterable[str]) -> Iterator[Entry]:
    for path in paths:
        why = "is beside a kustomization that does not refer to it"
        yield Entry(PLAIN, posixpath.dirname(path), path, "kustomize", CoverageStatus.SKIPPED, why)
