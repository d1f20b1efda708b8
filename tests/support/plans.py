"""Snapshots from YAML text, for tests of what is above reading and rendering."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from meshplan.diff import ChangeSet, diff
from meshplan.graph import DependencyGraph, dependency_graph
from meshplan.identity import ResourceId
from meshplan.kinds import scope_of
from meshplan.mesh.config import MeshConfig
from meshplan.plan import Plan
from meshplan.planner import order
from meshplan.resource import Origin, Resource, Snapshot


@dataclass(frozen=True)
class State:
    """A snapshot with the settings of its mesh."""

    snapshot: Snapshot
    config: MeshConfig = field(default_factory=MeshConfig)


@dataclass(frozen=True)
class Planned:
    """What became of two revisions."""

    changes: ChangeSet
    graph: DependencyGraph
    plan: Plan

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """The edges as pairs of `Kind namespace/name`."""
        return {(str(edge.first), str(edge.then)) for edge in self.graph.edges}


def resource(
    manifest: dict[str, Any], namespace: str = "default", path: str = "a.yaml"
) -> Resource:
    """An object; without a namespace it gets `namespace` if its kind has namespaces."""
    group, _, _ = manifest["apiVersion"].rpartition("/")
    kind, metadata = manifest["kind"], manifest.get("metadata") or {}
    scoped = scope_of(group, kind) != "Cluster"
    where = (metadata.get("namespace") or namespace) if scoped else ""
    found = ResourceId(group, kind, where, metadata["name"])
    return Resource(found, manifest["apiVersion"], manifest, Origin(path))


def snapshot(*texts: str, namespace: str = "default") -> Snapshot:
    """All objects of YAML texts; the first of an id counts."""
    found: dict[ResourceId, Resource] = {}
    for text in texts:
        for manifest in manifests(text):
            made = resource(manifest, namespace)
            found.setdefault(made.id, made)
    return Snapshot(found.values())


def manifests(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a YAML text; what is no object is left out."""
    for value in map(_keyed, yaml.load_all(text, yaml.CSafeLoader)):
        listed = value.get("items") if isinstance(value, dict) else None
        for entry in listed if isinstance(listed, list) else [value]:
            if isinstance(entry, dict) and entry.get("apiVersion") and entry.get("kind"):
                name = (entry.get("metadata") or {}).get("name")
                if isinstance(name, str):
                    yield entry


def _keyed(value: Any) -> Any:
    """A value in which all keys are strings, as in JSON."""
    if isinstance(value, dict):
        return {str(key): _keyed(entry) for key, entry in value.items()}
    return [_keyed(entry) for entry in value] if isinstance(value, list) else value


def tree(folder: Path, namespace: str = "default") -> Snapshot:
    """All objects in the YAML files of a folder; files that are no YAML are left out."""
    texts = []
    for path in sorted(folder.rglob("*.y*ml")):
        try:
            text = path.read_text()
            list(manifests(text))
        except (yaml.YAMLError, UnicodeDecodeError, ValueError):
            continue
        texts.append(text)
    return snapshot(*texts, namespace=namespace)


def planned(
    base: Snapshot, head: Snapshot, old_config: MeshConfig | None = None, *more: MeshConfig
) -> Planned:
    """The changes between two snapshots, their graph and their plan."""
    config = old_config or MeshConfig()
    old, new = State(base, config), State(head, more[0] if more else config)
    changes = diff(base, head)
    graph = dependency_graph(changes, old, new)
    return Planned(changes, graph, order(changes, graph, old, new))
