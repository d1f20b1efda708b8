"""Kubernetes objects as values: where they were read, who they are, and all of them together."""

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from dataclasses import field
from types import MappingProxyType
from typing import Any, Self, TypeVar, overload

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.location import Location, Role, Side

#: The JSON form of a manifest. Read it, never write to it: documents are shared between snapshots.
Manifest = Mapping[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object was written.

    For a rendered object it is the best that the renderer can tell: the file that holds the object
    before it was patched, or the chart's template.
    """

    path: str
    #: Line of the first key of the object, from 1; None where only the file is known.
    line: int | None = None
    #: Which document of the file's stream, from 0.
    document: int = 0
    #: Where the object is inside that document: "" for the document itself, "/items/3" in a List.
    pointer: str = ""
    #: What produced the object from the file, e.g. "kustomize overlays/prod"; "" for plain YAML.
    via: str = ""

    def location(self, side: Side = Side.HEAD, role: Role = Role.PRIMARY) -> Location:
        """The place as a finding names it."""
        return Location(self.path, self.line, pointer=self.pointer, side=side, role=role)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML or JSON document with its place; its value is what Kubernetes would read."""

    value: Any
    origin: Origin

    @property
    def kind(self) -> str:
        """The kind that it says it is of; "" where it says none, or one that is no string."""
        value = self.value
        found = value.get("kind") if isinstance(value, dict) else None
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A Kubernetes object of one target at one revision."""

    id: ResourceId
    api_version: str
    #: As written, except that the target's default namespace is filled in where it was left out.
    manifest: Manifest = field(compare=False)
    origin: Origin = field(compare=False)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """`metadata`, or nothing where it is no mapping."""
        value = self.manifest.get("metadata")
        # Nearly all are plain, and to ask the abstract class takes ten times as long.
        return value if type(value) is dict or isinstance(value, Mapping) else {}

    @property
    def spec(self) -> Mapping[str, Any]:
        """`spec`, or nothing where it is no mapping."""
        value = self.manifest.get("spec")
        return value if type(value) is dict or isinstance(value, Mapping) else {}

    @property
    def is_secret(self) -> bool:
        """Whether its values are nobody's business: a Secret, or encrypted by SOPS."""
        return (self.id.group, self.id.kind) == ("", "Secret") or "sops" in self.manifest

    @property
    def labels(self) -> Mapping[str, str]:
        """`metadata.labels`, or nothing where they are no mapping."""
        value = self.metadata.get("labels")
        return value if isinstance(value, Mapping) else {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """`metadata.annotations`, or nothing where they are no mapping."""
        value = self.metadata.get("annotations")
        return value if isinstance(value, Mapping) else {}


class Snapshot(Mapping[ResourceId, Resource]):
    """All objects of one target at one revision; immutable, `with_` and `without` give new ones."""

    __slots__ = ("_by_kind", "_resources")

    def __init__(self, resources: Iterable[Resource] = ()):
        self._resources = MappingProxyType({r.id: r for r in resources})
        self._by_kind: dict[tuple[str, str], tuple[Resource, ...]] | None = None

    def __getitem__(self, key: ResourceId) -> Resource:
        return self._resources[key]

    def __iter__(self) -> Iterator[ResourceId]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def __contains__(self, key: object) -> bool:
        return key in self._resources

    # What Mapping offers for these asks for each id by way of the above; snapshots have thousands.
    @overload
    def get(self, key: ResourceId, /) -> Resource | None: ...
    @overload
    def get(self, key: ResourceId, /, default: Resource | _T) -> Resource | _T: ...
    def get(self, key: ResourceId, /, default: Any = None) -> Any:
        """An object, or `default` where it is not there."""
        return self._resources.get(key, default)

    def items(self) -> ItemsView[ResourceId, Resource]:
        """All ids with their objects."""
        return self._resources.items()

    def values(self) -> ValuesView[Resource]:
        """All objects."""
        return self._resources.values()

    def of_kind(self, group: str, kind: str) -> tuple[Resource, ...]:
        """All objects of one kind, in the order of their ids."""
        if self._by_kind is None:
            index: dict[tuple[str, str], list[Resource]] = {}
            for resource in self._resources.values():
                index.setdefault((resource.id.group, resource.id.kind), []).append(resource)
            self._by_kind = {
                key: tuple(sorted(found, key=lambda r: r.id)) for key, found in index.items()
            }
        return self._by_kind.get((group, kind), ())

    def with_(self, *resources: Resource) -> Self:
        """This snapshot with `resources` added or put in the place of those of the same id."""
        return type(self)((self._resources | {r.id: r for r in resources}).values())

    def without(self, *ids: ResourceId) -> Self:
        """This snapshot without the objects `ids`."""
        gone = set(ids)
        return type(self)(r for r in self._resources.values() if r.id not in gone)
