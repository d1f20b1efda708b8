"""The working tree and the index, next to what git itself says about them."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshplan.errors import SourceError
from meshplan.source.disk import Disk
from meshplan.source.git import open_revision, open_revisions
from meshplan.source.git_blobs import Withheld, blob_id
from meshplan.source.revision import MAX_FILE_BYTES, EntryKind, changed_paths
from support.git import Repository
from support.revisions import as_nobody, contents, error_of

MakeRepository = Callable[..., Repository]


def changed(repository: Repository, *, staged: bool = False) -> tuple[str, ...]:
    comparison = open_revisions(repository.path, None, staged=staged)
    return changed_paths(comparison.base, comparison.head)


@pytest.fixture
def edited(repo: MakeRepository) -> Repository:
    """One path for each thing that can happen to a file."""
    made = repo(
        {
            "same.yaml": "s: 1\n",
            "staged.yaml": "s: 1\n",
            "both.yaml": "b: 1\n",
            "edited.yaml": "e: 1\n",
            "deleted.yaml": "d: 1\n",
            "removed.yaml": "r: 1\n",
            ".gitignore": "ignored.yaml\n",
        }
    )
    made.write({"staged.yaml": "s: 2\n", "both.yaml": "b: 2\n", "added.yaml": "a: 1\n"})
    made.git("add", "staged.yaml", "both.yaml", "added.yaml")
    made.git("rm", "--quiet", "--cached", "removed.yaml")
    made.write({"both.yaml": "b: 3\n", "edited.yaml": "e: 2\n", "deleted.yaml": None})
    made.write({"removed.yaml": None, "x/untracked.yaml": "u: 1\n", "ignored.yaml": "i: 1\n"})
    return made


def test_the_working_tree_has_what_git_add_all_would_take(edited: Repository) -> None:
    revision = open_revision(edited.path, None)
    on_disk = contents(revision)
    assert changed(edited) == (
        "added.yaml",
        "both.yaml",
        "deleted.yaml",
        "edited.yaml",
        "removed.yaml",
        "staged.yaml",
        "x/untracked.yaml",
    )
    edited.git("add", "--all")
    names = edited.git("ls-files").splitlines()
    assert on_disk == {name: (edited.path / name).read_bytes() for name in names}


def test_the_index_has_what_git_commit_would_take(edited: Repository) -> None:
    assert changed(edited, staged=True) == (
        "added.yaml",
        "both.yaml",
        "removed.yaml",
        "staged.yaml",
    )
    revision = open_revisions(edited.path, None, staged=True).head
    edited.git("commit", "--quiet", "--message=next")
    assert contents(revision) == contents(open_revision(edited.path, "HEAD"))


def test_the_index_is_compared_with_the_revision_that_is_named(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"}, {"a.yaml": "a: 2\n"})
    comparison = open_revisions(made.path, "r0", staged=True)
    assert changed_paths(comparison.base, comparison.head) == ("a.yaml",)


def test_a_hook_may_bring_its_own_index(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`git commit FILE` lets pre-commit hooks see a temporary index."""
    made = repo({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    made.write({"a.yaml": "a: 2\n"})
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")
    made.git("read-tree", "HEAD")
    made.git("add", "a.yaml")
    assert changed(made, staged=True) == ("a.yaml",)
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert changed(made, staged=True) == ()


def test_a_name_that_was_only_announced_is_not_staged(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    made.write({"new.yaml": "n: 1\n"})
    made.git("add", "--intent-to-add", "new.yaml")
    assert changed(made, staged=True) == ()
    assert changed(made) == ("new.yaml",)


@pytest.fixture
def conflicting(repo: MakeRepository) -> Repository:
    made = repo({"a.yaml": "a: 1\n"}, {"a.yaml": "a: 2\n"})
    made.git("checkout", "--quiet", "-b", "topic", "r0")
    made.commit({"a.yaml": "a: 3\n", "b.yaml": "b: 1\n"})
    ids = [made.git("rev-parse", f"{name}:a.yaml") for name in ("r0", "main", "topic")]
    stages = "".join(f"100644 {blob} {stage}\ta.yaml\n" for stage, blob in enumerate(ids, 1))
    made.git("update-index", "--force-remove", "a.yaml")
    made.git("update-index", "--index-info", stdin=stages.encode())
    made.write({"a.yaml": "<<<<<<<\n"})
    return made


def test_an_index_with_conflicts_is_no_revision(conflicting: Repository) -> None:
    head = open_revisions(conflicting.path, None, staged=True).head
    error = error_of(SourceError, lambda: head.entries)
    assert error.message == "the index holds unmerged paths: a.yaml"


def test_a_working_tree_with_conflicts_is_read_as_it_is(conflicting: Repository) -> None:
    assert contents(open_revision(conflicting.path, None))["a.yaml"] == b"<<<<<<<\n"


def aged(repository: Repository) -> Repository:
    """The same with an index that was written a while after the files."""
    past = time.time() - 10
    for path in repository.path.glob("*.yaml"):
        os.utime(path, (past, past), follow_symlinks=False)
    repository.git("update-index", "--really-refresh")
    return repository


def test_files_that_the_index_vouches_for_are_not_read(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = aged(repo({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"}))
    read: list[str] = []
    disk_read = Disk.read

    def spy(disk: Disk, path: str) -> bytes | Withheld:
        read.append(path)
        return disk_read(disk, path)

    monkeypatch.setattr(Disk, "read", spy)
    revision = open_revision(made.path, None)
    assert revision.entries["a.yaml"].blob == made.git("rev-parse", "HEAD:a.yaml")
    assert read == []
    made.write({"b.yaml": "b: 2\n"})
    assert changed(made) == ("b.yaml",)
    assert read == ["b.yaml"]


def test_a_change_that_keeps_size_and_time_is_seen(repo: MakeRepository) -> None:
    """A file as young as the index proves nothing, as in git ("racily clean")."""
    made = repo({"a.yaml": "a: 1\n"})
    before = (made.path / "a.yaml").stat()
    made.write({"a.yaml": "a: 2\n"})
    os.utime(made.path / "a.yaml", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed(made) == ("a.yaml",)


def test_a_touched_file_is_no_change(repo: MakeRepository) -> None:
    made = aged(repo({"a.yaml": "a: 1\n"}))
    os.utime(made.path / "a.yaml")
    assert changed(made) == ()


def test_without_an_index_file_every_file_is_new(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    (made.path / ".git/index").unlink()
    revision = open_revision(made.path, None)
    assert contents(revision) == {"a.yaml": b"a: 1\n"}


@pytest.mark.parametrize("setting", ["index.version=4", "core.splitIndex=true"])
def test_every_format_of_the_index_is_read(repo: MakeRepository, setting: str) -> None:
    made = repo({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    made.write({"a.yaml": "a: 2\n"})
    made.git("-c", setting, "update-index", "--force-write-index", "a.yaml")
    assert changed(made, staged=True) == ("a.yaml",)
    assert changed(made) == ("a.yaml",)


def test_files_that_git_is_told_to_assume_unchanged_are(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    made.git("update-index", "--assume-unchanged", "a.yaml", "b.yaml")
    made.write({"a.yaml": "a: 2\n", "b.yaml": None})
    assert changed(made) == ()
    assert contents(open_revision(made.path, None)) == {"a.yaml": b"a: 1\n", "b.yaml": b"b: 1\n"}


def test_an_untracked_file_has_its_id_once_it_is_read(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    made.write({"new.yaml": "n: 1\n"})
    revision = open_revision(made.path, None)
    entry = revision.entries["new.yaml"]
    assert (entry.blob, entry.size) == ("", 5)
    [(read, _)] = revision.read([entry])
    assert read.blob == made.git("hash-object", "new.yaml")


def test_a_file_with_a_smudge_filter_has_the_content_of_its_blob(repo: MakeRepository) -> None:
    """As for `git status`: what a clean filter would take away is no change."""
    made = repo({"a.yaml": "a: 1\n"})
    made.git("config", "core.autocrlf", "true")
    made.write({"a.yaml": None})
    made.git("checkout", "--quiet", "a.yaml")
    assert (made.path / "a.yaml").read_bytes() == b"a: 1\r\n"
    assert changed(aged(made)) == ()
    assert contents(open_revision(made.path, None)) == {"a.yaml": b"a: 1\n"}


def test_contents_always_have_the_id_they_come_with(edited: Repository) -> None:
    for revision in (open_revision(edited.path, None), open_revision(edited.path, "HEAD")):
        for entry, content in revision.read(revision.entries.values()):
            assert (entry.blob, entry.size) == (blob_id(content), len(content))


def test_a_file_that_became_a_folder(repo: MakeRepository) -> None:
    made = repo({"a": "1"})
    made.write({"a": None})
    made.write({"a/b.yaml": "b: 1\n"})
    assert changed(made) == ("a", "a/b.yaml")
    assert contents(open_revision(made.path, None)) == {"a/b.yaml": b"b: 1\n"}


def test_a_folder_that_became_a_file(repo: MakeRepository) -> None:
    made = repo({"a/b.yaml": "b: 1\n"})
    made.write({"a/b.yaml": None})
    (made.path / "a").rmdir()
    made.write({"a": "1"})
    assert contents(open_revision(made.path, None)) == {"a": b"1"}


def test_a_folder_that_became_a_link_is_not_entered(repo: MakeRepository, tmp_path: Path) -> None:
    made = repo({"a/b.yaml": "b: 1\n"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.yaml").write_text("secret: 1\n")
    made.write({"a/b.yaml": None})
    (made.path / "a").rmdir()
    (made.path / "a").symlink_to(outside)
    revision = open_revision(made.path, None)
    assert {path: entry.kind for path, entry in revision.entries.items()} == {
        "a": EntryKind.SYMLINK
    }
    assert contents(revision) == {"a": os.fsencode(outside)}


def test_a_file_that_became_a_link_is_one(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
    made.write({"b.yaml": None})
    (made.path / "b.yaml").symlink_to("a.yaml")
    assert open_revision(made.path, None).entries["b.yaml"].kind is EntryKind.SYMLINK
    assert changed(made) == ("b.yaml",)


def test_a_link_that_was_checked_out_as_a_file_is_still_a_link(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    (made.path / "link").symlink_to("a.yaml")
    made.commit()
    made.git("config", "core.symlinks", "false")
    (made.path / "link").unlink()
    made.git("checkout", "--quiet", "link")
    assert not (made.path / "link").is_symlink()
    assert changed(made) == ()
    assert open_revision(made.path, None).entries["link"].kind is EntryKind.SYMLINK


def test_a_repository_inside_the_working_tree_is_not_entered(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    nested = Repository.create(made.path / "vendor/other")
    nested.commit({"b.yaml": "b: 1\n"})
    revision = open_revision(made.path, None)
    assert list(revision.entries) == ["a.yaml"]
    assert revision.unread == {"vendor/other": "a Git repository of its own, which is not entered"}


@pytest.mark.parametrize("tracked", [True, False])
def test_special_files_are_never_opened(repo: MakeRepository, tracked: bool) -> None:
    made = repo(
        {"a.yaml": "a: 1\n", **({"s.yaml": "s: 1\n", "p.yaml": "p: 1\n"} if tracked else {})}
    )
    if tracked:
        made.write({"s.yaml": None, "p.yaml": None})
    os.mkfifo(made.path / "p.yaml")
    here = Path.cwd()
    os.chdir(made.path)  # the path of a socket has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.yaml")
        os.chdir(here)
        revision = open_revision(made.path, None)
        assert contents(revision) == {"a.yaml": b"a: 1\n"}
    # Git does not list those that it does not track.
    expected = {"p.yaml": "a named pipe, not a file", "s.yaml": "a socket, not a file"}
    assert revision.unread == (expected if tracked else {})
    assert changed(made) == (("p.yaml", "s.yaml") if tracked else ())


def test_a_file_that_vanishes_while_it_is_read(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    made.write({"new.yaml": "n: 1\n"})
    revision = open_revision(made.path, None)
    assert "new.yaml" in revision.entries
    made.write({"new.yaml": None})
    assert set(contents(revision)) == {"a.yaml"}
    assert revision.unread == {"new.yaml": "it vanished while meshplan was reading"}


def test_a_file_that_grows_while_it_is_read(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    made.write({"new.yaml": "n: 1\n"})
    revision = open_revision(made.path, None)
    entry = revision.entries["new.yaml"]
    os_read, grown = os.read, [b"more: 1\n" * 1000, b""]
    monkeypatch.setattr(os, "read", lambda fd, size: os_read(fd, size) or grown.pop(0))
    [(_, content)] = revision.read([entry])
    assert content == b"n: 1\n" + b"more: 1\n" * 1000
    grown += [b"x" * MAX_FILE_BYTES, b""]
    assert list(revision.read([entry])) == []
    assert "more than" in revision.unread["new.yaml"]


def test_a_file_that_changes_while_it_is_read_has_the_id_of_what_was_read(
    repo: MakeRepository,
) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    made.write({"a.yaml": "a: 2\n"})
    revision = open_revision(made.path, None)
    entry = revision.entries["a.yaml"]
    made.write({"a.yaml": "a: 33\n"})
    [(read, content)] = revision.read([entry])
    assert (read.blob, content) == (blob_id(b"a: 33\n"), b"a: 33\n")


def test_a_file_that_is_too_large_is_not_read(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"})
    with (made.path / "big.yaml").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    for name in (None, made.commit()):
        revision = open_revision(made.path, name)
        assert contents(revision) == {"a.yaml": b"a: 1\n"}
        assert revision.unread["big.yaml"].startswith("33,554,433 bytes, more than")


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder in which permissions count."""
    with as_nobody() as folder:
        yield folder


def test_what_must_not_be_read_is_not_deleted(private: Path) -> None:
    made = Repository.create(private / "repo")
    made.commit({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n", "x/c.yaml": "c: 1\n"})
    made.write({"b.yaml": "b: 2\n", "x/new.yaml": "n: 1\n"})
    (made.path / "b.yaml").chmod(0)
    (made.path / "x").chmod(0)
    try:
        revision = open_revision(made.path, None)
        assert contents(revision) == {"a.yaml": b"a: 1\n"}
        assert revision.unread == {
            "b.yaml": "permission denied",
            "x": "permission denied",
            "x/c.yaml": "permission denied",
        }
        assert changed(made) == ("b.yaml", "x/c.yaml")
    finally:
        (made.path / "x").chmod(0o755)


@pytest.mark.parametrize("place", [".git", ".git/objects", ".git/HEAD", ".git/config"])
def test_a_repository_that_must_not_be_read(private: Path, place: str) -> None:
    made = Repository.create(private / "repo")
    made.commit({"a.yaml": "a: 1\n"})
    (made.path / place).chmod(0)
    try:
        error = error_of(SourceError, lambda: open_revisions(made.path, "HEAD..HEAD").base.entries)
        assert "permission denied" in str(error).lower()
    finally:
        (made.path / place).chmod(0o755)


def test_a_timeout_is_one_sentence(repo: MakeRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIFO in the place of .gitignore blocks git."""
    made = repo({"a.yaml": "a: 1\n"})
    os.mkfifo(made.path / ".git/info/exclude-pipe")
    made.git("config", "core.excludesFile", str(made.path / ".git/info/exclude-pipe"))
    monkeypatch.setattr("meshplan.source.git_command.TIMEOUT_SECONDS", 0.2)
    error = error_of(SourceError, lambda: open_revision(made.path, None).entries)
    assert error.message == "git ls-files did not finish within 0 s"
