"""A server's side: what its sidecar lets in (LDS and filters of the inbound listener)."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.mesh.model import Mesh
from meshplan.mesh.read import mappings, text, texts
from meshplan.mesh.security import MutualTls, PeerMode
from meshplan.mesh.service import Protocol
from meshplan.mesh.workload import matches_labels
from meshplan.resource import Resource
from meshplan.settings import World
from meshplan.traffic.authorization import (
    AddressIn,
    Atom,
    Filter,
    IdentityIs,
    NotModelled,
    PolicyAction,
    PortIs,
    Rule,
    ServerNameIs,
    Test,
    filters,
)
from meshplan.traffic.condition import TokenPlace, Truth, holds, text_holds
from meshplan.traffic.outcome import Reason, Transport
from meshplan.traffic.request import Request


@dataclass(frozen=True, slots=True)
class Server:
    """A class of workloads behind sidecars, and the port that is asked for."""

    namespace: str
    labels: Mapping[str, str]
    port: int
    #: Whether it is a gateway, which believes nobody's X-Forwarded-For.
    is_gateway: bool = False
    #: The same for the same workloads and port, and can be hashed.
    key: tuple[str, int, bool, tuple[tuple[str, str], ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        named = tuple(sorted(self.labels.items()))
        object.__setattr__(self, "key", (self.namespace, self.port, self.is_gateway, named))


#: Why it is not known whether a request is let in that no policy denies.
TOKEN_UNKNOWN = "whether the token is valid is not known"  # noqa: S105 - words, not a token
#: What is added where policies deny a request all the same.
TOKEN_FIRST = "refuses a token that is not valid before that, with 401"  # noqa: S105 - words


class Verdict(StrEnum):
    """What becomes of a request at a server."""

    ACCEPTED = "accepted"
    DENIED = "denied"
    #: The connection is closed before or during the handshake.
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Admission:
    """The verdict on a request, with the flag that the client logs, and what decided."""

    verdict: Verdict
    flag: str = "-"
    #: The flag that the server itself logs; `-` also where it does not log the connection.
    log: str = "-"
    policy: str = ""
    reason: str = ""
    why: tuple[Reason, ...] = ()


class Inbound:
    """The inbound side of one class of workloads for one port."""

    def __init__(self, mesh: Mesh, server: Server):
        self._mesh = mesh
        self._server = server
        #: The port at which requests arrive.
        self.port = server.port
        self._checks = mesh.request_authentications(server.namespace, server.labels)
        self.token_places = token_places(self._checks)
        self._policies = mesh.authorization_policies(server.namespace, server.labels)
        self.protocol = self._protocol()
        self.peer_mode: PeerMode = mesh.peer_authentication(
            server.namespace, server.labels, server.port
        )
        self._filters: dict[bool, tuple[Filter, ...]] = {}

    def admit(self, request: Request, transport: Transport, principal: str) -> Admission:
        """What becomes of a request over a connection of some kind.

        `principal` is the identity in the client's certificate without `spiffe://`.
        """
        refused = self.handshake(transport, principal)
        if refused is not None:
            return refused
        for_tcp = not self.protocol.is_http_or_sniffed or request.is_connection
        identity = principal if transport is Transport.MTLS else ""
        return self.authorize(request, identity, for_tcp=for_tcp)

    def handshake(self, transport: Transport, principal: str) -> Admission | None:
        """Why a connection is not taken; None if it is (`getFilterChainMatchOptions`)."""
        mode, is_http = self.peer_mode.mode, self.protocol.is_http
        why = (Reason(next(iter(self.peer_mode.sources), None), f"mutual TLS is {mode}"),)
        # TLS that nobody ends is broken HTTP, or goes through to the application.
        unread = "DPE" if is_http else "-"
        match transport:
            case Transport.PLAINTEXT:
                strict = mode is MutualTls.STRICT
                return Admission(Verdict.REFUSED, "UC", "NR", why=why) if strict else None
            case Transport.MTLS:
                if mode is MutualTls.DISABLE:
                    return Admission(Verdict.REFUSED, "UF", unread, why=why)
                return self._stranger(principal)
            case Transport.TLS:
                if mode is MutualTls.STRICT:
                    return Admission(Verdict.REFUSED, "UF", why=why)
                if is_http:
                    log = "NR" if mode is MutualTls.PERMISSIVE else unread
                    return Admission(Verdict.REFUSED, "UF", log, why=why)
                reason = "TLS that is not the mesh's goes through to the application"
                return Admission(Verdict.UNKNOWN, reason=reason, why=why)
            case _:
                assert_never(transport)

    def _stranger(self, principal: str) -> Admission | None:
        """Why a name is not believed: of trust domains only the mesh's own count, and its aliases
        (`TrustDomainsForValidation`).
        """
        domain, found, _ = principal.partition("/")
        config = self._mesh.config
        if not found or domain in (config.trust_domain, *config.trust_domain_aliases):
            return None
        why = (Reason(None, f"{domain} is not known as a trust domain of the mesh"),)
        if self._mesh.world is World.OPEN:
            return Admission(Verdict.UNKNOWN, reason=why[0].text, why=why)
        return Admission(Verdict.REFUSED, "UF", why=why)

    def authorize(self, request: Request, identity: str, *, for_tcp: bool) -> Admission:
        """What the AuthorizationPolicies say: CUSTOM, then DENY, then ALLOW."""
        if self._server.is_gateway:
            # What it takes for the client's address is that of the connection.
            headers = {k: v for k, v in request.headers.items() if k != "x-forwarded-for"}
            request = replace(request, headers=headers)
        has_token = any(place.holds_token(request) for place in self.token_places)
        unknown: Admission | None = None
        for built in self.filters(for_tcp=for_tcp):
            found = self._apply(built, request, identity)
            if found is None:
                continue
            if found.verdict is not Verdict.UNKNOWN:
                first = tuple(Reason(check.id, TOKEN_FIRST) for check in self._checks)
                return replace(found, why=(*first, *found.why)) if has_token else found
            unknown = unknown or found
        if unknown is None and has_token:
            return Admission(Verdict.UNKNOWN, reason=TOKEN_UNKNOWN)
        return unknown or Admission(Verdict.ACCEPTED)

    def filters(self, *, for_tcp: bool = False) -> tuple[Filter, ...]:
        """The filters of the policies, in order."""
        if for_tcp not in self._filters:
            self._filters[for_tcp] = filters(
                self._policies, self._mesh.config, self.token_places, for_tcp=for_tcp
            )
        return self._filters[for_tcp]

    def _apply(self, built: Filter, request: Request, identity: str) -> Admission | None:
        """What one filter says; None if it lets the request go on."""
        match built.action:
            case PolicyAction.CUSTOM:
                return self._custom(built, request, identity)
            case PolicyAction.DENY:
                rule, truth = self._first(built.rules, request, identity)
                if rule is None:
                    return None
                return _denied(rule) if truth else _undecided(rule)
            case PolicyAction.ALLOW:
                rule, truth = self._first(built.rules, request, identity)
                if rule is not None:
                    return None if truth else _undecided(rule)
                why = tuple(Reason(id_, "allows other requests alone") for id_ in built.policies)
                return Admission(Verdict.DENIED, policy="none", why=why)
            case _:
                assert_never(built.action)

    def _custom(self, built: Filter, request: Request, identity: str) -> Admission | None:
        rule, _ = self._first(built.rules, request, identity)
        if rule is None:
            return None
        config = self._mesh.config
        if len(set(built.providers)) > 1 or (
            config.extension_providers_known
            and built.providers[0] not in config.authorization_providers
        ):
            found = _denied(rule)
            policy = f"istio-ext-authz-{found.policy}-deny-due-to-bad-CUSTOM-action"
            return Admission(Verdict.DENIED, policy=policy, why=found.why)
        reason = f"external authorization {built.providers[0]} decides"
        return Admission(Verdict.UNKNOWN, reason=reason, why=_undecided(rule).why)

    def _first(
        self, rules: Iterable[Rule], request: Request, identity: str
    ) -> tuple[Rule | None, Truth]:
        """The first rule that matches, else the first of which it is not known."""
        maybe: Rule | None = None
        for rule in rules:
            truth = _and(
                any_alternative(rule.permissions, self._server.port, request, identity),
                any_alternative(rule.principals, self._server.port, request, identity),
            )
            if truth:
                return rule, True
            if truth is None:
                maybe = maybe or rule
        return maybe, None

    def _protocol(self) -> Protocol:
        """The protocol of the port: the Sidecar's listener, else the oldest service on it."""
        server = self._server
        sidecar = self._mesh.sidecar(server.namespace, server.labels)
        if sidecar is not None and sidecar.ingress:
            listeners = (found for found in sidecar.ingress if found.port == server.port)
            return next((found.protocol for found in listeners), Protocol.SNIFFED)
        for service in self._mesh.services_in(server.namespace):
            if service.selector and matches_labels(service.selector, server.labels):
                for port in service.ports:
                    if (
                        self._mesh.running.port_number(port, server.namespace, server.labels)
                        == server.port
                    ):
                        return port.protocol
        return Protocol.SNIFFED


def token_places(policies: Sequence[Resource]) -> tuple[TokenPlace, ...]:
    """Where RequestAuthentications look for tokens."""
    found: list[TokenPlace] = []
    for policy in policies:
        for rule in mappings(policy.spec.get("jwtRules")):
            found.extend(_places(rule))
    return tuple(dict.fromkeys(found))


def _places(rule: Mapping[str, object]) -> list[TokenPlace]:
    stated = [
        *(
            TokenPlace("header", text(entry.get("name")), text(entry.get("prefix")))
            for entry in mappings(rule.get("fromHeaders"))
        ),
        *(TokenPlace("param", name) for name in texts(rule.get("fromParams"))),
        *(TokenPlace("cookie", name) for name in texts(rule.get("fromCookies"))),
    ]
    if stated:
        return stated
    return [
        TokenPlace("header", "authorization", "Bearer "),
        TokenPlace("param", "access_token"),
    ]


def _denied(rule: Rule) -> Admission:
    why = (Reason(rule.source, f"{_place(rule)} denies the request"),)
    return Admission(Verdict.DENIED, policy=rule.name, why=why)


def _undecided(rule: Rule) -> Admission:
    reason = f"whether {_place(rule)} of {rule.source} matches cannot be decided"
    why = (Reason(rule.source, f"{_place(rule)} cannot be decided"),)
    return Admission(Verdict.UNKNOWN, reason=reason, why=why)


def _place(rule: Rule) -> str:
    return f"rules[{rule.pointer.rpartition('/')[2]}]"


def any_alternative(
    alternatives: tuple[tuple[Test, ...], ...], port: int, request: Request, identity: str
) -> Truth:
    """Whether a request of an identity passes all tests of some alternative at a port."""
    result: Truth = False
    for tests in alternatives:
        truth = _all(test_holds(test, port, request, identity) for test in tests)
        if truth:
            return True
        if truth is None:
            result = None
    return result


def test_holds(test: Test, port: int, request: Request, identity: str) -> Truth:
    """Whether a request of an identity passes a test at a port; None where nobody knows."""
    positive = _any(_atom_holds(atom, port, request, identity) for atom in test.any_of)
    negative = _any(_atom_holds(atom, port, request, identity) for atom in test.none_of)
    return _and(True if not test.any_of else positive, None if negative is None else not negative)


def _atom_holds(atom: Atom, port: int, request: Request, identity: str) -> Truth:
    match atom:
        case PortIs(wanted):
            return port == wanted
        case AddressIn():
            return _address_holds(atom, request)
        case IdentityIs(found):
            return bool(identity) and text_holds(found, f"spiffe://{identity}")
        case ServerNameIs(found):
            return text_holds(found, request.server_name) if request.sni else None
        case NotModelled():
            return None
        case _:
            return holds(atom, request)


def _address_holds(atom: AddressIn, request: Request) -> Truth:
    if atom.which == "destination":
        return None
    address = request.client_ip
    forwarded = request.headers.get("x-forwarded-for", "")
    if atom.which == "remote" and forwarded:
        address = forwarded.rpartition(",")[2].strip()
    if address is None:
        return None
    try:
        return ipaddress.ip_address(address) in atom.network
    except ValueError:
        return None


def _any(truths: Iterable[Truth]) -> Truth:
    result: Truth = False
    for truth in truths:
        if truth:
            return True
        if truth is None:
            result = None
    return result


def _all(truths: Iterable[Truth]) -> Truth:
    result: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def _and(one: Truth, other: Truth) -> Truth:
    return _all((one, other))
