"""The changes between two snapshots: who came, who went, who means something else now."""

import difflib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from meshplan.diff.canonical import canonical, identical
from meshplan.diff.change import (
    Change,
    ChangeSet,
    Create,
    Delete,
    FieldChange,
    Rename,
    Replace,
    Update,
    id_of,
)
from meshplan.diff.fields import Difference, Place, differences
from meshplan.diff.rules import rules_for
from meshplan.kinds import kind_of
from meshplan.kinds.kind import Kind
from meshplan.resource import Manifest, Resource, Snapshot

#: What the API server writes into `metadata`, and what an object is called.
_NOT_CONTENT = frozenset(
    {
        "creationTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

#: Stands for the name of the object in its labels; no label can hold it.
_OWN_NAME = "\0"

#: Beyond so many comparisons, renamed objects are matched by the order of their names.
_COMPARISONS = 2500


def diff(base: Snapshot, head: Snapshot) -> ChangeSet:
    """What has to be written and removed to get from `base` to `head`, in the order of ids."""
    changes: list[Change] = []
    created = []
    before = dict(base.items())
    for key, after in head.items():
        if (was := before.pop(key, None)) is None:
            created.append(after)
        elif not identical(was.manifest, after.manifest) and (change := _change(was, after)):
            changes.append(change)
    deleted = list(before.values())
    changes += _renamed(deleted, created)
    return ChangeSet(tuple(sorted(changes, key=id_of)))


def _change(before: Resource, after: Resource) -> Update | Replace | None:
    """What two versions of an object differ in; None if they mean the same."""
    kind = kind_of(after.id.group, after.id.kind)
    rules = rules_for(after.id.group, after.id.kind)
    old, new = _content(before.manifest, kind), _content(after.manifest, kind)
    found = list(differences(old, new, rules, Place()))
    if _another_version(before, after, kind):
        versions = (before.api_version, after.api_version)
        found.insert(0, Difference(Place("apiVersion", ("apiVersion",)), *versions))
    if not found:
        return None
    fields = tuple(FieldChange(entry.place.path, entry.before, entry.after) for entry in found)
    refused = tuple(_refused(found, before, after, kind)) if kind else ()
    return Replace(before, after, fields, refused) if refused else Update(before, after, fields)


def _content(manifest: Manifest, kind: Kind | None) -> Mapping[str, Any]:
    """An object without its identity and without what only the API server writes."""
    whole = kind.rewrite(manifest) if kind else manifest
    rest = {
        name: value for name, value in whole.items() if name not in ("apiVersion", "kind", "status")
    }
    metadata = rest.get("metadata")
    if isinstance(metadata, Mapping):
        metadata = {name: value for name, value in metadata.items() if name not in _NOT_CONTENT}
        annotations = metadata.get("annotations")
        if isinstance(annotations, Mapping) and _LAST_APPLIED in annotations:
            metadata["annotations"] = {k: v for k, v in annotations.items() if k != _LAST_APPLIED}
        rest["metadata"] = metadata
    return rest


def _another_version(before: Resource, after: Resource, kind: Kind | None) -> bool:
    """Whether the API version says something else, rather than the same in other words."""
    if before.api_version == after.api_version:
        return False
    equal = {kind.api_version(version) for version in kind.versions} if kind else set()
    return not {before.api_version, after.api_version} <= equal


def _refused(
    found: Iterable[Difference], before: Resource, after: Resource, kind: Kind
) -> Iterator[str]:
    """The paths of the fields that the API server would not change in place."""
    fixed = (*kind.immutable, *kind.locked(before.manifest, after.manifest))
    locked = [tuple(path.split(".")) for path in fixed]
    free = [tuple(path.split(".")) for path in kind.mutable]
    for entry in found:
        names = entry.place.names
        if any(_starts(names, path) for path in free):
            continue
        if any(_starts(names, path) or _holds(entry, path) for path in locked):
            yield entry.place.path


def _starts(names: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return names[: len(path)] == path


def _holds(entry: Difference, path: tuple[str, ...]) -> bool:
    """Whether a difference contains one of the field `path` further inside."""
    names = entry.place.names
    if len(names) >= len(path) or not _starts(path, names):
        return False
    rest = path[len(names) :]
    return bool(_inside(entry.before, rest) != _inside(entry.after, rest))


def _inside(value: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _renamed(deleted: list[Resource], created: list[Resource]) -> Iterator[Change]:
    """Deletions and creations, as renames where only the name is another one."""
    old, new = _by_content(deleted, created), _by_content(created, deleted)
    paired: set[Resource] = set()
    for content, candidates in old.items():
        for before, after in _matches(candidates, new.get(content, [])):
            paired |= {before, after}
            yield Rename(before, after)
    yield from (Delete(before) for before in deleted if before not in paired)
    yield from (Create(after) for after in created if after not in paired)


def _by_content(
    resources: Iterable[Resource], others: Iterable[Resource]
) -> Mapping[Hashable, list[Resource]]:
    """The objects that may have been renamed, by all that stays the same in a rename."""
    places = {(r.id.group, r.id.kind, r.id.namespace) for r in others}
    found: dict[Hashable, list[Resource]] = {}
    for resource in resources:
        place = (resource.id.group, resource.id.kind, resource.id.namespace)
        if place in places and (content := _nameless(resource)) is not None:
            found.setdefault((place, content), []).append(resource)
    return found


def _nameless(resource: Resource) -> Hashable:
    """The content of an object whatever it is called; None if it is nothing but a name."""
    kind = kind_of(resource.id.group, resource.id.kind)
    content = dict(_content(resource.manifest, kind))
    if not content.keys() - {"metadata"} or resource.id.kind == "Namespace":
        return None
    metadata, labels = content.get("metadata"), resource.labels
    if isinstance(metadata, Mapping) and labels:
        name = resource.id.name
        echo = {key: _OWN_NAME if value == name else value for key, value in labels.items()}
        content["metadata"] = {**metadata, "labels": echo}
    version = kind.kind if kind and _is_served(resource, kind) else resource.api_version
    return (version, canonical(content, rules_for(resource.id.group, resource.id.kind)))


def _is_served(resource: Resource, kind: Kind) -> bool:
    return resource.api_version in map(kind.api_version, kind.versions)


def _matches(before: list[Resource], after: list[Resource]) -> Iterator[tuple[Resource, Resource]]:
    """Pairs of objects of the same content, those with the most similar names first."""
    old, new = sorted(before, key=lambda r: r.id), sorted(after, key=lambda r: r.id)
    if len(old) * len(new) > _COMPARISONS:
        yield from zip(old, new, strict=False)
        return
    scores = sorted(
        (-difflib.SequenceMatcher(None, a.id.name, b.id.name).ratio(), i, j)
        for i, a in enumerate(old)
        for j, b in enumerate(new)
    )
    here: set[int] = set()
    there: set[int] = set()
    for _, i, j in scores:
        if i not in here and j not in there:
            here.add(i)
            there.add(j)
            yield old[i], new[j]
