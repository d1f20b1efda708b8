"""Write `schemas/kinds/<group>.json` from CustomResourceDefinitions.

    python schemas/generate.py CRD_FILE...

Give it the CRDs of all releases that shall be understood: what is written is their union, one schema
for each kind, since a manifest does not say which release it is for. Only facts are taken: names of
fields, their types, enumerations, bounds and which are required. The result is JSON Schema, with
parts that occur often in `$defs`.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

#: Groups whose kinds are checked.
GROUPS = (
    "extensions.istio.io",
    "gateway.networking.k8s.io",
    "networking.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
)

#: A part that occurs more than once is written once if it is longer than this, in characters.
WORTH_SHARING = 120


def write(paths: list[str], folder: Path) -> None:
    """Read CRDs from files and write one file for each group into `folder`."""
    kinds: dict[str, dict[str, tuple[set[str], Schema]]] = {}
    for definition in definitions(paths):
        spec = definition["spec"]
        kind = spec["names"]["kind"]
        for version, schema in versions(spec) if spec["group"] in GROUPS else ():
            found = kinds.setdefault(spec["group"], {})
            served, known = found.get(kind, (set(), None))
            fresh = facts(schema)
            found[kind] = (served | {version}, union(known, fresh) if known else fresh)
    for group, known_kinds in sorted(kinds.items()):
        text = json.dumps(document(known_kinds), separators=(",", ":"), sort_keys=True)
        (folder / f"{group}.json").write_text(text + "\n", "utf-8")


def definitions(paths: list[str]) -> Iterator[Mapping[str, Any]]:
    """All CustomResourceDefinitions in files."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in paths:
        for found in yaml.load_all(Path(path).read_text("utf-8"), Loader=loader):
            if isinstance(found, dict) and found.get("kind") == "CustomResourceDefinition":
                yield found


def versions(spec: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """The versions of a definition with their schemas, in `v1` as well as in `v1beta1` form."""
    common = spec.get("validation", {}).get("openAPIV3Schema")
    for version in spec.get("versions") or [{"name": spec["version"]}]:
        schema = version.get("schema", {}).get("openAPIV3Schema") or common
        if schema:
            yield version["name"], schema


def facts(schema: Mapping[str, Any]) -> Schema:
    """A schema without prose, examples, patterns and rules."""
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        return {}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    kept: Schema = {
        key: schema[key]
        for key in ("type", "enum", "required", "minimum", "maximum")
        if key in schema
    }
    if "properties" in schema:
        kept["properties"] = {name: facts(value) for name, value in schema["properties"].items()}
        kept["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = facts(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = facts(schema["items"])
    return kept


def union(one: Schema, other: Schema) -> Schema:
    """A schema that admits what either of two admits."""
    if not one or not other:
        return {}
    joined: Schema = {}
    types = {*_listed(one.get("type")), *_listed(other.get("type"))}
    if one.get("type") and other.get("type"):
        joined["type"] = sorted(types) if len(types) > 1 else types.pop()
    if "enum" in one and "enum" in other:
        joined["enum"] = one["enum"] + [
            value for value in other["enum"] if value not in one["enum"]
        ]
    if required := sorted({*one.get("required", ())} & {*other.get("required", ())}):
        joined["required"] = required
    for bound, choose in (("minimum", min), ("maximum", max)):
        if bound in one and bound in other:
            joined[bound] = choose(one[bound], other[bound])
    joined |= _joined_fields(one, other)
    if "items" in one and "items" in other:
        joined["items"] = union(one["items"], other["items"])
    return joined


def _joined_fields(one: Schema, other: Schema) -> Schema:
    """The fields of two objects together."""
    both = [schema for schema in (one, other) if "properties" in schema]
    if len(both) < 2:
        return {} if both else _joined_values(one, other)
    here, there = one["properties"], other["properties"]
    fields = {
        name: union(here[name], there[name]) if name in here and name in there else value
        for name, value in {**there, **here}.items()
    }
    return {
        "properties": fields,
        "additionalProperties": bool(
            one.get("additionalProperties") or other.get("additionalProperties")
        ),
    }


def _joined_values(one: Schema, other: Schema) -> Schema:
    """The values of two objects that are maps."""
    if "additionalProperties" not in one or "additionalProperties" not in other:
        return {}
    return {
        "additionalProperties": union(one["additionalProperties"], other["additionalProperties"])
    }


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def document(kinds: Mapping[str, tuple[set[str], Schema]]) -> Schema:
    """The file of one group."""
    defs: dict[str, Schema] = {}
    schemas = {kind: _root(schema) for kind, (_, schema) in kinds.items()}
    often = Counter(text for schema in schemas.values() for text in _parts(schema))
    names = {
        text: str(number)
        for number, text in enumerate(
            sorted(text for text, count in often.items() if count > 1 and len(text) > WORTH_SHARING)
        )
    }
    found = {
        kind: {"versions": sorted(kinds[kind][0]), "schema": _shared(schema, names, defs)}
        for kind, schema in schemas.items()
    }
    return {"$defs": defs, "kinds": found}


def _root(schema: Schema) -> Schema:
    """A kind's schema from the fields that are checked here; metadata is the same for all."""
    fields = {k: v for k, v in schema.get("properties", {}).items() if k not in _EVERYWHERE}
    return {
        "type": "object",
        "properties": fields | {key: {} for key in _EVERYWHERE},
        "required": [name for name in schema.get("required", []) if name in fields],
        "additionalProperties": False,
    }


_EVERYWHERE = ("apiVersion", "kind", "metadata", "status")


def _text(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True)


def _parts(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield _text(schema)
        for child in _children(schema):
            yield from _parts(child)


def _children(schema: Schema) -> Iterator[Any]:
    yield from schema.get("properties", {}).values()
    yield from (schema[key] for key in ("items", "additionalProperties") if key in schema)


def _shared(schema: Any, names: Mapping[str, str], defs: dict[str, Schema]) -> Any:
    """`schema` with the parts that occur often replaced by references."""
    if not isinstance(schema, dict):
        return schema
    name = names.get(_text(schema))
    if name is not None and name in defs:
        return {"$ref": f"#/$defs/{name}"}
    if name is not None:
        defs[name] = {}
    whole = dict(schema)
    if "properties" in schema:
        whole["properties"] = {
            key: _shared(value, names, defs) for key, value in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if key in schema:
            whole[key] = _shared(schema[key], names, defs)
    if name is None:
        return whole
    defs[name] = whole
    return {"$ref": f"#/$defs/{name}"}


if __name__ == "__main__":
    write(sys.argv[1:], Path(__file__).parent / "kinds")
