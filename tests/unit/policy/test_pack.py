"""Each rule that comes with meshplan finds its own bad examples, and nothing in the good ones."""

from pathlib import Path

import pytest

from meshplan.data import data_path
from meshplan.mesh import Mesh
from meshplan.policy.page import Example, page_of
from meshplan.resource import Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings, World
from support.python_rules import PythonRule, all_python_rules, python_rules
from support.snapshots import snapshot

RULES = {rule.id: rule for rule in all_python_rules(data_path("policies"))}


def shown(example: Example) -> tuple[Mesh, Snapshot | None]:
    """The mesh of an example, which is all there is, and what was before."""
    model, _ = mesh_of(snapshot(example.after), Settings(world=World.CLOSED))
    return model, snapshot(example.before) if example.is_change else None


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_fires_on_its_bad_examples_alone(rule: PythonRule) -> None:
    page = page_of(rule.docstring)
    for example in page.good:
        assert rule.run(*shown(example)) == []
    for example in page.bad:
        assert rule.run(*shown(example)) != []


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_has_a_page(rule: PythonRule) -> None:
    page = page_of(rule.docstring)
    assert page.title.endswith(".")
    assert page.why
    assert page.fix
    assert all(link.startswith("https://") for link in page.see)
    assert page.good
    assert page.bad


def test_each_rule_is_alone_in_a_file_of_its_name() -> None:
    for path in data_path("policies").glob("*.py"):
        (rule,) = python_rules(path)
        assert rule.function.__name__ == path.stem
    assert len(RULES) == len(list(data_path("policies").glob("*.py")))


@pytest.mark.parametrize("world", World)
def test_nothing_is_wrong_with_a_healthy_bookinfo(world: World) -> None:
    folder = data_path("examples") / "bookinfo"
    text = "\n---\n".join(path.read_text("utf-8") for path in manifests(folder))
    model, _ = mesh_of(snapshot(text), Settings(world=world))
    found = {rule.id: rule.run(model) for rule in RULES.values() if not rule.is_change}
    errors = {id_: hits for id_, hits in found.items() if hits and RULES[id_].level == "deny"}
    assert errors == {}


def manifests(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.yaml"))
    assert found
    return found
