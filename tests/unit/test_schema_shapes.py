"""Findings about fields, types and values of Istio's and the Gateway API's kinds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from meshplan.finding import Severity
from meshplan.resource import Origin, Resource
from meshplan.schema import shape_findings
from meshplan.schema.structure import misfits
from support.snapshots import resource, snapshot

ROOT = Path(__file__).parents[2]
GROUPS = sorted((ROOT / "schemas" / "kinds").glob("*.json"))


MODES = "DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL"


def route(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "a"},
        "spec": {"hosts": ["a"], **spec},
    }


def policy(**traffic: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "a"},
        "spec": {"host": "a", "trafficPolicy": traffic},
    }


@pytest.mark.parametrize(
    ("manifest", "rule", "pointer", "message", "hint"),
    [
        (
            policy(tls={"mode": "ITSIO_MUTUAL"}),
            "invalid-value",
            "/spec/trafficPolicy/tls/mode",
            f'spec.trafficPolicy.tls.mode is "ITSIO_MUTUAL", expected one of {MODES}',
            "did you mean ISTIO_MUTUAL?",
        ),
        (
            route(http=[{"rout": []}]),
            "unknown-field",
            "/spec/http/0/rout",
            "there is no field spec.http[0].rout",
            "did you mean route?",
        ),
        (
            route() | {"http": []},
            "unknown-field",
            "/http",
            "there is no field http",
            "did you mean spec.http? Check the indentation.",
        ),
        (
            route(http=[{"route": [{"destination": {"host": "a", "retries": {}}}]}]),
            "unknown-field",
            "/spec/http/0/route/0/destination/retries",
            "there is no field spec.http[0].route[0].destination.retries",
            "did you mean spec.http[0].retries? Check the indentation.",
        ),
        (
            route(tls=[{"match": [{"sni_hosts": ["a"], "sniHosts": ["a"]}]}]),
            "unknown-field",
            "/spec/tls/0/match/0/sni_hosts",
            "there is no field spec.tls[0].match[0].sni_hosts",
            "did you mean sniHosts?",
        ),
        (
            route(http=[{"route": [{"destination": {"host": "a"}, "weight": "90"}]}]),
            "wrong-type",
            "/spec/http/0/route/0/weight",
            'spec.http[0].route[0].weight is "90", expected a whole number',
            "",
        ),
        (
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": "a"},
                "spec": {"parentRefs": [{"sectionName": "http"}]},
            },
            "missing-field",
            "/spec/parentRefs/0",
            "spec.parentRefs[0].name is missing",
            "",
        ),
        (
            route() | {"apiVersion": "networking.istio.io/v1aplha3"},
            "unknown-version",
            "/apiVersion",
            "VirtualService has no version networking.istio.io/v1aplha3",
            "did you mean networking.istio.io/v1alpha3?",
        ),
        (
            route() | {"apiVersion": "networking.istio.io/v7"},
            "unknown-version",
            "/apiVersion",
            "VirtualService has no version networking.istio.io/v7",
            "it has v1, v1alpha3, v1beta1.",
        ),
        (
            route() | {"kind": "VirtualServce"},
            "unknown-kind",
            "/kind",
            "networking.istio.io has no kind VirtualServce",
            "did you mean VirtualService?",
        ),
    ],
)
def test_a_finding_names_the_place_and_the_next_step(
    manifest: Any, rule: str, pointer: str, message: str, hint: str
) -> None:
    (finding,) = shape_findings(resource(manifest))
    assert (finding.rule, finding.message, finding.help) == (rule, message, hint)
    assert finding.severity is Severity.ERROR
    assert finding.locations[0].pointer == pointer
    assert finding.id is not None
    assert finding.id.name == "a"


def test_a_misindented_destination_is_found_out() -> None:
    manifest = route(http=[{"route": [{"destination": None, "host": "a", "port": {"number": 80}}]}])
    found = {f.locations[0].pointer: f.help for f in shape_findings(resource(manifest))}
    assert (
        found["/spec/http/0/route/0/host"]
        == "did you mean destination.host? Check the indentation."
    )
    assert (
        found["/spec/http/0/route/0/port"]
        == "did you mean destination.port? Check the indentation."
    )


def test_the_pointer_leads_through_a_list() -> None:
    found = resource(route(x=1))
    inside = Resource(
        found.id, found.api_version, found.manifest, Origin("a.yaml", 7, pointer="/items/3")
    )
    (finding,) = shape_findings(inside)
    assert finding.locations[0].pointer == "/items/3/spec/x"
    assert (finding.locations[0].path, finding.locations[0].line) == ("a.yaml", 7)


def test_a_value_that_is_encrypted_is_not_quoted() -> None:
    manifest = policy(tls={"mode": "ENC[AES256_GCM,data:secret]"}) | {"sops": {}}
    for finding in shape_findings(resource(manifest)):
        assert "AES256" not in finding.message


def test_kinds_of_other_groups_are_not_looked_at() -> None:
    (found,) = snapshot(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {x: 1}"
    ).values()
    assert list(shape_findings(found)) == []


def test_an_object_full_of_mistakes_does_not_drown_the_report() -> None:
    manifest = route(http=[{f"x{n}": n for n in range(1000)}])
    assert len(list(shape_findings(resource(manifest)))) <= 20


@pytest.mark.parametrize("value", [{}, None, [], 1, "x"])
def test_a_field_may_hold_anything(value: Any) -> None:
    list(shape_findings(resource(route() | {"spec": value})))
    list(shape_findings(resource(route(http=value))))


# The walk against a validator for all of JSON Schema --------------------------------------------


def schemas() -> Iterator[Any]:
    for path in GROUPS:
        group = json.loads(path.read_text())
        for kind, entry in group["kinds"].items():
            yield pytest.param(entry["schema"], group["$defs"], id=f"{path.stem}/{kind}")


def values(schema: Any, defs: Any, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values that nearly fit a schema."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    junk: st.SearchStrategy[Any] = st.sampled_from([None, True, 0, 1.5, "x", [], {}, {"x": 1}])
    if depth == 0:
        return junk
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "X"]) | junk
    if "properties" in schema:
        fields = {k: values(v, defs, depth - 1) for k, v in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional={**fields, "unknown": junk}) | junk
    match schema.get("type"):
        case "array":
            return st.lists(values(schema["items"], defs, depth - 1), max_size=2) | junk
        case "object":
            inner = schema.get("additionalProperties", {})
            return st.dictionaries(st.just("a"), values(inner, defs, depth - 1)) | junk
        case _:
            return junk


@pytest.mark.parametrize(("schema", "defs"), list(schemas()))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_walk_agrees_with_a_whole_validator(
    data: st.DataObject, schema: Any, defs: Any
) -> None:
    value = without_null(data.draw(values(schema, defs)))
    theirs = list(Draft202012Validator({**schema, "$defs": defs}).iter_errors(value))
    ours = misfits(value, schema, defs)
    assert bool(ours) == bool(theirs)


def without_null(value: Any) -> Any:
    """Null is as good as nothing to Kubernetes, and a value to JSON Schema."""
    if isinstance(value, dict):
        return {k: without_null(v) for k, v in value.items() if v is not None}
    return [without_null(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.stem)
def test_the_schemas_are_json_schema(path: Path) -> None:
    group = json.loads(path.read_text())
    for entry in group["kinds"].values():
        Draft202012Validator.check_schema({**entry["schema"], "$defs": group["$defs"]})
        assert entry["versions"]


@pytest.mark.corpus
def test_the_schemas_are_what_the_crds_make_them(corpora: Path, tmp_path: Path) -> None:
    import runpy

    generate = runpy.run_path(str(ROOT / "schemas" / "generate.py"))
    crds = sorted(str(path) for path in (corpora / "crds").rglob("*.yaml"))
    generate["write"](crds, tmp_path)
    for path in GROUPS:
        assert (tmp_path / path.name).read_text() == path.read_text(), f"{path.name} is stale"
