"""What cannot be decided, taken as true once and as false once.

A pattern that is not understood, or a policy about tokens and addresses, is a function of the request
that nobody knows; but it is the same function before, during and after. So where a plan is safe
whichever way it decides, the plan is safe.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.mesh.model import Mesh
from meshplan.plan import canonical_json
from meshplan.traffic.authorization import Filter, PolicyAction, Rule, Test
from meshplan.traffic.condition import all_hold, holds
from meshplan.traffic.forward import Inbounds
from meshplan.traffic.inbound import (
    TOKEN_UNKNOWN,
    Admission,
    Inbound,
    Server,
    Verdict,
    any_alternative,
    test_holds,
)
from meshplan.traffic.outcome import (
    Denied,
    Failed,
    Outcome,
    Reason,
    Transport,
    Unknown,
)
from meshplan.traffic.reasons import because
from meshplan.traffic.request import Request
from meshplan.traffic.route import Front, Selected, decide
from meshplan.traffic.table import VirtualHost

#: The family of questions about conditions of routes.
_PATTERN = "route"
#: That of questions about tests of policies.
_TEST = "test"


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

        What one policy says of a request tells nothing about a token, but something, perhaps, about
        another policy. Patterns may exclude each other, and so may tests; but somebody is whom none
        of them names.
        """
        alike: dict[Hashable, list[bool]] = {}
        for question, answer in self.answers.items():
            alike.setdefault(question[0], []).append(answer)
        named = [question[1] for question in self.answers if question[0] == _TEST]
        of_one_mind: dict[Hashable, bool] = {
            _PATTERN: False,
            _TEST: not any(isinstance(test, Test) and test.none_of for test in named)
            and not any(alike.get(_TEST, ())),
        }
        return all(
            len(answers) == 1 or of_one_mind.get(family, all(answers))
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
        if admission.verdict is Verdict.DENIED:
            return Denied(403, admission.policy, admission.why)
        if admission.verdict is Verdict.UNKNOWN:
            # What it takes for the client's address is that of the connection.
            headers = {k: v for k, v in request.headers.items() if k != "x-forwarded-for"}
            came = replace(request, headers=headers)
            asked = (request.principal, request.host, request.path, front.inbound.port, rules)
            if not lets_in(front.inbound.filters(), came, asked, assumptions):
                return Denied(403, "assumed", admission.why)
        front = replace(front, inbound=None)
    host = front.host
    if not isinstance(host, VirtualHost) or (host.require_tls and request.scheme != "https"):
        return decide(front, request)
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
        key = (id(self._inner), transport, request.path, request.host)
        found = self._memory.get(key)
        if found is None:
            found = self._memory[key] = self._inner.admit(request, transport, principal)
        if found.verdict is Verdict.REFUSED:
            return found
        if refuses_token(self._inner, rules, request, self._assumptions):
            return Admission(Verdict.DENIED, policy="jwt")
        if found.verdict is not Verdict.UNKNOWN:
            return found
        if is_about_token(found):
            return replace(found, verdict=Verdict.ACCEPTED)
        identity = principal if transport is Transport.MTLS else ""
        for_tcp = not self._inner.protocol.is_http_or_sniffed or request.is_connection
        filters = self._inner.filters(for_tcp=for_tcp)
        asked = (identity, request.host, request.path, self._at.port, rules)
        if not filters:
            # The handshake is what is not known.
            mode = self._inner.peer_mode.mode
            question: tuple[Hashable, ...] = ("handshake", self._at.port, transport, mode)
            is_let_in = self._assumptions.ask(question, _let_in(found))
        else:
            is_let_in = lets_in(filters, request, asked, self._assumptions)
        if is_let_in:
            return replace(found, verdict=Verdict.ACCEPTED)
        return replace(found, verdict=Verdict.DENIED, policy="assumed")


#: A client's identity, the host and the path by which it asks, the port at which it arrives, and
#: what tokens are good there.
At = tuple[str, str, str, int, TokenRules]


def lets_in(
    filters: Sequence[Filter], request: Request, asked: At, assumptions: Assumptions
) -> bool:
    """Whether filters let a request in of which they do not know it; raises OpenQuestionError.

    Each test that nobody can decide is asked about: the same one says the same in all policies.
    """
    identity, _, _, port, _ = asked
    for built in filters:
        sides = [(rule, (rule.permissions, rule.principals)) for rule in built.rules]
        truths = [
            [any_alternative(found, port, request, identity) for found in both] for _, both in sides
        ]
        maybe = [pair for pair, truth in zip(sides, truths, strict=True) if False not in truth]
        if built.action is PolicyAction.CUSTOM:
            words = f"{built.policies[0]} lets the request in"
            if maybe and not assumptions.ask(("custom", built, asked), words):
                return False
            continue
        is_matched = any(all(truth) for truth in truths) or any(
            all(_is_assumed(found, request, asked, (assumptions, rule)) for found in both)
            for rule, both in maybe
        )
        if is_matched is (built.action is PolicyAction.DENY):
            return False
    return True


def _is_assumed(
    alternatives: tuple[tuple[Test, ...], ...],
    request: Request,
    asked: At,
    given: tuple[Assumptions, Rule],
) -> bool:
    """Whether all tests of some alternative are passed, by what is assumed of them."""
    assumptions, rule = given
    identity, _, _, port, _ = asked
    known = [
        [test_holds(test, port, request, identity) for test in tests] for tests in alternatives
    ]
    if any(all(truths) for truths in known):
        return True
    words = f"{rule.source} matches"
    return any(
        all(
            truth or assumptions.ask((_TEST, test, asked), words)
            for test, truth in zip(tests, truths, strict=True)
        )
        for tests, truths in zip(alternatives, known, strict=True)
        if False not in truths
    )


def _let_in(admission: Admission) -> str:
    policies = dict.fromkeys(str(reason.id) for reason in admission.why if reason.id)
    return f"{' and '.join(policies) or 'the server'} lets the request in"
