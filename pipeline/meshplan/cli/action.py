"""What the GitHub Action does once meshplan is installed: compare, report, comment.

`action.yml` runs this as `python -I -m meshplan.cli.action`. Everything comes from the environment:
what a workflow sets in MESHPLAN_…, the rest in the variables of the runner. Files and the job
summary are written first, so that they are there whatever becomes of the comment.
"""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.delivery.runner import Runner, command
from meshplan.errors import MeshplanError, UsageError

if TYPE_CHECKING:
    from meshplan.result import Result

_WHEN = ("auto", "always", "never")
_FAIL_ON = ("", "error", "warning", "info", "never")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the workflow asks for."""

    directory: Path
    #: Where reports are written.
    folder: Path
    base: str
    head: str
    #: A saved result that is to be delivered, and nothing to be compared.
    plan: str
    config: str
    targets: tuple[str, ...]
    deployers: tuple[str, ...]
    fail_on: str
    comment: str
    comment_id: str
    annotations: bool
    summary: bool
    sarif: bool
    token: str


def inputs_of(env: Mapping[str, str]) -> Inputs:
    """The inputs of the action. Raises UsageError for one that is not understood."""
    from meshplan.cli.options import DEPLOYERS  # noqa: PLC0415 - late, as all of the package

    def text(name: str, default: str = "") -> str:
        return env.get(f"MESHPLAN_{name}", "").strip() or default

    deployers = _words(text("DEPLOYER"))
    for name in deployers:
        _one_of("deployer", name, DEPLOYERS)
    temp = Path(env.get("RUNNER_TEMP") or ".")
    return Inputs(
        directory=Path(text("WORKING_DIRECTORY", ".")),
        folder=Path(text("OUTPUT_DIRECTORY", str(temp / "meshplan"))),
        base=text("BASE"),
        head=text("HEAD"),
        plan=text("PLAN"),
        config=text("CONFIG"),
        targets=_words(text("TARGET")),
        deployers=deployers,
        fail_on=_one_of("fail-on", text("FAIL_ON"), _FAIL_ON),
        comment=_one_of("comment", text("COMMENT", "auto"), _WHEN),
        comment_id=text("COMMENT_ID", "meshplan"),
        annotations=_is_on("annotations", text("ANNOTATIONS", "true")),
        summary=_is_on("summary", text("SUMMARY", "true")),
        sarif=_is_on("sarif", text("SARIF", "true")),
        token=text("TOKEN"),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


def _one_of(name: str, text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        known = ", ".join(choice for choice in choices if choice)
        raise UsageError(f"`{name}` is one of {known}, not {text!r}")
    return text


def _is_on(name: str, text: str) -> bool:
    return _one_of(name, text.lower(), ("true", "false")) == "true"


def main(env: Mapping[str, str]) -> int:
    """Run the step and give its exit status; whatever goes wrong is one sentence."""
    runner = Runner(env, {})
    if env.get("RUNNER_DEBUG") == "1":
        os.environ.setdefault("MESHPLAN_DEBUG", "1")
    try:
        runner = Runner.of(env)
        inputs = inputs_of(env)
        result = _saved(inputs) if inputs.plan else _compared(inputs, runner)
        status = _reported(inputs, runner, result)
        commented = _commented(inputs, runner, result)
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence, not a traceback
        return _stopped(error, runner)
    runner.set_output("exit-code", str(status or commented))
    return status or commented


def _stopped(error: Exception, runner: Runner) -> int:
    from meshplan.report.markdown import prose  # noqa: PLC0415 - only on an error

    if os.environ.get("MESHPLAN_DEBUG"):
        import traceback  # noqa: PLC0415 - only on an error

        traceback.print_exception(error)
    if isinstance(error, MeshplanError):
        sentence, hint, status = error.sentence, error.hint, error.exit_status
    else:
        # Not its text: that may hold what a manifest holds.
        sentence = f"meshplan itself failed ({type(error).__name__}): that is a fault of meshplan"
        hint, status = "set MESHPLAN_DEBUG=1 in the environment and report what it prints", 3
    said = sentence + (f" ({hint})" if hint else "")
    print(command("error", said, title="meshplan"), flush=True)
    runner.set_output("exit-code", str(status))
    runner.add_summary(f"## ❌ meshplan: {prose(said)}\n", "")
    return status


def _compared(inputs: Inputs, runner: Runner) -> "Result":
    """The two revisions that the event is about."""
    from meshplan.cli.diff import request_of  # noqa: PLC0415 - late, as all of the package
    from meshplan.delivery.revisions import compared, with_token  # noqa: PLC0415 - the same
    from meshplan.run import diff_revisions  # noqa: PLC0415 - the same

    if not inputs.directory.is_dir():
        raise UsageError(f"`working-directory` {inputs.directory} is no folder of the checkout")
    server = runner.env.get("GITHUB_SERVER_URL", "")
    checkout = with_token(inputs.directory, server, inputs.token)
    revisions = compared(runner, checkout, inputs.base, inputs.head)
    request = request_of(
        revisions,
        inputs.directory,
        config=inputs.directory / inputs.config if inputs.config else None,
        targets=inputs.targets,
        deployers=inputs.deployers,
        fail_on=inputs.fail_on if inputs.fail_on != "never" else None,
    )
    return diff_revisions(request, lambda _: None)


def _saved(inputs: Inputs) -> "Result":
    """The result that another run has left, from an artifact that anybody may have made."""
    from meshplan.cli.comment import read_result  # noqa: PLC0415 - late, as all of the package

    path = Path(inputs.plan)
    document, result = read_result(path)
    digest = path.with_name("plan.digest")
    if digest.is_file():
        from meshplan.result.saved import plan_digest  # noqa: PLC0415 - the same

        if digest.read_text("utf-8", "replace").strip() != plan_digest(document):
            raise UsageError(f"{path} is not the plan that {digest.name} beside it belongs to")
    return result


def _reported(inputs: Inputs, runner: Runner, result: "Result") -> int:
    """Files, outputs, log, annotations and summary; gives the exit status of the comparison."""
    from meshplan.cli.comment import note_of  # noqa: PLC0415 - late, as all of the package
    from meshplan.report import REPORTS, View  # noqa: PLC0415 - the same
    from meshplan.result.saved import plan_digest  # noqa: PLC0415 - the same

    reports = {report.name: report for report in REPORTS}
    note = note_of(result, runner)
    document = result.to_json()
    digest = plan_digest(document)
    files = {
        "plan-json": ("plan.json", reports["json"].render(result, View())),
        "plan-digest-file": ("plan.digest", f"{digest}\n"),
        "markdown-file": ("comment.md", note.body),
    }
    if inputs.sarif and "sarif" in reports:
        files["sarif-file"] = ("meshplan.sarif", reports["sarif"].render(result, View()))
    _write(inputs.folder, runner, files)
    plans = [target.plan for target in result.targets if target.plan is not None]
    outputs = {
        "verdict": str(result.verdict),
        "changed": str(any(len(target.changes) for target in result.targets)).lower(),
        "steps": str(sum(1 for plan in plans for _ in plan.steps)),
        "findings": str(result.summary["new"]),
        "plan-digest": digest,
    }
    for name, value in outputs.items():
        runner.set_output(name, value)
    _print(reports["text"].render(result, View()))
    if inputs.annotations and "github" in reports and not inputs.plan:
        print(reports["github"].render(result, View()), end="", flush=True)
    if inputs.summary:
        runner.add_summary(note.body, "*This is not all: the rest is in the log of the job.*")
    delivered = inputs.plan or (inputs.fail_on == "never" and result.exit_status == 1)
    return 0 if delivered else result.exit_status


def _write(folder: Path, runner: Runner, files: Mapping[str, tuple[str, str]]) -> None:
    from meshplan.errors import SourceError  # noqa: PLC0415 - late, as all of the package

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for output, (name, text) in files.items():
            path = folder / name
            path.write_text(text, "utf-8", "replace")
            runner.set_output(output, str(path))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise SourceError(f"cannot write reports to {folder}: {reason}") from error


def _print(text: str) -> None:
    """Print a report; nothing in it is a command to the runner."""
    end = f"meshplan-{secrets.token_hex(16)}"
    encoded = f"::stop-commands::{end}\n{text.rstrip()}\n::{end}::\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def _commented(inputs: Inputs, runner: Runner, result: "Result") -> int:
    """The comment, where there can be one; gives the exit status of that."""
    from meshplan.cli.comment import deliver, github  # noqa: PLC0415 - late, as all of the package

    wanted = inputs.comment == "always" or bool(inputs.plan)
    reason = _why_silent(inputs, runner)
    if reason is not None:
        if reason:
            print(command("notice", f"no comment: {reason}", title="meshplan"))
        return 0
    try:
        api = github(runner, inputs.token)
        outcome = deliver(api, runner, result, name=inputs.comment_id, when=inputs.comment)
    except MeshplanError as error:
        said = error.sentence + (f" ({error.hint})" if error.hint else "")
        what = f"no comment: {said}; the plan is in the summary of the job"
        print(command("error" if wanted else "warning", what, title="meshplan"))
        return error.exit_status if wanted else 0
    runner.set_output("comment-url", outcome.url)
    _print(str(outcome) + (f" ({outcome.url})" if outcome.url else ""))
    return 0


def _why_silent(inputs: Inputs, runner: Runner) -> str | None:
    """Why there will be no comment, "" where nobody expects one; None where one is to be made."""
    if inputs.comment == "never":
        return ""
    if inputs.plan:
        return None
    if runner.pull_request is None:
        return ""
    if runner.is_from_fork and runner.event_name == "pull_request":
        return (
            "the token of a pull request from a fork may not write one; "
            "docs/how-to/github-action.md tells how a second job does it"
        )
    return None


if __name__ == "__main__":
    sys.exit(main(os.environ))
