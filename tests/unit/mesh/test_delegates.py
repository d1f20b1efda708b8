"""Delegation: which rules of a delegate survive under the rule of the root."""

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.virtual_service import HttpMatch
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
