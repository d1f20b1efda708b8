"""By which names a host is asked for, as far as routes and policies tell them apart.

A VirtualService for `*.shop.example` may look at the `authority` of a request, a policy of a gateway
at its `hosts`: names under one wildcard, and the ways to write one name, may fare differently.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from meshplan.mesh.config import MeshConfig
from meshplan.mesh.hosts import is_wildcard
from meshplan.mesh.read import mapping, mappings, text, texts
from meshplan.mesh.virtual_service import string_match_of
from meshplan.proof.texts import TextKind, cells, holds_of, quoted
from meshplan.proof.types import BudgetError
from meshplan.resource import Resource
from meshplan.traffic.authorization import filters
from meshplan.traffic.condition import (
    Exact,
    HeaderCondition,
    Present,
    Regex,
    Suffix,
    TextMatch,
    text_match,
)

#: How headers with the name of the host are called.
AUTHORITY = frozenset((":authority", "host"))
#: A name, in lower case.
_NAME = "[a-z0-9_-][a-z0-9._-]*"


def asked_of_names(resources: Iterable[Resource], config: MeshConfig) -> tuple[TextMatch, ...]:
    """All that routes and policies ask of the name by which a host is asked for."""
    found: dict[TextMatch, None] = {}
    for resource in resources:
        match resource.id.kind:
            case "VirtualService":
                found.update(dict.fromkeys(_of_virtual_service(resource)))
            case "HTTPRoute" | "GRPCRoute":
                found.update(dict.fromkeys(_of_attached(resource)))
            case "AuthorizationPolicy":
                found.update(dict.fromkeys(_of_policy(resource, config)))
            case _:
                pass
    found.pop(Present(), None)
    return tuple(found)


def _of_virtual_service(resource: Resource) -> Iterator[TextMatch]:
    for rule in mappings(resource.spec.get("http")):
        for match in mappings(rule.get("match")):
            if isinstance(match.get("authority"), Mapping):
                yield text_match(string_match_of(match["authority"]))
            for part in ("headers", "withoutHeaders"):
                for name, value in mapping(match.get(part)).items():
                    if str(name).lower() in AUTHORITY:
                        yield text_match(string_match_of(value))


def server_names_asked(resources: Iterable[Resource]) -> tuple[TextMatch, ...]:
    """All that routes ask of the name in a TLS handshake, which has no port and no capitals."""
    found: dict[TextMatch, None] = {}
    for resource in resources:
        if resource.id.kind != "VirtualService":
            continue
        for rule in mappings(resource.spec.get("tls")):
            for match in mappings(rule.get("match")):
                for name in (name.lower() for name in texts(match.get("sniHosts"))):
                    found[Suffix(name[1:]) if is_wildcard(name) else Exact(name)] = None
    return tuple(found)


def _of_attached(resource: Resource) -> Iterator[TextMatch]:
    for rule in mappings(resource.spec.get("rules")):
        for match in mappings(rule.get("matches")):
            for header in mappings(match.get("headers")):
                if text(header.get("name")).lower() in AUTHORITY:
                    value = text(header.get("value"))
                    is_pattern = header.get("type") == "RegularExpression"
                    yield Regex(value) if is_pattern else Exact(value)


def _of_policy(resource: Resource, config: MeshConfig) -> Iterator[TextMatch]:
    for built in filters([resource], config, ()):
        for rule in built.rules:
            for alternative in (*rule.permissions, *rule.principals):
                for test in alternative:
                    for atom in (*test.any_of, *test.none_of):
                        if isinstance(atom, HeaderCondition) and atom.name in AUTHORITY:
                            yield atom.text


def names_of(pattern: str, asked: Sequence[TextMatch], usual: str) -> tuple[str, ...]:
    """A name of each sort that a wildcard covers, first the usual one, which nobody else has.

    Raises BudgetError where a pattern is too large to tell.
    """
    if not asked:
        return (usual,)
    fits = Regex(f"{_NAME}{quoted(pattern[1:])}")
    found = cells((*asked, fits), TextKind.HOST, preferred=(usual,))
    if found.opaque:
        raise BudgetError("a pattern of host names is too large to be decided")
    return tuple(cell.value for cell in found.cells if cell.truths[-1])


def spellings(names: Iterable[str], asked: Sequence[TextMatch], port: int) -> Iterator[str]:
    """The names, and other ways to write each that are told apart: with its port, in capitals."""
    for name in names:
        yield name
        truths = [holds_of(test, name) for test in asked]
        for other in (f"{name}:{port}", name.upper()):
            if [holds_of(test, other) for test in asked] != truths:
                yield other
