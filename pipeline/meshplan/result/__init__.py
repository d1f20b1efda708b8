"""What all reports read: the result of a comparison or a check, and answers about requests."""

from meshplan.result.changes import HIDDEN, action_of, change_to_json, shown_fields
from meshplan.result.coverage import Coverage, CoverageStatus, Problem
from meshplan.result.document import (
    SCHEMA,
    Result,
    RevisionName,
    TargetResult,
    Verdict,
    plan_to_json,
    worst_severity,
)
from meshplan.result.trace import Answer, Because, Peer, Trace, Traced, Vantage

__all__ = [
    "HIDDEN",
    "SCHEMA",
    "Answer",
    "Because",
    "Coverage",
    "CoverageStatus",
    "Peer",
    "Problem",
    "Result",
    "RevisionName",
    "TargetResult",
    "Trace",
    "Traced",
    "Vantage",
    "Verdict",
    "action_of",
    "change_to_json",
    "plan_to_json",
    "shown_fields",
    "worst_severity",
]
