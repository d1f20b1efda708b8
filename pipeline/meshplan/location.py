"""Where something is written: a file, a line, and the way down into the document."""

from dataclasses import field
from enum import StrEnum
from typing import Any

from meshplan.dataclass import dataclass


class Side(StrEnum):
    """Which of the two revisions a place is in."""

    BASE = "base"
    HEAD = "head"


class Role(StrEnum):
    """What a place is to a finding."""

    PRIMARY = "primary"
    RELATED = "related"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file of a revision. Lines and columns count from 1."""

    path: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    #: RFC 6901 JSON pointer from the root of the document, "" for the document itself.
    pointer: str = ""
    side: Side = Side.HEAD
    role: Role = field(default=Role.PRIMARY)

    def __str__(self) -> str:
        parts = [self.path, self.line, self.column]
        return ":".join(str(p) for p in parts if p is not None)

    def to_json(self) -> dict[str, Any]:
        """The place as the result document writes it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "endLine": self.end_line,
            "endColumn": self.end_column,
            "pointer": self.pointer,
            "revision": str(self.side),
            "role": str(self.role),
        }


def escape_pointer(token: str) -> str:
    """One step of a JSON pointer, escaped as RFC 6901 asks."""
    return token.replace("~", "~0").replace("/", "~1")
