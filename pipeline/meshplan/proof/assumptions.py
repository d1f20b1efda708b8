"""What cannot be decided, taken as true once and as false once.

A pattern that is not understood, or a policy about tokens and addresses, is a function of the request
that nobody knows; but it is the same function before, during and after. So where a plan is safe
whichever way it decides, the plan is safe.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.mesh.model import Mesh
from meshplan.plan import canonical_json
from meshplan.traffic.condition import all_hold, holds
from meshplan.traffic.forward import Inbounds
from meshplan.traffic.inbound import TOKEN_UNKNOWN, Admission, Inbound, Server, Verdict
from meshplan.traffic.outcome import (
    Denied,
    Failed,
    Outcome,
    Reason,
    Redirect,
    Transport,
    Unknown,
)
from meshplan.traffic.reasons import because
from meshplan.traffic.request import Request
from meshplan.traffic.route import Front, Selected, decide
from meshplan.traffic.table import VirtualHost

#: The family of questions about conditions of routes.
_PATTERN = "route"


class OpenQuestionError(Exception):
    """Something has to be assumed before the outcome can be told."""

    def __init__(self, question: tuple[Hashable, ...], words: str):
        super().__init__(words)
        self.question = question
        self.words = words


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Answers to questions, and the questions in words."""

    answers: Mapping[tuple[Hashable, ...], bool]
    words: tuple[str, ...] = ()

    @property
    def plausible(self) -> bool:
        """Whether there surely is such a request: no two answers may contradict each other.

        That one policy lets a request in says nothing about a token, but something, perhaps, about
        another policy; that all of them do is what they are there for. Patterns may exclude each
        other.
        """
        alike: dict[Hashable, list[bool]] = {}
        for question, answer in self.answers.items():
            alike.setdefault(question[0], []).append(answer)
        return all(
            len(answers) == 1 or (family != _PATTERN and all(answers))
            for family, answers in alike.items()
        )

    def ask(self, question: tuple[Hashable, ...], words: str) -> bool:
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


#: What RequestAuthentications say about tokens, in one way of writing.
TokenRules = tuple[str, ...]


def token_rules(mesh: Mesh, namespace: str, labels: Mapping[str, str]) -> TokenRules:
    """Which tokens a workload verifies, and how."""
    found = mesh.request_authentications(namespace, labels)
    return tuple(canonical_json(policy.spec.get("jwtRules")).decode() for policy in found)


def refuses_token(
    inbound: Inbound, rules: TokenRules, request: Request, assumptions: Assumptions
) -> bool:
    """Whether a request has a token that is not good (401); one without any is let through."""
    if not rules or not any(place.holds_token(request) for place in inbound.token_places):
        return False
    return not assumptions.ask(("token", rules), "the token is good")


def is_about_token(admission: Admission | Unknown) -> bool:
    """Whether nothing but a token is in question, which `refuses_token` asks about."""
    return admission.reason == TOKEN_UNKNOWN


def decided(
    front: Front, request: Request, assumptions: Assumptions, rules: TokenRules = ()
) -> Selected | Outcome:
    """As `decide`, with assumptions where that does not know.

    `rules` are those of a gateway for tokens.
    """
    if front.inbound is not None:
        if refuses_token(front.inbound, rules, request, assumptions):
            return Denied(401, "jwt", front.why)
        admission = front.inbound.authorize(request, request.principal, for_tcp=False)
        if admission.verdict is Verdict.UNKNOWN and not (rules and is_about_token(admission)):
            question = ("gateway", front.inbound.filters(), rules, request.client_ip)
            if not assumptions.ask(question, _let_in(admission)):
                return Denied(403, "assumed", admission.why)
            front = replace(front, inbound=None)
        elif admission.verdict is Verdict.UNKNOWN:
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
            truth = all(assumptions.ask((_PATTERN, c), f"{source} matches") for c in unsure)
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
        rules = token_rules(self._mesh, server.namespace, server.labels)
        inner = self._known.of(server)
        return _Assuming(inner, server, (self._assumptions, rules), self._memory)


class _Assuming(Inbound):
    """All that is asked of it is whether it lets a request in."""

    def __init__(
        self, inner: Inbound, server: Server, given: tuple[Assumptions, TokenRules], memory: Memory
    ):
        self._inner = inner
        self._at = server
        self._assumptions, self._rules = given
        self._memory = memory

    def admit(self, request: Request, transport: Transport, principal: str) -> Admission:
        """As the inner one, unless that does not know."""
        rules = self._rules
        if refuses_token(self._inner, rules, request, self._assumptions):
            return Admission(Verdict.DENIED, policy="jwt")
        key = (id(self._inner), transport, request.path, request.host)
        found = self._memory.get(key)
        if found is None:
            found = self._memory[key] = self._inner.admit(request, transport, principal)
        if found.verdict is not Verdict.UNKNOWN:
            return found
        if rules and is_about_token(found):
            return replace(found, verdict=Verdict.ACCEPTED)
        identity = principal if transport is Transport.MTLS else ""
        filters = self._inner.filters(for_tcp=request.is_connection)
        if not filters:
            # The handshake is what is not known.
            question: tuple[Hashable, ...] = (
                "handshake",
                self._at.port,
                transport,
                self._inner.peer_mode.mode,
            )
        else:
            asked = (identity, request.host, request.path, self._at.port)
            question = ("policy", filters, rules, asked)
        if self._assumptions.ask(question, _let_in(found)):
            return replace(found, verdict=Verdict.ACCEPTED)
        return replace(found, verdict=Verdict.DENIED, policy="assumed")


def _let_in(admission: Admission) -> str:
    policies = dict.fromkeys(str(reason.id) for reason in admission.why if reason.id)
    return f"{' and '.join(policies) or 'the server'} lets the request in"
