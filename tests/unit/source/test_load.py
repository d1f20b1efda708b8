"""Snapshots of both revisions: what they share, what is carried over, and what findings become."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest

from meshplan.finding import Status
from meshplan.location import Side
from meshplan.result import CoverageStatus
from meshplan.settings import Settings
from meshplan.source.cache import Cache
from meshplan.source.git import open_revisions
from meshplan.source.load import load_targets
from meshplan.source.revision import Entry, Revision
from support.git import Repository
from support.loading import changed, config_map, load, names, only_target, service, told

MakeRepository = Callable[..., Repository]
BROKEN = "apiVersion: v1\nkind: Service\nmetadata: {name: [\n"


class Counting:
    """A revision that counts which files are read."""

    def __init__(self, inner: Revision) -> None:
        self.inner = inner
        self.read_paths: list[str] = []

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def commit(self) -> str | None:
        return self.inner.commit

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self.inner.entries

    @property
    def unread(self) -> Mapping[str, str]:
        return self.inner.unread

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        for entry, data in self.inner.read(entries):
            self.read_paths.append(entry.path)
            yield entry, data


def test_contents_that_both_revisions_have_are_read_once(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a"), "b.yaml": service("b")}, {"b.yaml": service("b", 81)})
    compared = open_revisions(made.path, "r0..r1")
    base, head = Counting(compared.base), Counting(compared.head)
    load_targets(base, head, Settings())
    assert (sorted(base.read_paths), head.read_paths) == (["a.yaml", "b.yaml"], ["b.yaml"])


def test_the_cache_leaves_only_new_contents_to_be_read(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a"), "b.yaml": service("b")}, {"b.yaml": service("b", 81)})
    load(made, "r0", cache=Cache.open())
    compared = open_revisions(made.path, "r0..r1")
    base, head = Counting(compared.base), Counting(compared.head)
    loaded = load_targets(base, head, Settings(), cache=Cache.open())
    assert (base.read_paths, head.read_paths) == ([], ["b.yaml"])
    assert changed(only_target(loaded)) == ["~ Service default/b"]


def test_unchanged_files_give_identical_objects(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a"), "b.yaml": service("b")}, {"b.yaml": service("b", 81)})
    target = only_target(load(made))
    same = {i.name for i in target.head if target.head[i] is target.base[i]}
    assert same == {"a"}


def test_one_revision_alone_has_an_empty_base(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a"), "b.yaml": BROKEN})
    loaded = load(made, "r0")
    target = only_target(loaded)
    assert (names(target.base), names(target.head)) == ([], ["Service default/a"])
    assert {finding.status for finding in loaded.findings} == {Status.EXISTING}


def test_findings_are_new_existing_or_fixed(repo: MakeRepository) -> None:
    made = repo(
        {"old.yaml": BROKEN, "mended.yaml": BROKEN, "a.yaml": service("a")},
        {"mended.yaml": service("m"), "new.yaml": BROKEN},
    )
    found = {f.locations[0].path: f for f in load(made).findings}
    assert {path: f.status for path, f in found.items()} == {
        "old.yaml": Status.EXISTING,
        "mended.yaml": Status.FIXED,
        "new.yaml": Status.NEW,
    }
    assert found["mended.yaml"].locations[0].side is Side.BASE


def test_a_file_that_breaks_deletes_nothing(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a"), "b.yaml": service("b")}, {"b.yaml": BROKEN})
    loaded = load(made)
    assert changed(only_target(loaded)) == []
    assert names(only_target(loaded).head) == ["Service default/a", "Service default/b"]
    assert told(loaded, "b.yaml").status is CoverageStatus.FAILED


def test_what_can_be_read_of_a_broken_file_counts(repo: MakeRepository) -> None:
    two = service("a") + "---\n" + service("b")
    made = repo({"x.yaml": two}, {"x.yaml": service("a", 81) + "---\n" + BROKEN})
    assert changed(only_target(load(made))) == ["~ Service default/a"]


def test_a_file_that_turns_into_a_template_deletes_nothing(repo: MakeRepository) -> None:
    made = repo({"x.yaml": service("x")}, {"x.yaml": service("{{ .Values.x }}")})
    loaded = load(made)
    assert changed(only_target(loaded)) == []
    assert (told(loaded, "x.yaml").status, told(loaded, "x.yaml").changed) == (
        CoverageStatus.SKIPPED,
        True,
    )


def test_an_object_that_leaves_a_ytt_template_is_deleted(repo: MakeRepository) -> None:
    head = '#@ load("@ytt:data", "data")\n---\n' + service("a")
    made = repo({"x.yaml": head + "---\n" + service("b")}, {"x.yaml": head})
    loaded = load(made)
    assert changed(only_target(loaded)) == ["- Service default/b"]
    assert told(loaded, "x.yaml").why == "is a ytt template, and is read without what it puts in"


def test_what_was_broken_before_and_is_as_it_was_is_skipped(repo: MakeRepository) -> None:
    made = repo({"x.yaml": BROKEN, "a.yaml": service("a")}, {"a.yaml": service("a", 81)})
    entry = told(load(made), "x.yaml")
    assert (entry.status, entry.changed) == (CoverageStatus.SKIPPED, False)


def test_a_file_whose_content_is_not_at_hand_is_not_deleted(repo: MakeRepository) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 10\n"
    made = repo({"a.yaml": service("a"), "b.yaml": service("b")}, {"b.yaml": pointer})
    loaded = load(made)
    assert changed(only_target(loaded)) == []
    assert "LFS" in told(loaded, "b.yaml").why


def test_only_the_named_targets_are_composed(repo: MakeRepository) -> None:
    made = repo({"dev/x.yaml": service("x", 1), "prod/x.yaml": service("x", 2)})
    assert only_target(load(made, "r0", only=("prod",))).name == "prod"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), ("defaultNamespace", "default", "default")),
        (Settings(default_namespace="shop"), ("defaultNamespace", "shop", "settings")),
    ],
)
def test_the_default_namespace_is_an_assumption_where_it_is_needed(
    repo: MakeRepository, settings: Settings, expected: tuple[str, str, str]
) -> None:
    made = repo({"a.yaml": config_map("a", "named")}, {"b.yaml": service("b")})
    assert load(made, "r0", settings=settings).assumptions == ()
    (assumption,) = load(made, "r1", settings=settings).assumptions
    assert (assumption.name, assumption.value, assumption.source) == expected


def test_the_working_tree_is_read_like_a_commit(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a")})
    made.write({"a.yaml": service("a", 81), "new.yaml": service("new")})
    compared = open_revisions(made.path, None)
    target = only_target(load_targets(compared.base, compared.head, Settings()))
    assert changed(target) == ["~ Service default/a", "+ Service default/new"]


def test_a_symbolic_link_to_a_manifest_is_no_second_object(repo: MakeRepository) -> None:
    made = repo({"a/x.yaml": service("x")})
    (made.path / "b").mkdir()
    (made.path / "b" / "x.yaml").symlink_to("../a/x.yaml")
    made.commit()
    loaded = load(made, "HEAD")
    assert (names(only_target(loaded).head), loaded.findings) == (["Service default/x"], ())


def test_the_same_revisions_give_the_same_result(repo: MakeRepository) -> None:
    files = {f"{e}/{n}.yaml": service(n, p) for p, e in enumerate("xz", 1) for n in ("a", "b")}
    made = repo(files, {"c/d.yaml": service("d")})
    one, other = load(made), load(made)
    assert [t.name for t in one.targets] == [t.name for t in other.targets]
    assert (one.findings, one.coverage) == (other.findings, other.coverage)
    assert [list(t.head) for t in one.targets] == [list(t.head) for t in other.targets]


@pytest.mark.parametrize("kind", ["[Service]", "{a: b}", "1", "true", "null"])
def test_a_kind_that_is_no_string_is_no_object_and_harms_nothing(
    repo: MakeRepository, kind: str
) -> None:
    odd = f"apiVersion: v1\nkind: {kind}\nmetadata: {{labels: {{}}}}\nsubjects: {{}}\n"
    files = {"odd.yaml": odd, "web.yaml": service("web")}
    loaded = load(repo(files, {**files, "web.yaml": service("web", "v2")}))
    assert changed(only_target(loaded)) == ["~ Service default/web"]
