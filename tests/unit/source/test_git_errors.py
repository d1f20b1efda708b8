"""What the user is told where there is nothing to compare."""

import errno
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from meshplan.errors import MeshplanError, SourceError, UsageError
from meshplan.source.git import open_revision, open_revisions
from support.git import Repository
from support.revisions import contents, error_of

MakeRepository = Callable[..., Repository]
BreakGit = Callable[[str, str], None]


def refusal(repository: Repository | Path, spec: str | None, **options: bool) -> MeshplanError:
    path = repository if isinstance(repository, Path) else repository.path
    return error_of(MeshplanError, lambda: open_revisions(path, spec, **options))


def test_not_a_repository(tmp_path: Path) -> None:
    error = refusal(tmp_path, None)
    assert error.message == f"{tmp_path} is not inside a Git repository"
    assert (error.exit_status, "meshplan check" in error.hint) == (2, True)


def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no", None).message == f"{tmp_path / 'no'} does not exist"


def test_a_file_for_a_directory(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    assert refusal(tmp_path / "f", None).message == f"{tmp_path / 'f'} is not a directory"


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("mian", "did you mean main?"),
        ("mian~1", "did you mean main~1?"),
        ("releas-1.2..HEAD", "did you mean release-1.2?"),
        ("nothing-like-it", "`git branch --all` and `git tag` list what there is"),
    ],
)
def test_an_unknown_revision(repo: MakeRepository, spec: str, hint: str) -> None:
    made = repo({"a": "1"}, {"a": "2"})
    made.git("branch", "release-1.2")
    error = refusal(made, spec)
    assert error.message == f"unknown revision {spec.partition('..')[0]}"
    assert (error.hint, error.exit_status) == (hint, 2)


def test_a_branch_that_only_the_remote_has(repo: MakeRepository, tmp_path: Path) -> None:
    made = repo({"a": "1"})
    made.git("branch", "feature/x")
    made.git("clone", "--quiet", str(made.path), str(tmp_path / "clone"))
    Repository(tmp_path / "clone").git("checkout", "--quiet", "--detach")
    assert refusal(tmp_path / "clone", "feature/x").hint == "did you mean origin/feature/x?"


def test_master_where_the_branch_is_called_main(repo: MakeRepository) -> None:
    assert refusal(repo({"a": "1"}), "master...").hint == "did you mean main?"


def test_further_back_than_history_goes(repo: MakeRepository) -> None:
    error = refusal(repo({"a": "1"}), "main~7")
    assert error.message == "unknown revision main~7: the history of main does not go that far"


def test_an_object_id_that_is_not_here(repo: MakeRepository) -> None:
    error = refusal(repo({"a": "1"}), "1234567890" * 4)
    assert error.message.endswith("no such commit in this repository")
    assert "git fetch" in error.hint


@pytest.mark.parametrize(("name", "kind"), [("HEAD^{tree}", "tree"), ("HEAD:a", "blob")])
def test_something_else_than_a_commit(repo: MakeRepository, name: str, kind: str) -> None:
    assert refusal(repo({"a": "1"}), name).message == f"{name} is a {kind}, not a commit"


def test_an_ambiguous_short_id(repo: MakeRepository) -> None:
    # Of 2^16 short ids of four digits, 700 commits share one with near certainty.
    made = repo({"a": "1"})
    tree = made.git("rev-parse", "HEAD^{tree}")
    stream = "".join(
        f"commit refs/heads/many\ncommitter a <a@b> {n} +0000\ndata 1\nx\n" for n in range(1, 1000)
    )
    made.git("fast-import", "--quiet", stdin=stream.encode())
    assert tree
    ids = made.git("rev-list", "many").splitlines()
    first = {one[:4]: one for one in ids}
    twice = next(one[:4] for one in ids if first[one[:4]] != one)
    assert refusal(made, twice).message.startswith(f"{twice} is ambiguous")


def test_no_upstream(repo: MakeRepository) -> None:
    error = refusal(repo({"a": "1"}), "@{upstream}")
    assert error.message == (
        "cannot tell which commit @{upstream} is: no upstream configured for branch 'main'"
    )


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b"])
def test_what_can_be_no_name(repo: MakeRepository, name: str) -> None:
    error = error_of(UsageError, lambda: open_revision(repo({"a": "1"}).path, name))
    assert "is no name of a revision" in error.message


def test_two_dots_alone(repo: MakeRepository) -> None:
    assert refusal(repo({"a": "1"}), "..").message == ".. names no revision"


def test_an_empty_repository(repo: MakeRepository) -> None:
    error = refusal(repo(), None)
    assert error.message == "this repository is empty: it has no commit to compare with"
    assert error.exit_status == 2


def test_the_working_tree_of_an_empty_repository_can_still_be_read(repo: MakeRepository) -> None:
    made = repo()
    made.write({"a.yaml": "a: 1\n"})
    assert contents(open_revision(made.path, None)) == {"a.yaml": b"a: 1\n"}


def test_a_branch_without_commit(repo: MakeRepository) -> None:
    made = repo({"a": "1"})
    made.git("checkout", "--quiet", "--orphan", "fresh")
    assert refusal(made, None).message == "branch fresh of this repository has no commit yet"


def test_unrelated_histories(repo: MakeRepository) -> None:
    made = repo({"a": "1"})
    made.git("checkout", "--quiet", "--orphan", "other")
    made.commit({"b": "2"})
    error = refusal(made, "main...other")
    assert error.message == "main and other have unrelated histories: they share no commit"
    assert (error.hint, error.exit_status) == ("compare them as they are with main..other", 2)


def test_staged_with_a_range(repo: MakeRepository) -> None:
    error = refusal(repo({"a": "1"}), "r0..r0", staged=True)
    assert error.message.startswith("--staged compares the index with one revision")


def test_git_is_not_installed(
    repo: MakeRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repo({"a": "1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(made, None).message == "git is not installed, or not on PATH"


def test_git_is_not_installed_when_gitpython_is_first_imported(
    repo: MakeRepository, tmp_path: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from meshplan.errors import MeshplanError\n"
        "from meshplan.source.git import open_revisions\n"
        "try: open_revisions(Path(sys.argv[1]), None)\n"
        "except MeshplanError as error: print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, repo({"a": "1"}).path],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("git is not installed, or not on PATH\n", "")


@pytest.fixture
def broken_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BreakGit:
    """Makes one git command do something else."""
    real = shutil.which("git")

    def break_(command: str, script: str) -> None:
        path = tmp_path / "bin/git"
        path.parent.mkdir()
        path.write_text(
            f'#!/bin/sh\ncase "$*" in *" {command} "*) {script} ;; *) exec {real} "$@" ;; esac\n'
        )
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return break_


def test_git_is_too_old(repo: MakeRepository, broken_git: BreakGit) -> None:
    """`git rev-parse` repeats the options that it does not know."""
    made = repo({"a": "1"})
    broken_git("rev-parse", "printf 'false\\ntrue\\nfalse\\n--show-object-format\\n/x\\n/y\\n'")
    assert str(refusal(made, None)) == "git is too old\ninstall git 2.31 or later"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'fatal: Out of memory' >&2; exit 128", "git cat-file failed: Out of memory"),
        ("exit 0", "git cat-file failed: it gave no reason"),
        ("echo some nonsense, unasked; cat > /dev/null", "git cat-file failed: it gave no reason"),
    ],
)
def test_git_ends_while_blobs_are_read(
    repo: MakeRepository, broken_git: BreakGit, script: str, message: str
) -> None:
    made = repo({f"{number}.yaml": f"{number}" for number in range(2000)})
    broken_git("cat-file", script)
    error = error_of(SourceError, lambda: contents(open_revision(made.path, "HEAD")))
    assert error.message == message


def test_git_lists_what_meshplan_does_not_understand(
    repo: MakeRepository, broken_git: BreakGit
) -> None:
    made = repo({"a": "1"})
    broken_git("ls-files", "echo something new")
    error = error_of(SourceError, lambda: open_revision(made.path, None).entries)
    assert error.message == "git ls-files printed something that meshplan does not understand"


def test_an_index_without_stamps_is_read_all_the_same(
    repo: MakeRepository, broken_git: BreakGit
) -> None:
    """`--debug` promises no format."""
    made = repo({"a.yaml": "a: 1\n"})
    blob = made.git("rev-parse", "HEAD:a.yaml")
    broken_git("ls-files", f"printf 'H 100644 {blob} 0\\ta.yaml\\0'")
    assert open_revision(made.path, None).entries["a.yaml"].blob == blob


def test_a_git_that_cannot_be_run(
    repo: MakeRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repo({"a": "1"})
    (tmp_path / "git").write_text("not a program")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(made, None).message == "cannot run git: Exec format error"


def test_no_room_for_reading_a_partial_clone(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repo({"a": "1"})
    made.git("config", "extensions.partialClone", "origin")

    def full(**_: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    error = error_of(SourceError, lambda: contents(open_revision(made.path, "HEAD")))
    assert error.message == "cannot read the partial clone: No space left on device"


def test_a_revision_of_no_repository(tmp_path: Path) -> None:
    error = error_of(UsageError, lambda: open_revision(tmp_path, "main"))
    assert error.message == f"{tmp_path} is not inside a Git repository"


def test_a_repository_of_another_user(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repo({"a": "1"})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    error = error_of(SourceError, lambda: open_revisions(made.path, None))
    assert error.message == f"git does not trust {made.path}, because another user owns it"
    assert f"git config --global --add safe.directory {made.path}" in error.hint


def object_file(repository: Repository, name: str) -> Path:
    identity = repository.git("rev-parse", name)
    return repository.path / ".git/objects" / identity[:2] / identity[2:]


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_corrupt_blob(repo: MakeRepository) -> None:
    made = repo({"a": "1", "b": "2"})
    overwrite(object_file(made, "HEAD:b"), b"no zlib stream")
    error = error_of(SourceError, lambda: contents(open_revision(made.path, "HEAD")))
    assert error.message.startswith("the repository is corrupt: ")
    assert "git fsck" in error.hint


def test_a_blob_with_another_content_than_its_id_says(repo: MakeRepository) -> None:
    made = repo({"a": "1"})
    overwrite(object_file(made, "HEAD:a"), zlib.compress(b"blob 1\x002"))
    error = error_of(SourceError, lambda: contents(open_revision(made.path, "HEAD")))
    assert error.message.endswith("has another content than its id says")


def test_a_missing_blob(repo: MakeRepository) -> None:
    made = repo({"a": "1", "b": "2"})
    object_file(made, "HEAD:a").unlink()
    error = error_of(SourceError, lambda: contents(open_revision(made.path, "HEAD")))
    assert error.message.endswith("is missing")
    assert str(error).startswith("a: the repository is corrupt: object ")


@pytest.mark.parametrize("damage", [b"no zlib stream", None])
def test_a_damaged_tree(repo: MakeRepository, damage: bytes | None) -> None:
    made = repo({"x/a": "1"})
    path = object_file(made, "HEAD:x")
    overwrite(path, damage) if damage else path.unlink()
    error = error_of(SourceError, lambda: open_revision(made.path, "HEAD").entries)
    assert error.exit_status == 3
    assert "git ls-tree" in error.message or "corrupt" in error.message


def tree_object(made: Repository, *rows: tuple[str, str]) -> str:
    """A commit with a tree that `git add` would not make."""
    blob = made.git("hash-object", "-w", "--stdin", stdin=b"x: 1\n")
    content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(blob) for mode, name in rows)
    tree = made.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=content)
    return made.git("commit-tree", tree, "-m", "hostile")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("100644", "..")], "would lead out of it"),
        ([("100644", "../../x.yaml")], "would lead out of it"),
        ([("100644", "/etc/x.yaml")], "would lead out of it"),
        ([("100644", "a/.GIT/config")], "would lead out of it"),
        ([("100644", "a"), ("100644", "a")], "a is twice in"),
        ([("100644", "a"), ("100644", "a/b")], "a is both a file and a folder"),
    ],
)
def test_a_tree_that_no_checkout_could_write(
    repo: MakeRepository, rows: list[tuple[str, str]], reason: str
) -> None:
    made = repo({"a": "1"})
    commit = tree_object(made, *rows)
    error = error_of(SourceError, lambda: open_revision(made.path, commit).entries)
    assert reason in error.message
