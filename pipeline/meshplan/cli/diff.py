"""`meshplan diff`: the main job."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshplan.cli import EXIT_STATUS
from meshplan.cli.options import (
    judgement_options,
    proof_options,
    report_options,
    source_options,
    today,
)

if TYPE_CHECKING:
    from meshplan.run import Request

FORMATS = "text, json, markdown, sarif, junit, github, script, mermaid, dot"


@click.command(
    "diff",
    epilog=EXIT_STATUS,
    short_help="Show what changes and in which order it is to be applied.",
)
@click.argument("revisions", nargs=-1, metavar="[BASE[..HEAD]]")
@click.option("--staged", "--cached", is_flag=True, help="Compare the index, not the working tree.")
@source_options
@proof_options
@report_options(FORMATS)
@judgement_options
def command(
    revisions: tuple[str, ...],
    outputs: tuple[str, ...],
    color: str,
    *,
    quiet: bool,
    verbose: bool,
    exit_zero: bool,
    **options: Any,
) -> int:
    """Show what changes between two revisions, and in which order it is to be applied.

    \b
    meshplan diff                 the working tree against HEAD
    meshplan diff --staged        the index against HEAD
    meshplan diff main...         HEAD against where it left main
    meshplan diff v1..v2          two revisions

    Nothing is checked out, and no code of the repository is run.
    """
    # Late: `--help` needs none of it.
    from meshplan.cli.output import outputs_of, write_outputs  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.run import diff_revisions  # noqa: PLC0415

    wanted = outputs_of(outputs)
    with Progress(quiet=quiet) as progress:
        result = diff_revisions(request_of(revision_range(revisions), **options), progress)
    write_outputs(wanted, result, color=color, verbose=verbose, quiet=quiet)
    return 0 if exit_zero and result.exit_status == 1 else result.exit_status


def revision_range(revisions: tuple[str, ...]) -> str | None:
    """What to compare, as one word: `A B` is `A..B`, as in git."""
    if len(revisions) > 2:
        raise click.UsageError(f"expected one or two revisions, not {len(revisions)}")
    if len(revisions) == 2 and any(".." in revision for revision in revisions):
        raise click.UsageError("a range and a revision: name two revisions, or one range")
    return "..".join(revisions) or None


def request_of(revisions: str | None, directory: Path = Path(), **options: Any) -> "Request":
    """The options as the stages take them; those that a command does not have are left out."""
    from meshplan.finding import Severity  # noqa: PLC0415 - `--help` does not need it
    from meshplan.run import Request  # noqa: PLC0415 - the same

    fail_on = options.get("fail_on")
    return Request(
        directory=directory,
        as_of=options.get("as_of") or today(),
        revisions=revisions,
        staged=options.get("staged", False),
        config=options.get("config"),
        targets=options.get("targets", ()),
        closed=options.get("closed", False),
        mesh=options.get("mesh", ()),
        proof=options.get("proof"),
        deployers=options.get("deployers", ()),
        fail_on=Severity(fail_on) if fail_on else None,
        cached=not options.get("no_cache", False),
    )
