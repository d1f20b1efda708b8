"""Counterexamples in words, as in "GET reviews.shop/ from namespace web → 503 NC: subset blue is
not in DestinationRule shop/reviews yet"."""

from collections.abc import Iterable
from typing import assert_never

from meshplan.identity import ResourceId
from meshplan.proof.types import Invariant, RequestClass, short
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
    Unknown,
)


def sentence(
    request: RequestClass,
    invariant: Invariant,
    before: Outcome,
    during: Outcome,
    after: Outcome,
    why: str = "",
) -> str:
    """One sentence without a full stop."""
    start = f"{request} → {shown(during)}"
    match invariant:
        case Invariant.AVAILABILITY:
            return f"{start}{_because(before, during, after)}"
        case Invariant.NO_THIRD_BACKEND:
            return f"{start}, which it reaches neither before nor after"
        case Invariant.NO_OPENING:
            return f"{start}, though it is denied before and after"
        case Invariant.NO_FLAPPING:
            return f"{start} goes back and forth between {shown(before)} and {shown(after)}"
        case Invariant.POLICY:
            return f"{start}: {why}"
        case _:
            assert_never(invariant)


def shown(outcome: Outcome) -> str:
    """An outcome in a few words."""
    match outcome:
        case Served(backends):
            bad = [b for b in backends if b.kind != "served"]
            if bad:
                return f"{_status(bad[0].status, bad[0].flag)} for a part"
            return " and ".join(dict.fromkeys(_place(b) for b in backends))
        case Passthrough(host, port):
            return f"out of the mesh to {host}:{port}"
        case Redirect(status, location):
            return f"{status} to {location}"
        case Direct(status):
            return f"a direct {status}"
        case Denied(status):
            return f"{status} denied"
        case Failed(status, flag):
            return _status(status, flag)
        case Unknown(reason):
            return f"unknown: {reason}"
        case _:
            assert_never(outcome)


def _status(status: int | None, flag: str) -> str:
    if status is None:
        return "connection refused" if flag in ("-", "") else f"no connection ({flag})"
    return f"{status} {flag}" if flag not in ("-", "") else str(status)


def _place(backend: Backend) -> str:
    return f"{backend.endpoint}" + (f" at {backend.path}" if backend.path != "/" else "")


def _because(before: Outcome, during: Outcome, after: Outcome) -> str:
    """Why a request fails: what is missing, and whether it comes or has gone."""
    for backend in _failures(during):
        flag = backend.flag.removeprefix("URX,")
        if flag == "NC":
            return _missing(backend, before, during, after)
        if flag == "UH":
            host = short(backend.host)
            name = f"subset {backend.subset} of {host}" if backend.subset else host
            return f": {name} has no endpoints"
        if flag in ("UC", "UF"):
            return ": the two sides do not agree about mutual TLS"
    if isinstance(during, Failed) and during.flag == "NR" and during.details != REFUSED:
        return _unrouted(before, after)
    told = [reason for reason in during.why if reason.text]
    if not told:
        return ""
    last = told[-1]
    return f": {last.id} {last.text}" if last.id else f": {last.text}"


def _missing(backend: Backend, before: Outcome, during: Outcome, after: Outcome) -> str:
    """A cluster that does not exist."""
    if not backend.host:
        texts = [reason.text for reason in during.why if reason.id is None and reason.text]
        return f": {texts[-1]}" if texts else ""
    for outcome, when in ((after, "yet"), (before, "any more")):
        if not _uses(outcome, backend):
            continue
        if not backend.subset:
            return f": {short(backend.host)}:{backend.port} is not known to the proxy {when}"
        rules = _rules(outcome, backend.subset)
        if rules:
            return f": subset {backend.subset} is not in {rules} {when}"
    if backend.subset:
        return f": subset {backend.subset} of {short(backend.host)} is in no DestinationRule"
    return f": {short(backend.host)}:{backend.port} is not known to the proxy"


def _unrouted(before: Outcome, after: Outcome) -> str:
    """Which object routed a request before, or will, if any."""
    for outcome, text in ((before, "is gone"), (after, "is not there yet")):
        for reason in outcome.why:
            if reason.id is not None and reason.id.kind in _ROUTING:
                return f": its route in {reason.id} {text}"
    return ": no route takes it"


_ROUTING = frozenset(("VirtualService", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"))


def _failures(outcome: Outcome) -> Iterable[Backend]:
    """Where a request may fail; only failures have flags."""
    return outcome.backends if isinstance(outcome, Served | Failed) else ()


def _uses(outcome: Outcome, backend: Backend) -> bool:
    """Whether an outcome uses a cluster that is missing elsewhere."""
    return isinstance(outcome, Served) and any(
        (b.host, b.subset, b.port) == (backend.host, backend.subset, backend.port)
        and b.kind == "served"
        for b in outcome.backends
    )


def _rules(outcome: Outcome, subset: str) -> str:
    """The DestinationRules that define a subset."""
    wanted = f"defines subset {subset}"
    found = dict.fromkeys(r.id for r in outcome.why if r.id is not None and r.text == wanted)
    return names(found)


def names(ids: Iterable[ResourceId]) -> str:
    """Objects in a sentence."""
    found = [str(id_) for id_ in ids]
    return " and ".join(found) if len(found) < 3 else f"{', '.join(found[:-1])} and {found[-1]}"


def lost_sentence(request: RequestClass, before: Outcome, after: Outcome) -> str:
    """What becomes of a request that is served no more."""
    told = "unknown" if isinstance(after, Unknown) else shown(after)
    return f"{request} was served by {shown(before)} and ends in {told}"
