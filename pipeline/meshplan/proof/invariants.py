"""The invariants, as questions to three outcomes: before, during and after a change.

An outcome is looked at as a set of ends that requests may come to, each good or bad. Whatever a rule
wants counts as good: a backend that answers, a redirect, a direct answer, the way out of the mesh.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.proof.types import Invariant
from meshplan.traffic.outcome import (
    REFUSED,
    Backend,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from meshplan.traffic.request import Request

End = tuple[str, ...]

_DIALLED: End = ("where its client dials",)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where requests of one class end in one view."""

    good: frozenset[End]
    bad: frozenset[End]
    #: Whether all of them are refused because of who or what they are.
    denied: bool = False
    #: Whether the mesh declares no such host and lets them out: whether they arrive, nobody knows.
    passed: bool = False
    #: For good ends, another name of the same place.
    also: Mapping[End, End | None] = field(default_factory=dict, compare=False)

    @property
    def served(self) -> bool:
        """Whether every request is served."""
        return bool(self.good) and not self.bad

    def within(self, *others: "Ends") -> bool:
        """Whether each good end is one of the others', by one of its names."""
        known = {name for other in others for name in (*other.good, *other.also.values())}
        return all(name in known or (self.also.get(name) or name) in known for name in self.good)


def ends_of(outcome: Outcome, request: Request) -> Ends | None:
    """The ends of an outcome of a request; None where it is unknown."""
    match outcome:
        case Served(backends):
            good: dict[End, End | None] = {
                (b.endpoint, b.path, b.authority): _dialled(b, request)
                for b in backends
                if b.kind == "served"
            }
            bad = {
                (b.endpoint, b.kind, str(b.status), b.flag) for b in backends if b.kind != "served"
            }
            return Ends(frozenset(good), frozenset(bad), also=good)
        case Passthrough(declared=declared):
            # Whatever the mesh calls it: to the address that the client has found.
            return Ends(frozenset([_DIALLED]), frozenset(), passed=not declared)
        case Redirect(status, location):
            return Ends(frozenset([("redirect", str(status), location)]), frozenset())
        case Direct(status):
            return Ends(frozenset([("direct", str(status))]), frozenset())
        case Denied(status):
            return Ends(frozenset(), frozenset([("denied", str(status))]), denied=True)
        case Failed(status, flag, details):
            # As the client sees it, or the server by itself.
            refused = flag.removeprefix("URX,") in ("UC", "UF") or details == REFUSED
            return Ends(frozenset(), frozenset([("failed", str(status), flag)]), denied=refused)
        case Unknown():
            return None
        case _:
            assert_never(outcome)


def _dialled(backend: Backend, request: Request) -> End | None:
    """Where the client's own connection would end, if this one ends there as well.

    A ServiceEntry that is resolved by name changes nothing about that, nor does TLS to another port
    of the same host on the client's behalf.
    """
    host = request.host_name
    if (backend.path, backend.authority.partition(":")[0]) != (request.path, host):
        return None
    secured = backend.transport is Transport.TLS and backend.endpoint.startswith(f"{host}:")
    is_there = secured or backend.endpoint == f"{host}:{request.dialled_port}"
    return _DIALLED if is_there else None


@dataclass(frozen=True, slots=True)
class Interval:
    """What holds when a wave begins and when it has ended, between the two revisions."""

    start: Ends
    end: Ends
    #: Whether all stages of the view may be from one state.
    at_one: bool


def broken(before: Ends, during: Ends, after: Ends, wave: Interval) -> Invariant | None:
    """The first invariant that a view breaks.

    A host that becomes one of the mesh, or ceases to be one, is held to availability in states, but
    not in views that mix them: its routes and clusters come and go in two pushes, and no order of
    objects changes that.
    """
    if during in (before, after):
        return _flaps(before, during, after, wave)
    both = before.served and after.served
    if both and not during.served and (before.passed == after.passed or wave.at_one):
        return Invariant.AVAILABILITY
    if before.denied and after.denied and during.good:
        return Invariant.NO_OPENING
    if not during.within(before, after):
        return Invariant.NO_THIRD_BACKEND
    return _flaps(before, during, after, wave)


def _flaps(before: Ends, during: Ends, after: Ends, wave: Interval) -> Invariant | None:
    """Whether the old outcome comes back after the new one, or the new one goes again.

    A wave whose beginning and end are alike may not show the other side.
    """
    if before == after:
        return None
    sides = {
        side: (before, after)[side]
        for side in (0, 1)
        if wave.start == wave.end == (before, after)[side]
    }
    if sides and during == (after if 0 in sides else before):
        return Invariant.NO_FLAPPING
    if wave.start == after and wave.end == before:
        return Invariant.NO_FLAPPING
    return None


def policy_changes(before: Outcome, during: Outcome, after: Outcome) -> Iterator[str]:
    """Timeouts, retries and the like that are neither those before nor those after (I5)."""
    if not (
        isinstance(before, Served) and isinstance(during, Served) and isinstance(after, Served)
    ):
        return
    if during.policy not in (before.policy, after.policy):
        yield "timeouts, retries or headers are a blend of old and new ones"
    secured = (_is_secured(before), _is_secured(after))
    if all(secured) and not _is_secured(during):
        yield "mutual TLS is off for a while"


def _is_secured(outcome: Served) -> bool:
    return all(b.transport is Transport.MTLS for b in outcome.backends if b.kind == "served")
