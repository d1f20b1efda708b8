"""Facts answer whatever manifests hold: they are written by strangers."""

import json
from random import Random
from typing import Any

import pytest

from meshplan.data import data_path
from meshplan.mesh import Mesh
from meshplan.policy.catalog import Scalar
from meshplan.policy.facts.answers import Facts
from meshplan.policy.facts.declared import FACTS
from meshplan.run.request import mesh_of
from meshplan.settings import Settings, World
from support.python_rules import WrongTypeError, all_python_rules
from support.random_manifests import broken

SEEDS = range(150)
RULES = [rule for rule in all_python_rules(data_path("policies")) if not rule.is_change]


def model_of(random: Random) -> Mesh:
    world = random.choice(list(World))
    return mesh_of(broken(random), Settings(world=world))[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_facts_answer_about_anything(seed: int) -> None:
    random = Random(seed)
    model = model_of(random)
    facts = Facts(model)
    texts = {
        "",
        "x",
        "*",
        "mesh",
        "http://a:80",
        *(t for id_ in model.snapshot for t in words(id_)),
    }
    for fact in FACTS:
        for _ in range(12):
            arguments = [
                random.choice(sorted(texts))
                if p.type.scalar is Scalar.TEXT
                else random.choice([0, 80, 443])
                for p in fact.parameters
            ]
            facts.ask(fact.name, *arguments)
    assert json.loads(json.dumps(facts.to_json())) == facts.to_json()


def words(id_: Any) -> tuple[str, ...]:
    return (id_.kind, id_.namespace, id_.name, f"{id_.namespace}/{id_.name}")


@pytest.mark.parametrize("seed", SEEDS)
def test_rules_end_on_anything_with_a_finding_or_without(seed: int) -> None:
    model = model_of(Random(seed))
    for rule in RULES:
        try:
            rule.run(model)
        except WrongTypeError:
            # The evaluator makes a finding of it.
            continue
