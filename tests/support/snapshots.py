"""Snapshots from YAML text, for tests that need no repository."""

from typing import Any

from meshplan.kinds import scope_of
from meshplan.resource import Document, Origin, Resource, Snapshot
from meshplan.source.objects import resources_of
from meshplan.source.yaml import parse


def snapshot(text: str) -> Snapshot:
    """All objects of a YAML stream, namespaced ones in `default` unless they say otherwise."""
    parsed = parse(text.encode(), "test.yaml")
    assert not parsed.findings, parsed.findings
    return _snapshot(parsed.documents)


def of_values(*values: Any) -> Snapshot:
    """Manifests as Python values."""
    return _snapshot(tuple(Document(value, Origin("test.yaml")) for value in values))


def resource(value: Any) -> Resource:
    """One manifest as a resource."""
    (found,) = of_values(value).values()
    return found


def _snapshot(documents: tuple[Document, ...]) -> Snapshot:
    objects = resources_of(documents, default_namespace="default", scope_of=scope_of)
    assert not objects.findings, objects.findings
    return Snapshot(objects.resources)
