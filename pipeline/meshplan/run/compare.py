"""The stages in the order in which they run: revisions, settings, targets; for each target its
changes, their graph, the plan and the findings; then the result.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.diff import ChangeSet, Create, Delete, diff
from meshplan.finding import Finding, Status
from meshplan.graph import dependency_graph
from meshplan.location import Side
from meshplan.plan import Plan
from meshplan.resource import Resource
from meshplan.result import Result, RevisionName, TargetResult, Verdict
from meshplan.run.plan import Difference, with_plan
from meshplan.run.request import Progress, Request, load, mesh_of, settings_for
from meshplan.schema import shape_findings
from meshplan.settings import Assumption, Settings, World
from meshplan.source.alone import open_alone
from meshplan.source.git import open_revisions
from meshplan.source.load import Loaded, LoadedTarget
from meshplan.source.places import located
from meshplan.source.revision import Revision, changed_paths

if TYPE_CHECKING:
    from meshplan.run.rules import Rulebook


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
    settings, noted = settings_for(request, base, head)
    rules = _rulebook(request, base, head, settings)
    progress("reading manifests")
    urls = tuple(remote.url for remote in opened.repository.remotes)
    loaded = load(request, base, head, settings, urls)
    examined = []
    for target in loaded.targets:
        progress(f"comparing {target.name}")
        examined.append(_compare(target, settings, rules, request.deployers, progress))
    result = _result(request, (base, head), settings, loaded, examined)
    result = _with_waivers(result, rules, complete=False)
    meshes = (
        (target.name, mesh_of(target.base, settings)[0], mesh_of(target.head, settings)[0])
        for target in loaded.targets
    )
    notes = rules.changed.previewed(meshes)
    result = replace(result, findings=(*noted, *notes, *result.findings))
    anything = any(len(one.result.changes) for one in examined)
    if request.revisions is not None or anything or changed_paths(base, head):
        return result
    return replace(result, suggestion=opened.repository.suggestion)


def check_revision(request: Request, progress: Progress, paths: Sequence[Path] = ()) -> Result:
    """What is wrong with one revision; files and folders, if any, leave out all else."""
    progress("opening the revision")
    revision, wanted = open_alone(request.directory, request.revisions, paths)
    settings, _ = settings_for(request, None, revision)
    rules = _rulebook(request, None, revision, settings)
    progress("reading manifests")
    loaded = load(request, None, revision, settings, ())
    examined = [_examine(target, settings, rules) for target in loaded.targets]
    result = _result(request, (None, revision), settings, loaded, examined)
    result = _with_waivers(result, rules, complete=not any(wanted) and not request.targets)
    return _within(result, wanted) if any(wanted) else result


def _rulebook(
    request: Request, base: Revision | None, head: Revision, settings: Settings
) -> "Rulebook":
    # Late: `trace`, `graph` and `targets` need none of it, and it takes 60 ms to import.
    from meshplan.run.rules import rulebook  # noqa: PLC0415

    return rulebook(request, base, head, settings)


def _with_waivers(result: Result, rules: "Rulebook", *, complete: bool) -> Result:
    done = rules.with_waivers(result.findings, complete=complete)
    # What is said about waivers is about what is there, in both revisions.
    status = Status.NEW if result.base else Status.EXISTING
    remarks = (remark.with_(status=status) for remark in done.remarks)
    return replace(result, findings=(*done.findings, *remarks), rules=rules.digest)


def _compare(
    target: LoadedTarget,
    settings: Settings,
    rules: "Rulebook",
    deployers: Sequence[str],
    progress: Progress,
) -> Examined:
    """The changes of one target, the order they need, and what is wrong with what changed."""
    changes = diff(target.base, target.head)
    sizes = (len(target.base), len(target.head))
    if not len(changes):
        return Examined(
            TargetResult(target.name, Verdict.UNCHANGED, target.kind, *sizes, plan=Plan())
        )
    base, _ = mesh_of(target.base, settings)
    head, assumptions = mesh_of(target.head, settings)
    if head.config == base.config:
        # Nearly all objects are in both, and are read once.
        head = base.at(target.head)
    before, after = _touched(changes)
    with rules.comparing(base, head, target.name) as compared:
        difference = Difference(changes, dependency_graph(changes, base, head), base, head)
        progress(f"proving {target.name}" if settings.proof.enabled else f"ordering {target.name}")
        untold = TargetResult(target.name, Verdict.UNKNOWN, target.kind, *sizes)
        holding = rules.holding(base, head, target.name)
        result = with_plan(untold, difference, settings, deployers, holding)
        progress(f"checking {target.name}")
        broken = compared(result.plan or Plan())
    findings = (*_with_status(_shapes(before, target), _shapes(after, target)), *broken)
    return Examined(result, findings, assumptions)


def _examine(target: LoadedTarget, settings: Settings, rules: "Rulebook") -> Examined:
    """One target at one revision."""
    mesh, assumptions = mesh_of(target.head, settings)
    found = _shapes(target.head.values(), target)
    shapes = tuple(finding.with_(status=Status.EXISTING) for finding in found)
    return Examined(
        TargetResult(target.name, Verdict.UNCHANGED, target.kind, after=len(target.head)),
        (*shapes, *rules.checked(mesh, target.name)),
        assumptions,
    )


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
