"""Renders units of both revisions: each distinct thing once, two at a time, in a temporary copy."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.errors import RenderError
from meshplan.resource import Document, Origin
from meshplan.result import CoverageStatus
from meshplan.settings import Settings
from meshplan.source.documents import Manifests
from meshplan.source.render import helm, kustomize, plain
from meshplan.source.render.kustomize_files import Closure, Walker
from meshplan.source.render.process import LimitError, find_helm, find_kustomize, watching_the_disk
from meshplan.source.render.remember import key_of, recall, remember
from meshplan.source.render.workspace import REPOSITORY, UnreadError, Workspace
from meshplan.source.tree import Tree
from meshplan.source.units import Chart, Folder, Kustomization, Outcome, Recipe, Refused

#: Renderers are processes of their own: more at once than cores only costs memory.
_AT_ONCE = 2

_Key = tuple[Recipe, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Job:
    """A recipe with what it needs: its inputs, and how to run it once they are in place."""

    inputs: Mapping[str, str]
    run: Callable[[], tuple[Document, ...]]
    #: Where the inputs have to be put; None where nothing is run.
    workspace: Workspace | None = None
    #: The name under which the result is remembered; "" where it is not.
    memory: str = ""


@dataclass(slots=True)
class Renderer:
    """Turns recipes into documents; the same recipe over the same files is rendered once."""

    manifests: Manifests
    settings: Settings
    scratch: Path
    _done: dict[_Key, Outcome] = field(default_factory=dict)
    _spaces: dict[int, Workspace] = field(default_factory=dict)
    _count: int = 0

    def render(self, requests: Sequence[tuple[Tree, Recipe]]) -> tuple[Outcome, ...]:
        """What becomes of each recipe over the tree beside it."""
        prepared = [self._prepared(tree, recipe) for tree, recipe in requests]
        waiting: dict[_Key, Job] = {}
        for (_, recipe), job in zip(requests, prepared, strict=True):
            if isinstance(job, Job) and _key(recipe, job) not in self._done:
                waiting.setdefault(_key(recipe, job), job)
        self._done.update(self._outcomes(waiting))
        return tuple(
            job if isinstance(job, Outcome) else self._done[_key(recipe, job)]
            for (_, recipe), job in zip(requests, prepared, strict=True)
        )

    def _outcomes(self, waiting: Mapping[_Key, Job]) -> Mapping[_Key, Outcome]:
        """What becomes of jobs, by running those of which nothing is remembered."""
        known = recall(self.manifests.cache, [job.memory for job in waiting.values() if job.memory])
        rest = {key: job for key, job in waiting.items() if job.memory not in known}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            ran = dict(zip(rest, pool.map(self._run, rest.values()), strict=True))
        results = {job.memory: ran[key] for key, job in rest.items() if job.memory}
        rendered = {memory: o.documents for memory, o in results.items() if o.complete}
        remember(self.manifests.cache, rendered)
        recalled = {
            key: Outcome(CoverageStatus.RENDERED, known[job.memory], "", job.inputs)
            for key, job in waiting.items()
            if job.memory in known
        }
        return {**ran, **recalled}

    def _prepared(self, tree: Tree, recipe: Recipe) -> Job | Outcome:
        match recipe:
            case Refused(why):
                return Outcome(CoverageStatus.SKIPPED, why=why)
            case Folder():
                return self._folder(tree, recipe)
            case Kustomization():
                return self._kustomization(tree, recipe)
            case Chart():
                return self._chart(tree, recipe)
            case _:
                assert_never(recipe)

    def _run(self, job: Job) -> Outcome:
        try:
            if job.workspace is not None:
                job.workspace.place(job.inputs)
            documents = job.run()
        except UnreadError as error:
            return _not_run(error.message, job.inputs, own_fault=False)
        except RenderError as error:
            why = f"{error.message}; {error.hint}" if error.hint else error.message
            lasting = not isinstance(error, LimitError)
            return Outcome(CoverageStatus.FAILED, (), why, job.inputs, own_fault=lasting)
        return Outcome(CoverageStatus.RENDERED, documents, "", job.inputs)

    def _folder(self, tree: Tree, recipe: Folder) -> Job | Outcome:
        paths = plain.files_of(recipe, tree)
        inputs = self._inputs(tree, paths)
        documents = plain.documents_of(paths, tree, self.manifests)
        for path in paths:
            unread = plain.unread(self.manifests.file(tree, path), tree)
            if unread is not None:
                status, why = unread
                broken = status is CoverageStatus.FAILED
                return Outcome(status, documents, f"{path} {why}", inputs, own_fault=broken)
        return Outcome(CoverageStatus.RENDERED, documents, "", inputs)

    def _kustomization(self, tree: Tree, recipe: Kustomization) -> Job | Outcome:
        walker = Walker(tree, self.manifests)
        closure = walker.closure(recipe.path, generated=recipe.generated)
        if recipe.overlay:
            walker.add(closure, "", json.loads(recipe.overlay))
        inputs = self._inputs(tree, closure.files)
        if closure.why:
            return _not_run(closure.why, inputs, own_fault=closure.own_fault)
        listed = () if closure.transforms or recipe.overlay else self._listed(tree, closure)
        if listed:
            via = f"kustomize {recipe.path or '.'}"
            return Job(inputs, lambda: kustomize.as_listed(listed, via))
        tool = find_kustomize() if self.settings.render.enabled else None
        if tool is None:
            return _not_run(self._absent("kustomize or kubectl"), inputs, own_fault=False)
        own = walker.kustomization(recipe.path) if recipe.path in tree.kustomizations else None
        metadata = (own or {}).get("buildMetadata")
        self._count += 1
        build = kustomize.Build(
            recipe,
            self._space(tree),
            () if own is not None else walker.listed(recipe.path),
            tuple(str(word) for word in metadata) if isinstance(metadata, list) else (),
            self._count,
            recipe.unrestricted and closure.beside,
        )
        locate = Locator(tree, self.manifests)
        return Job(
            inputs,
            lambda: kustomize.build(build, tool, self.settings.render, locate.place),
            build.workspace,
            key_of(recipe, inputs, tool),
        )

    def _listed(self, tree: Tree, closure: Closure) -> tuple[Document, ...]:
        """The objects of kustomizations that only list files; () where Kustomize has to tell."""
        if not self.settings.render.enabled:
            return ()
        documents: list[Document] = []
        for path in closure.resources:
            file = self.manifests.file(tree, path)
            if file.findings or file.template:
                return ()
            documents.extend(file.documents)
        return tuple(documents) if kustomize.is_plain(documents) else ()

    def _chart(self, tree: Tree, recipe: Chart) -> Job | Outcome:
        chart = helm.files_of(recipe, tree, self.manifests)
        inputs = self._inputs(tree, chart.files)
        if chart.why:
            return _not_run(chart.why, inputs, own_fault=chart.own_fault)
        tool = find_helm() if self.settings.render.enabled else None
        if tool is None:
            return _not_run(self._absent("helm"), inputs, own_fault=False)
        self._count += 1
        version = self.settings.mesh.kubernetes_version or ""
        release = helm.Release(recipe, self._space(tree), chart.copies, version, self._count)
        return Job(
            inputs,
            lambda: helm.template(release, tool, self.settings.render),
            release.workspace,
            key_of(recipe, inputs, tool, version),
        )

    def _absent(self, tool: str) -> str:
        if not self.settings.render.enabled:
            return "rendering is switched off in the settings"
        return f"{tool} is not on PATH: install it to have this rendered"

    def _inputs(self, tree: Tree, paths: Sequence[str] | set[str]) -> Mapping[str, str]:
        return {path: self.manifests.blob(tree, path) for path in sorted(paths)}

    def _space(self, tree: Tree) -> Workspace:
        known = self._spaces.get(id(tree))
        if known is None:
            with watching_the_disk():
                folder = Path(tempfile.mkdtemp(prefix="tree-", dir=self.scratch))
                home = Path(tempfile.mkdtemp(prefix="home-", dir=self.scratch))
            known = self._spaces[id(tree)] = Workspace(tree, folder / REPOSITORY, home)
        return known


@dataclass(frozen=True, slots=True)
class Locator:
    """Finds where in a file of a tree a rendered object was written."""

    tree: Tree
    manifests: Manifests

    def place(self, path: str, kind: str, name: str) -> Origin:
        """The document of that kind and name, else the only one of that kind, else the file."""
        if path not in self.tree.files:
            return Origin(path)
        documents = self.manifests.file(self.tree, path).documents
        alike = [d for d in documents if _field(d.value, "kind") == kind]
        named = [d for d in alike if _name(d.value) == name]
        # A name prefix or suffix, or the hash that a generator appends.
        kept = [d for d in alike if _name(d.value) and _name(d.value) in name]
        chosen = named or kept or alike
        return chosen[0].origin if chosen else Origin(path, 1 if documents else None)


@contextmanager
def rendering(manifests: Manifests, settings: Settings) -> Iterator[Renderer]:
    """A renderer whose temporary files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="meshplan-", ignore_cleanup_errors=True) as scratch:
        yield Renderer(manifests, settings, Path(scratch))


def _not_run(why: str, inputs: Mapping[str, str], *, own_fault: bool) -> Outcome:
    """A unit that is wrong in itself, or that is none of meshplan's business."""
    status = CoverageStatus.FAILED if own_fault else CoverageStatus.SKIPPED
    return Outcome(status, (), why, inputs, own_fault=own_fault)


def _key(recipe: Recipe, job: Job) -> _Key:
    return recipe, frozenset(job.inputs.items())


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _name(value: object) -> str:
    name = _field(_field(value, "metadata"), "name")
    return name if isinstance(name, str) else ""
