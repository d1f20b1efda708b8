"""`meshplan graph`: the dependency graph alone."""

from typing import Any

import click

from meshplan.cli.diff import request_of, revision_range
from meshplan.cli.options import source_options


@click.command("graph", short_help="Draw which changed object waits for which other.")
@click.argument("revisions", nargs=-1, metavar="[BASE[..HEAD]]")
@click.option("--staged", "--cached", is_flag=True, help="Compare the index, not the working tree.")
@source_options
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="mermaid (for GitHub, GitLab and Markdown) or dot (for Graphviz), and where.",
)
def command(revisions: tuple[str, ...], outputs: tuple[str, ...], **options: Any) -> int:
    """Draw which changed object has to wait for which other, and what fails otherwise.

    \b
    meshplan graph main... -o dot | dot -Tsvg > graph.svg
    """
    # Late: `--help` needs none of it.
    from meshplan.cli.output import outputs_of, write_outputs  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.run import diff_revisions  # noqa: PLC0415

    wanted = outputs_of(outputs, ("mermaid", "dot"))
    with Progress() as progress:
        request = request_of(revision_range(revisions), proof=False, **options)
        result = diff_revisions(request, progress)
    write_outputs(wanted, result, color="never", verbose=False, quiet=False)
    return 3 if result.exit_status == 3 else 0
