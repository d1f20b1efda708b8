"""What a request meets in every state in which proxies may be while a stage is carried out."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from itertools import product

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.plan import Apply, Remove, simulate
from meshplan.resource import Snapshot
from meshplan.traffic import Outcome, Request, Server, admit
from meshplan.traffic.outcome import (
    Denied,
    Direct,
    Failed,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from meshplan.verify.replay import Stage, Write

#: Writes that are in force.
Visible = tuple[ResourceId, ...]


class Level(IntEnum):
    """How well a request fares."""

    DENIED = 0
    FAILED = 1
    #: The mesh declares no such host and lets the request pass: whether it arrives, nobody knows.
    PASSED = 2
    PARTLY = 3
    SERVED = 4
    UNKNOWN = 5


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a request, as far as the invariants tell fates apart."""

    level: Level
    #: Where it may end up: endpoints, or the answer of a proxy.
    ends: frozenset[str] = frozenset()
    text: str = ""
    #: What it would be without the objects that are not modelled, and those objects.
    inner: "Fate | None" = None
    opaque: tuple[ResourceId, ...] = ()
    #: What is sent on: endpoints with the host and the path that they see.
    sent: frozenset[tuple[str, str, str]] = field(default=frozenset(), compare=False)


def fate_of(outcome: Outcome, path: str = "", *, fully: bool = False) -> Fate:
    """The fate that an outcome is; `path` is that of the request.

    `fully` tells ends apart also by what the servers see of the request.

    A host that the mesh lets pass ends where one ends that it declares and looks up by its name.
    """
    match outcome:
        case Served(backends):
            weighted = any(backend.weight > 0 for backend in backends)
            live = [b for b in backends if b.weight > 0 or not weighted]
            good = [b for b in live if b.kind == "served"]
            seen = [f" {b.authority} {b.transport}" if fully else "" for b in good]
            ends = frozenset(f"{b.endpoint} {b.path}{s}" for b, s in zip(good, seen, strict=True))
            bad = next((b for b in live if b.kind != "served"), None)
            text = f"{bad.status} {bad.flag}" if bad else "served"
            level = Level.PARTLY if bad and good else Level.SERVED
            sent = frozenset((b.endpoint, b.authority, b.path) for b in good)
            return Fate(level, ends, text, sent=sent)
        case Passthrough(host, port, declared=declared):
            level = Level.SERVED if declared else Level.PASSED
            return Fate(level, frozenset({f"{host}:{port} {path}"}), "passed through")
        case Redirect(status, location):
            return Fate(Level.SERVED, frozenset({f"{status} {location}"}), f"{status}")
        case Direct(status):
            return Fate(Level.SERVED, frozenset({f"answer {status}"}), f"{status}")
        case Denied(status):
            return Fate(Level.DENIED, text=f"{status}")
        case Failed(status, flag):
            return Fate(Level.FAILED, text=f"{status or 'connection closed'} {flag}")
        case Unknown(reason, opaque, otherwise):
            inner = fate_of(otherwise, path, fully=fully) if otherwise is not None else None
            return Fate(Level.UNKNOWN, text=reason, inner=inner, opaque=opaque)


def broken(before: Fate, during: Fate, after: Fate, *, at_one: bool = False) -> str:
    """Which invariant a fate on the way breaks, given those at both ends; empty if none.

    A host that becomes one of the mesh, or ceases to be one, has to be there only where all proxies
    are `at_one`.
    """
    if Level.UNKNOWN in (before.level, during.level, after.level):
        return _undecided(before, during, after)
    least = min(before.level, after.level)
    if least >= Level.PARTLY and during.level < least:
        return "I1"
    if least == Level.PASSED and (at_one or before.level == after.level):
        return "I1" if during.level < Level.PASSED else _elsewhere(before, during, after)
    if before.level == after.level == Level.DENIED and during.level > Level.FAILED:
        return "I3"
    return _elsewhere(before, during, after)


def _elsewhere(before: Fate, during: Fate, after: Fate) -> str:
    return "I2" if during.ends - before.ends - after.ends else ""


def _undecided(before: Fate, during: Fate, after: Fate) -> str:
    """An object that is not modelled and does not change does the same to the same."""
    if before == during == after:
        return ""
    found = (before, during, after)
    if len({fate.opaque for fate in found}) > 1 or not before.opaque:
        return "unknown"
    inner = [fate.inner for fate in found if fate.inner is not None]
    if len(inner) < len(found):
        return "unknown"
    return "" if inner[1] in (inner[0], inner[2]) else "unknown"


def states(stage: Stage, before: Snapshot) -> Iterator[tuple[tuple[ResourceId, ...], Snapshot]]:
    """The snapshot with each subset of the writes of a stage."""
    for chosen in product((False, True), repeat=len(stage.writes)):
        taken = [w for w, is_taken in zip(stage.writes, chosen, strict=True) if is_taken]
        yield tuple(w.id for w in taken), simulate(map(step_of, taken), before)


def step_of(write: Write) -> Apply | Remove:
    """A write as a step of a plan."""
    if write.resource is None:
        return Remove(write.id, "", "")
    return Apply(write.resource, "")


def admissions(
    request: Request,
    server: Server,
    transport: Transport,
    meshes: Mapping[tuple[ResourceId, ...], Mesh],
) -> Iterator[tuple[tuple[ResourceId, ...], Fate]]:
    """The fate at a server that is asked directly, in every state of its listener."""
    for visible, mesh in meshes.items():
        yield visible, fate_of(admit(mesh, request, server, transport))
