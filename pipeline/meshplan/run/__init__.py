"""The composition of the stages: compare two revisions, check one, ask what becomes of requests."""

from meshplan.run.compare import check_revision, diff_revisions
from meshplan.run.request import Progress, Request

__all__ = ["Progress", "Request", "check_revision", "diff_revisions"]
