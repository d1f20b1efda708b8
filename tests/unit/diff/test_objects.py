"""Which objects come, go, change their name, or stay what they were."""

import copy
from typing import Any

import pytest

from meshplan.diff import Create, Delete, Rename, Update, diff, id_of
from meshplan.identity import ResourceId
from meshplan.resource import Snapshot
from meshplan.schema import shape_findings
from support.snapshots import of_values, snapshot


def entry(name: str, host: str = "a.example.com", namespace: str = "default", **more: Any) -> Any:
    """A ServiceEntry."""
    metadata = {"name": name, "namespace": namespace, **more}
    spec = {"hosts": [host], "ports": [{"number": 443, "name": "tls"}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": metadata,
        "spec": spec,
    }


def identity(name: str, namespace: str = "default") -> ResourceId:
    return ResourceId("networking.istio.io", "ServiceEntry", namespace, name)


def test_a_snapshot_does_not_differ_from_itself() -> None:
    found = of_values(entry("a"), entry("b"))
    assert len(diff(found, found)) == 0


def test_equal_manifests_are_no_change_whatever_file_they_are_in() -> None:
    value = entry("a")
    assert len(diff(of_values(value), of_values(copy.deepcopy(value)))) == 0


def test_objects_come_and_go() -> None:
    base, head = of_values(entry("a"), entry("b")), of_values(entry("b"), entry("c", "c.org"))
    created, deleted = head[identity("c")], base[identity("a")]
    assert list(diff(base, head)) == [Delete(deleted), Create(created)]
    assert list(diff(Snapshot(), Snapshot())) == []


def test_changes_are_in_the_order_of_ids() -> None:
    base = of_values(entry("z"), entry("m", "m.org"))
    head = of_values(entry("z", "b.org"), entry("a", "c.org"), entry("b", namespace="a"))
    found = [id_of(change) for change in diff(base, head)]
    assert found == sorted(found)
    assert len(found) == 4


def test_the_same_content_under_another_name_is_a_rename() -> None:
    base, head = of_values(entry("whitelist-a")), of_values(entry("allow-a"))
    (change,) = diff(base, head)
    assert change == Rename(base[identity("whitelist-a")], head[identity("allow-a")])
    assert id_of(change) == identity("allow-a")


def test_labels_that_repeat_the_name_change_with_it() -> None:
    base = of_values(entry("a", labels={"app": "a", "team": "x"}))
    head = of_values(entry("b", labels={"app": "b", "team": "x"}))
    assert [type(change) for change in diff(base, head)] == [Rename]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(entry("b", "b.org"), id="another content"),
        pytest.param(entry("b", namespace="elsewhere"), id="another namespace"),
        pytest.param(entry("b", labels={"app": "a"}), id="another label"),
        pytest.param(entry("b") | {"kind": "Sidecar"}, id="another kind"),
    ],
)
def test_anything_else_is_a_deletion_and_a_creation(other: Any) -> None:
    changes = diff(of_values(entry("a")), of_values(other))
    assert {type(change) for change in changes} == {Create, Delete}


def test_objects_that_are_nothing_but_a_name_are_not_renamed() -> None:
    text = "apiVersion: v1\nkind: {}\nmetadata: {{name: {}}}\n"
    for kind in ("ServiceAccount", "Namespace"):
        base, head = snapshot(text.format(kind, "a")), snapshot(text.format(kind, "b"))
        assert {type(change) for change in diff(base, head)} == {Create, Delete}


def test_of_several_candidates_the_most_similar_names_are_paired() -> None:
    base = of_values(entry("allow-google"), entry("allow-github"))
    head = of_values(entry("permit-github"), entry("permit-google"), entry("zzz"))
    changes = diff(base, head)
    renames = {c.before.id.name: c.after.id.name for c in changes if isinstance(c, Rename)}
    assert renames == {"allow-google": "permit-google", "allow-github": "permit-github"}
    assert [c.after.id.name for c in changes if isinstance(c, Create)] == ["zzz"]


def test_many_candidates_are_paired_in_the_order_of_their_names() -> None:
    base = of_values(*(entry(f"a{n:03}") for n in range(100)))
    head = of_values(*(entry(f"b{n:03}") for n in range(100)))
    changes = diff(base, head)
    assert all(isinstance(change, Rename) for change in changes)
    assert all(
        c.before.id.name[1:] == c.after.id.name[1:] for c in changes if isinstance(c, Rename)
    )


def test_the_namespace_that_was_filled_in_is_no_change() -> None:
    base = snapshot("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    head = snapshot("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n")
    assert len(diff(base, head)) == 0


@pytest.mark.parametrize("junk", [None, 1, "x", [], [1], {"a": {"b": []}}, [{"name": {}}], True])
@pytest.mark.parametrize(
    ("api_version", "kind", "field"),
    [
        ("v1", "Service", "spec"),
        ("v1", "Secret", "stringData"),
        ("v1", "PersistentVolumeClaim", "spec"),
        ("v1", "Namespace", "spec"),
        ("apps/v1", "Deployment", "spec"),
        ("networking.istio.io/v1", "VirtualService", "spec"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "subjects"),
    ],
)
def test_a_field_may_hold_anything(api_version: str, kind: str, field: str, junk: Any) -> None:
    plain = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    for before, after in (
        (plain, plain | {field: junk}),
        (plain | {field: {"x": 1}}, plain | {field: junk}),
    ):
        for change in (
            *diff(of_values(before), of_values(after)),
            *diff(of_values(after), of_values(before)),
        ):
            assert not isinstance(change, Update) or change.fields


@pytest.mark.parametrize("kind", ["list", "mapping", "mixed"])
@pytest.mark.parametrize("api_version", ["example.org/v1", "networking.istio.io/v1"])
def test_depth_is_bounded(kind: str, api_version: str) -> None:
    def nested(value: Any) -> Any:
        for level in range(195):
            as_list = kind == "list" or (kind == "mixed" and level % 2)
            value = [value, level] if as_list else {"http": value}
        return {
            "apiVersion": api_version,
            "kind": "VirtualService",
            "metadata": {"name": "a"},
            "spec": {"http": value},
        }

    (change,) = diff(of_values(nested(1)), of_values(nested(2)))
    assert isinstance(change, Update)
    assert len(change.fields) == 1
    list(shape_findings(change.after))


def test_long_lists_are_compared_in_reasonable_time() -> None:
    def many(numbers: Any) -> Any:
        items = [{"a": n, "b": {"c": str(n)}} for n in numbers]
        return {
            "apiVersion": "example.org/v1",
            "kind": "Thing",
            "metadata": {"name": "a"},
            "items_": items,
        }

    (change,) = diff(of_values(many(range(20_000))), of_values(many(range(20_000, 0, -1))))
    assert isinstance(change, Update)
    assert "items_[order]" in {entry.path for entry in change.fields}
