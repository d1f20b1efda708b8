"""Which two sides a spec stands for, and how every name of a commit is understood."""

from collections.abc import Callable
from pathlib import Path

import pytest

from meshplan.errors import UsageError
from meshplan.source.files import Folder
from meshplan.source.git import open_revision, open_revisions
from meshplan.source.revision import EntryKind, changed_paths
from support.git import Repository
from support.revisions import contents, error_of

MakeRepository = Callable[..., Repository]


@pytest.fixture
def three(repo: MakeRepository) -> Repository:
    """main: r0, r1, r2; topic: r0, t1."""
    made = repo({"a.yaml": "a: 0\n"}, {"a.yaml": "a: 1\n"}, {"b.yaml": "b: 2\n"})
    made.git("checkout", "--quiet", "-b", "topic", "r0")
    made.commit({"t.yaml": "t: 1\n"})
    made.git("tag", "t1")
    return made


def commits(repository: Repository, spec: str | None) -> tuple[str | None, str | None]:
    comparison = open_revisions(repository.path, spec)
    return comparison.base.commit, comparison.head.commit


def sha(repository: Repository, name: str) -> str:
    return repository.git("rev-list", "--max-count=1", name, "--")


@pytest.mark.parametrize(
    ("spec", "base", "head"),
    [
        (None, "topic", None),
        ("main", "main", None),
        ("r0..r1", "r0", "r1"),
        ("main..", "main", "topic"),
        ("..main", "topic", "main"),
        ("main...", "r0", "topic"),
        ("...main", "r0", "main"),
        ("main...topic", "r0", "topic"),
        ("main^!", "r1", "r2"),
        ("@~1..@", "r0", "t1"),
        ("main~2..main^", "r0", "r1"),
    ],
)
def test_a_spec_stands_for_the_sides_that_git_diff_takes(
    three: Repository, spec: str | None, base: str, head: str | None
) -> None:
    assert commits(three, spec) == (sha(three, base), sha(three, head) if head else None)


def test_sides_are_named_as_the_user_named_them(three: Repository) -> None:
    comparison = open_revisions(three.path, "main...")
    assert (comparison.base.name, comparison.head.name) == ("merge base of main and HEAD", "HEAD")
    comparison = open_revisions(three.path, "HEAD~1")
    assert (comparison.base.name, comparison.head.name) == ("HEAD~1", "working tree")
    assert open_revisions(three.path, None, staged=True).head.name == "index"


@pytest.mark.parametrize(
    "name",
    [
        "main",
        "refs/heads/main",
        "heads/main",
        "v1",
        "light",
        "HEAD@{0}",
        "main@{0}",
        ":/revision 2",
    ],
)
def test_every_kind_of_name_leads_to_its_commit(three: Repository, name: str) -> None:
    three.git("tag", "--annotate", "--message=first", "v1", "main")
    three.git("tag", "light", "v1")
    assert open_revision(three.path, name).commit == sha(three, name)


def test_a_short_id_is_enough(three: Repository) -> None:
    assert open_revision(three.path, sha(three, "main")[:8]).commit == sha(three, "main")


def test_the_upstream_of_a_branch_is_a_name(three: Repository, tmp_path: Path) -> None:
    three.git("clone", "--quiet", str(three.path), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    clone.commit({"x.yaml": "x: 1\n"})
    assert commits(clone, "@{upstream}..") == (sha(three, "topic"), sha(clone, "HEAD"))


def test_a_branch_that_looks_like_an_option_is_a_branch(three: Repository) -> None:
    three.git("update-ref", "refs/heads/--output=x", "main")
    three.git("update-ref", "refs/heads/-p", "r0")
    assert commits(three, "-p..--output=x") == (sha(three, "r0"), sha(three, "main"))
    assert sorted(path.name for path in three.path.iterdir()) == [".git", "a.yaml", "t.yaml"]


def test_an_option_is_no_revision(three: Repository) -> None:
    error = error_of(UsageError, lambda: open_revisions(three.path, "--all"))
    assert error.message == "unknown revision --all"


def test_a_name_that_is_a_file_too_means_the_revision(three: Repository) -> None:
    three.commit({"main": "a file\n"})
    assert commits(three, "main..HEAD") == (sha(three, "main"), sha(three, "HEAD"))


def test_a_branch_found_only_in_packed_refs(three: Repository) -> None:
    three.git("pack-refs", "--all")
    assert not (three.path / ".git/refs/heads/main").exists()
    assert open_revision(three.path, "main").commit == sha(three, "r2")


def test_a_detached_head_is_compared_like_any_other(three: Repository) -> None:
    three.git("checkout", "--quiet", "--detach", "main")
    comparison = open_revisions(three.path, "HEAD~1..HEAD")
    assert changed_paths(comparison.base, comparison.head) == ("b.yaml",)
    assert comparison.repository.current_branch is None


def test_all_of_the_repository_is_compared_from_any_folder_of_it(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a", "x/y/b.yaml": "b"}, {"a.yaml": "A"})
    comparison = open_revisions(made.path / "x/y", "r0..r1")
    assert changed_paths(comparison.base, comparison.head) == ("a.yaml",)
    assert comparison.repository.root == made.path


def test_equal_revisions_have_no_changed_path(three: Repository) -> None:
    comparison = open_revisions(three.path, None)
    assert changed_paths(comparison.base, comparison.head) == ()
    assert comparison.repository.suggestion == "main..."


def test_on_the_default_branch_the_last_commit_is_suggested(three: Repository) -> None:
    three.git("checkout", "--quiet", "main")
    assert open_revisions(three.path, None).repository.suggestion == "HEAD~1..HEAD"


def test_the_default_branch_is_the_one_that_origin_names(three: Repository, tmp_path: Path) -> None:
    three.git("branch", "production", "r0")
    three.git("checkout", "--quiet", "production")
    three.git("clone", "--quiet", str(three.path), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    clone.git("checkout", "--quiet", "-b", "work")
    info = open_revisions(clone.path, None).repository
    assert (info.default_branch, info.current_branch) == ("origin/production", "work")
    clone.git("checkout", "--quiet", "production")
    assert open_revisions(clone.path, None).repository.default_branch == "production"


def test_remotes_are_named_without_credentials(three: Repository) -> None:
    for name, url in {
        "one": "https://me:secret@example.com/a.git",
        "two": "https://token@example.com/a.git",
        "three": "git@example.com:team/a.git",
        "four": "ssh://git:secret@example.com:22/a.git",
        "five": "https://example.com/a@v1",
        "six": "/srv/git/a.git",
    }.items():
        three.git("remote", "add", name, url)
    remotes = open_revisions(three.path, None).repository.remotes
    assert {remote.name: remote.url for remote in remotes} == {
        "one": "https://example.com/a.git",
        "two": "https://example.com/a.git",
        "three": "git@example.com:team/a.git",
        "four": "ssh://git@example.com:22/a.git",
        "five": "https://example.com/a@v1",
        "six": "/srv/git/a.git",
    }


def test_modes_of_git_become_kinds(repo: MakeRepository) -> None:
    made = repo({"plain": "1", "run": "2"})
    (made.path / "run").chmod(0o755)
    (made.path / "link").symlink_to("plain")
    made.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    made.git("add", "run", "link")
    made.git("commit", "--quiet", "--message=kinds")
    revision = open_revision(made.path, "HEAD")
    assert {path: entry.kind for path, entry in revision.entries.items()} == {
        "link": EntryKind.SYMLINK,
        "plain": EntryKind.FILE,
        "run": EntryKind.FILE,
        "sub": EntryKind.SUBMODULE,
    }
    assert contents(revision) == {"link": b"plain", "plain": b"1", "run": b"2"}
    assert revision.unread == {"sub": "a submodule at 111111111111, which is not entered"}


def test_a_content_that_is_there_twice_comes_with_both_paths(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "same", "b.yaml": "same"})
    assert contents(open_revision(made.path, "HEAD")) == {"a.yaml": b"same", "b.yaml": b"same"}


def test_reading_may_stop_half_way(repo: MakeRepository) -> None:
    made = repo({f"{number}.yaml": f"{number}" * 9999 for number in range(200)})
    revision = open_revision(made.path, "HEAD")
    reading = iter(revision.read(revision.entries.values()))
    assert next(reading)[0].path == "0.yaml"
    del reading
    assert len(contents(revision)) == 200


def test_a_folder_outside_any_repository_is_one_revision(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n")
    revision = open_revision(tmp_path, None)
    assert isinstance(revision, Folder)
    assert contents(revision) == {"a.yaml": b"a: 1\n"}


def test_the_environment_names_the_repository_as_it_does_for_git(
    three: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(three.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(three.path))
    assert commits_at(tmp_path, "r0..r1") == (sha(three, "r0"), sha(three, "r1"))


def commits_at(directory: Path, spec: str) -> tuple[str | None, str | None]:
    comparison = open_revisions(directory, spec)
    return comparison.base.commit, comparison.head.commit


def test_replaced_commits_are_read_as_everybody_else_reads_them(three: Repository) -> None:
    three.git("replace", "r0", "r2")
    assert contents(open_revision(three.path, "r0")) == {"a.yaml": b"a: 0\n"}


def test_replaced_blobs_are_read_as_everybody_else_reads_them(three: Repository) -> None:
    other = three.git("hash-object", "-w", "--stdin", stdin=b"evil: 1\n")
    three.git("replace", three.git("rev-parse", "r0:a.yaml"), other)
    assert contents(open_revision(three.path, "r0")) == {"a.yaml": b"a: 0\n"}
