"""The tables of Kubernetes' own kinds say what Kubernetes says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshplan.diff.rules import Rules, rules_for
from meshplan.kinds import KINDS
from meshplan.kinds.kind import Kind
from meshplan.kinds.readings import quantity
from support.clientgo import Fact, facts, schema_file


@pytest.fixture(scope="module")
def schema() -> Path:
    found = schema_file()
    if found is None:
        pytest.skip("client-go is not in Go's module cache")
    return found


def known(schema: Path) -> Iterator[tuple[Kind, Fact]]:
    for kind in KINDS:
        if not kind.group.endswith("istio.io") and kind.group != "gateway.networking.k8s.io":
            for fact in facts(schema, kind.group, kind.versions[0], kind.kind):
                if not _is_apart(fact.path):
                    yield kind, fact


def _is_apart(path: str) -> bool:
    """What is no content, and the metadata of an object inside another one."""
    names = path.split(".")
    return names[0] in {"apiVersion", "kind", "status", "metadata"} or bool(
        {"status", "finalizers", "ownerReferences", "managedFields"} & set(names)
    )


def rules_at(kind: Kind, path: str) -> Rules:
    rules = rules_for(kind.group, kind.kind)
    for name in path.split("."):
        rules = rules.below(name)
    return rules


def wrong(schema: Path, what: str, fits: Callable[[Rules, Fact], bool]) -> list[str]:
    found = [(kind, fact) for kind, fact in known(schema) if fact.what == what]
    assert len(found) > 50
    return [f"{k.kind} {f.path} {f.value}" for k, f in found if not fits(rules_at(k, f.path), f)]


def test_items_are_told_apart_by_the_same_fields(schema: Path) -> None:
    assert not wrong(schema, "keys", lambda rules, fact: rules.keys == fact.value)


def test_defaults_are_the_same(schema: Path) -> None:
    def fits(rules: Rules, fact: Fact) -> bool:
        # A zero is what Go makes of a required field, not what anybody meant.
        zero = fact.value in ("", 0, {}) and fact.value is not False
        return zero or rules.default_in({}) == fact.value

    assert not wrong(schema, "default", fits)


def test_quantities_are_read_as_quantities(schema: Path) -> None:
    assert not wrong(schema, "quantity", lambda rules, _fact: rules.reading is quantity)


def test_the_schema_knows_our_kinds(schema: Path) -> None:
    assert len({kind.kind for kind, _ in known(schema)}) > 25
