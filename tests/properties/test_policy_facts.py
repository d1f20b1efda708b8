"""Facts answer whatever manifests hold: they are written by strangers."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from meshplan.data import data_path
from meshplan.kinds import scope_of
from meshplan.mesh import Mesh
from meshplan.policy.catalog import Scalar
from meshplan.policy.facts.answers import Facts
from meshplan.policy.facts.declared import FACTS
from meshplan.policy.page import page_of
from meshplan.resource import Document, Origin, Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings, World
from meshplan.source.objects import resources_of
from meshplan.source.yaml import parse
from support.python_rules import WrongTypeError, all_python_rules

SEEDS = range(150)
JUNK = (None, "", "x", 0, -1, 1.5, True, [], {}, [None], {"a": None}, "é\u202e", "$(X)", 2**70)
RULES = [rule for rule in all_python_rules(data_path("policies")) if not rule.is_change]
EXAMPLES = [
    [document.value for document in parse(example.after.encode(), "x.yaml").documents]
    for rule in RULES
    for page in [page_of(rule.docstring)]
    for example in (*page.good, *page.bad)
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each value inside another one: its container, and its key."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def broken(random: Random) -> Snapshot:
    """The manifests of some examples with junk in them; names and kinds stay."""
    values = deepcopy([v for _ in range(3) for v in random.choice(EXAMPLES)])
    for value in values:
        inside = [
            p for p in places(value) if p[1] not in ("apiVersion", "kind", "metadata", "name")
        ]
        for holder, key in random.sample(inside, min(len(inside), random.randrange(4))):
            holder[key] = random.choice(JUNK)
    documents = [Document(value, Origin("x.yaml", n)) for n, value in enumerate(values)]
    found = resources_of(documents, default_namespace="default", scope_of=scope_of).resources
    return Snapshot(found)


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
