"""`meshplan check`: one revision alone."""

from pathlib import Path
from typing import Any

import click

from meshplan.cli import EXIT_STATUS
from meshplan.cli.diff import request_of
from meshplan.cli.options import judgement_options, report_options, source_options

FORMATS = ("text", "json", "markdown", "sarif", "junit", "github")


@click.command("check", epilog=EXIT_STATUS, short_help="Check one revision.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--revision", metavar="REV", help="A revision, not the working tree.")
@source_options
@report_options(", ".join(FORMATS))
@judgement_options
def command(
    paths: tuple[Path, ...],
    revision: str | None,
    outputs: tuple[str, ...],
    color: str,
    *,
    quiet: bool,
    verbose: bool,
    exit_zero: bool,
    **options: Any,
) -> int:
    """Check one revision: the working tree, or the files and folders named.

    Broken YAML, objects that Istio would refuse or ignore, objects that are defined twice, and
    what could not be read or rendered.
    """
    # Late: `--help` needs none of it.
    from meshplan.cli.output import outputs_of, write_outputs  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.run import check_revision  # noqa: PLC0415

    wanted = outputs_of(outputs, FORMATS)
    with Progress(quiet=quiet) as progress:
        request = request_of(revision, **options)
        result = check_revision(request, progress, paths)
    write_outputs(wanted, result, color=color, verbose=verbose, quiet=quiet)
    return 0 if exit_zero and result.exit_status == 1 else result.exit_status
