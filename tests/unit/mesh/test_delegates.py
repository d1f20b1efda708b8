"""Delegation: which rules of a delegate survive under the rule of the root."""

from dataclasses import replace
from typing import Any

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.delegates import delegated
from meshplan.mesh.virtual_service import Destination, HttpMatch, HttpRule, MatchKind, StringMatch
from support.meshes import mesh

ROOT = """
kind: VirtualService
metadata: {{name: root, namespace: edge}}
spec:
  hosts: [shop.example.com]
  http:
  - match: [{root}]
    delegate: {{name: part, namespace: shop}}
  - route: [{{destination: {{host: rest.edge.svc.cluster.local}}}}]
---
kind: VirtualService
metadata: {{name: part, namespace: shop}}
spec:
  exportTo: [{export_to}]
  http:
  - match: [{part}]
    route: [{{destination: {{host: reviews}}}}]
"""


def state(root: str, part: str, export_to: str = "'*'") -> Mesh:
    return mesh(ROOT.format(root=root, part=part, export_to=export_to))


def matches(found: Mesh) -> list[HttpMatch]:
    """The matches of the rules that came from the delegate."""
    (root,) = (vs for vs in found.virtual_services if vs.hosts)
    rules = found.http_rules(root)
    return [match for rule in rules if rule.source.name == "part" for match in rule.matches]


@pytest.mark.parametrize(
    ("root", "part", "kept"),
    [
        ("{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}", True),
        ("{uri: {prefix: /a}}", "{uri: {exact: /a/b}}", True),
        ("{uri: {prefix: /a/b}}", "{uri: {prefix: /a}}", False),
        ("{uri: {exact: /a}}", "{uri: {exact: /a}}", True),
        ("{uri: {exact: /a}}", "{uri: {prefix: /a}}", False),
        ("{uri: {regex: /a.*}}", "{uri: {prefix: /a}}", False),
        ("{uri: {regex: /a.*}}", "{headers: {x: {exact: '1'}}}", True),
        ("{headers: {x: {exact: '1'}}}", "{headers: {x: {exact: '2'}}}", False),
        ("{headers: {x: {exact: '1'}}}", "{headers: {y: {exact: '2'}}}", True),
        ("{port: 80}", "{port: 81}", False),
        ("{sourceNamespace: web}", "{uri: {prefix: /a}}", False),
        ("{sourceLabels: {app: a}}", "{sourceLabels: {app: b}}", False),
        ("{uri: {prefix: /a}, ignoreUriCase: true}", "{uri: {prefix: /a}}", False),
        ("{uri: {prefix: /a}}", "{uri: {regex: /a}}", False),
        ("{uri: {prefix: ''}}", "{uri: {prefix: /a}}", False),
        ("{method: {exact: GET}}", "{method: {exact: PUT}}", False),
        ("{scheme: {exact: http}}", "{scheme: {exact: https}}", False),
        ("{authority: {exact: a}}", "{authority: {exact: b}}", False),
        ("{withoutHeaders: {x: {exact: '1'}}}", "{withoutHeaders: {x: {exact: '2'}}}", False),
        ("{queryParams: {x: {exact: '1'}}}", "{queryParams: {x: {exact: '2'}}}", False),
        ("{port: 80}", "{uri: {prefix: /a}}", True),
        ("{uri: {prefix: /a}}", "{port: 80}", True),
        ("{sourceLabels: {app: a}}", "{sourceLabels: {app: a, more: b}}", True),
        ("{uri: {prefix: /}}", "{gateways: [edge/a]}", True),
        ("{gateways: [edge/a]}", "{uri: {prefix: /}}", True),
        ("{gateways: [edge/a]}", "{gateways: [edge/b]}", False),
        ("{gateways: [edge/a, edge/b]}", "{gateways: [edge/b]}", True),
        ("{gateways: [edge/a]}", "{gateways: [edge/a, edge/b]}", False),
    ],
)
def test_a_match_that_is_no_part_of_the_roots_is_dropped(root: str, part: str, kept: bool) -> None:
    assert bool(matches(state(root, part))) is kept


def test_conditions_of_both_hold() -> None:
    (match,) = matches(state("{uri: {prefix: /a}, method: {exact: GET}}", "{uri: {exact: /a/b}}"))
    assert match.uri is not None
    assert (match.uri.value, match.method and match.method.value) == ("/a/b", "GET")


@pytest.mark.parametrize(
    ("export_to", "kept"), [("'*'", True), ("edge", True), ("'.'", False), ("web", False)]
)
def test_a_delegate_has_to_be_exported_to_the_root(export_to: str, kept: bool) -> None:
    assert bool(matches(state("{uri: {prefix: /}}", "{uri: {prefix: /}}", export_to))) is kept


def test_a_missing_delegate_drops_its_rule_alone() -> None:
    text = ROOT.format(root="{uri: {prefix: /}}", part="{}", export_to="'*'").split("---")[0]
    found = mesh(text)
    (root,) = found.virtual_services
    assert [rule.pointer for rule in found.http_rules(root)] == ["/spec/http/1"]


def test_what_the_delegate_leaves_open_is_the_roots() -> None:
    found = mesh("""
kind: VirtualService
metadata: {name: root, namespace: edge}
spec:
  hosts: [shop.example.com]
  http:
  - delegate: {name: part}
    timeout: 3s
    rewrite: {uri: /x}
---
kind: VirtualService
metadata: {name: part, namespace: edge}
spec:
  http:
  - route: [{destination: {host: reviews}}]
    timeout: 1s
""")
    (root,) = (vs for vs in found.virtual_services if vs.hosts)
    (rule,) = found.http_rules(root)
    assert rule.fields == {"timeout": "1s", "rewrite": {"uri": "/x"}}


# What is merged, field by field (`mergeHTTPRoute`, `mergeHTTPMatchRequest`).

WHO = ResourceId("networking.istio.io", "VirtualService", "edge", "root")
TEXT, OTHER = StringMatch(MatchKind.PREFIX, "/a"), StringMatch(MatchKind.EXACT, "/a/b")
STATED: dict[str, tuple[Any, Any, Any]] = {
    # Field: what the root says, what the delegate says, what holds.
    "uri": (TEXT, OTHER, OTHER),
    "scheme": (TEXT, OTHER, OTHER),
    "method": (TEXT, OTHER, OTHER),
    "authority": (TEXT, OTHER, OTHER),
    "headers": ({"x": TEXT, "y": TEXT}, {"x": OTHER}, {"x": OTHER, "y": TEXT}),
    "without_headers": ({"x": TEXT, "y": TEXT}, {"x": OTHER}, {"x": OTHER, "y": TEXT}),
    "query": ({"x": TEXT, "y": TEXT}, {"x": OTHER}, {"x": OTHER, "y": TEXT}),
    "port": (80, 80, 80),
    "source_labels": ({"a": "1", "b": "2"}, {"a": "1", "c": "3"}, {"a": "1", "b": "2", "c": "3"}),
    "source_namespace": ("web", "web", "web"),
    "gateways": (("edge/a", "edge/b"), ("edge/b",), ("edge/b",)),
}


def merged(root: HttpMatch, leaf: HttpMatch) -> HttpMatch | None:
    rules = [HttpRule(WHO, "", matches=(match,)) for match in (root, leaf)]
    found = [match for rule in delegated(rules[0], (rules[1],)) for match in rule.matches]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize("field", STATED)
def test_a_field_of_a_match_is_the_delegates_else_the_roots(field: str) -> None:
    outer, inner, both = STATED[field]
    root, leaf = HttpMatch("root"), HttpMatch("leaf")
    # The root may ask for a namespace that the delegate does not name: that counts as a conflict.
    alone = None if field == "source_namespace" else replace(leaf, **{field: outer})
    assert merged(replace(root, **{field: outer}), leaf) == alone
    assert merged(root, replace(leaf, **{field: inner})) == replace(leaf, **{field: inner})
    found = merged(replace(root, **{field: outer}), replace(leaf, **{field: inner}))
    assert found == replace(leaf, **{field: both})


@pytest.mark.parametrize(
    ("outer", "inner", "kept"),
    [
        # `stringMatchConflict`: kind and text of the root, of the delegate.
        ("exact /a", "exact /a", True),
        ("exact /a", "exact /b", False),
        ("exact /a", "prefix /a", False),
        ("exact /a", "regex /a", False),
        ("exact /a", "present", False),
        ("prefix /a", "exact /a/b", True),
        ("prefix /a", "exact /b", False),
        ("prefix /a", "prefix /ab", True),
        ("prefix /a", "prefix /a", True),
        ("prefix /ab", "prefix /a", False),
        ("prefix /a", "regex /a", False),
        ("prefix /a", "present", False),
        ("regex /a", "regex /a", False),
        ("regex /a", "exact /a", False),
        ("regex /a", "prefix /a", False),
        ("present", "exact /a", False),
        ("present", "prefix /a", False),
        ("present", "present", False),
        ("exact ", "exact ", False),
        ("exact ", "exact /a", False),
        ("prefix ", "prefix /a", False),
        ("exact /a", "exact ", False),
        ("prefix /a", "prefix ", False),
    ],
)
@pytest.mark.parametrize("field", ["uri", "scheme", "method", "authority"])
def test_a_text_of_a_delegate_is_part_of_the_roots(
    outer: str, inner: str, kept: bool, field: str
) -> None:
    root, leaf = (
        HttpMatch("", **{field: StringMatch(MatchKind(kind), value)})  # type: ignore[arg-type]
        for kind, _, value in (outer.partition(" "), inner.partition(" "))
    )
    assert (merged(root, leaf) is not None) is kept


def test_each_match_of_the_delegate_goes_under_each_of_the_root_that_it_fits() -> None:
    """`mergeHTTPMatchRequests`: one that fits none takes the whole rule with it."""
    a, b, ab = (StringMatch(MatchKind.PREFIX, value) for value in ("/a", "/b", "/a/b"))
    outer = (HttpMatch("1", uri=a, port=1), HttpMatch("2", uri=b), HttpMatch("3", port=3))

    def found(*inner: HttpMatch) -> list[tuple[str, int]]:
        rules = delegated(HttpRule(WHO, "", outer), (HttpRule(WHO, "", inner),))
        return [(m.uri.value if m.uri else "", m.port) for rule in rules for m in rule.matches]

    assert found(HttpMatch("", uri=ab)) == [("/a/b", 1), ("/a/b", 3)]
    assert found(HttpMatch("", uri=ab), HttpMatch("", uri=b)) == [
        *(("/a/b", 1), ("/a/b", 3)),
        *(("/b", 0), ("/b", 3)),
    ]
    assert found(HttpMatch("", uri=ab), HttpMatch("", uri=a, port=4)) == []
    assert found() == [("/a", 1), ("/b", 0), ("", 3)]
    (rule,) = delegated(HttpRule(WHO, ""), (HttpRule(WHO, "", outer),))
    assert rule.matches == outer
    (rule,) = delegated(HttpRule(WHO, ""), (HttpRule(WHO, ""),))
    assert rule.matches == ()


FIELDS = ("rewrite", "directResponse", "timeout", "retries", "fault", "corsPolicy", "headers")


def test_what_a_rule_does_is_the_delegates_else_the_roots() -> None:
    mirror, other = Destination("m"), Destination("n")
    root = HttpRule(
        WHO,
        "",
        mirrors=(mirror,),
        delegate=("shop", "part"),
        fields={**dict.fromkeys(FIELDS, "root"), "redirect": "root"},
    )
    leaf = HttpRule(WHO, "leaf", destinations=(other,), fields={"redirect": "leaf"})
    full = replace(leaf, mirrors=(other,), fields=dict.fromkeys((*FIELDS, "redirect"), "leaf"))
    found = list(delegated(root, (leaf, full)))
    # A redirect is nobody's but the rule's own.
    inherited = {**dict.fromkeys(FIELDS, "root"), "redirect": "leaf"}
    assert found == [replace(leaf, mirrors=(mirror,), fields=inherited), full]
    (bare,) = delegated(root, (HttpRule(WHO, ""),))
    assert set(bare.fields) == set(FIELDS)
    (bare,) = delegated(HttpRule(WHO, ""), (leaf,))
    assert bare == leaf
