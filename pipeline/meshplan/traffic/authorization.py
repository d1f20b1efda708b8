"""AuthorizationPolicies as data: what istiod writes into Envoy's RBAC filters.

A rule is a list of alternatives (`to`, `from`) of tests that all have to hold; a test is a list of
values of which one has to match, and one of values of which none may.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.config import MeshConfig
from meshplan.mesh.read import at, mapping, mappings, text, texts
from meshplan.resource import Resource
from meshplan.traffic.condition import (
    ClaimCondition,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    PathTemplate,
    Prefix,
    Present,
    Regex,
    Suffix,
    TextMatch,
    TokenPlace,
)

_DRY_RUN = "istio.io/dry-run"
_ANY_TEXT = Regex(".+")


class PolicyAction(StrEnum):
    """What a matching rule does."""

    CUSTOM = "CUSTOM"
    DENY = "DENY"
    ALLOW = "ALLOW"


@dataclass(frozen=True, slots=True)
class PortIs:
    """On the port that the workload listens on."""

    port: int


@dataclass(frozen=True, slots=True)
class AddressIn:
    """On the client's address: the peer of the connection, or where the request came from first."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    #: `remote` looks at X-Forwarded-For, `peer` does not, `destination` is the workload's own.
    which: str


@dataclass(frozen=True, slots=True)
class IdentityIs:
    """On the identity in the client's certificate, with `spiffe://`."""

    text: TextMatch


@dataclass(frozen=True, slots=True)
class ServerNameIs:
    """On the name in the TLS handshake."""

    text: TextMatch


@dataclass(frozen=True, slots=True)
class NotModelled:
    """On something that cannot be known here."""

    what: str


Atom = Condition | PortIs | AddressIn | IdentityIs | ServerNameIs | NotModelled


@dataclass(frozen=True, slots=True)
class Test:
    """One of `any_of` (if there are any) and none of `none_of`."""

    any_of: tuple[Atom, ...]
    none_of: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy."""

    #: As the access log names it: `ns[shop]-policy[p]-rule[0]`.
    name: str
    source: ResourceId
    pointer: str
    #: Alternatives about the request; all tests of one have to hold.
    permissions: tuple[tuple[Test, ...], ...]
    #: Alternatives about the client.
    principals: tuple[tuple[Test, ...], ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """All enforced policies of one action for a workload; the rules sorted as Envoy tries them."""

    action: PolicyAction
    rules: tuple[Rule, ...]
    policies: tuple[ResourceId, ...]
    #: Names of the external authorization providers, for CUSTOM.
    providers: tuple[str, ...] = ()


class _HttpOnlyError(Exception):
    """The value is about HTTP, and the connection is not."""


class _WrongValueError(Exception):
    """istiod cannot read the value."""


def filters(
    policies: Sequence[Resource],
    config: MeshConfig,
    token_places: tuple[TokenPlace, ...],
    *,
    for_tcp: bool = False,
) -> tuple[Filter, ...]:
    """The filters of a workload in the order in which they run (`Builder.build`)."""
    return tuple(
        built
        for action in PolicyAction
        if (built := _filter(action, policies, _Reader(config, token_places, for_tcp=for_tcp)))
    )


def _filter(action: PolicyAction, policies: Sequence[Resource], reader: "_Reader") -> Filter | None:
    enforced = [
        policy
        for policy in policies
        if (text(policy.spec.get("action")) or "ALLOW") == action
        and policy.annotations.get(_DRY_RUN, "").lower() not in ("true", "t", "1")
    ]
    if not enforced:
        return None
    rules = [rule for policy in enforced for rule in reader.rules(policy, action)]
    return Filter(
        action=action,
        rules=tuple(sorted(rules, key=lambda rule: rule.name)),
        policies=tuple(policy.id for policy in enforced),
        providers=tuple(text(at(policy.spec, "provider", "name")) for policy in enforced)
        if action is PolicyAction.CUSTOM
        else (),
    )


class _Reader:
    def __init__(self, config: MeshConfig, token_places: tuple[TokenPlace, ...], *, for_tcp: bool):
        self._config = config
        self._places = token_places
        self._for_tcp = for_tcp

    def rules(self, policy: Resource, action: PolicyAction) -> Iterator[Rule]:
        """The rules of a policy; one that cannot be expressed is left out of an ALLOW."""
        for index, rule in enumerate(mappings(policy.spec.get("rules"))):
            try:
                permissions, principals = self._rule(policy, rule, strict=action == "ALLOW")
            except (_HttpOnlyError, _WrongValueError):
                continue
            yield Rule(
                name=f"ns[{policy.id.namespace}]-policy[{policy.id.name}]-rule[{index}]",
                source=policy.id,
                pointer=f"/spec/rules/{index}",
                permissions=permissions,
                principals=principals,
            )

    def _rule(
        self, policy: Resource, rule: Mapping[str, Any], *, strict: bool
    ) -> tuple[tuple[tuple[Test, ...], ...], tuple[tuple[Test, ...], ...]]:
        on_request: list[Test] = []
        on_client: list[Test] = []
        for entry in mappings(rule.get("when")):
            key = text(entry.get("key"))
            make, is_request = self._when(key, policy)
            names = ("values", "notValues")
            stated = {name: texts(entry.get(name)) for name in names}
            if key == "source.principal":
                stated = {name: self._with_aliases(stated[name]) for name in names}
            test = self._test(make, stated, *names, strict=strict)
            (on_request if is_request else on_client).append(test)
        sources = mappings(rule.get("from")) or ({},)
        operations = mappings(rule.get("to")) or ({},)
        return (
            tuple(
                (*self._operation(mapping(entry.get("operation")), strict=strict), *on_request)
                for entry in operations
            ),
            tuple(
                (*self._source(mapping(entry.get("source")), policy, strict=strict), *on_client)
                for entry in sources
            ),
        )

    def _operation(self, operation: Mapping[str, Any], *, strict: bool) -> Iterator[Test]:
        makers: tuple[tuple[str, str, Callable[[str], Atom]], ...] = (
            ("hosts", "notHosts", self._host),
            ("methods", "notMethods", lambda value: self._header(":method", value)),
            ("paths", "notPaths", self._path),
            ("ports", "notPorts", _port),
        )
        for name, negative, make in makers:
            if operation.get(name) or operation.get(negative):
                yield self._test(make, operation, name, negative, strict=strict)

    def _source(
        self, source: Mapping[str, Any], policy: Resource, *, strict: bool
    ) -> Iterator[Test]:
        principals = ("principals", "notPrincipals")
        if any(source.get(name) for name in principals):
            aliased = {name: self._with_aliases(texts(source.get(name))) for name in principals}
            yield self._test(_identity, aliased, *principals, strict=strict)
        makers: tuple[tuple[str, str, Callable[[str], Atom]], ...] = (
            ("requestPrincipals", "notRequestPrincipals", self._claim),
            ("serviceAccounts", "notServiceAccounts", _account_of(policy.id.namespace)),
            ("namespaces", "notNamespaces", _namespace),
            ("remoteIpBlocks", "notRemoteIpBlocks", lambda value: _address(value, "remote")),
            ("ipBlocks", "notIpBlocks", lambda value: _address(value, "peer")),
        )
        for name, negative, make in makers:
            if source.get(name) or source.get(negative):
                yield self._test(make, source, name, negative, strict=strict)

    def _when(self, key: str, policy: Resource) -> tuple[Callable[[str], Atom], bool]:
        """How the values of a condition are read, and whether it is about the request."""
        makers: Mapping[str, tuple[Callable[[str], Atom], bool]] = {
            "destination.ip": (lambda value: _address(value, "destination"), True),
            "destination.port": (_port, True),
            "connection.sni": (lambda value: ServerNameIs(_text(value)), True),
            "source.ip": (lambda value: _address(value, "peer"), False),
            "remote.ip": (lambda value: _address(value, "remote"), False),
            "source.namespace": (_namespace, False),
            "source.serviceAccount": (_account_of(policy.id.namespace), False),
            "source.principal": (_identity, False),
        }
        if key in makers:
            return makers[key]
        if key.startswith("experimental.envoy.filters."):
            return (lambda _: NotModelled(key)), True
        if key.startswith("request.headers"):
            name = key.removeprefix("request.headers")
            if not (name.startswith("[") and name.endswith("]")):
                raise _WrongValueError
            return (lambda value: self._header(name[1:-1].lower(), value)), False
        if key.startswith("request.auth."):
            return self._claim, False
        raise _WrongValueError

    def _test(
        self,
        make: Callable[[str], Atom],
        entry: Mapping[str, Any],
        name: str,
        negative: str,
        *,
        strict: bool,
    ) -> Test:
        return Test(
            tuple(_atoms(make, texts(entry.get(name)), strict=strict)),
            tuple(_atoms(make, texts(entry.get(negative)), strict=strict)),
        )

    def _host(self, value: str) -> Atom:
        self._need_http()
        return HeaderCondition(":authority", _header_text(value, ignore_case=True))

    def _header(self, name: str, value: str) -> Atom:
        self._need_http()
        return HeaderCondition(name, _header_text(value))

    def _path(self, value: str) -> Atom:
        self._need_http()
        if "{*}" in value or "{**}" in value:
            plain = value.replace("{*}", "*").replace("{**}", "**")
            return PathCondition(PathTemplate(tuple(plain.removeprefix("/").split("/"))))
        return PathCondition(_text(value))

    def _claim(self, value: str) -> Atom:
        self._need_http()
        return ClaimCondition("", _text(value), places=self._places)

    def _need_http(self) -> None:
        if self._for_tcp:
            raise _HttpOnlyError

    def _with_aliases(self, principals: tuple[str, ...]) -> tuple[str, ...]:
        """Principals of the mesh's trust domain in all its names (`ReplaceTrustDomainAliases`)."""
        domains = (self._config.trust_domain, *self._config.trust_domain_aliases)
        out: list[str] = []
        for principal in principals:
            parts = principal.split("/")
            own = parts[0] == "cluster.local" or any(_trusts(parts[0], d) for d in domains)
            if len(parts) != 5 or not own:
                out.append(principal)
                continue
            for domain in domains:
                kept = parts[0].startswith("*") and domain.endswith(parts[0][1:])
                out.append(principal if kept else "/".join((domain, *parts[1:])))
        return tuple(dict.fromkeys(out))


def _atoms(make: Callable[[str], Atom], values: Iterable[str], *, strict: bool) -> Iterator[Atom]:
    """The atoms of some values; of a DENY, those that cannot be expressed are left out."""
    for value in values:
        try:
            yield make(value)
        except (_HttpOnlyError, _WrongValueError):
            if strict:
                raise


def _port(value: str) -> Atom:
    if not value.isdecimal() or int(value) > 65535:
        raise _WrongValueError
    return PortIs(int(value))


def _address(value: str, which: str) -> Atom:
    try:
        return AddressIn(ipaddress.ip_network(value, strict=False), which)
    except ValueError:
        raise _WrongValueError from None


def _identity(value: str) -> Atom:
    """`StringMatcherWithPrefix` with `spiffe://`."""
    if value == "*":
        return IdentityIs(_ANY_TEXT)
    if value.startswith("*"):
        return IdentityIs(Regex(f"spiffe://.*{value[1:]}"))
    if value.endswith("*"):
        return IdentityIs(Prefix(f"spiffe://{value[:-1]}"))
    return IdentityIs(Exact(f"spiffe://{value}"))


def _namespace(value: str) -> Atom:
    return IdentityIs(Regex(f".*/ns/{value.replace('*', '.*')}/.*"))


def _account_of(namespace: str) -> Callable[[str], Atom]:
    def account(value: str) -> Atom:
        where, slash, name = value.partition("/")
        if not slash:
            where, name = namespace, value
        return IdentityIs(Regex(f"spiffe://.+/ns/{where}/(.+/|)sa/{name}(/.+)?"))

    return account


def _text(value: str) -> TextMatch:
    """`StringMatcher`: `*`, `*x`, `x*` or `x`."""
    if value == "*":
        return _ANY_TEXT
    if value.startswith("*"):
        return Suffix(value[1:])
    return Prefix(value[:-1]) if value.endswith("*") else Exact(value)


def _header_text(value: str, *, ignore_case: bool = False) -> TextMatch:
    """`HeaderMatcher`: as a text, but `*` also for an empty header."""
    if value == "*":
        return Present()
    if value.startswith("*"):
        return Suffix(value[1:], ignore_case)
    if value.endswith("*"):
        return Prefix(value[:-1], ignore_case)
    return Exact(value, ignore_case)


def _trusts(pattern: str, domain: str) -> bool:
    if pattern.startswith("*"):
        return domain.endswith(pattern[1:])
    if pattern.endswith("*"):
        return domain.startswith(pattern[:-1])
    return pattern == domain
