"""What meshplan has to say about a manifest, with its places."""

import hashlib
from dataclasses import replace
from enum import StrEnum
from typing import Any, Self

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.location import Location, Side


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Status(StrEnum):
    """Whether a finding came with the change, was there before, or went away with it."""

    NEW = "new"
    EXISTING = "existing"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Fix:
    """What to write at a place so that the finding goes away."""

    #: RFC 6901 JSON pointer from the root of the object.
    pointer: str
    value: str | int | bool

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it: an operation of JSON Patch."""
        return {"op": "add", "path": self.pointer, "value": self.value}


@dataclass(frozen=True, slots=True)
class Waiver:
    """The decision to live with findings of a rule for some time."""

    rule: str
    #: `Kind/namespace/name` or `Kind/name`, with `*` for any text.
    resource: str
    reason: str
    owner: str
    #: The last day on which it holds, as in 2026-03-01.
    expires: str
    #: The place in the object, as in `spec.containers[name=web].image`; "" for all of it.
    path: str = ""
    #: The target, with `*` for any text.
    target: str = "*"
    #: Where it is written.
    source: Location | None = None

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires,
            "source": str(self.source) if self.source else None,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth knowing; malformed input is a finding, not an exception."""

    rule: str
    severity: Severity
    message: str
    #: The primary place first.
    locations: tuple[Location, ...] = ()
    id: ResourceId | None = None
    status: Status = Status.NEW
    target: str | None = None
    help: str = ""
    refs: tuple[str, ...] = ()
    #: The wave of the plan after which the finding holds; None for a finding about a revision.
    wave: int | None = None
    #: What makes the finding what it is, where its message tells more, such as how often or where.
    key: str = ""
    #: The way to its place with items called by their names, where that is known better than by
    #: the pointer.
    place: str = ""
    fix: Fix | None = None
    #: The fingerprint as it was worked out where all of the above was known; "" to work it out.
    known_fingerprint: str = ""
    #: Who has decided to live with it.
    waiver: Waiver | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same finding in two revisions, whatever lines moved."""
        if self.known_fingerprint:
            return self.known_fingerprint
        path = self.locations[0].path if self.locations and self.id is None else ""
        pointer = self.place or (self.locations[0].pointer if self.locations else "")
        what = self.key or self.message
        parts = (self.rule, str(self.id or ""), path, pointer, self.target or "", what)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def side(self) -> Side:
        """The revision in which the finding holds."""
        return Side.BASE if self.status is Status.FIXED else Side.HEAD

    def with_(self, **changes: Any) -> Self:
        """The same finding with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The finding as the result document writes it."""
        return {
            "rule": self.rule,
            "refs": list(self.refs),
            "severity": str(self.severity),
            "message": self.message,
            "id": self.id.to_json() if self.id else None,
            "status": str(self.status),
            "target": self.target,
            "wave": self.wave,
            "locations": [location.to_json() for location in self.locations],
            "help": self.help,
            "fix": self.fix.to_json() if self.fix else None,
            "fingerprint": self.fingerprint,
            "waiver": self.waiver.to_json() if self.waiver else None,
        }
