"""Write `schemas/policy-types.json`: what rules know about the fields of each kind.

    python schemas/generate_policy.py SWAGGER_FILE

The kinds of Istio and of the Gateway API come from `schemas/kinds/` (see generate.py), those of
Kubernetes from the `swagger.json` of its API. Only facts are taken: the names of fields, their types,
enumerations, and what the API server assumes for a field that is left out.

One type is one object, from field to type: `s` text, `i` whole number, `n` number, `b` true or false,
`q` quantity, `x` whole number or text, `*` anything, `[T]` list, `{T}` map, and the name of a type.
A default follows the type as in `s="TCP"`. `_` in front of a name is no part of it.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))

from meshplan.kinds import KINDS
from meshplan.kinds.kind import Kind

Schema = Mapping[str, Any]
Fields = dict[str, str]

HERE = Path(__file__).parent

#: What a rule never reads: it is not in a manifest, or is nobody's wish.
IGNORED = {"status", "managedFields", "ownerReferences", "selfLink"}

#: The module that a rule imports the kinds of a group from.
MODULES = {"gateway.networking.k8s.io": "gateway_api"}

#: What the APIs call the parts of their kinds, where the field alone would make a poor name.
NAMES = {
    "istio": {
        "VirtualService.spec.http": "HTTPRoute",
        "VirtualService.spec.http.match": "HTTPMatchRequest",
        "VirtualService.spec.http.match.uri": "StringMatch",
        "VirtualService.spec.http.route": "HTTPRouteDestination",
        "VirtualService.spec.http.route.destination": "Destination",
        "VirtualService.spec.http.route.destination.port": "PortSelector",
        "VirtualService.spec.http.redirect": "HTTPRedirect",
        "VirtualService.spec.http.rewrite": "HTTPRewrite",
        "VirtualService.spec.http.retries": "HTTPRetry",
        "VirtualService.spec.http.fault": "HTTPFaultInjection",
        "VirtualService.spec.http.mirrors": "HTTPMirrorPolicy",
        "VirtualService.spec.http.headers": "Headers",
        "VirtualService.spec.http.headers.request": "HeaderOperations",
        "VirtualService.spec.http.mirrorPercentage": "Percent",
        "VirtualService.spec.http.directResponse": "HTTPDirectResponse",
        "VirtualService.spec.tls": "TLSRoute",
        "VirtualService.spec.tls.match": "TLSMatchAttributes",
        "VirtualService.spec.tls.route": "RouteDestination",
        "VirtualService.spec.tcp": "TCPRoute",
        "VirtualService.spec.tcp.match": "L4MatchAttributes",
        "DestinationRule.spec.subsets": "Subset",
        "DestinationRule.spec.trafficPolicy": "TrafficPolicy",
        "DestinationRule.spec.trafficPolicy.connectionPool": "ConnectionPoolSettings",
        "DestinationRule.spec.trafficPolicy.connectionPool.http": "HTTPSettings",
        "DestinationRule.spec.trafficPolicy.connectionPool.tcp": "TCPSettings",
        "DestinationRule.spec.trafficPolicy.loadBalancer": "LoadBalancerSettings",
        "DestinationRule.spec.trafficPolicy.portLevelSettings": "PortTrafficPolicy",
        "DestinationRule.spec.trafficPolicy.tls": "ClientTLSSettings",
        "Gateway.spec.servers": "Server",
        "Gateway.spec.servers.port": "Port",
        "Gateway.spec.servers.tls": "ServerTLSSettings",
        "ServiceEntry.spec.ports": "ServiceEntryPort",
        "ServiceEntry.spec.endpoints": "WorkloadEntrySpec",
        "WorkloadEntry.spec": "WorkloadEntrySpec",
        "Sidecar.spec.egress": "IstioEgressListener",
        "Sidecar.spec.ingress": "IstioIngressListener",
        "PeerAuthentication.spec.mtls": "MutualTLS",
        "AuthorizationPolicy.spec.rules": "Rule",
        "AuthorizationPolicy.spec.rules.from": "RuleFrom",
        "AuthorizationPolicy.spec.rules.to": "RuleTo",
        "AuthorizationPolicy.spec.rules.when": "Condition",
        "RequestAuthentication.spec.jwtRules": "JWTRule",
    },
    "gateway_api": {
        "Gateway.spec.listeners": "Listener",
        "HTTPRoute.spec.parentRefs": "ParentReference",
        "HTTPRoute.spec.rules": "HTTPRouteRule",
        "HTTPRoute.spec.rules.matches": "HTTPRouteMatch",
        "HTTPRoute.spec.rules.matches.path": "HTTPPathMatch",
        "HTTPRoute.spec.rules.matches.headers": "HeaderMatch",
        "HTTPRoute.spec.rules.filters": "HTTPRouteFilter",
        "HTTPRoute.spec.rules.backendRefs": "HTTPBackendRef",
        "GRPCRoute.spec.rules": "GRPCRouteRule",
        "GRPCRoute.spec.rules.matches": "GRPCRouteMatch",
        "GRPCRoute.spec.rules.matches.method": "GRPCMethodMatch",
        "GRPCRoute.spec.rules.filters": "GRPCRouteFilter",
        "GRPCRoute.spec.rules.backendRefs": "GRPCBackendRef",
        "TLSRoute.spec.rules": "TLSRouteRule",
        "TCPRoute.spec.rules": "TCPRouteRule",
        "TCPRoute.spec.rules.backendRefs": "BackendRef",
    },
}

#: Argo Rollouts' kind, as far as it is like a Deployment.
ROLLOUT: dict[str, Fields] = {
    "k8s.Rollout": {"metadata": "k8s.ObjectMeta", "spec": "k8s.RolloutSpec"},
    "k8s.RolloutSpec": {
        "minReadySeconds": "i=0",
        "paused": "b",
        "replicas": "i=1",
        "revisionHistoryLimit": "i",
        "selector": "k8s.LabelSelector",
        "strategy": "*",
        "template": "k8s.PodTemplateSpec",
        "workloadRef": "k8s.CrossVersionObjectReference",
    },
}

#: Fields of every object that each object has, whatever is written.
ALWAYS = {"k8s.ObjectMeta": {"name": 's=""', "namespace": 's="default"'}}

#: JSON Schemas are trees without end.
ENDLESS = {"JSONSchemaProps", "JSON", "RawExtension", "FieldsV1"}

_SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}


class Types:
    """The types found so far, and the enumerations of their fields."""

    def __init__(self) -> None:
        self.fields: dict[str, Fields] = {}
        self.enums: dict[str, list[str]] = {}


class CustomTypes:
    """Types of CustomResourceDefinitions: a part is one type wherever it has the same fields."""

    def __init__(self, types: Types, module: str) -> None:
        self.types = types
        self.module = module
        self.named: dict[str, str] = {}

    def name(self, kind: str, schema: Schema, definitions: Schema) -> None:
        """Reserve the names of `NAMES` for the parts of a kind."""
        self.definitions = definitions
        for path, name in NAMES[self.module].items():
            words = path.split(".")
            if words[0] == kind:
                found = schema
                for word in words[1:]:
                    found = self._found(self._found(found)["properties"][word])
                    found = found.get("items", found)
                self.named[self._key(self._found(found))] = f"{self.module}.{name}"

    def kind(self, name: str, schema: Schema, definitions: Schema) -> None:
        """Add a kind with all of its parts."""
        self.definitions = definitions
        spec = self._found(schema)["properties"].get("spec")
        own = {"metadata": "k8s.ObjectMeta"}
        if spec:
            own["spec"] = self._type(spec, f"{name}.spec")
        self.types.fields[f"{self.module}.{name}"] = own

    def _found(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        return schema

    def _type(self, schema: Schema, path: str) -> str:
        schema = self._found(schema)
        kind = schema.get("type")
        if isinstance(kind, list):
            return "x" if set(kind) == {"integer", "string"} else "*"
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind == "array":
            return f"[{self._type(schema.get('items', {}), path)}]"
        if isinstance(schema.get("additionalProperties"), dict):
            return "{" + self._type(schema["additionalProperties"], path) + "}"
        return self._message(schema, path) if schema.get("properties") else "*"

    def _message(self, schema: Schema, path: str) -> str:
        name = self.named.setdefault(self._key(schema), self._free(path))
        if name not in self.types.fields:
            fields = self.types.fields[name] = {}
            for field, part in sorted(schema["properties"].items()):
                fields[field] = self._type(part, f"{path}.{field}")
                self._enumerate(name, field, self._whole(part))
        return name

    def _key(self, schema: Schema) -> str:
        """The same for parts with the same fields."""
        return json.dumps(self._whole(schema).get("properties"), sort_keys=True)

    def _enumerate(self, name: str, field: str, part: Schema) -> None:
        values = part.get("enum") or part.get("items", {}).get("enum")
        if values and all(isinstance(value, str) for value in values):
            self.types.enums[f"{name}.{field}"] = sorted(values)

    def _whole(self, schema: Schema) -> Schema:
        """A schema without references, and without what does not make it another type."""
        schema = self._found(schema)
        found = {key: schema[key] for key in ("type", "enum") if key in schema}
        if schema.get("properties"):
            found["properties"] = {k: self._whole(v) for k, v in schema["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                found[key] = self._whole(schema[key])
        return found

    def _free(self, path: str) -> str:
        """A name for the type of a field: as short as it may be."""
        words = path.split(".")
        names = [f"{words[0]}Spec"] if words[-1] == "spec" else []
        own = _singular(words[-1])
        names += [own, _singular(words[-2]) + own, words[0] + own]
        names += [f"{words[0]}{own}{number}" for number in range(2, 9)]
        kinds = {f"{self.module}.{entry.kind}" for entry in KINDS}
        taken = {*self.types.fields, *self.named.values(), *kinds}
        return next(f"{self.module}.{n}" for n in names if f"{self.module}.{n}" not in taken)


def _singular(field: str) -> str:
    """The name of a type from that of a field."""
    word = field[0].upper() + field[1:]
    if word.endswith(("ss", "us", "is", "Tls", "TLS", "Cors")):
        return word
    for ending, one in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + one
    return word


class ApiTypes:
    """Types of Kubernetes' own API."""

    def __init__(self, types: Types, swagger: Schema) -> None:
        self.types = types
        self.definitions = swagger["definitions"]

    def kind(self, entry: Kind) -> None:
        """Add a kind with all of its parts."""
        for name, schema in self.definitions.items():
            for served in schema.get("x-kubernetes-group-version-kind", ()):
                found = (served["group"], served["version"], served["kind"])
                if found == (entry.group, entry.versions[0], entry.kind):
                    self._message(name)
                    return
        raise SystemExit(f"{entry.kind} is not in the API")

    def _message(self, full: str) -> str:
        short = full.rpartition(".")[2]
        name = f"k8s.{short}"
        if name not in self.types.fields:
            fields = self.types.fields[name] = {}
            schema = self.definitions[full]
            required = schema.get("required", ())
            is_kind = "metadata" in schema["properties"]
            for field, part in sorted(schema["properties"].items()):
                if field in IGNORED or (is_kind and field in ("apiVersion", "kind")):
                    continue
                kind = self._type(part)
                # An item without its name is not one that the API server takes.
                named = field == "name" and field in required and kind == "s"
                fields[field] = 's=""' if named else kind
                if values := part.get("enum"):
                    self.types.enums[f"{name}.{field}"] = sorted(values)
        return name

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            full = schema["$ref"].rpartition("/")[2]
            short = full.rpartition(".")[2]
            if short in ENDLESS:
                return "*"
            if short in {"IntOrString", "Quantity"}:
                return "x" if short == "IntOrString" else "q"
            target = self.definitions[full]
            return self._message(full) if target.get("properties") else self._type(target)
        kind = schema.get("type")
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind == "array":
            return f"[{self._type(schema['items'])}]"
        if isinstance(schema.get("additionalProperties"), dict):
            return "{" + self._type(schema["additionalProperties"]) + "}"
        return "*"


def with_defaults(types: Types) -> None:
    """Add what the API server assumes: where all kinds with a type agree about its field."""
    found: dict[tuple[str, str], set[str]] = {}
    for entry in KINDS:
        root = f"{module_of(entry.group)}.{entry.kind}"
        if not entry.group.endswith("istio.io"):
            for path, holder, field in _scalars(types, root):
                value = entry.defaults.get(path, "")
                plain = isinstance(value, str | int | bool)
                # An empty text is what Go makes of a field that is left out, not what it means.
                if value != "":
                    found.setdefault((holder, field), set()).add(json.dumps(value) if plain else "")
    for (holder, field), values in found.items():
        fields = types.fields[holder]
        if len(values) == 1 and "" not in values and fields[field] in ("s", "i", "b"):
            fields[field] += "=" + values.pop()


def _scalars(types: Types, root: str) -> Iterator[tuple[str, str, str]]:
    """All fields below a type: path, type that has it, name."""
    todo = [("", root, (root,))]
    while todo:
        path, holder, seen = todo.pop()
        for field, kind in types.fields[holder].items():
            below = f"{path}.{field}".removeprefix(".")
            inner = re.sub(r"[][{}]", "", kind)
            if inner in types.fields and inner not in seen:
                star = ".*" if kind.startswith("{") else ""
                todo.append((below + star, inner, (*seen, inner)))
            elif inner == kind:
                yield below, holder, field


def module_of(group: str) -> str:
    """The module of a group's kinds."""
    return "istio" if group.endswith("istio.io") else MODULES.get(group, "k8s")


def all_types(swagger: Schema) -> Types:
    """The types of all kinds that meshplan knows."""
    types = Types()
    api = ApiTypes(types, swagger)
    custom = {module: CustomTypes(types, module) for module in ("istio", "gateway_api")}
    for entry in KINDS:
        if module_of(entry.group) in custom:
            custom[module_of(entry.group)].name(entry.kind, *_schema(entry))
    for entry in KINDS:
        if module_of(entry.group) in custom:
            custom[module_of(entry.group)].kind(entry.kind, *_schema(entry))
        elif entry.group != "argoproj.io":
            api.kind(entry)
    types.fields |= ROLLOUT
    for entry in KINDS:
        types.fields[f"{module_of(entry.group)}.{entry.kind}"] |= {
            "apiVersion": 's=""',
            "kind": 's=""',
        }
    for name, fields in ALWAYS.items():
        types.fields[name] |= fields
    with_defaults(types)
    return types


def _schema(entry: Kind) -> tuple[Schema, Schema]:
    """The schema of a kind that is no part of Kubernetes, and what it refers to."""
    found = json.loads((HERE / "kinds" / f"{entry.group}.json").read_text("utf-8"))
    return found["kinds"][entry.kind]["schema"], found["$defs"]


def document(types: Types) -> Mapping[str, Any]:
    """The file."""
    kinds = {f"{module_of(entry.group)}.{entry.kind}": entry.group for entry in KINDS}
    fields = {name: dict(sorted(table.items())) for name, table in types.fields.items()}
    return {"kinds": kinds, "types": fields, "enums": types.enums}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """One line for each type, so that a difference can be read."""
    parts = []
    for name, table in value.items():
        lines = (f"{json.dumps(k)}:{_line(v)}" for k, v in sorted(table.items()))
        parts.append(f"{json.dumps(name)}:{{\n" + ",\n".join(lines) + "\n}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    write(HERE / "policy-types.json", document(all_types(found)))
