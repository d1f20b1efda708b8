"""What cannot be decided, taken as true once and as false once.

A pattern that is not understood, or a policy about tokens and addresses, is a function of the request
that nobody knows; but it is the same function before, during and after. So where a plan is safe
whichever way it decides, the plan is safe.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace

from meshplan.mesh.model import Mesh
from meshplan.traffic.condition import all_hold, holds
from meshplan.traffic.forward import Inbounds
from meshplan.traffic.inbound import Admission, Inbound, Server, Verdict
from meshplan.traffic.outcome import Denied, Failed, Outcome, Reason, Redirect, Transport
from meshplan.traffic.reasons import because
from meshplan.traffic.request import Request
from meshplan.traffic.route import Front, Selected, decide
from meshplan.traffic.table import VirtualHost


class OpenQuestionError(Exception):
    """Something has to be assumed before the outcome can be told."""

    def __init__(self, question: Hashable, words: str):
        super().__init__(words)
        self.question = question
        self.words = words


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Answers to questions, and the questions in words."""

    answers: Mapping[Hashable, bool]
    words: tuple[str, ...] = ()

    def ask(self, question: Hashable, words: str) -> bool:
        """The answer; raises OpenQuestionError where there is none yet."""
        if question not in self.answers:
            raise OpenQuestionError(question, words)
        return self.answers[question]

    def with_answers(self, open_: OpenQuestionError) -> Iterator["Assumptions"]:
        """Both ways to answer a question."""
        for answer in (True, False):
            words = open_.words if answer else f"not: {open_.words}"
            answers = {**self.answers, open_.question: answer}
            yield Assumptions(answers, (*self.words, words))


NOTHING = Assumptions({})


def decided(front: Front, request: Request, assumptions: Assumptions) -> Selected | Outcome:
    """As `decide`, with assumptions where that does not know."""
    if front.inbound is not None:
        admission = front.inbound.authorize(request, request.principal, for_tcp=False)
        if admission.verdict is Verdict.UNKNOWN:
            question = ("gateway", front.inbound.filters(), request.client_ip)
            if not assumptions.ask(question, _let_in(admission)):
                return Denied(403, "assumed", admission.why)
            front = replace(front, inbound=None)
    host = front.host
    if not isinstance(host, VirtualHost) or (host.require_tls and request.scheme != "https"):
        return decide(front, request)
    if front.inbound is not None:
        found = decide(front, request)
        if isinstance(found, Denied | Redirect):
            return found
    for route in host.routes:
        truth = all_hold(route.conditions, request)
        if truth is None:
            unsure = [c for c in route.conditions if holds(c, request) is None]
            source = f"{route.source}{route.pointer}" if route.source else host.domain
            truth = all(assumptions.ask(("route", c), f"{source} matches") for c in unsure)
        if truth:
            return Selected(route, (*front.why, *because(route)))
    why = (*front.why, Reason(None, f"no route of {host.domain} matches"))
    return Failed(404, "NR", "route_not_found", why=why)


#: What servers have said to one request and client, by server, transport, path and host.
Memory = dict[tuple[int, Transport, str, str], Admission]


class AssumingInbounds(Inbounds):
    """The servers of a mesh, whose undecided policies follow assumptions."""

    def __init__(self, mesh: Mesh, known: Inbounds, assumptions: Assumptions, memory: Memory):
        super().__init__(mesh)
        self._known = known
        self._assumptions = assumptions
        self._memory = memory

    def of(self, server: Server) -> Inbound:
        """The inbound side of a workload for a port."""
        return _Assuming(self._known.of(server), server, self._assumptions, self._memory)


class _Assuming(Inbound):
    """All that is asked of it is whether it lets a request in."""

    def __init__(self, inner: Inbound, server: Server, assumptions: Assumptions, memory: Memory):
        self._inner = inner
        self._at = server
        self._assumptions = assumptions
        self._memory = memory

    def admit(self, request: Request, transport: Transport, principal: str) -> Admission:
        """As the inner one, unless that does not know."""
        key = (id(self._inner), transport, request.path, request.host)
        found = self._memory.get(key)
        if found is None:
            found = self._memory[key] = self._inner.admit(request, transport, principal)
        if found.verdict is not Verdict.UNKNOWN:
            return found
        identity = principal if transport is Transport.MTLS else ""
        filters = self._inner.filters(for_tcp=request.scheme in ("tcp", "tls"))
        if not filters:
            # The handshake is what is not known.
            question: Hashable = ("handshake", self._at.port, transport, self._inner.peer_mode.mode)
        else:
            question = ("policy", filters, identity, request.host, request.path, self._at.port)
        if self._assumptions.ask(question, _let_in(found)):
            return replace(found, verdict=Verdict.ACCEPTED)
        return replace(found, verdict=Verdict.DENIED, policy="assumed")


def _let_in(admission: Admission) -> str:
    policies = dict.fromkeys(str(reason.id) for reason in admission.why if reason.id)
    return f"{' and '.join(policies) or 'the server'} lets the request in"
