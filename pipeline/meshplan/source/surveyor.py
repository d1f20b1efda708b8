"""The walk through one revision: what its files hold, and what they ask to be rendered."""

import hashlib
import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.resource import Document
from meshplan.result import CoverageStatus
from meshplan.settings import Settings, TargetSettings
from meshplan.source.documents import ManifestFile, Manifests
from meshplan.source.entrances import entrances
from meshplan.source.globs import anchored
from meshplan.source.layout import ASKING, Layout, layout_of, layout_within
from meshplan.source.pieces import PLAIN, Entry, Piece, Root, Survey
from meshplan.source.releases import release_of, releases
from meshplan.source.render import plain
from meshplan.source.render.argocd import ArgoCD
from meshplan.source.render.flux import Flux
from meshplan.source.repository import NOTED, Known, OwnRepository
from meshplan.source.tree import MANIFEST_SUFFIXES, Tree, is_foreign
from meshplan.source.units import Folder, Kustomization, Outcome, Unit

#: Levels of things that ask for things, more than anyone has.
_MAX_DEPTH = 12
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
    #: The namespace for a unit that says none.
    namespace: str = ""


@dataclass(slots=True)
class Surveyor:
    """Walks one revision: `start`, then `take` for every job, then `result`."""

    tree: Tree
    manifests: Manifests
    own: OwnRepository
    settings: Settings
    known: Known = field(default_factory=Known)
    pieces: list[Piece] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    files: list[ManifestFile] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    #: Requests in files, by the document that makes them, that no rendered document has made.
    requests: dict[tuple[str, int], list[tuple[str, Unit]]] = field(default_factory=dict)
    seen: set[tuple[Root, str, str, Unit]] = field(default_factory=set)

    def start(self) -> list[Job]:
        """Read the manifests; the first jobs, of the targets that are stated or else found."""
        self.files = [self.manifests.file(self.tree, path) for path in self.tree.manifests]
        for file in self.files:
            if not file.kinds.isdisjoint(NOTED):
                for document in file.documents:
                    self.known.note(document)
        if self.settings.targets:
            stated = self.settings.targets
            return list(self._fresh(job for target in stated for job in self._stated(target)))
        layout = layout_of(self.tree, self.manifests, self._units)
        for request in layout.requests:
            asked = (_definition(request.document), request.unit)
            self.requests.setdefault(_key(request.document), []).append(asked)
        return list(self._fresh(self._found(layout))) or self.unreached()

    def take(self, job: Job, outcome: Outcome, documents: tuple[Document, ...]) -> Iterator[Job]:
        """Keep what became of a job; the jobs that its documents ask for."""
        unit = job.unit
        piece = Piece(
            job.root,
            job.folder,
            unit.name,
            documents,
            unit.kind,
            job.destination,
            unit.namespace or job.namespace,
            job.parent,
            partial=not outcome.complete,
        )
        asked = {unit.name: job.definition} if job.definition else {}
        entry = Entry(
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
        self.pieces.append(piece)
        self.entries.append(entry)
        for document in documents:
            self.known.note(document)
        return self._fresh(self._asked(documents, job, unit.name))

    def unreached(self) -> list[Job]:
        """Requests in files that nothing renders: where Flux enters a cluster of its own."""
        if not self.requests:
            return []
        recipes = {key: [unit.recipe for _, unit in asked] for key, asked in self.requests.items()}
        jobs = [
            Job(unit, PLAIN, posixpath.dirname(key[0]), unit.destination, definition=digest)
            for key in entrances(recipes, self.tree, self.manifests)
            for digest, unit in self.requests.pop(key)
        ]
        return list(self._fresh(jobs)) or self.unreached()

    def result(self) -> Survey:
        """What was found."""
        files = self.files
        if self.settings.targets:
            within = anchored(path for target in self.settings.targets for path in target.paths)
            used = {path for entry in self.entries for path in entry.inputs}
            files = [file for file in files if within(file.path) or file.path in used]
        findings = tuple(finding for file in files for finding in file.findings)
        entries = (*self.entries, *self._withheld())
        return Survey(tuple(self.pieces), entries, findings, tuple(self.unlisted))

    def _found(self, layout: Layout) -> Iterator[Job]:
        """The jobs of the targets that the files themselves show."""
        files = {file.path: file for file in self.files}
        self.unlisted = [path for path in layout.unlisted if files[path].has_objects]
        for path in layout.plain:
            yield from self._plain(files[path], PLAIN, path.rpartition("/")[0])
        for folder in layout.roots:
            yield _root_job(folder, _kustomize_unit(folder))
        for chart in layout.charts:
            for unit in releases(chart, self.tree, self.settings.default_namespace):
                yield _root_job(chart, unit)

    def _stated(self, target: TargetSettings) -> Iterator[Job]:
        """The jobs of a target that the settings name: all it has goes into one root."""
        root = Root(target.kind or "plain", target.name)
        namespace = target.namespace or ""
        layout = layout_within(self.tree, self.manifests, self._units, target)
        for path in layout.plain:
            yield from self._plain(self.manifests.file(self.tree, path), root, "", namespace)
        for folder in layout.roots:
            yield Job(_kustomize_unit(folder), root, "", namespace=namespace)
        for chart in layout.charts:
            unit = release_of(chart, target, self.settings.default_namespace)
            yield Job(unit, root, "", namespace=namespace)

    def _plain(
        self, file: ManifestFile, root: Root, folder: str, namespace: str = ""
    ) -> Iterator[Job]:
        unread = self._unread(file, root, folder)
        if unread:
            self.entries.append(unread)
        if unread or file.has_objects:
            # What ytt puts in changes objects, it does not hide them: none is missing here.
            partial = unread is not None and not (file.template == "ytt" and file.documents)
            self.pieces.append(
                Piece(root, folder, file.path, file.documents, namespace=namespace, partial=partial)
            )
        if not file.kinds.isdisjoint(ASKING):
            yield from self._asked(file.documents, Job(_NO_UNIT, root, folder), "")

    def _asked(self, documents: Iterable[Document], job: Job, parent: str) -> Iterator[Job]:
        for document in documents:
            self.requests.pop(_key(document), None)
            for unit in self._units(document, job.folder):
                elsewhere = "" if self.settings.targets else unit.destination
                yield Job(
                    unit,
                    job.root,
                    job.folder,
                    elsewhere or job.destination,
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

    def _units(self, document: Document, cluster: str = "") -> Sequence[Unit]:
        if document.kind not in ASKING:
            return ()
        flux = Flux(self.tree, self.own, self.known, cluster)
        argo = ArgoCD(self.tree, self.own, lambda path: self.manifests.content(self.tree, path))
        return (*flux.units(document), *argo.units(document))

    def _unread(self, file: ManifestFile, root: Root, folder: str) -> Entry | None:
        """The entry for a file of which something is not read; None if all of it is."""
        found = plain.unread(file, self.tree)
        if found is None:
            return None
        status, why = found
        inputs = {file.path: file.blob}
        broken = status is CoverageStatus.FAILED
        return Entry(root, folder, file.path, "plain", status, why, inputs, own_fault=broken)

    def _withheld(self) -> Iterator[Entry]:
        """Entries for what is in the revision and not at hand: submodules, sparse folders."""
        told = {entry.name for entry in self.entries}
        for path, why in self.tree.revision.unread.items():
            name = posixpath.basename(path)
            if path in told or is_foreign(path) or self.tree.ignored(path):
                continue
            if "." in name and not name.endswith(MANIFEST_SUFFIXES):
                continue
            submodule = self.tree.submodules.get(path)
            inputs = {path: submodule.blob} if submodule else {}
            folder = posixpath.dirname(path)
            yield Entry(PLAIN, folder, path, "plain", CoverageStatus.SKIPPED, why, inputs)


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
