"""Versions that are in neither revision, for changes that no order of the two makes safe.

Everything here only proposes. Whether a version is safe, the prover says; which are used, the
planner decides; and the last write of every object is its version at the head.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from meshplan.bridge.choice import TEMPORARY_LABEL, TEMPORARY_PREFIX, Choice, choices_of, with_spec
from meshplan.bridge.halves import halves
from meshplan.bridge.temporary import (
    allow_everything,
    pins,
    redefined_subsets,
    to_next_subsets,
    with_next_subsets,
    with_pin,
    without_subsets,
)
from meshplan.bridge.union import NETWORKING, SECURITY, unions
from meshplan.diff import Change
from meshplan.mesh import Mesh
from meshplan.plan import canonical_json
from meshplan.resource import Resource

__all__ = ["TEMPORARY_LABEL", "TEMPORARY_PREFIX", "Choice", "bridges"]


def bridges(changes: Iterable[Change], base: Mesh, head: Mesh) -> tuple[Choice, ...]:
    """For each changed object its versions, and temporary objects that may help.

    The simplest come first: halves and unions, then temporary subset names, routes to the whole host, pins
    and shadow policies.
    """
    plain = [choice for change in changes for choice in choices_of(change)]
    found = [_joined(choice) for choice in plain]
    found = _renaming(found, head)
    found = _whole_hosts(found, base, head)
    found = _pinned(found, plain)
    kept = [replace(c, between=()) if c.recreated else _distinct(c) for c in found]
    return (*kept, *_objects(plain, base, head))


def _is(choice: Choice, group: str, kind: str) -> bool:
    return (choice.id.group, choice.id.kind) == (group, kind)


def _add(choice: Choice, *versions: Resource) -> Choice:
    return replace(choice, between=(*choice.between, *versions))


def _joined(choice: Choice) -> Choice:
    if _is(choice, NETWORKING, "VirtualService"):
        choice = _add(choice, *halves(choice))
    if choice.old is None or choice.new is None:
        return choice
    return _add(choice, *(with_spec(choice.new, s) for s in unions(choice.old, choice.new)))


def _renaming(choices: Sequence[Choice], head: Mesh) -> list[Choice]:
    """Temporary names for subsets whose name gets another meaning, and routes that use them."""
    hosts: dict[str, tuple[str, ...]] = {}
    found = []
    for choice in choices:
        if _is(choice, NETWORKING, "DestinationRule") and choice.old and choice.new:
            names = redefined_subsets(choice.old, choice.new)
            if names:
                host = head.resolve_host(str(choice.new.spec.get("host", "")), choice.id.namespace)
                hosts[host] = names
                choice = _add(choice, *with_next_subsets(choice.old, choice.new))  # noqa: PLW2901
        found.append(choice)
    if not hosts:
        return found
    return [
        _add(choice, route)
        if _is(choice, NETWORKING, "VirtualService")
        and choice.new
        and (route := to_next_subsets(choice.new, hosts, head))
        else choice
        for choice in found
    ]


def _whole_hosts(choices: Sequence[Choice], base: Mesh, head: Mesh) -> list[Choice]:
    """Routes to a whole host while what its subsets select is being changed."""
    workloads = {"Deployment", "StatefulSet", "DaemonSet", "Rollout", "WorkloadEntry"}
    if not any(choice.id.kind in workloads for choice in choices):
        return list(choices)
    hosts = {
        mesh.resolve_host(str(version.spec.get("host", "")), choice.id.namespace)
        for choice in choices
        if _is(choice, NETWORKING, "DestinationRule")
        for mesh, version in ((base, choice.old), (head, choice.new))
        if version
    }
    found = []
    for choice in choices:
        versions = [v for v in (choice.new, choice.old) if v] if hosts else []
        whole = (
            [r for v in versions if (r := without_subsets(v, hosts, head))]
            if _is(choice, NETWORKING, "VirtualService")
            else []
        )
        found.append(_add(choice, *whole))
    return found


def _pinned(choices: Sequence[Choice], plain: Sequence[Choice]) -> list[Choice]:
    """Explicit TLS modes in the rules that change beside a PeerAuthentication."""
    if not any(_is(choice, SECURITY, "PeerAuthentication") for choice in plain):
        return list(choices)
    return [
        _add(choice, *(with_pin(choice.new, mode) for mode in ("DISABLE", "ISTIO_MUTUAL")))
        if _is(choice, NETWORKING, "DestinationRule") and choice.new
        else choice
        for choice in choices
    ]


def _objects(choices: Sequence[Choice], base: Mesh, head: Mesh) -> tuple[Choice, ...]:
    policies = [c for c in choices if _is(c, SECURITY, "AuthorizationPolicy")]
    found = {choice.id: choice for choice in allow_everything(policies)}
    for choice in choices:
        if _is(choice, SECURITY, "PeerAuthentication"):
            for mesh, version in ((base, choice.old), (head, choice.new)):
                found |= {pin.id: pin for pin in pins(version, mesh)} if version else {}
    return tuple(found.values())


def _distinct(choice: Choice) -> Choice:
    """Without versions that are one of the ends, or another one once more."""
    ends = {canonical_json(v.manifest) for v in (choice.old, choice.new) if v}
    kept: dict[bytes, Resource] = {}
    for version in choice.between:
        key = canonical_json(version.manifest)
        if key not in ends:
            kept.setdefault(key, version)
    return replace(choice, between=tuple(kept.values()))
