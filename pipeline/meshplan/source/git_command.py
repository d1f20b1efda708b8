"""Git commands that cannot start anything: the options they run with, and what failures mean.

The repository and its `.git/config` are hostile input. Only plumbing that reads the object database
and the index is run, every setting that names a program is overridden, and no transport is
allowed, so that a partial clone is never completed behind the user's back. The environment is the
user's own: `GIT_DIR`, `GIT_WORK_TREE`, `GIT_INDEX_FILE` and the like mean what they mean to git,
which is how meshplan works inside a hook.

Replace refs and grafts are ignored: a commit id stands for what everybody else gets for it.
"""

import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError, SourceError, UsageError

if TYPE_CHECKING:
    from git import Git as Runner

#: Ample for the slowest disk; only a FIFO in the place of a file git reads takes longer.
TIMEOUT_SECONDS = 120.0

_SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.untrackedCache": "false",
    "core.sshCommand": "false",
    "submodule.recurse": "false",
    "advice.graftFileDeprecated": "false",
}

_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    *(part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")),
)

_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",  # stops the lazy fetch of a git that lacks the next one
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_GRAFT_FILE": os.devnull,
}


#: Words of git for an object that is damaged.
_DAMAGE = ("corrupt", "inflate", "mismatch", "malformed", "bad tree", "garbage", "bad object")


class NoRepositoryError(UsageError):
    """A directory is in no Git repository."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git command gave back."""

    status: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Process:
    """A running git command with its three pipes; `close` ends it."""

    popen: subprocess.Popen[bytes]
    # GitPython ends the process when this wrapper is collected, so it has to live as long.
    _wrapper: "Runner.AutoInterrupt"

    def close(self) -> None:
        """End the process, however far it came, and close its pipes."""
        if self.popen.poll() is None:
            self.popen.kill()
        for pipe in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # requests that the process did not take
                    continue
        self.popen.wait()


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one directory, or bound to one repository."""

    directory: Path
    binding: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: _ENVIRONMENT)

    def bound(self, git_dir: Path, work_tree: Path | None) -> Self:
        """The same for one repository, whatever the directory it was found from."""
        tree = (f"--work-tree={work_tree}",) if work_tree else ()
        binding = (f"--git-dir={git_dir}", *tree)
        return replace(self, directory=work_tree or git_dir, binding=binding)

    def with_environment(self, **variables: str) -> Self:
        """The same with more environment variables."""
        return replace(self, environment={**self.environment, **variables})

    def path(self, name: str) -> Path:
        """Where a file of the Git directory is; objects may be in another than the index."""
        found = os.fsdecode(self.output("rev-parse", "--git-path", name)).removesuffix("\n")
        return self.directory / found

    def start(self, *arguments: str) -> Process:
        """Start a command with pipes to all its streams."""
        command = [_runner().GIT_PYTHON_GIT_EXECUTABLE or "git", *_OPTIONS, *self.binding]
        # GitPython would fall back to the current directory: another repository.
        if not os.access(self.directory, os.X_OK):
            raise SourceError(f"permission denied: {self.directory}")
        try:
            wrapper = _runner()(self.directory).execute(
                [*command, *arguments],
                istream=subprocess.PIPE,
                as_process=True,
                env=self.environment,
            )
        except _not_found() as error:
            raise _git_missing() from error
        except OSError as error:
            raise SourceError(f"cannot run git: {error.strerror or error}") from error
        if wrapper.proc is None:
            raise SourceError(f"git {arguments[0]} did not start")
        return Process(wrapper.proc, wrapper)

    def attempt(self, *arguments: str, stdin: bytes = b"") -> Answer:
        """Run a command to its end; the caller judges the exit status."""
        process = self.start(*arguments)
        try:
            stdout, stderr = process.popen.communicate(stdin, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            message = f"git {arguments[0]} did not finish within {TIMEOUT_SECONDS:.0f} s"
            raise SourceError(message) from error
        finally:
            process.close()
        status = process.popen.returncode
        return Answer(status, stdout, stderr.decode("utf-8", "replace"))

    def output(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What a command prints; raises MeshplanError where it fails."""
        answer = self.attempt(*arguments, stdin=stdin)
        if answer.status != 0:
            raise failure(arguments[0], answer.stderr)
        return answer.stdout


def complaints(stderr: str) -> list[str]:
    """The lines in which git says what is wrong, worst first, without traces and advice."""
    lines = [line.strip() for line in stderr.splitlines()]
    return [
        line.removeprefix(level)
        for level in ("fatal: ", "error: ")
        for line in lines
        if line.startswith(level)
    ]


def failure(command: str, stderr: str) -> MeshplanError:
    """The error that a failed command amounts to."""
    said = complaints(stderr)
    if reason := _naming(said, ("dubious ownership", "unsafe repository")):
        return _dubious_ownership(reason)
    if reason := _naming(said, ("permission denied",)):
        return SourceError(f"git {command}: {reason}", hint="check who may read the repository")
    if reason := _naming(said, _DAMAGE):
        return corrupt(reason)
    return SourceError(f"git {command} failed: {said[0] if said else 'it gave no reason'}")


def corrupt(what: str) -> SourceError:
    """The error for an object that cannot be read although it should be there."""
    return SourceError(
        f"the repository is corrupt: {what}",
        hint="run `git fsck` to see what is damaged, then fetch or clone again",
    )


def not_a_repository(directory: Path) -> NoRepositoryError:
    """The error for a directory in which git finds no repository."""
    return NoRepositoryError(
        f"{directory if directory.parts else directory.absolute()} is not inside a Git repository",
        hint="run meshplan inside one; to look at a plain folder, use `meshplan check FOLDER`",
    )


def _dubious_ownership(reason: str) -> SourceError:
    place = reason.partition("'")[2].partition("'")[0] or "the repository"
    return SourceError(
        f"git does not trust {place}, because another user owns it",
        hint=f"if you do: git config --global --add safe.directory {shlex.quote(place)}",
    )


def _naming(said: Iterable[str], words: Iterable[str]) -> str | None:
    """The first line that has one of the words."""
    return next((line for line in said if any(word in line.lower() for word in words)), None)


def _git_missing() -> SourceError:
    return SourceError("git is not installed, or not on PATH", hint="install git 2.31 or later")


def _runner() -> "type[Runner]":
    try:
        from git import Git as Runner  # noqa: PLC0415 - 60 ms, which only Git commands should pay
    except ImportError as error:
        if "git executable" in str(error):
            raise _git_missing() from error
        raise
    return Runner


def _not_found() -> type[Exception]:
    from git.exc import GitCommandNotFound  # noqa: PLC0415 - see _runner

    return GitCommandNotFound
