"""`meshplan comment`: a saved result as the one comment of a pull request."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshplan.delivery.github import GitHub
    from meshplan.delivery.runner import Runner
    from meshplan.delivery.sticky import Note, Outcome
    from meshplan.result import Result

#: What a comment says of a result that the run of a fork has made.
FROM_FORK = (
    "> [!NOTE]\n> A run of the fork has made this{link}, and whoever opened the pull request can "
    "change what such a run does.\n\n"
)


@click.command("comment", short_help="Keep the one comment of a pull request up to date.")
@click.argument("result", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--pull-request", type=click.IntRange(min=1), metavar="N", help="Its number.")
@click.option(
    "--repository", metavar="OWNER/NAME", help="Where it is; without, what GITHUB_REPOSITORY says."
)
@click.option("--id", "name", default="meshplan", metavar="NAME", help="One comment for each name.")
@click.option(
    "--when",
    type=click.Choice(["auto", "always"]),
    default="auto",
    help="Whether to comment where nothing changes and nothing is wrong.",
)
@click.option("--dry-run", is_flag=True, help="Print the comment, and ask GitHub nothing.")
def command(
    result: Path,
    pull_request: int | None,
    repository: str | None,
    name: str,
    when: str,
    *,
    dry_run: bool,
) -> int:
    """Write RESULT (from `meshplan diff -o json=RESULT`) as the one comment of a pull request.

    The comment is created, updated or put right, and left alone where it says the same already or
    a newer run has written it. The result is validated and rendered anew: it may come from a run
    that others control. The token is in GITHUB_TOKEN; in a job of GitHub Actions, nothing else has
    to be said.

    \b
    Exit status: 0 written, or nothing to write; 2 not a result; 3 GitHub refuses or is not there.
    """
    # Late: `--help` needs none of it.
    import os  # noqa: PLC0415

    from meshplan.cli.output import write_stdout  # noqa: PLC0415
    from meshplan.delivery.runner import Runner  # noqa: PLC0415

    _, found = read_result(result)
    runner = Runner.of(os.environ)
    if dry_run:
        write_stdout(note_of(found, runner).body.encode("utf-8", "replace"))
        return 0
    api = github(runner, os.environ.get("GITHUB_TOKEN", ""), repository)
    outcome = deliver(api, runner, found, number=pull_request, name=name, when=when)
    click.echo(str(outcome) + (f" ({outcome.url})" if outcome.url else ""))
    return 0


def read_result(path: Path) -> "tuple[Mapping[str, Any], Result]":
    """A saved result, as a document and as what it describes. Raises UsageError if it is none."""
    from meshplan.errors import UsageError  # noqa: PLC0415 - `--help` does not need it
    from meshplan.result.saved import MAX_BYTES, saved_document, saved_result  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"cannot read {path}: {reason}") from error
    document = saved_document(content, str(path))
    return document, saved_result(document, str(path))


def github(runner: "Runner", token: str, repository: str | None = None) -> "GitHub":
    """The repository at GitHub. Raises DeliveryError where there is no token."""
    from meshplan.delivery.github import GitHub  # noqa: PLC0415 - late, as above
    from meshplan.delivery.http import Http  # noqa: PLC0415 - the same

    http = Http(runner.api)
    return GitHub.connect(http, token, repository or runner.repository, runner.graphql)


def deliver(
    api: "GitHub",
    runner: "Runner",
    result: "Result",
    *,
    number: int | None = None,
    name: str = "meshplan",
    when: str = "auto",
) -> "Outcome":
    """Write the comment of a result. Raises DeliveryError where GitHub refuses or is not there."""
    from meshplan.delivery.fork import pull_request_of  # noqa: PLC0415 - late, as above
    from meshplan.delivery.sticky import Done, Mode, Outcome, marker, stick  # noqa: PLC0415

    mine = marker(name, *runner.run)
    found = number or runner.pull_request
    if found is None:
        base = result.base.commit if result.base else None
        pull = pull_request_of(runner, api, base, result.head.commit)
        if pull is None:
            return Outcome(Done.LEFT, "no open pull request has this commit any more")
        found = pull.number
    return stick(api, found, mine, note_of(result, runner), Mode(when))


def note_of(result: "Result", runner: "Runner") -> "Note":
    """What a comment says of a result."""
    from meshplan.delivery.sticky import Note  # noqa: PLC0415 - late, as above
    from meshplan.finding import Status  # noqa: PLC0415 - the same
    from meshplan.report import REPORTS, View  # noqa: PLC0415 - the same
    from meshplan.result import Verdict  # noqa: PLC0415 - the same

    report = next(report for report in REPORTS if report.name == "markdown")
    body = report.render(result, View(tree=_files(result, runner)))
    if runner.event_name == "workflow_run":
        url = runner.text("workflow_run", "html_url")
        link = f" ([the run]({url}))" if _is_link(url) else ""
        body = FROM_FORK.format(link=link) + body
    matters = (
        result.verdict is not Verdict.UNCHANGED
        or result.exit_status != 0
        or any(found.status is Status.NEW for found in result.findings)
    )
    rest = "*This is not all: the rest is in the summary of the job.*"
    if _is_link(runner.run_url):
        rest = f"*This is not all: the rest is in [the summary of the job]({runner.run_url}).*"
    return Note(body, matters, runner.head_commit, rest)


def _files(result: "Result", runner: "Runner") -> str:
    """Where the files of the head can be read; "" where that is not known."""
    server, commit = runner.env.get("GITHUB_SERVER_URL", ""), result.head.commit or ""
    url = f"{server}/{runner.repository}/blob/{commit}"
    # The commit may be what somebody else wrote into a saved result.
    is_commit = len(commit) in (40, 64) and not set(commit) - set("0123456789abcdef")
    return url if is_commit and runner.repository and _is_link(url) else ""


def _is_link(url: str) -> bool:
    return url.startswith("https://") and not set(url) & set(" ()<>\"'\n\r")
