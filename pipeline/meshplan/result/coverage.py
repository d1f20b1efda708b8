"""What became of everything that holds manifests."""

from enum import StrEnum
from typing import Any

from meshplan.dataclass import dataclass


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
            "changed": self.changed,
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
