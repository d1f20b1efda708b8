"""CustomResourceDefinitions as an independent truth about kinds: they say more than meshplan takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshplan.source.yaml import parse

#: The releases of the newest CRDs; the Gateway API's experimental channel holds all fields.
NEWEST = ("istio/master", "gateway-api/v1.6.1/experimental")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind's schema, with its path as the tables of the kinds write it."""

    path: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """One CustomResourceDefinition."""

    spec: Mapping[str, Any]

    @property
    def group(self) -> str:
        return str(self.spec["group"])

    @property
    def kind(self) -> str:
        return str(self.spec["names"]["kind"])

    def versions(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The versions that are served, with their schemas."""
        for version in self.spec["versions"]:
            if version["served"]:
                yield version["name"], version["schema"]["openAPIV3Schema"]

    def fields(self) -> Iterator[Field]:
        """All fields of all versions below `spec`."""
        for _, schema in self.versions():
            yield from _below("spec", schema["properties"].get("spec", {}))


def definitions(corpora: Path, *folders: str) -> Iterator[Definition]:
    """The definitions in folders of the corpora's CRDs."""
    for folder in folders:
        for path in sorted((corpora / "crds" / folder).rglob("*.yaml")):
            for document in parse(path.read_bytes(), path.name).documents:
                if document.value.get("kind") == "CustomResourceDefinition":
                    yield Definition(document.value["spec"])


def _below(path: str, schema: Mapping[str, Any]) -> Iterator[Field]:
    yield Field(path, schema)
    for name, inner in schema.get("properties", {}).items():
        yield from _below(f"{path}.{name}", inner)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _below(f"{path}.*", schema["additionalProperties"])
    if "items" in schema:
        for field in _below(path, schema["items"]):
            if field.path != path:
                yield field
