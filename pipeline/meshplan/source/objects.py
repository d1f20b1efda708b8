"""Documents to Kubernetes objects: lists are expanded, namespaces filled in, the rest left aside.

A document with `apiVersion` and `kind` is an object, and one with `items` besides is a list,
whatever its kind: so kubectl has it. What has neither is a values file, a compose file, a workflow,
and of no interest. In between are objects that someone got wrong, and those are findings: what lacks
one of the two and has a `metadata.name`, and what has both and no usable name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.finding import Finding, Severity
from meshplan.identity import ResourceId
from meshplan.kinds import home_group
from meshplan.location import Location, escape_pointer
from meshplan.resource import Document, Manifest, Origin, Resource


@dataclass(frozen=True, slots=True)
class Objects:
    """The Kubernetes objects among documents."""

    resources: tuple[Resource, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: Whether the default namespace was filled in anywhere.
    assumed_namespace: bool = False
    #: Documents that are no objects and do not look as if they were meant to be.
    ignored: tuple[Document, ...] = ()


def resources_of(
    documents: Iterable[Document],
    *,
    default_namespace: str,
    scope_of: Callable[[str, str], str | None],
) -> Objects:
    """The Kubernetes objects among `documents`, in their order.

    `scope_of(group, kind)` says "Namespaced", "Cluster", or None for a kind it does not know. Such a
    kind is cluster-scoped if it names no namespace and calls itself so (`ClusterIssuer`), else
    namespaced. An object that has no name but a `generateName` is called by that and a `*`.
    """
    reader = _Reader(default_namespace, scope_of)
    for document in documents:
        reader.document(document)
    return Objects(
        tuple(reader.resources),
        tuple(reader.findings),
        reader.assumed_namespace,
        tuple(reader.ignored),
    )


class _ShapeError(Exception):
    """What is wrong with an object, and the pointer to it within the object."""

    def __init__(self, message: str, pointer: str):
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class _Reader:
    """Collects the objects of documents."""

    def __init__(self, default_namespace: str, scope_of: Callable[[str, str], str | None]):
        self.resources: list[Resource] = []
        self.findings: list[Finding] = []
        self.ignored: list[Document] = []
        self.assumed_namespace = False
        self._default_namespace = default_namespace
        self._scope_of = scope_of
        self._types: dict[tuple[str, str], tuple[str, str | None]] = {}

    def document(self, document: Document) -> None:
        """Adds the objects of a document, or sets it aside."""
        value, origin = document.value, document.origin
        try:
            if isinstance(value, dict) and self._is_object(value):
                self._objects(value, origin)
            else:
                self.ignored.append(document)
        except _ShapeError as error:
            self._report(error, origin)

    def _is_object(self, value: Manifest) -> bool:
        """Whether a document is an object; raises _ShapeError if it only looks like one."""
        api_version, kind = value.get("apiVersion"), value.get("kind")
        metadata = value.get("metadata")
        named = isinstance(metadata, dict) and "name" in metadata
        for key, found in (("apiVersion", api_version), ("kind", kind)):
            if isinstance(found, str) and found:
                continue
            if named and (isinstance(api_version, str) or isinstance(kind, str)):
                what = f"has an {key} that is no string" if found else f"has no {key}"
                raise _ShapeError(f"{_called(value)} {what}", f"/{key}" if found else "")
            return False
        group, scope = self._type(value)
        # Kustomize and istioctl read these themselves; no cluster ever does.
        if group.endswith(".config.k8s.io") or (group == "install.istio.io" and not named):
            return False
        return "metadata" in value or "items" in value or scope is not None

    def _objects(self, value: Manifest, origin: Origin) -> None:
        if "items" not in value:
            self.resources.append(self._resource(value, origin))
            return
        for item, place in _items(value, origin):
            try:
                if isinstance(item, dict) and self._is_object(item):
                    self._objects(item, place)
                else:
                    self._report(_ShapeError("an item of this list is no object", ""), place)
            except _ShapeError as error:
                self._report(error, place)

    def _resource(self, value: Manifest, origin: Origin) -> Resource:
        group, scope = self._type(value)
        kind = value["kind"]
        metadata = value.get("metadata")
        if not isinstance(metadata, dict):
            what = "has no metadata" if metadata is None else "has metadata that are no mapping"
            raise _ShapeError(f"{_called(value)} {what}", "/metadata" if metadata else "")
        name = _string(value, metadata, "name")
        generated = _string(value, metadata, "generateName")
        if not name and not generated:
            raise _ShapeError(f"{_called(value)} has no metadata.name", "/metadata")
        namespace = _string(value, metadata, "namespace")
        if scope == "Cluster" or (scope is None and not namespace and _says_cluster(kind)):
            namespace = ""
        elif not namespace:
            namespace = self._default_namespace
            value = {**value, "metadata": {**metadata, "namespace": namespace}}
            self.assumed_namespace = True
        found = ResourceId(group, kind, namespace, name or f"{generated}*")
        self._check_texts(metadata, found, origin)
        return Resource(found, value["apiVersion"], value, origin)

    def _type(self, value: Manifest) -> tuple[str, str | None]:
        """Group and scope of an object."""
        key = value["apiVersion"], value["kind"]
        if key not in self._types:
            group, slash, version = key[0].rpartition("/")
            if "/" in group or not version or (slash and not group):
                message = f'{_called(value)} has an apiVersion that is not "group/version"'
                raise _ShapeError(message, "/apiVersion")
            group = home_group(group, key[1])
            self._types[key] = group, self._scope_of(group, key[1])
        return self._types[key]

    def _check_texts(self, metadata: Mapping[str, Any], found: ResourceId, origin: Origin) -> None:
        """Labels and annotations that are no strings: the API server refuses the whole object."""
        for field in ("labels", "annotations"):
            texts = metadata.get(field)
            if texts is None:
                continue
            if not isinstance(texts, dict):
                error = _ShapeError(
                    f"{found} has {field} that are no mapping", f"/metadata/{field}"
                )
                self._report(error, origin, found)
                continue
            for key, text in texts.items():
                if not isinstance(text, str) and text is not None:
                    message = (
                        f"the {field.removesuffix('s')} {key} of {found} is {_type_name(text)}, "
                        "and Kubernetes takes only strings: put it in quotes"
                    )
                    pointer = f"/metadata/{field}/{escape_pointer(key)}"
                    self._report(_ShapeError(message, pointer), origin, found)

    def _report(self, error: _ShapeError, origin: Origin, found: ResourceId | None = None) -> None:
        place = Location(origin.path, origin.line, pointer=origin.pointer + error.pointer)
        self.findings.append(
            Finding("object-shape", Severity.ERROR, error.message, (place,), id=found)
        )


def _items(value: Manifest, origin: Origin) -> Iterator[tuple[Any, Origin]]:
    """The items of a list; those of a typed one may leave out what the list's own kind says."""
    items = value["items"]
    if items is None:
        return
    if not isinstance(items, list):
        raise _ShapeError(f"this {value['kind']} has items that are no list", "/items")
    kind = value["kind"].removesuffix("List")
    for index, item in enumerate(items):
        filled = item
        if kind and isinstance(item, dict) and "apiVersion" not in item and "kind" not in item:
            filled = {"apiVersion": value["apiVersion"], "kind": kind, **item}
        yield filled, replace(origin, pointer=f"{origin.pointer}/items/{index}")


def _string(value: Manifest, metadata: Mapping[str, Any], field: str) -> str:
    """A string of the metadata, or "" where there is none."""
    found = metadata.get(field)
    if found is None or isinstance(found, str):
        return found or ""
    message = f"{_called(value)} has a {field} that is {_type_name(found)}: put it in quotes"
    raise _ShapeError(message, f"/metadata/{field}")


def _called(value: Manifest) -> str:
    """What to call an object that has no proper identity."""
    kind, metadata = value.get("kind"), value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    called = kind if isinstance(kind, str) and kind else "object"
    return f"{called} {name}" if isinstance(name, str) and name else f"this {called}"


def _says_cluster(kind: str) -> bool:
    return kind.startswith("Cluster") and kind[7:8].isupper()


def _type_name(value: object) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case None:
            return "null"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "a string"
