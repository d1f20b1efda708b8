"""Rules of AuthorizationPolicies, taken apart into the simplest sorts of requests they speak of."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from meshplan.kinds.needs.read import items, mapping, text, texts
from meshplan.resource import Resource

#: One sort of requests: each field with one value that it has, or the values that it has not.
Atom = frozenset[tuple[str, str]]

#: A rule that names more combinations than this is taken as one sort by itself.
_COMBINATIONS = 64

_SOURCE = (
    "principals",
    "requestPrincipals",
    "namespaces",
    "serviceAccounts",
    "ipBlocks",
    "remoteIpBlocks",
)
_OPERATION = ("hosts", "ports", "methods", "paths")


def atoms_of(policy: Resource) -> frozenset[Atom]:
    """The sorts of requests that the rules of a policy match."""
    found: set[Atom] = set()
    for _, rule in items(policy.spec.get("rules")):
        found.update(_atoms(rule))
    return frozenset(found)


def _atoms(rule: Mapping[str, Any]) -> Iterator[Atom]:
    sources = [mapping(e.get("source")) for _, e in items(rule.get("from"))] or [{}]
    operations = [mapping(e.get("operation")) for _, e in items(rule.get("to"))] or [{}]
    conditions = [list(_condition(entry)) for _, entry in items(rule.get("when"))]
    for source, operation in product(sources, operations):
        choices = [*_choices(source, _SOURCE), *_choices(operation, _OPERATION), *conditions]
        count = 1
        for choice in choices:
            count *= len(choice)
        if count > _COMBINATIONS:
            yield frozenset((("rule", str(sorted(map(sorted, choices)))),))
        else:
            yield from (frozenset(chosen) for chosen in product(*choices))


def _choices(entry: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[list[tuple[str, str]]]:
    """For each field that is set its values; a request has to have one of them."""
    for name in fields:
        values = texts(entry.get(name))
        if values:
            yield [(name, value) for value in values]
        negated = f"not{name[0].upper()}{name[1:]}"
        refused = texts(entry.get(negated))
        if refused:
            yield [(negated, ",".join(sorted(refused)))]


def _condition(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    key = text(entry.get("key"))
    for value in texts(entry.get("values")):
        yield key, value
    refused = texts(entry.get("notValues"))
    if refused:
        yield f"not {key}", ",".join(sorted(refused))


def implies(one: Atom, other: Atom) -> bool:
    """Whether every request of sort `one` is for certain of sort `other` too."""
    told = _told(one)
    return all(
        any(name == known and _within(value, pattern) for known, value in told)
        for name, pattern in other
    )


def may_meet(one: Atom, other: Atom) -> bool:
    """Whether a request can be of both sorts, as far as single values tell."""
    ours, theirs = _told(one), _told(other)
    return all(
        _within(value, pattern) or _within(pattern, value)
        for name, value in ours
        for known, pattern in theirs
        if name == known and name not in ("ipBlocks", "remoteIpBlocks", "rule")
        if not name.startswith("not")
    )


def _told(atom: Atom) -> frozenset[tuple[str, str]]:
    """An atom with what its principal says about the namespace, and a namespace about it."""
    found = set(atom)
    for name, value in atom:
        parts = value.split("/")
        if name == "principals" and len(parts) == 5 and parts[1] == "ns":
            found.add(("namespaces", parts[2]))
        if name in ("namespaces", "serviceAccounts"):
            found.add(("principals", "*"))
    return frozenset(found)


def _within(value: str, pattern: str) -> bool:
    """Whether what `value` stands for is among what `pattern` stands for: `*` at one end."""
    if pattern in (value, "*"):
        return True
    if pattern.endswith("*"):
        return value.rstrip("*").startswith(pattern[:-1])
    return pattern.startswith("*") and value.lstrip("*").endswith(pattern[1:])
