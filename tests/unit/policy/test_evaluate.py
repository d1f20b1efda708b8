"""Rules run natively mean what Python means by them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meshplan.data import data_path
from meshplan.mesh import Mesh
from meshplan.policy.evaluate import BudgetError, CompiledRule
from meshplan.policy.facts.answers import Facts
from meshplan.policy.library import Pack
from meshplan.resource import Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings, World
from support.python_rules import PythonRule, all_python_rules
from support.snapshots import snapshot

PACK = Pack.of({str(p): p.read_text("utf-8") for p in data_path("policies").glob("*.py")})
PYTHON = {rule.id: rule for rule in all_python_rules(data_path("policies"))}


@dataclass(frozen=True, slots=True)
class ModelWorld:
    """The mesh of an example."""

    mesh: Mesh
    facts: Facts

    def objects(self, group: str, kind: str) -> list[Any]:
        return [r.manifest for r in self.mesh.snapshot.of_kind(group, kind)]

    def ask(self, fact: str, arguments: Any) -> Any:
        return self.facts.ask(fact, *arguments)


def test_the_rules_of_the_pack_have_no_mistakes() -> None:
    assert PACK.diagnostics == ()
    assert {rule.id for rule in PACK.rules} == set(PYTHON)


@pytest.mark.parametrize("rule", PACK.compiled, ids=lambda rule: rule.rule.id)
def test_a_rule_finds_what_python_finds(rule: CompiledRule) -> None:
    python = PYTHON[rule.rule.id]
    for example in (*rule.rule.page.good, *rule.rule.page.bad):
        mesh, _ = mesh_of(snapshot(example.after), Settings(world=World.CLOSED))
        base = snapshot(example.before) if example.is_change else Snapshot()
        found = set(natively(rule, python, mesh, base))
        hits = python.run(mesh, base)
        assert {(id_, message) for id_, message, _ in found} == {(h.id, h.message) for h in hits}
        assert found >= {(h.id, h.message, h.place) for h in hits if h.place is not None}


def natively(
    rule: CompiledRule, python: PythonRule, mesh: Mesh, base: Snapshot
) -> Iterator[tuple[Any, str, tuple[str | int, ...]]]:
    world = ModelWorld(mesh, Facts(mesh))
    known: dict[Any, Any] = {}
    for id_, _ in python._subjects(mesh.snapshot, base):
        new = mesh.snapshot[id_].manifest if id_ in mesh.snapshot else None
        old = base[id_].manifest if id_ in base else None
        for hit in rule.run(new, old, world, {}, known):
            yield id_, hit.message, hit.steps


def rule_of(body: str, head: str = "svc: Service") -> CompiledRule:
    text = (
        "from meshplan.policy import Change, Findings, Mesh, Resource, at, deny, image_ref\n"
        "from meshplan.policy.k8s import Deployment, Service\n"
        '@deny("T-1")\n'
        f"def rule({head}) -> Findings:\n    '''T.'''\n"
    ) + "".join(f"    {line}\n" for line in body.splitlines())
    pack = Pack.of({"t.py": text})
    assert not pack.errors, "\n".join(map(str, pack.errors))
    return pack.compiled[0]


def hits(rule: CompiledRule, new: Any, old: Any = None, **parameters: Any) -> list[Any]:
    mesh, _ = mesh_of(Snapshot(), Settings())
    return rule.run(new, old, ModelWorld(mesh, Facts(mesh)), parameters, {})


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def test_absent_and_null_are_one() -> None:
    rule = rule_of(
        'for port in svc.spec.ports:\n    if port.name is None:\n        yield f"{port.port or 0}"'
    )
    for port in ({"port": 1}, {"port": 1, "name": None}):
        assert [(h.message, h.steps) for h in hits(rule, service(ports=[None, port]))] == [
            ("1", ("spec", "ports", 1))
        ]
    assert hits(rule, service(ports=None)) == []
    assert hits(rule, {"spec": None}) == []
    assert hits(rule, {}) == []


def test_a_default_of_the_api_stands_in_for_what_is_absent() -> None:
    rule = rule_of('yield f"{svc.spec.type} {svc.metadata.namespace}"')
    assert [h.message for h in hits(rule, service())] == ["ClusterIP default"]


@pytest.mark.parametrize(
    ("spec", "message", "steps"),
    [
        ({"ports": {}}, "spec.ports should be a list, not a mapping", ("spec", "ports")),
        ({"ports": [3]}, "spec.ports[0] should be a mapping, not a number", ("spec", "ports", 0)),
        (
            {"ports": [{"port": "80"}]},
            "spec.ports[0].port should be a whole number, not text",
            ("spec", "ports", 0, "port"),
        ),
        (
            {"ports": [{"port": 2**53}]},
            "spec.ports[0].port should be a whole number, not a number",
            ("spec", "ports", 0, "port"),
        ),
        (3, "spec should be a mapping, not a number", ("spec",)),
    ],
)
def test_a_wrong_type_is_a_finding_at_its_place(spec: Any, message: str, steps: Any) -> None:
    rule = rule_of('for port in svc.spec.ports:\n    yield f"{port.port or 0}"')
    found = hits(rule, {"spec": spec})
    assert [(h.message, h.steps) for h in found] == [(message, steps)]


def test_what_a_rule_does_not_read_may_be_anything() -> None:
    rule = rule_of('for port in svc.spec.ports:\n    yield f"{port.port or 0}"')
    found = hits(rule, service(ports=[{"port": 80.0, "name": [1]}], type=3))
    assert [h.message for h in found] == ["80"]


def test_the_parts_of_a_sum_keep_their_places() -> None:
    rule = rule_of(
        "pod = app.spec.template.spec\nfor c in pod.containers + pod.initContainers:\n    yield at(c.name, c.name)",
        "app: Deployment",
    )
    pod = {"containers": [{"name": "a"}], "initContainers": [{"name": "a"}]}
    found = hits(rule, {"spec": {"template": {"spec": pod}}})
    base = ("spec", "template", "spec")
    assert [h.steps for h in found] == [
        (*base, "containers", 0, "name"),
        (*base, "initContainers", 0, "name"),
    ]


def test_a_change_has_an_old_a_new_and_an_operation() -> None:
    rule = rule_of(
        "if not svc.new:\n    yield at(svc.old.metadata.name, svc.op)\nelse:\n    yield at(svc.new.spec, svc.op, )",
        "svc: Change[Service]",
    )
    one = service()
    assert [(h.message, h.steps, h.old) for h in hits(rule, one, None)] == [
        ("CREATE", ("spec",), False)
    ]
    assert [h.message for h in hits(rule, one, one)] == ["UPDATE"]
    assert [(h.message, h.old) for h in hits(rule, None, one)] == [("DELETE", True)]


def test_any_object_is_read_by_path() -> None:
    rule = rule_of(
        'if r.text("kind") != "Widget":\n    return\n'
        'for item in r.items("spec", "items"):\n'
        "    yield at(item, f\"{item.integer('n') or 0} {' '.join(item.texts('xs'))}\")",
        "r: Resource",
    )
    spec = {"items": [{"n": 1, "xs": ["a", 2, None, "b"]}, "junk", {"n": "x"}]}
    found = hits(rule, {"kind": "Widget", "spec": spec})
    assert [(h.message, h.steps) for h in found] == [
        ("1 a b", ("spec", "items", 0)),
        ("0 ", ("spec", "items", 2)),
    ]
    assert hits(rule, {"kind": "Other", "spec": spec}) == []


def test_parameters_replace_defaults() -> None:
    rule = rule_of(
        'if svc.spec.type in banned:\n    yield "no"',
        'svc: Service, *, banned: list[str] = ["NodePort"]',
    )
    assert hits(rule, service(type="NodePort")) != []
    assert hits(rule, service(type="NodePort"), banned=[]) == []


@pytest.mark.parametrize(
    "body",
    [
        # Rounds, lengths and numbers that grow without end.
        (
            "ports = svc.spec.ports\nxs = [a for a in ports for b in ports for c in ports for d in ports]"
            '\nyield f"{len(xs)}"'
        ),
        'a = svc.metadata.name.replace("w", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww")\n'
        + "".join(
            f"a{n} = {'a' if n == 0 else f'a{n - 1}'}.replace('w', 'wwwwwwwwwwwwwwww')\n"
            for n in range(9)
        )
        + "yield a8",
        "n0 = len(svc.spec.ports) + 9\n"
        + "".join(f"n{n} = n{n - 1} * n{n - 1}\n" for n in range(1, 60))
        + 'yield f"{n59}"',
    ],
)
def test_a_rule_that_takes_too_much_is_stopped(body: str) -> None:
    rule = rule_of(body)
    with pytest.raises(BudgetError):
        hits(rule, service(ports=[{"port": n} for n in range(60)]))


def test_examples_have_both_sides() -> None:
    for rule in PACK.rules:
        for example in (*rule.page.good, *rule.page.bad):
            assert example.is_change == rule.is_change, rule.id


def test_the_rule_that_the_documentation_shows_is_one(root: Path) -> None:
    page = (root / "docs" / "explanation" / "rules.md").read_text("utf-8")
    pack = Pack.of({"page.py": page.partition("```python\n")[2].partition("```")[0]})
    assert pack.diagnostics == ()
    (rule,) = pack.compiled
    bad, good = ({"spec": {"ports": [{"name": name, "port": 80}]}} for name in ("web", "http-web"))
    assert [(h.steps, h.fix) for h in hits(rule, bad)] == [
        (("spec", "ports", 0, "name"), "tcp-web")
    ]
    assert hits(rule, good) == []
