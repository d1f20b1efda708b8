"""Needs that the API server answers: objects, kinds, grants, role bindings."""

from collections.abc import Iterator
from typing import assert_never

from meshplan.graph.state import Index, View
from meshplan.identity import ResourceId
from meshplan.kinds.need import Bindings, Grant, Object, Served
from meshplan.kinds.needs.read import items, text
from meshplan.resource import Resource

ClusterNeed = Object | Served | Grant | Bindings


def level(what: ClusterNeed, view: View) -> int:
    """How many objects meet the need."""
    match what:
        case Object(subject):
            return int(view.get(subject) is not None or _is_made(subject, view))
        case Served(group, version, kind):
            found = view.find(("served", group, kind), ("served", group, "*"))
            return int(any(version in _versions(resource) for resource in found))
        case Grant():
            found = view.find(("grant", what.to.namespace))
            return int(any(_grants(grant, what) for grant in found))
        case Bindings(namespace, account):
            return sum(1 for _ in view.find(("binding", namespace, account)))
        case _:
            assert_never(what)


def candidates(what: ClusterNeed, index: Index) -> Iterator[ResourceId]:
    """The objects that change and that the level depends on."""
    match what:
        case Object(subject):
            yield from object_candidates(subject, index)
        case Served(group, _, kind):
            yield from index.touched(("served", group, kind), ("served", group, "*"))
        case Grant():
            yield from index.touched(("grant", what.to.namespace))
        case Bindings(namespace, account):
            yield from index.touched(("binding", namespace, account))
        case _:
            assert_never(what)


def object_candidates(subject: ResourceId, index: Index) -> Iterator[ResourceId]:
    """An object if it changes, and what changes of that which a controller makes it from."""
    if subject in index.writes:
        yield subject
    if subject.kind == "Secret":
        yield from index.touched(("made", subject.namespace, subject.name))


def _is_made(subject: ResourceId, view: View) -> bool:
    return subject.kind == "Secret" and any(
        True for _ in view.find(("made", subject.namespace, subject.name))
    )


def _versions(resource: Resource) -> list[str]:
    """The versions that a CustomResourceDefinition or an APIService serves."""
    listed = [
        text(version.get("name"))
        for _, version in items(resource.spec.get("versions"))
        if version.get("served", True)
    ]
    return listed or [text(resource.spec.get("version"))]


def _grants(grant: Resource, what: Grant) -> bool:
    """Whether a ReferenceGrant admits the reference."""
    admitted = any(
        text(entry.get("group")) == what.from_group
        and text(entry.get("kind")) == what.from_kind
        and text(entry.get("namespace")) == what.from_namespace
        for _, entry in items(grant.spec.get("from"))
    )
    return admitted and any(
        text(entry.get("group")) == what.to.group
        and text(entry.get("kind")) == what.to.kind
        and text(entry.get("name")) in ("", what.to.name)
        for _, entry in items(grant.spec.get("to"))
    )
