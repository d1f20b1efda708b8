"""Which two commits a job of GitHub Actions compares, and getting those that are not there.

A checkout of one or two commits is enough: what is missing is fetched by its id, as objects only.
"""

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from meshplan.dataclass import dataclass
from meshplan.delivery.runner import Runner
from meshplan.errors import SourceError, UsageError

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout, and how to ask its remote for more."""

    directory: Path
    #: Environment for git beside that of the process: credentials, which no argument shall show.
    env: Mapping[str, str] = field(default_factory=dict)

    def commit(self, name: str) -> str:
        """The id of a commit; "" where it is not there."""
        status, text = self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return text if status == 0 else ""

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents that a commit names, whether they are there or not."""
        status, text = self._git("cat-file", "commit", commit)
        head = text.partition("\n\n")[0].splitlines() if status == 0 else []
        return tuple(row.split()[1] for row in head if row.startswith("parent "))

    def fetch(self, what: str, depth: int) -> bool:
        """Get a commit from `origin`, with as many generations; whether that went well."""
        # Only what is shallow already: a depth would cut off the history of a full clone.
        _, shallow = self._git("rev-parse", "--is-shallow-repository")
        limit = [f"--depth={depth}"] if shallow == "true" else []
        status, _ = self._git(
            *("-c", "protocol.ext.allow=never", "fetch", "--quiet", "--no-tags"),
            *("--no-recurse-submodules", *limit, "origin", what),
        )
        return status == 0

    def have(self, commit: str) -> bool:
        """Whether a commit is there, or could be fetched."""
        return bool(self.commit(commit)) or (
            bool(_COMMIT.match(commit)) and self.fetch(commit, 1) and bool(self.commit(commit))
        )

    def _git(self, *arguments: str) -> tuple[int, str]:
        try:
            done = subprocess.run(
                [shutil.which("git") or "git", *arguments],
                cwd=self.directory,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **self.env},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except OSError as error:
            raise SourceError(f"git cannot be run: {(error.strerror or '').lower()}") from error
        except subprocess.TimeoutExpired:
            return 1, ""
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()


def with_token(directory: Path, server: str, token: str) -> Checkout:
    """A checkout whose remote is asked with a token, even where the checkout has kept none."""
    if not (server and token):
        return Checkout(directory)
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    count = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    url = server.rstrip("/")
    return Checkout(
        directory,
        {
            "GIT_CONFIG_COUNT": str(count + 2),
            # The empty value drops what the checkout may have kept: two headers are refused.
            f"GIT_CONFIG_KEY_{count}": f"http.{url}/.extraheader",
            f"GIT_CONFIG_VALUE_{count}": "",
            f"GIT_CONFIG_KEY_{count + 1}": f"http.{url}/.extraheader",
            f"GIT_CONFIG_VALUE_{count + 1}": f"AUTHORIZATION: basic {basic}",
        },
    )


def compared(runner: Runner, checkout: Checkout, base: str = "", head: str = "") -> str:
    """The range to compare, as in `BASE..HEAD`; `base` and `head` are what the user names.

    Raises UsageError where the event does not say, or what it says cannot be had.
    """
    if base:
        found, new = _named(checkout, base), _named(checkout, head or "HEAD")
        return f"{found}..{new}"
    if head:
        raise UsageError("`head` is given without `base`", hint="name both, or neither")
    match runner.event_name:
        case "pull_request" | "pull_request_target":
            return _pull_request(runner, checkout)
        case "push":
            return _push(runner, checkout)
        case "merge_group":
            old, new = (
                runner.text("merge_group", "base_sha"),
                runner.text("merge_group", "head_sha"),
            )
            return f"{_there(checkout, old, 'base')}..{_there(checkout, new, 'head')}"
        case other:
            raise UsageError(
                f"nothing says what to compare with on the event {other or '(none)'}",
                hint="name `base`, as in base: HEAD^",
            )


def _pull_request(runner: Runner, checkout: Checkout) -> str:
    """The merge that GitHub has made and its first parent: what the base is, and what it will be."""
    tip = runner.head_commit
    merge = checkout.commit("HEAD")
    if tip not in checkout.parents(merge)[1:]:
        merge = _fetched_merge(runner, checkout)
    parents = checkout.parents(merge)
    if tip in parents[1:]:
        if not checkout.commit(parents[0]) and not checkout.fetch(merge, 2):
            checkout.have(parents[0])
        return f"{_there(checkout, parents[0], 'base')}..{merge}"
    # There is no merge to look at, as where the branches conflict.
    base = _there(checkout, runner.text("pull_request", "base", "sha"), "base")
    return f"{base}...{_there(checkout, tip, 'head')}"


def _fetched_merge(runner: Runner, checkout: Checkout) -> str:
    number = runner.pull_request
    found = number is not None and checkout.fetch(f"refs/pull/{number}/merge", 2)
    return checkout.commit("FETCH_HEAD") if found else ""


def _push(runner: Runner, checkout: Checkout) -> str:
    new = _there(checkout, runner.text("after") or checkout.commit("HEAD"), "head")
    before = runner.commit_before_push
    if before:
        return f"{_there(checkout, before, 'before')}..{new}"
    parents = checkout.parents(new)
    if not parents:
        raise UsageError(
            "the branch is new and has one commit: there is nothing to compare with",
            hint="name `base`, as in base: origin/main",
        )
    if not checkout.commit(parents[0]):
        checkout.fetch(new, 2)
    return f"{_there(checkout, parents[0], 'base')}..{new}"


_WHAT = {
    "base": "the base",
    "head": "the head",
    "before": "the commit before the push",
}


def _there(checkout: Checkout, commit: str, what: str) -> str:
    if not _COMMIT.match(commit):
        raise UsageError(f"the event does not say which commit is {_WHAT[what]}")
    if not checkout.have(commit):
        forced = "; after a forced push the server may have dropped it" if what == "before" else ""
        raise UsageError(
            f"{_WHAT[what]}, {commit}, is not in the checkout and cannot be fetched{forced}",
            hint="check out with `fetch-depth: 0`, or name `base`",
        )
    return commit


def _named(checkout: Checkout, name: str) -> str:
    """A revision that the user names. What begins with a hyphen is an option, and not one."""
    if name.startswith("-"):
        raise UsageError(f"{name!r} is no revision")
    if not checkout.commit(name):
        if not (checkout.fetch(name.removeprefix("origin/"), 1) and checkout.commit("FETCH_HEAD")):
            raise UsageError(
                f"there is no revision {name!r}, and it cannot be fetched",
                hint="check out with `fetch-depth: 0`",
            )
        return checkout.commit("FETCH_HEAD")
    return checkout.commit(name)
