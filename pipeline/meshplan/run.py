"""The stages in the order in which they run: revisions, settings, targets; for each target its
changes, their graph, the plan and the findings; then the result.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meshplan.diff import ChangeSet, Create, Delete, diff
from meshplan.errors import UsageError
from meshplan.finding import Finding, Severity, Status
from meshplan.graph import dependency_graph
from meshplan.location import Side
from meshplan.mesh import Mesh
from meshplan.mesh.config import mesh_config
from meshplan.plan import Plan
from meshplan.planner import order
from meshplan.resource import Resource, Snapshot
from meshplan.result import Result, RevisionName, TargetResult, Verdict
from meshplan.schema import shape_findings
from meshplan.schema.wording import did_you_mean
from meshplan.settings import Assumption, Settings, World
from meshplan.source.alone import open_alone
from meshplan.source.cache import Cache
from meshplan.source.git import open_revisions
from meshplan.source.load import Loaded, LoadedTarget, load_targets
from meshplan.source.places import located
from meshplan.source.revision import Revision, changed_paths
from meshplan.source.settings import changed_settings, file_settings, revision_settings
from meshplan.source.yaml import parse

#: Tells whoever waits what is being done.
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user wants to know."""

    directory: Path
    #: The day that counts as today, as in 2026-11-20.
    as_of: str
    #: `BASE..HEAD` and its relatives; None compares the working tree with HEAD. To look at one
    #: revision alone, its name; None for the working tree.
    revisions: str | None = None
    #: Whether the index is compared, not the working tree.
    staged: bool = False
    #: A settings file in the place of the repository's.
    config: Path | None = None
    #: The targets to look at; empty for all.
    targets: tuple[str, ...] = ()
    closed: bool = False
    fail_on: Severity | None = None
    cached: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """What became of one target."""

    result: TargetResult
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def diff_revisions(request: Request, progress: Progress) -> Result:
    """What changes between two revisions, in which order, and what is wrong with it."""
    progress("opening the revisions")
    opened = open_revisions(request.directory, request.revisions, staged=request.staged)
    base, head = opened.base, opened.head
    settings, noted = _settings(request, base, head)
    progress("reading manifests")
    urls = tuple(remote.url for remote in opened.repository.remotes)
    loaded = _load(request, base, head, settings, urls)
    examined = []
    for target in loaded.targets:
        progress(f"comparing {target.name}")
        examined.append(_compare(target, settings))
    result = _result(request, (base, head), settings, loaded, examined)
    result = replace(result, findings=(*noted, *result.findings))
    anything = any(len(one.result.changes) for one in examined)
    if request.revisions is not None or anything or changed_paths(base, head):
        return result
    return replace(result, suggestion=opened.repository.suggestion)


def check_revision(request: Request, progress: Progress, paths: Sequence[Path] = ()) -> Result:
    """What is wrong with one revision; files and folders, if any, leave out all else."""
    progress("opening the revision")
    revision, wanted = open_alone(request.directory, request.revisions, paths)
    settings, _ = _settings(request, None, revision)
    progress("reading manifests")
    loaded = _load(request, None, revision, settings, ())
    examined = [_examine(target, settings) for target in loaded.targets]
    result = _result(request, (None, revision), settings, loaded, examined)
    return _within(result, wanted) if any(wanted) else result


def _settings(
    request: Request, base: Revision | None, head: Revision
) -> tuple[Settings, tuple[Finding, ...]]:
    """The settings in force, and what the head would make of them.

    Between two commits those of the base hold, so that a change cannot approve itself.
    """
    noted: tuple[Finding, ...] = ()
    if request.config is not None:
        settings = file_settings(request.config)
    elif base is not None and head.commit is not None:
        settings, noted = revision_settings(base), changed_settings(base, head)
    else:
        settings = revision_settings(head)
    if request.closed:
        settings = settings.with_(world=World.CLOSED)
    if request.fail_on is not None:
        settings = settings.with_(fail_on=request.fail_on)
    return settings, noted


def _load(
    request: Request,
    base: Revision | None,
    head: Revision,
    settings: Settings,
    urls: tuple[str, ...],
) -> Loaded:
    cache = Cache.open(enabled=request.cached)
    only = request.targets
    loaded = load_targets(base, head, settings, repo_urls=urls, cache=cache, only=only)
    found = {target.name for target in loaded.targets} | {e.target for e in loaded.coverage}
    for name in only:
        if name not in found:
            raise UsageError(
                f'no target "{name}"{did_you_mean(name, found)}',
                hint="`meshplan targets` lists them",
            )
    return loaded


def _compare(target: LoadedTarget, settings: Settings) -> Examined:
    """The changes of one target, the order they need, and what is wrong with what changed."""
    changes = diff(target.base, target.head)
    sizes = (len(target.base), len(target.head))
    if not len(changes):
        return Examined(
            TargetResult(target.name, Verdict.UNCHANGED, target.kind, *sizes, plan=Plan())
        )
    base, _ = _mesh(target.base, settings)
    head, assumptions = _mesh(target.head, settings)
    graph = dependency_graph(changes, base, head)
    before, after = _touched(changes)
    result = TargetResult(
        target.name,
        Verdict.UNKNOWN,
        target.kind,
        *sizes,
        changes,
        graph.edges,
        graph.cycles,
        order(changes, graph, base, head),
    )
    findings = _with_status(_shapes(before, target), _shapes(after, target))
    return Examined(result, findings, assumptions)


def _examine(target: LoadedTarget, settings: Settings) -> Examined:
    """One target at one revision."""
    _, assumptions = _mesh(target.head, settings)
    found = _shapes(target.head.values(), target)
    return Examined(
        TargetResult(target.name, Verdict.UNCHANGED, target.kind, after=len(target.head)),
        tuple(finding.with_(status=Status.EXISTING) for finding in found),
        assumptions,
    )


def _mesh(snapshot: Snapshot, settings: Settings) -> tuple[Mesh, tuple[Assumption, ...]]:
    config, assumptions = mesh_config(snapshot, settings.mesh, _parse_text)
    return Mesh.of(snapshot, config, settings.world), assumptions


def _parse_text(text: str) -> Any:
    """The one document that a string inside a manifest holds; None if it holds none."""
    documents = parse(text.encode("utf-8", "surrogateescape"), "").documents
    return documents[0].value if len(documents) == 1 else None


def _touched(changes: ChangeSet) -> tuple[list[Resource], list[Resource]]:
    before = [change.before for change in changes if not isinstance(change, Create)]
    after = [change.after for change in changes if not isinstance(change, Delete)]
    return before, after


def _shapes(resources: Iterable[Resource], target: LoadedTarget) -> tuple[Finding, ...]:
    return tuple(
        finding.with_(target=target.name)
        for resource in resources
        for finding in shape_findings(resource)
    )


def _with_status(before: tuple[Finding, ...], after: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """New, existing or fixed, by what both revisions have."""
    was = {finding.fingerprint for finding in before}
    now = {finding.fingerprint for finding in after}
    status = {True: Status.EXISTING, False: Status.NEW}
    return (
        *(finding.with_(status=status[finding.fingerprint in was]) for finding in after),
        *(_fixed(finding) for finding in before if finding.fingerprint not in now),
    )


def _fixed(finding: Finding) -> Finding:
    places = tuple(replace(place, side=Side.BASE) for place in finding.locations)
    return finding.with_(status=Status.FIXED, locations=places)


def _result(
    request: Request,
    revisions: tuple[Revision | None, Revision],
    settings: Settings,
    loaded: Loaded,
    examined: Sequence[Examined],
) -> Result:
    base, head = revisions
    findings = (*loaded.findings, *(found for one in examined for found in one.findings))
    facts = [
        *_settings_used(request, settings, base, head),
        *loaded.assumptions,
        *(fact for one in examined for fact in one.assumptions),
    ]
    return Result(
        base=RevisionName(base.name, base.commit) if base else None,
        head=RevisionName(head.name, head.commit),
        as_of=request.as_of,
        targets=tuple(one.result for one in examined),
        findings=located(findings, base, head, lambda: _documents(loaded)),
        coverage=loaded.coverage,
        assumptions=tuple(dict.fromkeys(facts)),
        problems=loaded.problems,
        settings=settings,
    )


def _settings_used(
    request: Request, settings: Settings, base: Revision | None, head: Revision
) -> Iterator[Assumption]:
    """Which settings hold, where there are any to choose from."""
    if settings.source:
        of_base = base is not None and head.commit is not None and request.config is None
        where = base.name if base is not None and of_base else head.name
        source = "command line" if request.config else where
        yield Assumption("settings", settings.source, source)
    if settings.world is World.CLOSED:
        source = "command line" if request.closed else settings.source
        yield Assumption("world", "closed", source)


def _documents(loaded: Loaded) -> dict[tuple[Side, str, int], int]:
    """Which document of a file each object is, by side, path and first line."""
    return {
        (side, found.origin.path, found.origin.line): found.origin.document
        for target in loaded.targets
        for side, snapshot in ((Side.BASE, target.base), (Side.HEAD, target.head))
        for found in snapshot.values()
        if found.origin.line is not None
    }


def _within(result: Result, paths: Sequence[str]) -> Result:
    """The part of a result that is about files and folders."""

    def inside(path: str) -> bool:
        return any(path == wanted or path.startswith(f"{wanted}/") for wanted in paths)

    return replace(
        result,
        findings=tuple(
            found
            for found in result.findings
            if any(inside(place.path) for place in found.locations)
        ),
        coverage=tuple(
            entry
            for entry in result.coverage
            if inside(entry.path) or any(f"{p}/".startswith(f"{entry.path}/") for p in paths)
        ),
        problems=tuple(p for p in result.problems if p.path is None or inside(p.path)),
    )
