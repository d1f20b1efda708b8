"""A job of GitHub Actions: what its environment says, and the files it reads back.

Everything comes from variables and the event file, never from text that a workflow puts into a
command.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.delivery.budget import SUMMARY_BYTES, fitted, size
from meshplan.errors import UsageError


@dataclass(frozen=True, slots=True)
class Runner:
    """The environment of a step."""

    env: Mapping[str, str]
    event: Mapping[str, Any]

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Runner":
        """From the variables that a runner sets. Raises UsageError for an event that is no JSON."""
        path = env.get("GITHUB_EVENT_PATH", "")
        if not path:
            return cls(env, {})
        try:
            event = json.loads(Path(path).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"GITHUB_EVENT_PATH {path} cannot be read as JSON") from error
        return cls(env, event if isinstance(event, dict) else {})

    @property
    def event_name(self) -> str:
        """pull_request, push, workflow_run and so on."""
        return self.env.get("GITHUB_EVENT_NAME", "")

    @property
    def repository(self) -> str:
        """`owner/name`."""
        return self.env.get("GITHUB_REPOSITORY", "")

    @property
    def api(self) -> str:
        """Where the REST API is."""
        return self.env.get("GITHUB_API_URL") or "https://api.github.com"

    @property
    def graphql(self) -> str:
        """Where the GraphQL API is; "" for the usual place beside the REST API."""
        return self.env.get("GITHUB_GRAPHQL_URL", "")

    @property
    def run_url(self) -> str:
        """The page of this run; "" outside of GitHub."""
        server, run = self.env.get("GITHUB_SERVER_URL", ""), self.env.get("GITHUB_RUN_ID", "")
        return f"{server}/{self.repository}/actions/runs/{run}" if server and run else ""

    def at(self, *names: str) -> Any:
        """What the event has there; None if it has nothing."""
        value: Any = self.event
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def text(self, *names: str) -> str:
        """As `at`, but only texts."""
        value = self.at(*names)
        return value if isinstance(value, str) else ""

    @property
    def pull_request(self) -> int | None:
        """The number of the pull request that the event is about."""
        value = self.at("pull_request", "number")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def run(self) -> tuple[int, int]:
        """Number and attempt of the run whose result is delivered.

        After `workflow_run`, that is the run that was waited for: it is the one to compare with.
        """
        if self.event_name == "workflow_run":
            run, attempt = self.at("workflow_run", "id"), self.at("workflow_run", "run_attempt")
        else:
            run, attempt = self.env.get("GITHUB_RUN_ID"), self.env.get("GITHUB_RUN_ATTEMPT")
        return _number(run, 0), _number(attempt, 1)

    @property
    def head_commit(self) -> str:
        """The commit at the head of the pull request that this run has looked at."""
        if self.event_name == "workflow_run":
            return self.text("workflow_run", "head_sha")
        return self.text("pull_request", "head", "sha")

    @property
    def is_from_fork(self) -> bool:
        """Whether the pull request comes from another repository, so that the token only reads."""
        head = self.text("pull_request", "head", "repo", "full_name")
        return self.pull_request is not None and head != self.text(
            "pull_request", "base", "repo", "full_name"
        )

    @property
    def commit_before_push(self) -> str:
        """What the branch pointed to; "" for a new branch."""
        before = self.text("before")
        return "" if not before.strip("0") else before

    def set_output(self, name: str, value: str) -> None:
        """Hand a value to the steps that follow; nothing in it can end it early."""
        path = self.env.get("GITHUB_OUTPUT")
        if path:
            end = f"end-{secrets.token_hex(16)}"
            with Path(path).open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{name}<<{end}\n{value}\n{end}\n")

    def add_summary(self, text: str, rest: str) -> None:
        """Add to the job summary, within what GitHub takes of one step."""
        path = self.env.get("GITHUB_STEP_SUMMARY")
        if not path:
            return
        file = Path(path)
        there = file.stat().st_size if file.exists() else 0
        body = fitted(text, max(0, SUMMARY_BYTES - there), rest)
        if there + size(body) <= SUMMARY_BYTES + size(rest) + 8:
            with file.open("a", encoding="utf-8", errors="replace") as opened:
                opened.write(body.rstrip("\n") + "\n")


def _number(value: Any, otherwise: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise


def command(name: str, message: str, **properties: str | int) -> str:
    """A workflow command, escaped so that neither message nor property can be another one."""
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    given = {key: _property(str(value)) for key, value in properties.items() if value != ""}
    shown = ",".join(f"{key}={value}" for key, value in given.items())
    return f"::{name}{' ' if shown else ''}{shown}::{text}"


def _property(text: str) -> str:
    escapes = {"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"}
    return "".join(escapes.get(char, char) for char in text)
