"""Documents to Kubernetes objects."""

from dataclasses import astuple
from typing import Any

import pytest

from meshplan.identity import ResourceId
from meshplan.source.objects import Objects, resources_of
from meshplan.source.yaml import parse

SCOPES = {
    ("", "ConfigMap"): "Namespaced",
    ("", "Service"): "Namespaced",
    ("", "Namespace"): "Cluster",
    ("apps", "Deployment"): "Namespaced",
}


def scope_of(group: str, kind: str) -> str | None:
    """What the tests know about kinds."""
    return SCOPES.get((group, kind))


def objects(text: str) -> Objects:
    """The objects of a text, with `shop` as the default namespace."""
    documents = parse(text.encode(), "a.yaml").documents
    return resources_of(documents, default_namespace="shop", scope_of=scope_of)


def ids(found: Objects) -> list[tuple[str, ...]]:
    """Who the objects are."""
    return [astuple(resource.id) for resource in found.resources]


def said(found: Objects) -> list[tuple[int | None, str, str]]:
    """Line, pointer and message of each finding."""
    places = [(f.locations[0], f.message) for f in found.findings if f.rule == "object-shape"]
    return [(place.line, place.pointer, message) for place, message in places]


def test_an_object_is_told_by_group_kind_namespace_and_name() -> None:
    found = objects(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: b}\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n"
    )
    assert ids(found) == [("apps", "Deployment", "b", "a"), ("", "Service", "b", "a")]
    assert [r.api_version for r in found.resources] == ["apps/v1", "v1"]
    assert [(r.origin.path, r.origin.line) for r in found.resources] == [
        ("a.yaml", 1),
        ("a.yaml", 5),
    ]
    assert not found.assumed_namespace
    assert found.findings == ()


def test_a_namespaced_object_without_namespace_gets_the_default_in_a_copy() -> None:
    documents = parse(
        b"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {x: 1}\n---\n"
        b"apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: ''}\n---\n"
        b"apiVersion: v1\nkind: Service\nmetadata: {name: c, namespace: null}\n",
        "a.yaml",
    ).documents
    found = resources_of(documents, default_namespace="shop", scope_of=scope_of)
    assert [r.id.namespace for r in found.resources] == ["shop"] * 3
    assert [r.manifest["metadata"]["namespace"] for r in found.resources] == ["shop"] * 3
    assert found.assumed_namespace
    assert documents[0].value["metadata"] == {"name": "a"}
    assert found.resources[0].manifest["spec"] is documents[0].value["spec"]


def test_a_cluster_scoped_object_has_no_namespace_even_if_it_names_one() -> None:
    found = objects(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n"
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: b, namespace: c}\n"
    )
    assert ids(found) == [("", "Namespace", "", "a"), ("", "Namespace", "", "b")]
    assert "namespace" not in found.resources[0].manifest["metadata"]
    assert not found.assumed_namespace


@pytest.mark.parametrize(
    ("kind", "metadata", "namespace"),
    [
        ("Widget", "{name: a}", "shop"),
        ("Widget", "{name: a, namespace: b}", "b"),
        ("ClusterIssuer", "{name: a}", ""),
        ("ClusterIssuer", "{name: a, namespace: b}", "b"),
        ("Cluster", "{name: a}", "shop"),
        ("Clustering", "{name: a}", "shop"),
    ],
)
def test_an_unknown_kind_is_namespaced_unless_it_says_otherwise(
    kind: str, metadata: str, namespace: str
) -> None:
    found = objects(f"apiVersion: example.com/v1\nkind: {kind}\nmetadata: {metadata}\n")
    assert ids(found) == [("example.com", kind, namespace, "a")]


def test_an_object_without_name_is_called_by_its_generate_name() -> None:
    found = objects("apiVersion: v1\nkind: Service\nmetadata: {generateName: a-}\n")
    assert ids(found) == [("", "Service", "shop", "a-*")]


LIST = """apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Namespace, metadata: {name: b}}]}
- kind: Service
  metadata: {name: c}
- 5
- null
"""


def test_lists_are_expanded_and_their_items_keep_their_places() -> None:
    found = objects(LIST)
    assert ids(found) == [("", "Service", "shop", "a"), ("", "Namespace", "", "b")]
    assert [r.origin.pointer for r in found.resources] == ["/items/0", "/items/1/items/0"]
    assert [r.origin.line for r in found.resources] == [1, 1]
    assert said(found) == [
        (1, "/items/2", "Service c has no apiVersion"),
        (1, "/items/3", "an item of this list is no object"),
        (1, "/items/4", "an item of this list is no object"),
    ]


def test_items_of_a_typed_list_may_leave_out_their_kind() -> None:
    found = objects("apiVersion: v1\nkind: ServiceList\nitems: [{metadata: {name: a}}]\n")
    assert ids(found) == [("", "Service", "shop", "a")]
    assert found.resources[0].manifest["kind"] == "Service"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("kind: List\nitems: []", []),
        ("kind: List\nitems: null", []),
        ("kind: List\nmetadata: {name: a}", [("", "List", "shop", "a")]),
        ("kind: Widget\nmetadata: {name: a}\nitems: []", []),
    ],
)
def test_items_make_a_list_whatever_the_kind(text: str, want: list[Any]) -> None:
    found = objects(f"apiVersion: v1\n{text}\n")
    assert (ids(found), found.findings, found.ignored) == (want, (), ())


@pytest.mark.parametrize(
    ("text", "pointer", "message"),
    [
        ("kind: Service\nmetadata: {name: a}", "", "Service a has no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}", "", "object a has no kind"),
        (
            "apiVersion: 1\nkind: Service\nmetadata: {name: a}",
            "/apiVersion",
            "apiVersion that is no",
        ),
        (
            "apiVersion: v1\nkind: [a]\nmetadata: {name: a}",
            "/kind",
            "has an kind that is no string",
        ),
        ("apiVersion: a/b/c\nkind: Service\nmetadata: {name: a}", "/apiVersion", '"group/version"'),
        ("apiVersion: a/\nkind: Service\nmetadata: {name: a}", "/apiVersion", '"group/version"'),
        ("apiVersion: v1\nkind: Service", "", "this Service has no metadata"),
        ("apiVersion: v1\nkind: Widget\nmetadata:", "", "this Widget has no metadata"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: [a]",
            "/metadata",
            "metadata that are no mapping",
        ),
        ("apiVersion: v1\nkind: Service\nmetadata: {}", "/metadata", "has no metadata.name"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: ''}",
            "/metadata",
            "has no metadata.name",
        ),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: 1}", "/metadata/name", "a number"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: on}",
            "/metadata/namespace",
            "a bool",
        ),
        ("apiVersion: v1\nkind: List\nitems: {a: b}", "/items", "items that are no list"),
    ],
)
def test_what_is_nearly_an_object_is_a_finding(text: str, pointer: str, message: str) -> None:
    found = objects(f"# comment\n{text}\n")
    assert found.resources == ()
    [(line, where, what)] = said(found)
    assert (line, where) == (2, pointer)
    assert message in what


def test_labels_and_annotations_that_are_no_strings_are_findings_about_the_object() -> None:
    found = objects(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  labels: {v: 1.0, w: on, x/y: null}\n"
        "  annotations: [a]\n"
    )
    assert ids(found) == [("", "Service", "shop", "a")]
    advice = ", and Kubernetes takes only strings: put it in quotes"
    assert [(f.locations[0].pointer, f.message) for f in found.findings] == [
        ("/metadata/labels/v", f"the label v of Service shop/a is a number{advice}"),
        ("/metadata/labels/w", f"the label w of Service shop/a is a boolean{advice}"),
        ("/metadata/annotations", "Service shop/a has annotations that are no mapping"),
    ]
    assert {f.id for f in found.findings} == {ResourceId("", "Service", "shop", "a")}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("replicas: 1\nimage: {tag: v1}\n", id="Helm values"),
        pytest.param("apiVersion: v2\nname: a\nversion: 1.0.0\n", id="Helm chart"),
        pytest.param("services: {web: {image: nginx}}\n", id="compose"),
        pytest.param("on: push\njobs: {a: {steps: []}}\n", id="workflow"),
        pytest.param("resources: [a.yaml]\n", id="Kustomization without kind"),
        pytest.param(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
            "metadata: {name: a}\nresources: [a.yaml]\n",
            id="Kustomization",
        ),
        pytest.param("kind: pipeline\nname: default\n", id="other tools"),
        pytest.param(
            "apiVersion: example.com/v1\nkind: Settings\nx: 1\n", id="other tools' settings"
        ),
        pytest.param(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {}\n", id="istioctl"
        ),
        pytest.param("- apiVersion: v1\n  kind: Service\n", id="a list of patches"),
        pytest.param("just text\n", id="text"),
        pytest.param("items: [1]\n", id="items alone"),
    ],
)
def test_other_files_are_ignored_without_a_word(text: str) -> None:
    found = objects(text)
    assert (found.resources, found.findings) == ((), ())
    assert [document.origin.line for document in found.ignored] == [1]


@pytest.mark.corpus
def test_the_malformed_objects_of_the_corpora_are_found(corpora: Any) -> None:
    case = corpora / "cases" / "sc-vs-dr-serviceentry" / "head"
    path = case / "org-geo-system" / "geoserver" / "manifest.yaml"
    documents = parse(path.read_bytes(), "manifest.yaml").documents
    found = resources_of(documents, default_namespace="default", scope_of=scope_of)
    assert said(found) == [(1, "", "VirtualService geoserver has no apiVersion")]
