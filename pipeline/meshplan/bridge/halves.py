"""Versions of a VirtualService in which its half for gateways is new and that for sidecars is not.

A sidecar may send requests on to a gateway, as on their way out of the mesh, by one object that has
the routes of both. It is written at once and met by each proxy in its own time, so that the
gateway's half has to be there before the sidecars', and to stay until theirs is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshplan.bridge.choice import Choice, with_spec
from meshplan.resource import Resource

_MESH = "mesh"
_FAMILIES = ("http", "tls", "tcp")


def halves(choice: Choice) -> Iterator[Resource]:
    """What may stand in between; nothing for one that is for sidecars or for gateways alone."""
    old, new = choice.old, choice.new
    if not any(_is_both(version) for version in (old, new)):
        return
    for sidecars, gateways in ((old, new), (new, old)):
        if gateways is None:
            continue
        like = new or gateways
        if sidecars is None or sidecars.spec.get("hosts") == gateways.spec.get("hosts"):
            found = _put_together(sidecars, gateways)
            if found is not None:
                yield with_spec(like, found)


def _put_together(sidecars: Resource | None, gateways: Resource) -> Mapping[str, Any] | None:
    """The routes that one version has for sidecars and another one for gateways."""
    names = [name for name in _bound(gateways) if name != _MESH]
    if not names:
        return None
    spec = {k: v for k, v in gateways.spec.items() if k not in _FAMILIES}
    found = False
    for family in _FAMILIES:
        near = list(_rules(sidecars, family, of_sidecars=True)) if sidecars else []
        found = found or bool(near)
        rules = [*_rules(gateways, family, of_sidecars=False), *near]
        if rules:
            spec[family] = rules
    return {**spec, "gateways": [*([_MESH] if found else []), *names]}


def _rules(version: Resource, family: str, *, of_sidecars: bool) -> Iterator[Mapping[str, Any]]:
    """The rules of one half, each for that half alone."""
    for rule in version.spec.get(family) or ():
        matches: list[Mapping[str, Any]] = []
        for match in rule.get("match") or [dict[str, Any]()]:
            bound = match.get("gateways") or _bound(version)
            own = [name for name in bound if (name == _MESH) == of_sidecars]
            if own:
                matches.append({**match, "gateways": own})
        if matches:
            yield {**rule, "match": matches}


def _bound(version: Resource) -> Sequence[str]:
    return version.spec.get("gateways") or (_MESH,)


def _is_both(version: Resource | None) -> bool:
    return version is not None and _MESH in _bound(version) and len(_bound(version)) > 1
