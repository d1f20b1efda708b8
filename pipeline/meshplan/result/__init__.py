"""What all reports read: the result of a comparison or a check, and answers about requests."""

from meshplan.result.changes import HIDDEN, action_of, change_to_json, shown_fields
from meshplan.result.coverage import Coverage, CoverageStatus, Problem
from meshplan.result.document import (
    SCHEMA,
    DeployerResult,
    Result,
    RevisionName,
    TargetResult,
    Verdict,
    plan_to_json,
    worst_severity,
)

__all__ = [
    "HIDDEN",
    "SCHEMA",
    "Coverage",
    "CoverageStatus",
    "DeployerResult",
    "Problem",
    "Result",
    "RevisionName",
    "TargetResult",
    "Verdict",
    "action_of",
    "change_to_json",
    "plan_to_json",
    "shown_fields",
    "worst_severity",
]
