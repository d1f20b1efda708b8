"""The fields of all kinds that rules can name, with their types.

The facts are in `schemas/policy-types.json`, which is written from the CustomResourceDefinitions of
Istio and the Gateway API and from the API of Kubernetes. A type is read when it is first asked for.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import Enum
from functools import cache
from keyword import iskeyword

from meshplan.data import data_path
from meshplan.dataclass import dataclass

#: Where a rule imports kinds from: `from meshplan.policy.<module> import …`.
MODULES = ("istio", "gateway_api", "k8s")


class Scalar(Enum):
    """The types of values without parts."""

    TEXT = "s"
    INTEGER = "i"
    #: A number that may have decimals.
    NUMBER = "n"
    BOOLEAN = "b"
    #: A number or a text such as `100m`, `1Gi`.
    QUANTITY = "q"
    #: A whole number, or a text: the name of a port, a percentage.
    INT_OR_TEXT = "x"
    #: Whatever was written; of its parts nothing is known.
    ANYTHING = "*"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value without parts."""

    scalar: Scalar
    #: What the API server assumes where the field is left out; None where it assumes nothing.
    default: str | int | bool | None = None
    #: The values that the API takes, sorted; () where it takes any.
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    item: "FieldType"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names to values of one type."""

    value: "FieldType"


@dataclass(frozen=True, slots=True)
class Part:
    """An object with fields of its own: the name of a type of the catalog."""

    type: str


FieldType = Leaf | ListOf | MapOf | Part


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a type."""

    #: As rules write it: as in YAML, with `_` behind a word that Python keeps for itself.
    name: str
    #: As YAML writes it.
    json_name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class MessageType:
    """A type with fields."""

    module: str
    #: Within its module, e.g. `TrafficPolicy`.
    name: str
    #: By the names that rules write.
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class KindType:
    """A kind that a rule may be about."""

    module: str
    name: str
    group: str
    #: `mesh.<collection>`: all objects of the kind.
    collection: str

    @property
    def type(self) -> str:
        """The type of its objects."""
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """All types by name."""

    types: Mapping[str, Mapping[str, str]]
    enums: Mapping[str, list[str]]
    #: By the name of the type, e.g. `istio.Gateway`.
    kinds: Mapping[str, KindType]
    #: By the name behind `mesh.`.
    collections: Mapping[str, KindType]
    _read: dict[str, MessageType] = field(default_factory=dict)

    def message(self, name: str) -> MessageType | None:
        """The type `module.Name`; None where there is none."""
        found = self._read.get(name)
        if found is None and name in self.types:
            found = self._read[name] = self._message(name)
        return found

    def names(self, module: str) -> Iterator[str]:
        """The types of a module, without its name, sorted."""
        return (name.partition(".")[2] for name in self.types if name.startswith(f"{module}."))

    def _message(self, name: str) -> MessageType:
        module, _, own = name.partition(".")
        fields = {}
        for written, text in self.types[name].items():
            values = tuple(self.enums.get(f"{name}.{written}", ()))
            known = python_name(written)
            fields[known] = Field(known, written, read_type(text, values))
        return MessageType(module, own, fields)


def python_name(name: str) -> str:
    """A field's name as rules write it."""
    return f"{name}_" if iskeyword(name) else name


def collection_name(module: str, kind: str) -> str:
    """The name behind `mesh.` for all objects of a kind, e.g. `serviceEntries`, `httpRoutes`."""
    if (module, kind) == ("gateway_api", "Gateway"):
        return "kubernetesGateways"
    head = len(kind) - len(kind.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    # Of `HTTPRoute` the R begins the next word.
    head = 1 if head == 1 else head - 1
    name = kind[:head].lower() + kind[head:]
    if name.endswith("s"):
        return name if name == "endpoints" else f"{name}es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name.removesuffix("y") + "ies"
    return f"{name}s"


@cache
def catalog() -> Catalog:
    """The catalog that comes with meshplan."""
    document = json.loads((data_path("schemas") / "policy-types.json").read_text("utf-8"))
    kinds = {}
    for name, group in document["kinds"].items():
        module, _, kind = name.partition(".")
        kinds[name] = KindType(module, kind, group, collection_name(module, kind))
    collections = {kind.collection: kind for kind in kinds.values()}
    return Catalog(document["types"], document["enums"], kinds, collections)


def read_type(text: str, values: tuple[str, ...] = ()) -> FieldType:
    """A type in the notation of `schemas/policy-types.json` (see schemas/generate_policy.py)."""
    if text[0] == "[":
        return ListOf(read_type(text[1:-1], values))
    if text[0] == "{":
        return MapOf(read_type(text[1:-1], values))
    if len(text) > 1 and text[1] != "=":
        return Part(text)
    default = json.loads(text[2:]) if len(text) > 1 else None
    return Leaf(Scalar(text[0]), default, values)
