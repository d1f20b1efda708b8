"""Write sync waves and barriers for one change into the manifests, and prove what comes of it.

A plan in which each object is written once becomes waves; what has been written is read again, put
into the order that Argo CD would sync it in, and proven with nothing assumed in its favour. Only
then are files changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from posixpath import dirname, join

from meshplan.argocd.assess import assessed, difference_of, planned
from meshplan.argocd.barrier import FILE, Barriers, barrier_file, is_barrier
from meshplan.argocd.edit import Annotation, EditError, annotated, listed, written
from meshplan.argocd.order import wave_of
from meshplan.argocd.overlay import Overlay, content_of
from meshplan.argocd.waves import LAST, Numbered, number
from meshplan.dataclass import dataclass
from meshplan.deployers import Options
from meshplan.deployers.argocd import HOOK, OPTIONS, WAVE
from meshplan.deployers.deployer import pruned, words
from meshplan.errors import UsageError
from meshplan.identity import ResourceId
from meshplan.plan import Plan
from meshplan.resource import Resource
from meshplan.result import TargetResult, Verdict
from meshplan.run.plan import Difference
from meshplan.run.request import Progress, Request, load, settings_for
from meshplan.settings import Settings
from meshplan.source.git import open_revisions
from meshplan.source.load import LoadedTarget
from meshplan.source.revision import Revision

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


_SPLIT = "with stamps it is no longer one target: perhaps an object is defined in two files"
_HELD = "it could be stamped, but another target is refused; --target stamps one alone"


@dataclass(frozen=True, slots=True)
class Stamped:
    """What became of one target."""

    name: str
    #: safe (nothing has to be done), stamped, refused, or held (it could be stamped alone).
    outcome: str
    why: str = ""
    waves: Mapping[ResourceId, int] = field(default_factory=dict)
    barriers: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stamping:
    """What is to be written, by path, and what it means for each target."""

    targets: tuple[Stamped, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    before: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def is_safe(self) -> bool:
        """Whether every target is synced safely once the files are written."""
        return all(target.outcome != "refused" for target in self.targets)


@dataclass(frozen=True, slots=True)
class _Edits:
    """Annotations by file, and lists of barriers by the file they go to."""

    annotations: dict[str, dict[tuple[int, str], Annotation]] = field(default_factory=dict)
    barriers: dict[str, str] = field(default_factory=dict)


def stamp(
    request: Request, how: Barriers, progress: Progress, *, prune_last: bool = False
) -> Stamping:
    """Compute the stamps of all targets that change. Raises UsageError for two commits."""
    progress("opening the revisions")
    opened = open_revisions(request.directory, request.revisions)
    if opened.head.commit is not None:
        raise UsageError(
            "stamps are written into the working tree, and the range names two commits",
            hint="name only what to compare with, as in `meshplan argocd stamp main`",
        )
    settings, _ = settings_for(request, opened.base, opened.head)
    settings = settings.with_(proof=replace(settings.proof, enabled=True))
    in_use = {entry.name: entry for entry in settings.deployers}
    last = prune_last or ("argocd" in in_use and in_use["argocd"].prune_last)
    run = _Run(request, settings, Options(prune_last=last), how, opened.base, opened.head)
    run.urls = tuple(remote.url for remote in opened.repository.remotes)
    return run.stamping(progress)


@dataclass
class _Run:
    """One run: what is read, and what is decided on the way."""

    request: Request
    settings: Settings
    options: Options
    how: Barriers
    base: Revision
    head: Revision
    urls: tuple[str, ...] = ()

    def stamping(self, progress: Progress) -> Stamping:
        edits = _Edits()
        first = {}
        for target in self._loaded(self.head):
            progress(f"planning {target.name}")
            first[target.name] = self._first(target, edits)
        files, before = self._files(edits)
        again = {target.name: target for target in self._loaded(Overlay(self.head, files))}
        proven = []
        for name, found in first.items():
            progress(f"proving {name}")
            proven.append(self._second(found, again.get(name)))
        made = Stamping(tuple(proven), files, before)
        if made.is_safe:
            return made
        # Half of the stamps are worse than none: what was proven is all of them together.
        return Stamping(
            tuple(
                replace(found, outcome="held", why=_HELD) if found.outcome == "stamped" else found
                for found in proven
            )
        )

    def _loaded(self, head: Revision) -> tuple[LoadedTarget, ...]:
        return load(self.request, self.base, head, self.settings, self.urls).targets

    def _first(self, target: LoadedTarget, edits: _Edits) -> Stamped:
        """Whether the target is safe as it is, and otherwise the stamps that it needs."""
        difference = difference_of(target.base, target.head, self.settings)
        if not len(difference.changes):
            return Stamped(target.name, "safe", "nothing changes")
        if assessed(difference, self.options, self.settings).is_safe:
            return Stamped(target.name, "safe", "the sync is safe as it is")
        result = planned(target.name, difference, self.settings)
        numbered = self._numbered(result, difference)
        if isinstance(numbered, str):
            return Stamped(target.name, "refused", numbered)
        try:
            self._note(numbered, difference, edits)
        except EditError as error:
            return Stamped(target.name, "refused", error.sentence)
        return Stamped(target.name, "stamped", "", numbered.waves, numbered.barriers)

    def _second(self, found: Stamped, target: LoadedTarget | None) -> Stamped:
        """The target as it will be: is it only stamped, and is the sync safe?"""
        if target is None:
            return replace(found, outcome="refused", why=_SPLIT)
        difference = difference_of(target.base, target.head, self.settings)
        missing = self._missing(found, target)
        if missing:
            return replace(found, outcome="refused", why=missing)
        assessment = assessed(difference, self.options, self.settings)
        if assessment.is_safe or found.outcome == "refused":
            return found
        return replace(found, outcome="refused", why=f"not safe even with waves: {assessment.why}")

    def _missing(self, found: Stamped, target: LoadedTarget) -> str:
        for id_, wave in found.waves.items():
            if target.head[id_].annotations.get(WAVE) != str(wave):
                return f"{id_} does not get its wave {wave}: it is not written where it seems to be"
        barriers = [job for job in target.head.of_kind("batch", "Job") if is_barrier(job)]
        if len(barriers) < len(found.barriers):
            return f"{FILE} is not part of the target: nothing names it"
        return ""

    # Waves

    def _numbered(self, result: TargetResult, difference: Difference) -> Numbered | str:
        plan = result.plan or Plan()
        if result.impossible is not None:
            return f"no order is safe: {result.impossible.sentence}"
        if result.verdict not in (Verdict.SAFE, Verdict.SAFE_IN_ORDER):
            unknowns = result.proof.unknowns if result.proof else ()
            why = result.tried or next((found.why for found in unknowns), "it is not proven")
            return f"no safe order is known: {why}"
        return number(plan, self._fixed(difference))

    def _fixed(self, difference: Difference) -> dict[ResourceId, int]:
        """Waves that stand: of deletions, and of writes that the user has put into one."""
        gone = [
            r
            for r in pruned(difference.changes)
            if "Prune=false" not in words(r.annotations, OPTIONS) and HOOK not in r.annotations
        ]
        own = {r.id: wave_of(r) for r in gone}
        distinct = sorted(set(own.values()))
        mirror = dict(zip(distinct, reversed(distinct), strict=True))
        fixed = {
            r.id: LAST
            if self.options.prune_last or "PruneLast=true" in words(r.annotations, OPTIONS)
            else mirror[own[r.id]]
            for r in gone
        }
        head = difference.head.snapshot
        ids = {c.after.id for c in difference.changes if hasattr(c, "after")}
        for id_ in ids:
            if id_ not in fixed and not self._is_free(head[id_]):
                fixed[id_] = wave_of(head[id_])
        return fixed

    def _is_free(self, resource: Resource) -> bool:
        """Whether the wave of an object is ours to choose: it has none, or one of ours."""
        try:
            found = written(self._text(resource), resource.origin.path, _place(resource))
        except EditError:
            return False
        return found.kind == resource.id.kind and (found.value is None or found.ours)

    def _text(self, resource: Resource) -> str:
        content = content_of(self.head, resource.origin.path)
        try:
            if content is not None:
                return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        raise EditError("the file cannot be read as text", path=resource.origin.path)

    # Edits

    def _note(self, numbered: Numbered, difference: Difference, edits: _Edits) -> None:
        """Note what has to be written. Raises EditError where two targets want different things."""
        head = difference.head.snapshot
        for id_, wave in numbered.waves.items():
            resource = head[id_]
            one = replace(_place(resource), value=str(wave), why=_reason(id_, difference))
            place = (one.document, one.pointer)
            file = edits.annotations.setdefault(resource.origin.path, {})
            if place in file and file[place].value != one.value:
                raise EditError(
                    f"{id_} is in several targets, and they need different waves",
                    path=resource.origin.path,
                )
            file[place] = one
        if numbered.barriers and numbered.waves:
            first = head[min(numbered.waves)]
            path = join(dirname(first.origin.path), FILE)
            text = barrier_file(numbered.barriers, first.id.namespace, self.how)
            if edits.barriers.setdefault(path, text) != text:
                raise EditError("several targets need different barriers", path=path)

    def _files(self, edits: _Edits) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """What is to be written, and what is there now."""
        made: dict[str, str] = {}
        for path, found in edits.annotations.items():
            content = content_of(self.head, path) or b""
            made[path] = annotated(content.decode("utf-8"), path, list(found.values()))
        for path, text in edits.barriers.items():
            made[path] = text
            made |= self._naming(path, made)
        there = {path: content_of(self.head, path) for path in made}
        files = {p: text.encode() for p, text in made.items() if text.encode() != there[p]}
        return files, {p: content for p, content in there.items() if content is not None}

    def _naming(self, path: str, made: Mapping[str, str]) -> dict[str, str]:
        """The kustomization beside a file, if there is one, with the file among its resources."""
        for name in _KUSTOMIZATIONS:
            beside = join(dirname(path), name)
            content = content_of(self.head, beside)
            if content is not None:
                text = made.get(beside, content.decode("utf-8"))
                return {beside: listed(text, beside, "resources", FILE)}
        return {}


def _place(resource: Resource) -> Annotation:
    return Annotation(resource.origin.document, resource.origin.pointer, WAVE, "")


def _reason(id_: ResourceId, difference: Difference) -> str:
    """What an object waits for, or what waits for it."""
    before = [edge.first for edge in difference.graph.edges if edge.then == id_]
    after = [edge.then for edge in difference.graph.edges if edge.first == id_]
    if before:
        return f"after {_names(before)}"
    return f"before {_names(after)}" if after else "in the order of the change"


def _names(ids: Iterable[ResourceId]) -> str:
    found = list(dict.fromkeys(str(id_) for id_ in ids))
    return ", ".join(found[:2]) + (f" and {len(found) - 2} more" if len(found) > 2 else "")
