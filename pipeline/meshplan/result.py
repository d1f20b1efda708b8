"""The one thing every report reads: what was compared, what changes, the plan, the findings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, assert_never

from meshplan import __version__
from meshplan.diff import (
    ABSENT,
    Change,
    ChangeSet,
    Create,
    Delete,
    FieldChange,
    Rename,
    Replace,
    Update,
    id_of,
)
from meshplan.finding import Finding, Severity, Status
from meshplan.graph import Cycle, Edge
from meshplan.location import Location
from meshplan.plan import Plan, wave_to_json
from meshplan.settings import Assumption, Settings

SCHEMA = "meshplan.dev/result/v1"


class Verdict(StrEnum):
    """What the change does to requests, from harmless to worst."""

    UNCHANGED = "unchanged"
    SAFE = "safe"
    SAFE_IN_ORDER = "safe-in-order"
    UNKNOWN = "unknown"
    UNSAFE = "unsafe"

    @property
    def rank(self) -> int:
        """0 for the most harmless."""
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class RevisionName:
    """How the user calls a revision, and the commit it is; None for index and working tree."""

    name: str
    commit: str | None

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {"name": self.name, "commit": self.commit}


class CoverageStatus(StrEnum):
    """What became of something that holds manifests."""

    RENDERED = "rendered"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of one folder, Kustomization, chart or Application."""

    target: str
    path: str
    kind: str
    status: CoverageStatus
    why: str = ""
    #: Whether what it is made of differs between the two revisions.
    changed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "target": self.target,
            "path": self.path,
            "kind": self.kind,
            "status": str(self.status),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read at all."""

    message: str
    path: str | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {"message": self.message, "path": self.path, "line": self.line}


@dataclass(frozen=True, slots=True)
class TargetResult:
    """Everything about one target."""

    name: str
    verdict: Verdict
    #: plain, kustomize, helm, argocd, flux.
    kind: str = ""
    #: How many objects it has in base and head; of one revision alone, `before` is None.
    before: int | None = None
    after: int = 0
    changes: ChangeSet = field(default_factory=ChangeSet)
    edges: tuple[Edge, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    #: None where only one revision is read.
    plan: Plan | None = None
    reversible: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "objects": {"base": self.before, "head": self.after},
            "verdict": str(self.verdict),
            "changes": [change_to_json(change) for change in self.changes],
            "edges": [edge.to_json() for edge in self.edges],
            "cycles": [cycle.to_json() for cycle in self.cycles],
            "plan": plan_to_json(self.plan, reversible=self.reversible) if self.plan else None,
            "proof": None,
            "lost": [],
            "deployers": [],
        }


def plan_to_json(plan: Plan, *, reversible: bool) -> dict[str, Any]:
    """A plan as the result document writes it."""
    return {
        "digest": plan.digest,
        "bridges": plan.bridges,
        "reversible": reversible,
        "waves": [wave_to_json(wave) for wave in plan.waves],
    }


@dataclass(frozen=True, slots=True)
class Result:
    """The single input of every report."""

    base: RevisionName | None
    head: RevisionName
    as_of: str
    targets: tuple[TargetResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    problems: tuple[Problem, ...] = ()
    settings: Settings = field(default_factory=Settings)
    #: A range that may hold changes, where both revisions are the same to the last byte.
    suggestion: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of the targets'."""
        return max(
            (t.verdict for t in self.targets), key=lambda v: v.rank, default=Verdict.UNCHANGED
        )

    @property
    def exit_status(self) -> int:
        """0 nothing to hold back, 1 findings, 3 something that changed could not be read."""
        unread = any(
            entry.status is CoverageStatus.FAILED
            or (entry.status is CoverageStatus.SKIPPED and entry.changed)
            for entry in self.coverage
        )
        if unread or self.problems:
            return 3
        threshold = self.settings.fail_on.rank
        counted = Status.NEW if self.base else Status.EXISTING
        held = any(f.status is counted and f.severity.rank <= threshold for f in self.findings)
        return 1 if held else 0

    @property
    def summary(self) -> Mapping[str, int]:
        """How many changes of each action and findings of each status there are."""
        actions = [action_of(change) for target in self.targets for change in target.changes]
        statuses = [f.status for f in self.findings]
        return {
            **{a: actions.count(a) for a in ("create", "update", "delete", "replace", "rename")},
            **{str(s): statuses.count(s) for s in Status},
        }

    def to_json(self) -> dict[str, Any]:
        """The document that `schemas/result.schema.json` describes."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "meshplan", "version": __version__, "rules": None},
            "asOf": self.as_of,
            "exitStatus": self.exit_status,
            "assumptions": [assumption.to_json() for assumption in self.assumptions],
            "errors": [problem.to_json() for problem in self.problems],
            "base": self.base.to_json() if self.base else None,
            "head": self.head.to_json(),
            "verdict": str(self.verdict),
            "targets": [target.to_json() for target in self.targets],
            "findings": [finding.to_json() for finding in self.findings],
            "coverage": [entry.to_json() for entry in self.coverage],
            "summary": dict(self.summary),
        }


def worst_severity(findings: tuple[Finding, ...]) -> Severity | None:
    """The worst severity among findings that are new."""
    new = [f.severity for f in findings if f.status is Status.NEW]
    return min(new, key=lambda s: s.rank, default=None)


def action_of(change: Change) -> str:
    """The word for a change."""
    match change:
        case Create():
            return "create"
        case Delete():
            return "delete"
        case Update():
            return "update"
        case Replace():
            return "replace"
        case Rename():
            return "rename"
        case _:
            assert_never(change)


def change_to_json(change: Change) -> dict[str, Any]:
    """A change as the result document writes it."""
    before = None if isinstance(change, Create) else change.before
    after = None if isinstance(change, Delete) else change.after
    written = {
        "action": action_of(change),
        "id": id_of(change).to_json(),
        "fields": [_field(entry) for entry in shown_fields(change)],
        "base": _place(before.origin.location() if before else None),
        "head": _place(after.origin.location() if after else None),
    }
    return written | {"was": change.before.id.to_json()} if isinstance(change, Rename) else written


def shown_fields(change: Change) -> tuple[FieldChange, ...]:
    """The changed fields, without anything secret: of a Secret, only which fields changed.

    Every report that shows values takes them from here.
    """
    match change:
        case Update(before, after, fields) | Replace(before, after, fields):
            secret = before.is_secret or after.is_secret
            return tuple(_hide(entry, secret=secret) for entry in fields)
        case _:
            return ()


#: What stands for a value that is not shown.
HIDDEN = "(hidden)"

#: Where a Secret has nothing secret. Annotations are not among it: `kubectl apply` keeps a copy of
#: the whole object in one.
_PUBLIC = re.compile(r"(?:apiVersion|kind|type|immutable|metadata\.(?:name|labels)(?:[.[].*)?)\Z")
#: A list item in a path, which may be named by what it holds; a key in brackets has quotes.
_ITEM = re.compile(r"\[(?!\")[^\]]*\]")


def _hide(entry: FieldChange, *, secret: bool) -> FieldChange:
    if secret and not _PUBLIC.match(entry.path):
        path = _ITEM.sub("[…]", entry.path)
        return FieldChange(path, _keys_only(entry.before), _keys_only(entry.after))
    return FieldChange(
        entry.path, _without_ciphertext(entry.before), _without_ciphertext(entry.after)
    )


def _keys_only(value: Any) -> Any:
    if value is ABSENT:
        return ABSENT
    return dict.fromkeys(value, HIDDEN) if isinstance(value, Mapping) else HIDDEN


def _without_ciphertext(value: Any) -> Any:
    match value:
        case str() if value.startswith("ENC["):
            return HIDDEN
        case Mapping():
            return {key: _without_ciphertext(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_ciphertext(item) for item in value]
        case _:
            return value


def _field(entry: FieldChange) -> dict[str, Any]:
    """A changed field; absent values are left out."""
    shown = {"before": entry.before, "after": entry.after}
    return {"path": entry.path} | {k: v for k, v in shown.items() if v is not ABSENT}


def _place(location: Location | None) -> dict[str, Any] | None:
    return {"path": location.path, "line": location.line} if location else None
