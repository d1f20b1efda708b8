"""The one thing every report reads: what was compared, what changes, the plan, the findings."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from meshplan import __version__
from meshplan.dataclass import dataclass
from meshplan.diff import ChangeSet
from meshplan.finding import Finding, Severity, Status
from meshplan.graph import Cycle, Edge
from meshplan.plan import Plan, wave_to_json
from meshplan.result.changes import action_of, change_to_json
from meshplan.result.coverage import Coverage, CoverageStatus, Problem
from meshplan.result.deployed import sentence
from meshplan.settings import Assumption, Settings

if TYPE_CHECKING:
    # Late: a check needs none of it, and it takes 75 ms to import.
    from meshplan.proof import Counterexample, Lost, Proof, Undecided

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


@dataclass(frozen=True, slots=True)
class DeployerResult:
    """What a deployer would do to requests if it carried out the change."""

    name: str
    title: str
    #: Whether the settings name it as in use.
    configured: bool
    #: safe, unsafe or unknown.
    verdict: Verdict
    #: The order in which it writes.
    plan: Plan
    counterexamples: "tuple[Counterexample, ...]" = ()
    unknowns: "tuple[Undecided, ...]" = ()

    @property
    def sentence(self) -> str:
        """What its order does, with the first step and request that fare badly."""
        return sentence(
            self.title,
            str(self.verdict),
            self.counterexamples,
            self.plan.waves,
            configured=self.configured,
        )

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "name": self.name,
            "title": self.title,
            "configured": self.configured,
            "verdict": str(self.verdict),
            "sentence": self.sentence,
            "plan": plan_to_json(self.plan),
            "counterexamples": [found.to_json() for found in self.counterexamples],
            "unknowns": [found.to_json() for found in self.unknowns],
        }


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
    #: Whether the plan read from its end is proven as well; else `irreversible` says why not.
    reversible: bool = False
    irreversible: str = ""
    #: None where nothing was proven: the verdict then holds nothing back.
    proof: "Proof | None" = None
    #: A request that every order loses, with or without bridges.
    impossible: "Counterexample | None" = None
    #: What was tried in vain, where neither a safe plan nor its impossibility was found.
    tried: str = ""
    #: Requests that are served before the change and not after it.
    lost: "tuple[Lost, ...]" = ()
    deployers: tuple[DeployerResult, ...] = ()

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
            "plan": None if self.plan is None else self._plan_to_json(self.plan),
            "proof": None if self.proof is None else self._proof_to_json(self.proof),
            "lost": [found.to_json() for found in self.lost],
            "deployers": [found.to_json() for found in self.deployers],
        }

    def _plan_to_json(self, plan: Plan) -> dict[str, Any]:
        reason = self.irreversible or None
        return plan_to_json(plan, reversible=self.reversible) | {"irreversible": reason}

    def _proof_to_json(self, proof: "Proof") -> dict[str, Any]:
        witness = self.impossible
        return proof.to_json() | {
            "impossible": None if witness is None else {"witness": witness.to_json()},
            "tried": self.tried or None,
        }


def plan_to_json(plan: Plan, *, reversible: bool = False) -> dict[str, Any]:
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
    #: A digest of the rules that were run; None where none were.
    rules: str | None = None
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
        held = any(
            f.status is counted and f.severity.rank <= threshold and f.waiver is None
            for f in self.findings
        )
        return 1 if held or any(self.is_held_back(target) for target in self.targets) else 0

    def is_held_back(self, target: TargetResult) -> bool:
        """Whether a target's verdict counts, or the order of a deployer in use is refuted."""
        if target.proof is not None and target.verdict in self.settings.fail_on_verdicts:
            return True
        return any(d.configured and d.verdict is Verdict.UNSAFE for d in target.deployers)

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
            "tool": {"name": "meshplan", "version": __version__, "rules": self.rules},
            "asOf": self.as_of,
            "exitStatus": self.exit_status,
            "judgement": {
                "failOn": str(self.settings.fail_on),
                "failOnVerdicts": list(self.settings.fail_on_verdicts),
            },
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
