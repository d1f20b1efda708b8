"""Answers to "what becomes of this request", at one state of the manifests or at two."""

from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.location import Location
from meshplan.traffic import Outcome, Request, outcome_to_json
from meshplan.traffic.outcome import Served


@dataclass(frozen=True, slots=True)
class Peer:
    """Pods, as the user names them: namespace and labels."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    #: Only of a server: the port that is asked for, None for that of the request.
    port: int | None = None

    def __str__(self) -> str:
        shown = ",".join(f"{key}={value}" for key, value in self.labels)
        return f"{self.namespace}/{shown}" if shown else self.namespace


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where requests are looked at: at a client, at a gateway, or at a server alone."""

    #: None to look at the server's side alone.
    client: Peer | None = None
    is_gateway: bool = False
    #: The server; beside a client, what stands behind whatever endpoint the request reaches.
    server: Peer | None = None
    #: SPIFFE identity of the client without `spiffe://`, "" for the one of its service account.
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Because:
    """One object that had a say, where it is written, and what it said."""

    id: ResourceId | None
    text: str
    location: Location | None

    def to_json(self) -> dict[str, Any]:
        """As `meshplan trace` writes it."""
        place = self.location
        return {
            "id": self.id.to_json() if self.id else None,
            "text": self.text,
            "path": place.path if place else None,
            "line": place.line if place else None,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a request in one state, and what decided it, in order."""

    outcome: Outcome
    why: tuple[Because, ...]

    def to_json(self) -> dict[str, Any]:
        """As `meshplan trace` writes it."""
        why = [reason.to_json() for reason in self.why]
        return {"outcome": outcome_to_json(self.outcome) | {"options": self.options}, "why": why}

    @property
    def options(self) -> dict[str, str]:
        """Timeouts, retries and the like, which two equal outcomes need not have in common."""
        return dict(self.outcome.policy) if isinstance(self.outcome, Served) else {}


@dataclass(frozen=True, slots=True)
class Traced:
    """A request and what becomes of it."""

    request: Request
    #: In the only state, or in the later one.
    head: Answer
    #: In the earlier of two states.
    base: Answer | None = None

    @property
    def is_changed(self) -> bool:
        """Whether the two states differ in what becomes of the request."""
        if self.base is None:
            return False
        return (self.base.outcome, self.base.options) != (self.head.outcome, self.head.options)

    def to_json(self) -> dict[str, Any]:
        """As `meshplan trace` writes it; of two states, the earlier one is under `before`."""
        written = {"request": self.request.to_json()} | self.head.to_json()
        if self.base is None:
            return written
        return written | {"before": self.base.to_json(), "changed": self.is_changed}


@dataclass(frozen=True, slots=True)
class Trace:
    """All answers, in the order of the requests, and what whoever asked should know."""

    vantage: Vantage
    traced: tuple[Traced, ...]
    #: What was read: names of the revisions, and the target.
    about: str = ""
    notes: tuple[str, ...] = ()
