"""Repositories of every shape: bare, shallow, partial, sparse, linked, borrowed, SHA-256."""

from collections.abc import Callable
from pathlib import Path

import pytest

from meshplan.errors import MeshplanError, SourceError, UsageError
from meshplan.source.git import open_revision, open_revisions
from meshplan.source.revision import EntryKind, changed_paths
from support.git import Repository
from support.revisions import contents, error_of

MakeRepository = Callable[..., Repository]


@pytest.fixture
def origin(repo: MakeRepository) -> Repository:
    """Five commits on main and one on topic, which left main after the first."""
    made = repo(*({"a.yaml": f"a: {number}\n", f"x/{number}.yaml": "x\n"} for number in range(5)))
    made.git("config", "uploadpack.allowFilter", "true")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    made.git("checkout", "--quiet", "-b", "topic", "r0")
    made.commit({"t.yaml": "t: 1\n"})
    made.git("checkout", "--quiet", "main")
    return made


def clone(origin: Repository, *options: str) -> Repository:
    """A clone through the transport, as from a server."""
    path = origin.path.parent / "clone"
    origin.git("clone", "--quiet", *options, origin.path.as_uri(), str(path))
    return Repository(path)


def refusal(repository: Repository, spec: str | None, **options: bool) -> MeshplanError:
    return error_of(UsageError, lambda: open_revisions(repository.path, spec, **options))


def test_two_commits_of_a_bare_repository(origin: Repository) -> None:
    bare = clone(origin, "--bare")
    comparison = open_revisions(bare.path, "r0..main")
    assert comparison.repository.is_bare
    assert comparison.repository.root == bare.path
    assert changed_paths(comparison.base, comparison.head)[0] == "a.yaml"
    assert contents(comparison.head)["a.yaml"] == b"a: 4\n"


@pytest.mark.parametrize(("staged", "what"), [(False, "working tree"), (True, "index")])
def test_the_working_tree_of_a_bare_repository(origin: Repository, staged: bool, what: str) -> None:
    error = refusal(clone(origin, "--bare"), "main", staged=staged)
    assert error.message == f"a bare repository has no {what} to compare with"
    assert error.hint == "name two revisions, as in `meshplan diff main~1..main`"


def test_the_git_directory_is_no_working_tree(origin: Repository) -> None:
    git_dir = Repository(origin.path / ".git")
    assert refusal(git_dir, None).message == "a .git folder has no working tree to compare with"
    assert open_revisions(git_dir.path, "r0..r1").repository.root == git_dir.path


def test_a_linked_worktree_has_its_own_head_index_and_files(origin: Repository) -> None:
    linked = Repository(origin.path.parent / "linked")
    origin.git("worktree", "add", "--quiet", str(linked.path), "topic")
    linked.write({"t.yaml": "t: 2\n", "new.yaml": "n: 1\n"})
    comparison = open_revisions(linked.path, None)
    assert comparison.repository.current_branch == "topic"
    assert changed_paths(comparison.base, comparison.head) == ("new.yaml", "t.yaml")
    linked.git("add", "new.yaml")
    comparison = open_revisions(linked.path, None, staged=True)
    assert changed_paths(comparison.base, comparison.head) == ("new.yaml",)


def test_a_worktree_of_a_bare_repository(origin: Repository) -> None:
    bare = clone(origin, "--bare")
    linked = Repository(origin.path.parent / "linked")
    bare.git("worktree", "add", "--quiet", str(linked.path), "topic")
    linked.write({"t.yaml": "t: 2\n"})
    comparison = open_revisions(linked.path, None)
    assert changed_paths(comparison.base, comparison.head) == ("t.yaml",)


@pytest.mark.parametrize(
    ("spec", "name", "depth"),
    [("main~3", "main~3", 4), ("HEAD^..HEAD", "HEAD^", 2), ("HEAD~1^1~2", "HEAD~1^1~2", 5)],
)
def test_a_base_that_a_shallow_clone_left_out(
    origin: Repository, spec: str, name: str, depth: int
) -> None:
    error = refusal(clone(origin, "--depth=1"), spec)
    assert error.message == f"{name} is not in this shallow clone"
    assert error.hint == (
        f"use `fetch-depth: 0`, or at least {depth}, in actions/checkout,"
        f" or run `git fetch --deepen={depth - 1}`"
    )


def test_the_depth_that_the_message_asks_for_is_enough(origin: Repository) -> None:
    shallow = clone(origin, "--depth=1")
    shallow.git("fetch", "--quiet", "--deepen=3")
    assert open_revision(shallow.path, "main~3").commit == origin.git("rev-parse", "r1")


def test_a_branch_that_a_shallow_clone_does_not_have(origin: Repository) -> None:
    error = refusal(clone(origin, "--depth=1"), "topic...")
    assert error.message == "unknown revision topic"
    assert "`fetch-depth: 0`" in error.hint
    assert "`git fetch origin topic`" in error.hint


def test_an_object_id_that_a_shallow_clone_does_not_have(origin: Repository) -> None:
    identity = origin.git("rev-parse", "r1")
    error = refusal(clone(origin, "--depth=1"), identity)
    assert error.message == f"commit {identity} is not in this shallow clone"
    assert "fetch-depth: 0" in error.hint


def test_a_merge_base_beyond_the_end_of_a_shallow_clone(origin: Repository) -> None:
    shallow = clone(origin, "--depth=1", "--no-single-branch")
    error = refusal(shallow, "origin/main...origin/topic")
    assert error.message == (
        "the merge base of origin/main and origin/topic is not in this shallow clone"
    )
    assert "fetch-depth: 0" in error.hint


def test_what_a_shallow_clone_has_is_compared(origin: Repository) -> None:
    comparison = open_revisions(clone(origin, "--depth=2").path, "HEAD~1..HEAD")
    assert comparison.repository.is_shallow
    assert changed_paths(comparison.base, comparison.head) == ("a.yaml", "x/4.yaml")


def test_a_partial_clone_is_read_as_far_as_it_goes(origin: Repository) -> None:
    partial = clone(origin, "--filter=blob:none")
    before = partial.git("count-objects", "-v")
    comparison = open_revisions(partial.path, "r0..main")
    assert comparison.repository.is_partial
    assert contents(comparison.head)["a.yaml"] == b"a: 4\n"
    assert contents(comparison.base) == {"x/0.yaml": b"x\n"}
    assert comparison.base.unread == {
        "a.yaml": "not in this partial clone, and meshplan fetches nothing"
    }
    assert partial.git("count-objects", "-v") == before


def test_a_partial_clone_without_folders(origin: Repository) -> None:
    partial = clone(origin, "--filter=tree:0")
    error = error_of(SourceError, lambda: open_revision(partial.path, "r0").entries)
    assert error.message.startswith("folders of r0 are not in this partial clone")


def test_the_working_tree_of_a_partial_clone(origin: Repository) -> None:
    partial = clone(origin, "--filter=blob:none")
    partial.write({"a.yaml": "a: 5\n"})
    comparison = open_revisions(partial.path, None)
    assert changed_paths(comparison.base, comparison.head) == ("a.yaml",)
    assert contents(comparison.head)["a.yaml"] == b"a: 5\n"


@pytest.mark.parametrize("sparse_index", [True, False])
def test_what_a_sparse_checkout_leaves_out_is_not_deleted(
    repo: MakeRepository, sparse_index: bool
) -> None:
    made = repo({"in/a.yaml": "a: 1\n", "out/b.yaml": "b: 1\n", "out/c.yaml": "c: 1\n"})
    option = "--sparse-index" if sparse_index else "--no-sparse-index"
    made.git("sparse-checkout", "set", option, "in")
    assert not (made.path / "out").exists()
    comparison = open_revisions(made.path, None)
    assert changed_paths(comparison.base, comparison.head) == ()
    assert contents(comparison.head) == contents(comparison.base)


def test_a_file_that_was_put_outside_a_sparse_checkout_counts(repo: MakeRepository) -> None:
    made = repo({"in/a.yaml": "a: 1\n", "out/b.yaml": "b: 1\n"})
    made.git("sparse-checkout", "set", "in")
    made.write({"out/b.yaml": "b: 2\n"})
    comparison = open_revisions(made.path, None)
    assert changed_paths(comparison.base, comparison.head) == ("out/b.yaml",)
    assert contents(comparison.head)["out/b.yaml"] == b"b: 2\n"


def test_a_sparse_checkout_of_a_partial_clone(origin: Repository) -> None:
    partial = clone(origin, "--filter=blob:none", "--sparse")
    comparison = open_revisions(partial.path, None)
    assert changed_paths(comparison.base, comparison.head) == ()
    assert contents(comparison.head) == {"a.yaml": b"a: 4\n"}
    assert set(comparison.head.unread) == {f"x/{number}.yaml" for number in range(5)}


def test_objects_borrowed_from_another_repository(origin: Repository) -> None:
    borrowing = Repository(origin.path.parent / "borrowing")
    origin.git("clone", "--quiet", "--shared", "--no-checkout", ".", str(borrowing.path))
    assert not any((borrowing.path / ".git/objects/pack").iterdir())
    assert contents(open_revision(borrowing.path, "HEAD"))["a.yaml"] == b"a: 4\n"


def test_a_partial_clone_that_borrows_objects(origin: Repository) -> None:
    partial = clone(origin, "--filter=blob:none", "--no-checkout")
    alternates = partial.path / ".git/objects/info/alternates"
    alternates.write_text(f"{origin.path}/.git/objects\n")
    assert contents(open_revision(partial.path, "r0")) == {"a.yaml": b"a: 0\n", "x/0.yaml": b"x\n"}


def test_a_repository_with_sha256_ids(tmp_path: Path) -> None:
    made = Repository(tmp_path)
    made.git("init", "--quiet", "--object-format=sha256")
    made.commit({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    made.write({"a.yaml": "a: 2\n"})
    comparison = open_revisions(made.path, None)
    assert len(comparison.base.commit or "") == 64
    assert changed_paths(comparison.base, comparison.head) == ("a.yaml",)
    assert comparison.head.entries["a.yaml"].blob == made.git("hash-object", "a.yaml")
    assert contents(comparison.base) == {"a.yaml": b"a: 1\n", "b.yaml": b"b: 1\n"}
    assert contents(comparison.head) == {"a.yaml": b"a: 2\n", "b.yaml": b"b: 1\n"}


@pytest.mark.parametrize("name", ["line\nbreak", "tab\t'quote\"", "\udcff"])
def test_a_repository_may_have_any_name(tmp_path: Path, name: str) -> None:
    made = Repository.create(tmp_path / name)
    made.commit({"a.yaml": "a: 1\n"})
    made.write({"a.yaml": "a: 2\n"})
    comparison = open_revisions(made.path, None)
    assert comparison.repository.root == made.path
    assert changed_paths(comparison.base, comparison.head) == ("a.yaml",)


@pytest.fixture
def with_submodule(repo: MakeRepository) -> Repository:
    library, made = repo({"inner.yaml": "i: 1\n"}), repo({"a.yaml": "a: 1\n"})
    made.git(
        "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library.path), "lib"
    )
    made.commit()
    return made


def test_a_submodule_is_named_and_not_entered(with_submodule: Repository) -> None:
    for name in ("HEAD", None):
        revision = open_revision(with_submodule.path, name)
        assert list(revision.entries) == [".gitmodules", "a.yaml", "lib"]
        assert revision.entries["lib"].kind is EntryKind.SUBMODULE
        assert "lib" in revision.unread
        assert set(contents(revision)) == {".gitmodules", "a.yaml"}


def test_a_submodule_that_moved_is_a_change(with_submodule: Repository) -> None:
    with_submodule.git("update-index", "--cacheinfo", f"160000,{'2' * 40},lib")
    comparison = open_revisions(with_submodule.path, None, staged=True)
    assert changed_paths(comparison.base, comparison.head) == ("lib",)


def test_meshplan_in_a_submodule_sees_the_submodule(with_submodule: Repository) -> None:
    comparison = open_revisions(with_submodule.path / "lib", None)
    assert comparison.repository.root == with_submodule.path / "lib"
    assert list(comparison.head.entries) == ["inner.yaml"]


POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def test_a_git_lfs_pointer_is_no_content(repo: MakeRepository) -> None:
    made = repo({"big.yaml": POINTER, "a.yaml": "a: 1\n"})
    made.write({"new.yaml": POINTER})
    reason = "a Git LFS pointer: the content is not in the repository"
    committed, on_disk = open_revision(made.path, "HEAD"), open_revision(made.path, None)
    assert contents(committed) == contents(on_disk) == {"a.yaml": b"a: 1\n"}
    assert committed.unread == {"big.yaml": reason}
    assert on_disk.unread == {"big.yaml": reason, "new.yaml": reason}


def test_a_file_about_git_lfs_is_a_file(repo: MakeRepository) -> None:
    made = repo({"a.yaml": f"# {POINTER}", "b.yaml": POINTER + "#" * 1024})
    assert set(contents(open_revision(made.path, "HEAD"))) == {"a.yaml", "b.yaml"}
