"""What becomes of requests, written down: for people as text, for programs as JSON lines."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, assert_never

from meshplan.report.layout import Line, Span, View, line, shorten, write
from meshplan.report.wording import listing, place
from meshplan.result.trace import Answer, Because, Peer, Trace, Traced, Vantage
from meshplan.traffic.outcome import (
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

if TYPE_CHECKING:
    from meshplan.traffic import Request

_GOOD, _BAD, _UNSURE = "bold green", "bold red", "bold yellow"


def as_json(trace: Trace) -> str:
    """One object a request, each on a line of its own."""
    return "".join(json.dumps(traced.to_json()) + "\n" for traced in trace.traced)


def as_text(trace: Trace, view: View) -> str:
    """Request, outcome, backends with their shares, and the objects that decided."""
    return write(_report(trace), view)


def _report(trace: Trace) -> Iterator[Line]:
    for number, traced in enumerate(trace.traced):
        if number:
            yield line()
        yield line(Span(_asked(traced.request), "bold"), _origin(trace.vantage), hang=4)
        if traced.base is None:
            yield from _answer(traced, traced.head, 2)
            continue
        yield from _both(traced, traced.base)


def _both(traced: Traced, base: Answer) -> Iterator[Line]:
    if not traced.is_changed:
        yield line(Span("unchanged", "dim"), indent=2)
        yield from _answer(traced, traced.head, 2)
        return
    for word, answer in (("before", base), ("after", traced.head)):
        yield line(Span(word, "bold cyan"), indent=2)
        yield from _answer(traced, answer, 4)


def _asked(request: "Request") -> str:
    headers = "".join(f" -H '{name}: {text}'" for name, text in request.headers.items())
    if request.is_connection:
        return f"{request.scheme}://{request.host}"
    return f"{request.method} {request.scheme}://{request.host}{request.path}{headers}"


def _origin(vantage: Vantage) -> str:
    parts = []
    if vantage.client is not None:
        where = "at gateway" if vantage.is_gateway else "from"
        parts.append(f"{where} {_peer(vantage.client)}")
    if vantage.server is not None:
        parts.append(f"to {_peer(vantage.server)}")
    if vantage.client is None and vantage.principal:
        parts.append(f"as {vantage.principal}")
    return f" {' '.join(parts)}"


def _peer(peer: Peer) -> str:
    return f"{peer}:{peer.port}" if peer.port is not None else str(peer)


def _answer(traced: Traced, answer: Answer, indent: int) -> Iterator[Line]:
    text, style = _said(answer.outcome)
    yield line(Span(text, style), indent=indent)
    yield from _backends(traced.request, answer.outcome, indent + 2)
    for reason in answer.why:
        yield _because(reason, indent + 2)


def _said(outcome: Outcome) -> tuple[str, str]:
    """The outcome in a few words, and their style."""
    match outcome:
        case Served():
            return ("served", _GOOD) if outcome.wholly else ("served in part", _UNSURE)
        case Passthrough(host, port):
            return f"passed through to {host}:{port}, which is not declared here", _GOOD
        case Redirect(status, location):
            return f"{status} → {location}", _GOOD
        case Direct(status):
            return f"{status} from the proxy itself", _GOOD
        case Denied(status, policy):
            said = "no policy allows it" if policy == "none" else policy
            return f"{status} denied: {said}", _BAD
        case Failed():
            return _failure(outcome), _BAD
        case Unknown(reason):
            return f"unknown: {reason}", _UNSURE
        case _:
            assert_never(outcome)


def _failure(found: Failed) -> str:
    flag = "" if found.flag == "-" else f" {found.flag}"
    status = str(found.status) if found.status is not None else "connection fails"
    details = found.details.replace("_", " ")
    return f"{status}{flag}" + (f" ({details})" if details else "")


def _backends(request: "Request", outcome: Outcome, indent: int) -> Iterator[Line]:
    if not isinstance(outcome, Served):
        return
    groups: dict[Backend, list[Backend]] = {}
    for backend in outcome.backends:
        groups.setdefault(_destination(backend), []).append(backend)
    total = sum(key.weight for key in groups)
    for key, members in groups.items():
        share = f"{100 * key.weight / total:.3g} % " if total and len(groups) > 1 else ""
        yield line(share, _reached(request, key, members), indent=indent)
    # Those of clusters are under their names (`outbound|80|v1|host`), and long.
    facts = [f"{name} {text}" for name, text in sorted(outcome.policy.items()) if "|" not in name]
    if facts:
        yield line(Span(shorten(", ".join(facts), 200), "dim"), indent=indent)


def _destination(backend: Backend) -> Backend:
    """What endpoints of one destination have in common, as far as the request goes well or not."""
    return Backend(
        "",
        backend.host,
        backend.subset,
        backend.port,
        backend.weight,
        backend.path,
        backend.authority,
        backend.transport,
        backend.kind,
        backend.status,
        backend.flag,
    )


def _reached(request: "Request", key: Backend, members: list[Backend]) -> str:
    subset = f" subset {key.subset}" if key.subset else ""
    name = f"{key.host}{subset} port {key.port}"
    if key.kind != "served":
        flag = "" if key.flag == "-" else f" {key.flag}"
        return f"{key.status}{flag}: {name}"
    shown = listing([m.endpoint for m in members[:3]])
    more = f" and {len(members) - 3} more" if len(members) > 3 else ""
    spoken = "" if key.transport is Transport.PLAINTEXT else f" over {key.transport}"
    path = f", path {key.path}" if key.path != request.path else ""
    authority = f", authority {key.authority}" if key.authority != request.host else ""
    return f"{name} → {shown}{more}{spoken}{path}{authority}"


def _because(reason: Because, indent: int) -> Line:
    subject = f"{reason.id} " if reason.id else ""
    where = f"  {place(reason.location)}" if reason.location else ""
    return line(Span("· ", "dim"), subject, reason.text, Span(where, "dim"), indent=indent)


def notes(trace: Trace) -> Iterable[str]:
    """What whoever asked should know about the answers, a sentence each."""
    return (f"note: {text}" for text in trace.notes)
