"""The compiled rules find what Python finds when it runs their text."""

from pathlib import Path
from random import Random

import pytest

from meshplan.data import data_path
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.judge import ModelWorld
from meshplan.policy.page import page_of
from meshplan.policy.syntax import module_of
from meshplan.policy.values import faults
from meshplan.resource import Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings, World
from support.python_rules import PythonRule, WrongTypeError, python_rules
from support.random_manifests import broken
from support.snapshots import snapshot

SEEDS = range(120)

#: Message and place of each finding; the place is None where the rule leaves it to the compiler.
#: Nothing at all for an object with a field of a wrong type.
Found = dict[ResourceId, set[tuple[str, str | None]] | None]


def pair(path: Path) -> tuple[PythonRule, CompiledRule]:
    """A rule as Python has it, and as it is compiled."""
    (ours,) = python_rules(path)
    module, mistakes = module_of(path.name, path.read_text("utf-8"))
    assert mistakes == ()
    (rule,) = module.rules
    return ours, CompiledRule(rule)


PAIRS = {path.stem: pair(path) for path in sorted(data_path("policies").glob("*.py"))}


def by_python(rule: PythonRule, head: Mesh, base: Snapshot) -> Found:
    found: Found = {}
    for id_, hits in rule.each(head, base):
        try:
            found[id_] = {(h.message, None if h.place is None else str(h.place)) for h in hits()}
        except WrongTypeError:
            found[id_] = None
    return found


def compiled(rule: CompiledRule, head: Mesh, base: Snapshot) -> Found:
    world = ModelWorld(head)
    found: Found = {}
    for kind in rule.rule.kinds:
        states = (head.snapshot, base) if rule.rule.is_change else (head.snapshot,)
        for id_ in sorted({r.id for s in states for r in s.of_kind(kind.group, kind.name)}):
            new, old = (s[id_].manifest if id_ in s else None for s in (head.snapshot, base))
            if not rule.rule.is_change:
                old = None
            elif new == old:
                continue
            hits = rule.run(new, old, world, {}, {})
            wrong = [*faults(new, rule.rule.new), *faults(old, rule.rule.old)]
            found[id_] = None if wrong else {(h.message, str(h.steps)) for h in hits}
    return found


def agree(name: str, head: Mesh, base: Snapshot | None) -> None:
    theirs, ours = PAIRS[name]
    expected = by_python(theirs, head, base or Snapshot())
    found = compiled(ours, head, base or Snapshot())
    assert set(found) == set(expected)
    for id_, hits in found.items():
        truth = expected[id_]
        if hits is None:
            # What it reads is looked at before it is run: it may be wrong where Python does not go.
            continue
        assert truth is not None, (name, id_)
        assert {m for m, _ in hits} == {m for m, _ in truth}, (name, id_)
        assert {h for h in truth if h[1] is not None} <= hits, (name, id_)


@pytest.mark.parametrize("name", PAIRS)
def test_rules_agree_about_their_examples(name: str) -> None:
    page = page_of(PAIRS[name][0].docstring)
    for example in (*page.good, *page.bad):
        head, _ = mesh_of(snapshot(example.after), Settings(world=World.CLOSED))
        agree(name, head, snapshot(example.before) if example.is_change else None)


@pytest.mark.parametrize("seed", SEEDS)
def test_rules_agree_about_anything(seed: int) -> None:
    random = Random(seed)
    head, _ = mesh_of(broken(random), Settings(world=random.choice(list(World))))
    base = broken(random)
    for name in PAIRS:
        agree(name, head, base)
