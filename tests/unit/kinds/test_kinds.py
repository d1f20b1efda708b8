"""The tables of the kinds: complete, consistent, and what the CRDs say."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

from meshplan import kinds
from meshplan.diff.canonical import canonical
from meshplan.diff.change import ABSENT
from meshplan.diff.rules import Rules, rules_for
from meshplan.kinds import KINDS, home_group, kind_of, scope_of, served
from meshplan.kinds.kind import Kind
from meshplan.kinds.scopes import SCOPES
from support.crds import NEWEST, Definition, definitions

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.group}/{kind.kind}")


def modules() -> Iterator[Any]:
    for found in pkgutil.iter_modules(kinds.__path__, f"{kinds.__name__}."):
        yield importlib.import_module(found.name)


def test_every_kind_of_every_file_is_listed() -> None:
    found = {
        (value.group, value.kind)
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, Kind)
    }
    assert found == {(kind.group, kind.kind) for kind in KINDS}
    assert len(found) == len(KINDS)


def test_no_scope_is_said_twice() -> None:
    assert not {(kind.group, kind.kind) for kind in KINDS} & SCOPES.keys()


@each_kind
def test_paths_are_written_once(kind: Kind) -> None:
    assert set(kind.unordered) <= kind.list_keys.keys()
    assert set(kind.first_wins) <= kind.list_keys.keys()
    assert not set(kind.first_wins) & set(kind.unordered)
    assert not any(kind.list_keys[path] == () for path in (*kind.unordered, *kind.first_wins))
    for path in kind.mutable:
        assert any(path.startswith(f"{fixed}.") for fixed in kind.immutable)


@each_kind
def test_a_kind_is_found_by_its_name(kind: Kind) -> None:
    assert kind_of(kind.group, kind.kind) is kind
    assert scope_of(kind.group, kind.kind) == kind.scope
    assert all(served(kind.group, kind.kind, version) for version in kind.versions)
    assert served(kind.group, kind.kind, "v1aplha3") is False


def test_what_is_unknown_is_none() -> None:
    assert kind_of("example.org", "Thing") is None
    assert scope_of("example.org", "Thing") is None
    assert served("example.org", "Thing", "v1") is None


@pytest.mark.parametrize(
    ("group", "kind", "scope"),
    [
        ("", "Node", "Cluster"),
        ("", "Event", "Namespaced"),
        ("apps", "ControllerRevision", "Namespaced"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "Cluster"),
        ("cert-manager.io", "ClusterIssuer", "Cluster"),
        ("logging.banzaicloud.io", "ClusterFlow", "Namespaced"),
    ],
)
def test_scopes_without_a_file(group: str, kind: str, scope: str) -> None:
    assert scope_of(group, kind) == scope


def test_one_object_has_one_group() -> None:
    assert home_group("extensions", "Deployment") == "apps"
    assert home_group("apps", "Deployment") == "apps"
    assert home_group("extensions", "Thing") == "extensions"


# What the CRDs say -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def newest(request: pytest.FixtureRequest) -> list[tuple[Definition, Kind]]:
    corpora = request.getfixturevalue("corpora")
    pairs = [(found, kind_of(found.group, found.kind)) for found in definitions(corpora, *NEWEST)]
    known = [(found, kind) for found, kind in pairs if kind]
    assert len(known) >= 24
    return known


@pytest.mark.corpus
def test_names_scopes_and_versions_are_those_of_the_crds(
    newest: list[tuple[Definition, Kind]],
) -> None:
    for found, kind in newest:
        assert kind.scope == found.spec["scope"]
        assert kind.plural == found.spec["names"]["plural"]
        missing = {name for name, _ in found.versions()} - set(kind.versions)
        assert not missing, f"{kind.kind} lacks {missing}"


@pytest.mark.corpus
def test_defaults_are_those_of_the_crds(newest: list[tuple[Definition, Kind]]) -> None:
    checked = 0
    for found, kind in newest:
        for field in found.fields():
            if "default" not in field.schema:
                continue
            rules = rules_at(rules_for(kind.group, kind.kind), field.path)
            ours = canonical(rules.default_in({}), rules)
            assert ours == canonical(field.schema["default"], rules), f"{kind.kind} {field.path}"
            checked += 1
    assert checked > 100


@pytest.mark.corpus
def test_lists_are_told_apart_as_the_crds_say(newest: list[tuple[Definition, Kind]]) -> None:
    checked, wrong = 0, []
    for found, kind in newest:
        for field in found.fields():
            match field.schema.get("x-kubernetes-list-type"):
                case "map":
                    keys = tuple(field.schema["x-kubernetes-list-map-keys"])
                case "set":
                    keys = ()
                case _:
                    continue
            rules = rules_at(rules_for(kind.group, kind.kind), field.path)
            checked += 1
            if rules.keys != keys:
                wrong.append(f"{kind.kind} {field.path} is told apart by {keys}")
    assert not wrong
    assert checked > 30


@pytest.mark.corpus
def test_what_the_crds_forbid_to_change_is_immutable(
    newest: list[tuple[Definition, Kind]],
) -> None:
    checked = 0
    for found, kind in newest:
        for field in found.fields():
            rules = field.schema.get("x-kubernetes-validations", ())
            if any(rule["rule"] == "self == oldSelf" for rule in rules):
                assert field.path in kind.immutable, f"{kind.kind} {field.path}"
                checked += 1
    assert checked


@pytest.mark.corpus
def test_durations_of_the_crds_are_read_as_durations(
    newest: list[tuple[Definition, Kind]],
) -> None:
    checked = 0
    for found, kind in newest:
        for field in found.fields():
            rules = field.schema.get("x-kubernetes-validations", ())
            pattern = field.schema.get("pattern", "")
            if any("duration(self)" in rule["rule"] for rule in rules) or "(h|m|s|ms)" in pattern:
                below = rules_at(rules_for(kind.group, kind.kind), field.path)
                assert canonical("60s", below) == canonical("1m", below), (
                    f"{kind.kind} {field.path}"
                )
                checked += 1
    assert checked > 50


@pytest.mark.corpus
def test_paths_of_the_tables_exist_in_the_crds(newest: list[tuple[Definition, Kind]]) -> None:
    wrong = []
    for found, kind in newest:
        known = {field.path for field in found.fields()}
        tables = (kind.list_keys, kind.defaults, kind.readings, kind.opaque, kind.immutable)
        paths = {path for table in tables for path in table}
        wrong += [f"{kind.kind} {path}" for path in sorted(paths - known - GONE)]
    assert not wrong


#: Fields that earlier releases had.
GONE = {"spec.http.corsPolicy.allowOrigin", "spec.rules.sessionPersistence.idleTimeout"}


def rules_at(rules: Rules, path: str) -> Rules:
    for name in path.split("."):
        rules = rules.below(name)
    return rules


def test_an_absent_default_is_absent() -> None:
    assert Rules().default_in({}) is ABSENT
    assert Rules(default=lambda _parent: None).default_in({}) is ABSENT
