"""Nothing that a repository configures is run, whatever is read from it."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from meshplan.source import git_command
from meshplan.source.git import open_revision, open_revisions
from meshplan.source.git_symlinks import resolve_symlinks
from meshplan.source.revision import changed_paths
from support.git import Repository
from support.revisions import contents

MakeRepository = Callable[..., Repository]

HOOKS = (
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "query-watchman",
    "post-merge",
    "sendemail-validate",
)


class Trap:
    """A program that leaves a trace when it is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.path = self.program("trap")

    def program(self, name: str, place: Path | None = None) -> Path:
        """Another such program."""
        path = (place or self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.folder}/sprung\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    @property
    def sprung(self) -> str:
        """What was run."""
        trace = self.folder / "sprung"
        return trace.read_text() if trace.exists() else ""


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


def arm(repository: Repository, trap: Trap) -> None:
    """Put the trap in every place where a repository can name a program."""
    for hook in HOOKS:
        trap.program(hook, repository.path / ".git/hooks")
    for setting in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.editor",
        "core.pager",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "diff.x.command",
        "diff.x.textconv",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "gpg.program",
        "interactive.diffFilter",
        "merge.x.driver",
        "pager.config",
        "pager.ls-files",
        "sequence.editor",
        "uploadpack.packObjectsHook",
    ):
        repository.git("config", setting, str(trap.path))
    for command in ("rev-parse", "ls-files", "ls-tree", "cat-file", "config", "merge-base"):
        repository.git("config", f"alias.{command}", f"!{trap.path}")
    repository.git("config", "filter.x.required", "true")
    (repository.path / ".git/info/attributes").write_text("* filter=x diff=x merge=x text\n")


def read_everything(repository: Repository) -> None:
    for spec, staged in ((None, False), (None, True), ("r0...r1", False)):
        comparison = open_revisions(repository.path, spec, staged=staged)
        changed_paths(comparison.base, comparison.head)
        for revision in (comparison.base, comparison.head):
            contents(revision)
            resolve_symlinks(revision)


def test_the_trap_works(repo: MakeRepository, trap: Trap) -> None:
    made = repo({"a.yaml": "a: 1\n"}, {"a.yaml": "a: 2\n"})
    arm(made, trap)
    subprocess.run(["git", "status"], cwd=made.path, capture_output=True, check=False)
    assert "trap" in trap.sprung


def test_no_setting_hook_or_filter_is_run(repo: MakeRepository, trap: Trap) -> None:
    made = repo(
        {"a.yaml": "a: 1\n", ".gitattributes": "* filter=x diff=x merge=x\n"},
        {"a.yaml": "a: 2\n", "b.yaml": "b: 1\n"},
    )
    arm(made, trap)
    made.write({"a.yaml": "a: 3\n", "new.yaml": "n: 1\n"})
    os.utime(made.path / "b.yaml")  # git would compare its content, through the clean filter
    read_everything(made)
    assert trap.sprung == ""


def test_hooks_of_another_folder_are_not_run(repo: MakeRepository, trap: Trap) -> None:
    made = repo({"a.yaml": "a: 1\n"}, {"a.yaml": "a: 2\n"})
    for hook in HOOKS:
        trap.program(hook, made.path / "hooks")
    made.git("config", "core.hooksPath", "hooks")
    read_everything(made)
    assert trap.sprung == ""


@pytest.mark.parametrize("old_git", [False, True])
@pytest.mark.parametrize("transport", ["path", "ssh", "ext", "helper"])
def test_nothing_is_fetched(
    repo: MakeRepository,
    trap: Trap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
    old_git: bool,
) -> None:
    origin = repo({"a.yaml": "a: 1\n", "x/b.yaml": "b: 1\n"}, {"a.yaml": "a: 2\n"})
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = Repository(tmp_path / "clone")
    origin.git("clone", "--quiet", "--filter=blob:none", origin.path.as_uri(), str(clone.path))
    clone.git("tag", "--force", "r0", "HEAD~1")
    clone.git("tag", "--force", "r1", "HEAD")
    clone.git("update-index", "--skip-worktree", "x/b.yaml")
    (clone.path / "x/b.yaml").unlink()
    arm(clone, trap)
    trap.program("git-remote-trap")
    monkeypatch.setenv("PATH", f"{trap.folder}{os.pathsep}{os.environ['PATH']}")
    urls = {"ssh": "ssh://host/x", "ext": f"ext::{trap.path}", "helper": "trap://x"}
    clone.git("config", "remote.origin.url", urls.get(transport, origin.path.as_uri()))
    clone.git("config", "remote.origin.uploadpack", str(trap.path))
    for scope in ("protocol", "protocol.ext", "protocol.trap"):
        clone.git("config", f"{scope}.allow", "always")
    if old_git:  # one that does not know GIT_NO_LAZY_FETCH
        monkeypatch.delitem(git_command._ENVIRONMENT, "GIT_NO_LAZY_FETCH")
    revision = open_revision(clone.path, "r0")
    assert contents(revision) == {"x/b.yaml": b"b: 1\n"}
    assert set(revision.unread) == {"a.yaml"}
    read_everything(clone)
    assert trap.sprung == ""


def test_no_folder_of_a_treeless_clone_is_fetched(
    repo: MakeRepository, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = repo({"x/a.yaml": "a: 1\n"}, {"x/a.yaml": "a: 2\n"})
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = Repository(tmp_path / "clone")
    origin.git("clone", "--quiet", "--filter=tree:0", origin.path.as_uri(), str(clone.path))
    clone.git("config", "remote.origin.uploadpack", str(trap.path))
    with pytest.raises(Exception, match="not in this partial clone"):
        _ = open_revision(clone.path, "HEAD~1").entries
    assert trap.sprung == ""


def test_nothing_is_written(repo: MakeRepository) -> None:
    made = repo({"a.yaml": "a: 1\n"}, {"a.yaml": "a: 2\n"})
    os.utime(made.path / "a.yaml")  # `git status` would refresh the index

    def everything() -> dict[str, tuple[int, int]]:
        paths = [made.path, *made.path.rglob("*")]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}

    before = everything()
    read_everything(made)
    assert everything() == before


def test_a_bare_repository_in_the_tree_is_only_files(repo: MakeRepository, trap: Trap) -> None:
    """A folder that looks like a Git directory could be taken for one from inside."""
    made = repo({"a.yaml": "a: 1\n"}, {"a.yaml": "a: 2\n"})
    inner = made.path / "inner"
    made.git("init", "--quiet", "--bare", str(inner))
    Repository(inner).git("config", "core.fsmonitor", str(trap.path))
    read_everything(made)
    assert trap.sprung == ""
