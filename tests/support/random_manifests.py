"""Manifests with junk in them: what strangers may write."""

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from meshplan.data import data_path
from meshplan.kinds import scope_of
from meshplan.policy.page import page_of
from meshplan.resource import Document, Origin, Snapshot
from meshplan.source.objects import resources_of
from meshplan.source.yaml import parse
from support.python_rules import all_python_rules

JUNK = (None, "", "x", 0, -1, 1.5, True, [], {}, [None], {"a": None}, "é\u202e", "$(X)", 2**70)
EXAMPLES = [
    [document.value for document in parse(example.after.encode(), "x.yaml").documents]
    for rule in all_python_rules(data_path("policies"))
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
